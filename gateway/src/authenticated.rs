//! Detects from a member's replies that a session is authenticated.

use bytes::BytesMut;
use hotrod_core::wire::{
    Body, Incoming, Limits, MessageKind, Operation, Reply, ReplyContext, ReplyDecoder, ReplyPiece,
};

/// Upper bound on a decoded reply to AUTH, in bytes.
const LONGEST: usize = 64 << 10;

/// Authentication state of a session.
///
/// A session is authenticated once the member has completed AUTH, or has answered an operation of a cache without an error, as a
/// cluster without authentication does.
#[derive(Debug, Default)]
pub(crate) struct Authenticated {
    is_done: bool,
    /// Received part of a reply to AUTH, whose body tells whether the exchange is complete.
    answer: BytesMut,
}

impl Authenticated {
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Receives a piece of the reply to a request.
    pub(crate) fn answer(&mut self, asked: ReplyContext, piece: &ReplyPiece) {
        let MessageKind::Reply { status, .. } = piece.kind else { return };
        if self.is_done || status.is_error() {
            return;
        }
        match asked.operation {
            Operation::Auth => self.auth(asked, piece),
            operation => self.is_done = !operation.row().before_authentication,
        }
    }

    fn auth(&mut self, asked: ReplyContext, piece: &ReplyPiece) {
        if piece.is_first {
            self.answer.clear();
        }
        if self.answer.len() + piece.bytes.len() <= LONGEST {
            self.answer.extend_from_slice(&piece.bytes);
        }
        if piece.is_last {
            let answer = std::mem::take(&mut self.answer);
            self.is_done = completes(asked, &answer);
        }
    }
}

/// Whether a reply to AUTH shows a successful authentication. The server's final messages of SCRAM and DIGEST do, too (RFC
/// 5802, 7; RFC 2831, 2.1.3): Infinispan 16.0.7 does not mark that of SCRAM as complete.
fn completes(asked: ReplyContext, answer: &[u8]) -> bool {
    let mut decoder = ReplyDecoder::new(Limits::default());
    decoder.receive(answer);
    match decoder.poll(|_| Some(asked)) {
        Some(Ok(Incoming::Reply(Reply { body: Body::Challenge { complete, challenge }, .. }))) => {
            complete || challenge.starts_with(b"v=") || challenge.starts_with(b"rspauth=")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hotrod_core::wire::{Intelligence, ReplyScanner, SendBuffer, Status, Version, write_reply};

    /// Whether a session is let in by that answer, however it is cut.
    fn is_let_in(operation: Operation, status: Status, body: Body) -> bool {
        let asked = ReplyContext { operation, version: Version::V3_1, intelligence: Intelligence::Basic };
        let mut out = SendBuffer::new();
        write_reply(&Reply { message_id: 5, status, topology: None, body }, asked, &mut out);
        let bytes = out.to_bytes();
        let let_in: Vec<bool> = (1..=bytes.len().min(20))
            .map(|cut| {
                let (mut scanner, mut authenticated) = (ReplyScanner::new(Limits::default()), Authenticated::default());
                for chunk in bytes.chunks(cut) {
                    scanner.receive(chunk);
                    while let Some(piece) = scanner.poll(|_| Some(asked)) {
                        authenticated.answer(asked, &piece.unwrap());
                    }
                }
                authenticated.is_done()
            })
            .collect();
        assert!(let_in.iter().all(|is| *is == let_in[0]), "{let_in:?}");
        let_in[0]
    }

    fn challenge(complete: bool, challenge: &[u8]) -> Body {
        Body::Challenge { complete, challenge: Bytes::copy_from_slice(challenge) }
    }

    #[test]
    fn a_step_of_an_authentication_lets_nobody_in_and_its_end_does() {
        let auth = |body| is_let_in(Operation::Auth, Status::SUCCESS, body);
        assert!(auth(challenge(true, b"")), "PLAIN");
        assert!(auth(challenge(false, b"v=signature")), "SCRAM");
        assert!(auth(challenge(true, b"rspauth=ea40f60335c427b5527b84dbabcdfffd")), "DIGEST");
        assert!(!auth(challenge(false, b"r=nonce,s=salt,i=4096")));
        assert!(!auth(challenge(false, b"realm=\"v=\",nonce=\"x\"")));
        assert!(!auth(challenge(false, &[b'r'; 3000])));
        let refused = Body::Error("no".into());
        assert!(!is_let_in(Operation::Auth, Status::SERVER_ERROR, refused));
    }

    #[test]
    fn an_operation_of_a_cache_that_succeeds_is_enough() {
        assert!(is_let_in(Operation::Get, Status::SUCCESS, Body::Value(Bytes::from_static(b"v"))));
        assert!(is_let_in(Operation::Get, Status::KEY_DOES_NOT_EXIST, Body::Nothing));
        assert!(!is_let_in(Operation::Get, Status::SERVER_ERROR, Body::Error("who are you?".into())));
        assert!(!is_let_in(Operation::AuthMechList, Status::SUCCESS, Body::Names(vec!["PLAIN".into()])));
    }
}
