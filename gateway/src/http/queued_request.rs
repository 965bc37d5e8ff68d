//! Requests in frames of which nothing has been forwarded.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use hotrod_core::wire::{
    Limits, Operation, Problem, RequestFault, RequestHead, Violation, measure_request, peek_request_head,
};

use crate::monitor::names_external;

/// Upper bound on the bytes that are collected before a verdict: the head of a request, or a whole AUTH. At most a call's
/// initial credit, because a queued call gets no further credit (spec, R-42).
const LONGEST_WAIT: usize = 64 << 10;

/// Memory of a queued request beside its bytes.
const REQUEST: usize = 256;
/// Memory of each piece beside its bytes.
const PIECE: usize = 64;

/// A request that has been received whole or in part.
pub(super) struct QueuedRequest {
    pub(super) call: u32,
    pieces: VecDeque<Bytes>,
    /// Number of the first pieces that do not share the buffer into which they were read.
    settled: usize,
    /// Bytes of all pieces.
    pub(super) bytes: usize,
    /// Whether its FIN has been received.
    pub(super) is_whole: bool,
    /// Whether the last verdict was [`Verdict::Wait`]: parsed again only after further bytes.
    waits: bool,
    /// Number of times that it was parsed.
    #[cfg(test)]
    parses: usize,
}

/// Result of judging a request.
pub(super) enum Verdict {
    /// Its received part can be forwarded.
    Forward(RequestHead),
    /// It is whole, in one piece, and exactly one request.
    ForwardWhole(RequestHead),
    /// More bytes are needed.
    Wait,
    /// AUTH with EXTERNAL.
    External(RequestHead),
    /// More bytes are needed than may be collected.
    TooLong,
    /// A version or an operation that can't be carried.
    Unknown,
    /// Not exactly one request.
    Malformed(String),
}

impl QueuedRequest {
    pub(super) fn new(call: u32) -> Self {
        Self {
            call,
            pieces: VecDeque::new(),
            settled: 0,
            bytes: 0,
            is_whole: false,
            waits: false,
            #[cfg(test)]
            parses: 0,
        }
    }

    pub(super) fn add(&mut self, bytes: Bytes, is_last: bool) {
        self.bytes += bytes.len();
        if !bytes.is_empty() {
            self.pieces.push_back(bytes);
        }
        self.is_whole = is_last;
        self.waits = false;
    }

    /// Memory of the request, in bytes, after copying its pieces out of the buffers into which they were read.
    pub(super) fn memory(&mut self) -> usize {
        let settled = self.settled.min(self.pieces.len());
        for piece in self.pieces.iter_mut().skip(settled) {
            *piece = Bytes::copy_from_slice(piece);
        }
        self.settled = self.pieces.len();
        // An eighth more: the allocator leaves gaps where the pieces are cut out of large buffers (measured: 11 %).
        REQUEST + self.bytes + self.bytes / 8 + self.pieces.len() * PIECE
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.settled = self.settled.saturating_sub(1);
        self.bytes -= piece.len();
        Some(piece)
    }

    /// Parses as much as a verdict needs. The work is linear in the bytes received since the last verdict.
    pub(super) fn judge(&mut self, limits: &Limits) -> Verdict {
        if self.waits {
            return Verdict::Wait;
        }
        if self.bytes > limits.message {
            return Verdict::TooLong;
        }
        #[cfg(test)]
        {
            self.parses += 1;
        }
        let judged = if self.is_whole && self.pieces.len() == 1 { self.measure(limits) } else { self.peek(limits) };
        let verdict = judged.unwrap_or_else(|fault| match fault {
            fault if is_too_large(&fault) => Verdict::TooLong,
            RequestFault::Violation(violation) => Verdict::Malformed(violation.to_string()),
            RequestFault::UnknownVersion { .. } | RequestFault::UnknownOperation { .. } => Verdict::Unknown,
        });
        self.waits = matches!(verdict, Verdict::Wait);
        verdict
    }

    fn measure(&self, limits: &Limits) -> Result<Verdict, RequestFault> {
        let bytes = &self.pieces[0];
        Ok(match measure_request(bytes, limits)? {
            Some((head, length)) if length == bytes.len() => {
                if is_auth(&head) && names_external(bytes) {
                    Verdict::External(head)
                } else {
                    Verdict::ForwardWhole(head)
                }
            }
            _ => Verdict::Malformed("it does not end where its frame does".into()),
        })
    }

    /// Parses the head of the request, joining pieces as needed; of AUTH all pieces.
    fn peek(&mut self, limits: &Limits) -> Result<Verdict, RequestFault> {
        while let Some(first) = self.pieces.front() {
            match peek_request_head(first, limits)? {
                Some(head) if is_auth(&head) && !self.is_whole => return Ok(self.wait()),
                Some(head) if is_auth(&head) => {
                    self.join(self.pieces.len());
                    return self.measure(limits);
                }
                Some(head) => return Ok(Verdict::Forward(head)),
                None if self.pieces.len() > 1 => self.join(2),
                None => break,
            }
        }
        Ok(if self.is_whole { Verdict::Malformed("it ends within its head".into()) } else { self.wait() })
    }

    fn wait(&self) -> Verdict {
        if self.bytes < LONGEST_WAIT { Verdict::Wait } else { Verdict::TooLong }
    }

    fn join(&mut self, count: usize) {
        let mut joined = BytesMut::new();
        self.pieces.drain(..count).for_each(|piece| joined.extend_from_slice(&piece));
        self.pieces.push_front(joined.freeze());
        self.settled = (self.settled + 1).saturating_sub(count);
    }
}

/// Whether a limit is exceeded, as opposed to the grammar broken.
pub(super) fn is_too_large(fault: &RequestFault) -> bool {
    matches!(fault, RequestFault::Violation(Violation { problem: Problem::OverLimit { .. }, .. }))
}

fn is_auth(head: &RequestHead) -> bool {
    head.context.operation == Operation::Auth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::auth;

    /// A link is polled for each of its other calls: an unfinished AUTH must cost nothing then.
    #[test]
    fn a_request_is_not_parsed_again_before_more_of_it_comes() {
        let request = auth(1, "PLAIN", 16 << 10);
        let mut queued = QueuedRequest::new(1);
        for fragment in [request.slice(..8 << 10), request.slice(8 << 10..16 << 10)] {
            let before = queued.parses;
            queued.add(fragment, false);
            for _ in 0..1_000 {
                assert!(matches!(queued.judge(&Limits::default()), Verdict::Wait));
            }
            assert_eq!(queued.parses, before + 1);
        }
        queued.add(request.slice(16 << 10..), true);
        assert!(matches!(queued.judge(&Limits::default()), Verdict::ForwardWhole(_)));
    }

    #[test]
    fn a_request_above_the_limit_is_too_long_and_not_malformed() {
        let mut limits = Limits::default();
        limits.message = 1_000;
        let mut queued = QueuedRequest::new(1);
        queued.add(auth(1, "PLAIN", 2_000), true);
        assert!(matches!(queued.judge(&limits), Verdict::TooLong));
    }
}
