//! Requests of which nothing has gone to the member.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use hotrod_core::wire::{Limits, Operation, RequestFault, RequestHead, measure_request, peek_request_head};

use crate::watch::names_external;

/// Octets that are waited for where a request can't go on without more: the head of one, or all of an AUTH. No more than
/// a call's first credit, or what is waited for could not come (spec, R-42).
const LONGEST_WAIT: usize = 64 << 10;

/// A request that has come, or begun to.
pub(super) struct Waiting {
    pub(super) call: u32,
    pieces: VecDeque<Bytes>,
    /// Octets of the pieces.
    pub(super) bytes: usize,
    /// Its FIN has come.
    pub(super) is_whole: bool,
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
        Self { call, pieces: VecDeque::new(), bytes: 0, is_whole: false }
    }

    pub(super) fn add(&mut self, bytes: Bytes, is_last: bool) {
        self.bytes += bytes.len();
        if !bytes.is_empty() {
            self.pieces.push_back(bytes);
        }
        self.is_whole = is_last;
    }

    /// The next octets that are here.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let piece = self.pieces.pop_front()?;
        self.bytes -= piece.len();
        Some(piece)
    }

    pub(super) fn judge(&mut self) -> Verdict {
        let judged = if self.is_whole && self.pieces.len() == 1 { self.measure() } else { self.peek() };
        judged.unwrap_or_else(|fault| match fault {
            RequestFault::Violation(violation) => Verdict::Malformed(violation.to_string()),
            RequestFault::UnknownVersion { .. } | RequestFault::UnknownOperation { .. } => Verdict::Unknown,
        })
    }

    fn measure(&self) -> Result<Verdict, RequestFault> {
        let bytes = &self.pieces[0];
        Ok(match measure_request(bytes, &Limits::default())? {
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
    fn peek(&mut self) -> Result<Verdict, RequestFault> {
        while let Some(first) = self.pieces.front() {
            match peek_request_head(first, &Limits::default())? {
                Some(head) if is_auth(&head) && !self.is_whole => return Ok(self.wait()),
                Some(head) if is_auth(&head) => {
                    self.join(self.pieces.len());
                    return self.measure();
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
    }
}

fn is_auth(head: &RequestHead) -> bool {
    head.asked.operation == Operation::Auth
}
