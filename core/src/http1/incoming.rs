//! The bytes received and not yet understood: where a head ends.

use bytes::{Bytes, BytesMut};

use super::fields::is_token_byte;
use super::{Limits, Violation};

/// The room for a read.
const ROOM: usize = 1024;

/// What every response begins with; a request begins with a token.
const RESPONSE: &[u8] = b"HTTP/1.";

/// Which heads come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Requests,
    Responses,
}

/// Collects bytes and cuts heads off them. Each byte is looked at once, however they come.
#[derive(Debug)]
pub(super) struct Incoming {
    side: Side,
    received: BytesMut,
    /// So many bytes hold no end of a head.
    looked: usize,
    /// Where the line begins that `looked` is in.
    line: usize,
    /// Lines before that.
    lines: usize,
    /// An empty line came before the first one.
    led: bool,
    /// Bytes ever looked at.
    #[cfg(test)]
    pub(super) looks: usize,
}

/// A head as it came, up to and with its empty line.
pub(super) struct RawHead {
    pub(super) bytes: BytesMut,
    /// How many of its lines are field lines.
    pub(super) fields: usize,
}

impl Incoming {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            received: BytesMut::new(),
            looked: 0,
            line: 0,
            lines: 0,
            led: false,
            #[cfg(test)]
            looks: 0,
        }
    }

    pub(super) fn room(&mut self) -> &mut BytesMut {
        self.received.reserve(ROOM);
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

    /// Drops as many bytes of content as have come; answers how many are still to come.
    pub(super) fn skip(&mut self, content: u64) -> u64 {
        let here = usize::try_from(content).unwrap_or(usize::MAX).min(self.received.len());
        let _ = self.received.split_to(here);
        content - here as u64
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> Bytes {
        core::mem::take(&mut self.received).freeze()
    }

    /// The next head; `None` until all of it has come.
    pub(super) fn head(&mut self, limits: &Limits) -> Result<Option<RawHead>, Violation> {
        while self.looked < self.received.len() {
            let ended = self.look(limits)?;
            self.looked += 1;
            if ended {
                let bytes = self.received.split_to(self.looked);
                let fields = self.lines - 1;
                (self.looked, self.line, self.lines, self.led) = (0, 0, 0, false);
                return Ok(Some(RawHead { bytes, fields }));
            }
        }
        Ok(None)
    }

    /// Looks at the next byte; answers whether it ends the head.
    fn look(&mut self, limits: &Limits) -> Result<bool, Violation> {
        #[cfg(test)]
        {
            self.looks += 1;
        }
        let at = self.looked;
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
            _ if self.lines == 0 && !self.begins_well(byte) => return Err(Violation::NotHttp),
            b'\r' => {}
            b'\t' | b' '..=0x7e | 0x80.. if at - self.line < limits.line => {}
            b'\t' | b' '..=0x7e | 0x80.. => return Err(self.too_long(limits.line)),
            _ => return Err(Violation::Control(byte)),
        }
        Ok(false)
    }

    fn begins_well(&self, byte: u8) -> bool {
        let at = self.looked - self.line;
        match self.side {
            Side::Requests => at > 0 || is_token_byte(byte) || byte == b'\r',
            Side::Responses => RESPONSE.get(at).is_none_or(|wanted| *wanted == byte),
        }
    }

    /// At the LF of a line.
    fn end_of_line(&mut self, limits: &Limits) -> Result<bool, Violation> {
        let empty = self.looked == self.line + 1;
        self.line = self.looked + 1;
        if !empty {
            self.lines += 1;
        } else if self.lines == 0 {
            // One before a request is passed over: clients of old send it behind content (RFC 9112, 2.2).
            let tolerated = self.side == Side::Requests && !self.led;
            self.led = true;
            return if tolerated { Ok(false) } else { Err(Violation::NotHttp) };
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
        if self.received[self.line..self.looked].contains(&b' ') {
            Violation::FirstLineTooLong { limit }
        } else {
            Violation::MethodTooLong { limit }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work is counted in looks at a byte: one each, whether a head comes whole or byte by byte.
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
            assert_eq!((heads, incoming.looks, incoming.len()), (3, bytes.len(), 0), "in pieces of {step}");
        }
    }
}
