//! The receive buffer, which finds the ends of heads.

use bytes::{Bytes, BytesMut};

use super::fields::is_token_byte;
use super::{Limits, Violation};

/// Spare capacity for a read.
const READ_SIZE: usize = 1024;

/// Beginning of every response; a request begins with a token.
const RESPONSE: &[u8] = b"HTTP/1.";

/// Kind of the received messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Requests,
    Responses,
}

/// Buffers bytes and splits heads off. Scans each byte once, for any chunking.
#[derive(Debug)]
pub(super) struct Incoming {
    side: Side,
    received: BytesMut,
    /// Number of bytes without the end of a head.
    scanned: usize,
    /// Beginning of the line that contains `scanned`.
    line: usize,
    /// Number of complete lines before that.
    lines: usize,
    /// Whether an empty line before the first line was skipped.
    skipped_empty_line: bool,
    /// Number of bytes scanned so far.
    #[cfg(test)]
    pub(super) scans: usize,
}

/// Unparsed head, up to and including its empty line.
pub(super) struct RawHead {
    pub(super) bytes: BytesMut,
    /// Number of field lines.
    pub(super) fields: usize,
}

impl Incoming {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            received: BytesMut::new(),
            scanned: 0,
            line: 0,
            lines: 0,
            skipped_empty_line: false,
            #[cfg(test)]
            scans: 0,
        }
    }

    pub(super) fn buffer_for_read(&mut self) -> &mut BytesMut {
        self.received.reserve(READ_SIZE);
        &mut self.received
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.received.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.received.capacity()
    }

    /// Drops received bytes of content; returns the number of content bytes still to be received.
    pub(super) fn skip(&mut self, content: u64) -> u64 {
        let here = usize::try_from(content).unwrap_or(usize::MAX).min(self.received.len());
        let _ = self.received.split_to(here);
        content - here as u64
    }

    /// Removes and returns all buffered bytes.
    pub(super) fn rest(&mut self) -> Bytes {
        core::mem::take(&mut self.received).freeze()
    }

    /// Returns the next head; `None` until it is complete.
    pub(super) fn head(&mut self, limits: &Limits) -> Result<Option<RawHead>, Violation> {
        while self.scanned < self.received.len() {
            let ended = self.scan_byte(limits)?;
            self.scanned += 1;
            if ended {
                let bytes = self.received.split_to(self.scanned);
                let fields = self.lines - 1;
                (self.scanned, self.line, self.lines, self.skipped_empty_line) = (0, 0, 0, false);
                return Ok(Some(RawHead { bytes, fields }));
            }
        }
        Ok(None)
    }

    /// Scans the next byte; returns whether it ends the head.
    fn scan_byte(&mut self, limits: &Limits) -> Result<bool, Violation> {
        #[cfg(test)]
        {
            self.scans += 1;
        }
        let at = self.scanned;
        let byte = self.received[at];
        let after_cr = at > self.line && self.received[at - 1] == b'\r';
        if after_cr != (byte == b'\n') {
            return Err(Violation::LineEnd);
        }
        if at >= limits.head {
            return Err(Violation::HeadTooLong { limit: limits.head });
        }
        match byte {
            b'\n' => return self.end_of_line(limits),
            _ if self.lines == 0 && !self.is_valid_start(byte) => return Err(Violation::NotHttp),
            b'\r' => {}
            b'\t' | b' '..=0x7e | 0x80.. if at - self.line < limits.line => {}
            b'\t' | b' '..=0x7e | 0x80.. => return Err(self.too_long(limits.line)),
            _ => return Err(Violation::Control(byte)),
        }
        Ok(false)
    }

    fn is_valid_start(&self, byte: u8) -> bool {
        let at = self.scanned - self.line;
        match self.side {
            Side::Requests => at > 0 || is_token_byte(byte) || byte == b'\r',
            Side::Responses => RESPONSE.get(at).is_none_or(|expected| *expected == byte),
        }
    }

    /// Handles the LF of a line.
    fn end_of_line(&mut self, limits: &Limits) -> Result<bool, Violation> {
        let empty = self.scanned == self.line + 1;
        self.line = self.scanned + 1;
        if !empty {
            self.lines += 1;
        } else if self.lines == 0 {
            // Skips one empty line before a request: old clients send it behind content (RFC 9112, 2.2).
            let is_skipped = self.side == Side::Requests && !self.skipped_empty_line;
            self.skipped_empty_line = true;
            return if is_skipped { Ok(false) } else { Err(Violation::NotHttp) };
        }
        if self.lines > limits.fields.saturating_add(1) {
            return Err(Violation::TooManyFields { limit: limits.fields });
        }
        Ok(empty)
    }

    fn too_long(&self, limit: usize) -> Violation {
        if self.lines > 0 {
            return Violation::LineTooLong { limit };
        }
        if self.received[self.line..self.scanned].contains(&b' ') {
            Violation::FirstLineTooLong { limit }
        } else {
            Violation::MethodTooLong { limit }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts scanned bytes: one scan per byte, for any chunking.
    #[test]
    fn each_byte_of_a_head_is_looked_at_once() {
        let lines = "A: b\r\n".repeat(60);
        let bytes = alloc::format!("\r\nGET / HTTP/1.1\r\n{lines}\r\n").repeat(3);
        for step in [1, 2, 7, 100, bytes.len()] {
            let mut incoming = Incoming::new(Side::Requests);
            let mut heads = 0;
            for piece in bytes.as_bytes().chunks(step) {
                incoming.receive(piece);
                while let Some(head) = incoming.head(&Limits::default()).unwrap() {
                    assert_eq!(head.fields, 60);
                    heads += 1;
                }
            }
            assert_eq!((heads, incoming.scans, incoming.len()), (3, bytes.len(), 0), "in pieces of {step}");
        }
    }
}
