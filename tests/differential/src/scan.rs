//! The scanner's view of a stream.

use hotrod_core::wire::{Limits, RequestFault, RequestScanner};

/// The server's `max-content-length`, 10 MB by default: a gateway refuses longer requests (`max-request`).
const MOST: usize = 10_000_000;

/// A request that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Where, in bytes from the beginning of the stream.
    pub end: usize,
    /// Its opcode.
    pub opcode: u8,
    /// Its message id.
    pub message_id: u64,
}

/// What comes after the last request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// More bytes are waited for.
    Waits,
    /// The session would end.
    Refused {
        /// No byte from here on has been passed on.
        passed: usize,
        /// Why.
        why: String,
    },
}

/// What a scanner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// Requests, in order.
    pub requests: Vec<Ended>,
    /// What comes after them.
    pub outcome: Outcome,
}

/// Scans a whole stream.
pub fn scan(bytes: &[u8]) -> Scanned {
    let mut limits = Limits::default();
    limits.message = MOST;
    let mut scanner = RequestScanner::new(limits);
    scanner.receive(bytes);
    let mut requests = Vec::new();
    let mut out = 0;
    loop {
        match scanner.poll() {
            None => return Scanned { requests, outcome: Outcome::Waits },
            Some(Err(fault)) => {
                let begin = requests.last().map_or(0, |request: &Ended| request.end);
                return Scanned { requests, outcome: refused(begin, &fault) };
            }
            Some(Ok(piece)) => {
                out += piece.bytes.len();
                if piece.is_last {
                    let opcode = piece.context.operation.row().request_opcode;
                    requests.push(Ended { end: out, opcode, message_id: piece.message_id });
                }
            }
        }
    }
}

/// A scanner passes on what stands before the offending field. Before it knows the operation it passes on nothing.
fn refused(begin: usize, fault: &RequestFault) -> Outcome {
    match fault {
        RequestFault::Violation(violation) => {
            let passed = if violation.field == "message" { begin } else { violation.offset as usize };
            Outcome::Refused { passed, why: format!("{}: {:?}", violation.field, violation.problem) }
        }
        RequestFault::UnknownVersion { .. } => Outcome::Refused { passed: begin, why: "unknown version".into() },
        RequestFault::UnknownOperation { .. } => Outcome::Refused { passed: begin, why: "unknown operation".into() },
    }
}
