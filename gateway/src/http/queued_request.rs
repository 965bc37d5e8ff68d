//! Requests of which nothing has gone to the member.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use hotrod_core::wire::{
    Limits, Operation, Problem, RequestFault, RequestHead, Violation, measure_request, peek_request_head,
};

use crate::watch::names_external;

/// Octets that are waited for where a request can't go on without more: the head of one, or all of an AUTH. No more than
/// a call's first credit, or what is waited for could not come (spec, R-42).
const LONGEST_WAIT: usize = 64 << 10;

/// Bytes of memory that a request takes which waits, beside its octets.
const WAITING: usize = 256;
/// The same of each piece of it.
const PIECE: usize = 64;

/// A request that has come, or begun to.
pub(super) struct Waiting {
    pub(super) call: u32,
    pieces: VecDeque<Bytes>,
    /// So many of the first ones have memory of their own.
    settled: usize,
    /// Octets of the pieces.
    pub(super) bytes: usize,
    /// Its FIN has come.
    pub(super) is_whole: bool,
    /// Nothing more can be known of it until further octets come: it is not parsed again before.
    waits: bool,
    /// How often it was parsed.
    #[cfg(test)]
    parses: usize,
}

/// What can be done with a request.
pub(super) enum Verdict {
    /// It can be forwarded, as far as it is here.
    Forward(RequestHead),
    /// All of it is here, in one piece, and is one request.
    ForwardWhole(RequestHead),
    /// More of it has to come.
    Wait,
    /// AUTH with EXTERNAL.
    External(RequestHead),
    /// More has to come than is waited for.
    TooLong,
    /// A version or an operation that can't be carried.
    Unknown,
    /// No request, or not exactly one.
    Malformed(String),
}

impl Waiting {
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

    /// Bytes of memory that it takes, and not the buffers in which it came.
    pub(super) fn memory(&mut self) -> usize {
        let settled = self.settled.min(self.pieces.len());
        for piece in self.pieces.iter_mut().skip(settled) {
            *piece = Bytes::copy_from_slice(piece);
        }
        self.settled = self.pieces.len();
        // An eighth more: the allocator leaves gaps where the pieces are cut out of large buffers (measured: 11 %).
        WAITING + self.bytes + self.bytes / 8 + self.pieces.len() * PIECE
    }

    /// The next octets that are here.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.settled = self.settled.saturating_sub(1);
        self.bytes -= piece.len();
        Some(piece)
    }

    /// Reads as much as a verdict needs. The work is linear in the octets that have come since the last verdict.
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

    /// The first pieces are put together as far as the head needs; of AUTH, which is looked at whole, all.
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
        let mut waiting = Waiting::new(1);
        for fragment in [request.slice(..8 << 10), request.slice(8 << 10..16 << 10)] {
            let before = waiting.parses;
            waiting.add(fragment, false);
            for _ in 0..1_000 {
                assert!(matches!(waiting.judge(&Limits::default()), Verdict::Wait));
            }
            assert_eq!(waiting.parses, before + 1);
        }
        waiting.add(request.slice(16 << 10..), true);
        assert!(matches!(waiting.judge(&Limits::default()), Verdict::ForwardWhole(_)));
    }

    #[test]
    fn a_request_above_the_limit_is_too_long_and_not_malformed() {
        let limits = Limits { message: 1_000, ..Limits::default() };
        let mut waiting = Waiting::new(1);
        waiting.add(auth(1, "PLAIN", 2_000), true);
        assert!(matches!(waiting.judge(&limits), Verdict::TooLong));
    }
}
