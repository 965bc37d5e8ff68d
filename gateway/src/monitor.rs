//! A session of plain Hot Rod: which requests are in flight, and which are answered here instead of being forwarded.
//!
//! [`hotrod_core`]'s scanners find the boundaries of messages and hold none. Two kinds of request are answered here: AUTH with
//! EXTERNAL (spec/hotrod-over-http.md, R-99), and, while the gateway drains, every new one; its client tries another server then.
//!
//! Bytes that the scanners can't read exactly end the session: server and gateway would disagree about where the
//! next message begins. So does a message id that is already in flight, because a reply could then be read by the
//! grammar of another request. Nothing in a session is trusted beyond that session: a topology in a reply is at most a hint.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use hotrod_core::wire::{
    Body, Intelligence, Limits, MessageKind, Operation, Problem, Reply, ReplyContext, ReplyPiece, ReplyScanner,
    Request, RequestDecoder, RequestFault, RequestHead, RequestPiece, RequestScanner, SendBuffer, Status, Topology,
    Version, Violation, write_reply,
};

use crate::authenticated::Authenticated;
use crate::deadlines::Progress;
use crate::pieces::Pieces;

/// Requests in flight above which no further ones are read.
const MOST_IN_FLIGHT: usize = 10_000;
/// The most that is read at a time.
const READ: usize = 16 << 10;
/// Bytes of memory that a request in flight takes: a map is half full at worst.
const FLIGHT: usize = 2 * (size_of::<u64>() + size_of::<ReplyContext>());
/// The longest AUTH, in bytes: it is gathered and read whole.
const LONGEST_AUTH: usize = 64 << 10;

/// The answer to AUTH with EXTERNAL.
pub(crate) const NO_EXTERNAL: &str = "EXTERNAL ends at the gateway, where TLS does: use another mechanism";
const TOO_LONG: &str = "the gateway takes no AUTH of that length";
const STOPPING: &str = "the gateway is about to stop";

/// Follows a session's bytes in both directions, and decides which are forwarded.
pub(crate) struct Watch {
    requests: RequestScanner,
    replies: ReplyScanner,
    /// Requests that the member has, or begins to have, and has not answered.
    in_flight: BTreeMap<u64, ReplyContext>,
    present: Present,
    /// A message of the member has been forwarded in part.
    is_mid_reply: bool,
    /// The gateway's own answers, until they can go between two messages of the member.
    own_answers: VecDeque<Bytes>,
    to_member: Pieces,
    to_client: Pieces,
    /// Metric labels of the requests answered here since they were last taken.
    refused: Vec<&'static str>,
    refuses_all: bool,
    /// Whole requests that have been received, and whether another one has in part.
    whole: u64,
    is_mid_request: bool,
    authenticated: Authenticated,
}

/// The request of which not all has been received.
enum Present {
    /// It is forwarded.
    Passes,
    /// It is gathered, and forwarded or answered when it is whole.
    Gathers(RequestHead, BytesMut),
    /// It is answered here.
    Refused(RequestHead, Status, &'static str),
}

/// Why a session ends that can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("a request can't be read: {0}")]
    Request(RequestFault),
    #[error("a request of {announced} bytes is above the limit of {limit} (max-request)")]
    TooLarge { announced: u64, limit: u64 },
    #[error("message id {0} is used twice at a time")]
    DuplicateId(u64),
    #[error("a reply can't be read: {0}")]
    Reply(Violation),
    #[error("a reply answers no request in flight")]
    StrayReply,
}

impl Unreadable {
    /// Label of the metric `refusals`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Request(_) => "unreadable_request",
            Self::TooLarge { .. } => "request_too_large",
            Self::DuplicateId(_) => "duplicate_id",
            Self::Reply(_) | Self::StrayReply => "unreadable_reply",
        }
    }
}

impl Watch {
    /// A watch at the beginning of a session whose requests have at most `most_request` bytes.
    pub(crate) fn new(most_request: usize) -> Self {
        Self {
            requests: RequestScanner::new(request_limits(most_request)),
            replies: ReplyScanner::new(Limits::default()),
            in_flight: BTreeMap::new(),
            present: Present::Passes,
            is_mid_reply: false,
            own_answers: VecDeque::new(),
            to_member: Pieces::default(),
            to_client: Pieces::default(),
            refused: Vec::new(),
            refuses_all: false,
            whole: 0,
            is_mid_request: false,
            authenticated: Authenticated::default(),
        }
    }

    /// Bytes for the member's socket.
    pub(crate) fn for_member(&mut self) -> &mut Pieces {
        &mut self.to_member
    }

    /// Bytes for the client's socket.
    pub(crate) fn for_client(&mut self) -> &mut Pieces {
        &mut self.to_client
    }

    /// Bytes held for either side.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        let own: usize = self.own_answers.iter().map(Bytes::len).sum();
        self.requests_held() + self.to_client.len() + own + self.replies.buffered()
    }

    /// Bytes of memory that the session takes. What waits keeps the buffer in which it was read.
    pub(crate) fn memory(&self) -> usize {
        let gathered = if let Present::Gathers(_, bytes) = &self.present { bytes.capacity() } else { 0 };
        let waiting = self.to_member.len().next_multiple_of(READ) + self.to_client.len().next_multiple_of(READ);
        let own = self.own_answers.iter().map(Bytes::len).sum::<usize>() + gathered;
        own + waiting + self.requests.memory() + self.replies.memory() + self.in_flight.len() * FLIGHT
    }

    /// Whether the member has let the session in.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.is_done()
    }

    /// Bytes of the client's that have not been written to the member and may yet be.
    pub(crate) fn requests_held(&self) -> usize {
        let gathered = if let Present::Gathers(_, bytes) = &self.present { bytes.len() } else { 0 };
        self.to_member.len() + gathered + self.requests.buffered()
    }

    /// Whether the client is to be read.
    pub(crate) fn wants_requests(&self) -> bool {
        self.to_member.is_empty() && self.own_answers.is_empty() && self.in_flight.len() < MOST_IN_FLIGHT
    }

    /// Whether no request is in flight and no message is forwarded in part.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_between_messages = !self.is_mid_reply && self.to_client.is_empty() && self.to_member.is_empty();
        self.in_flight.is_empty() && is_between_messages && self.own_answers.is_empty()
    }

    /// What the session has done, for its deadlines.
    pub(crate) fn progress(&self) -> Progress {
        let has_begun = self.is_mid_request || self.requests.buffered() > 0;
        Progress {
            whole: self.whole,
            // A client that does not take its answers is not read from either.
            is_waiting: has_begun && self.wants_requests() && self.to_client.is_empty(),
            is_authenticated: self.authenticated.is_done(),
        }
    }

    /// Answers every request from now on here. One that is forwarded in part is finished.
    pub(crate) fn refuse_all(&mut self) {
        self.refuses_all = true;
    }

    /// Takes the metric labels of the requests answered here.
    pub(crate) fn take_refused(&mut self) -> impl Iterator<Item = &'static str> {
        self.refused.drain(..)
    }

    /// Receives bytes of the client. After an error only [`for_client`](Self::for_client) is of use: an error reply that names
    /// the fault.
    pub(crate) fn client_sent(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.requests.receive(bytes);
        while let Some(piece) = self.requests.poll() {
            let received = piece.map_err(Unreadable::from).and_then(|piece| self.request(piece));
            received.inspect_err(|fault| self.answer_fault(fault))?;
        }
        Ok(())
    }

    /// Receives bytes of the member. Reports topologies to `hint`.
    pub(crate) fn member_sent(&mut self, bytes: &[u8], mut hint: impl FnMut(&Topology)) -> Result<(), Unreadable> {
        self.replies.receive(bytes);
        loop {
            let in_flight = &self.in_flight;
            match self.replies.poll(|id| in_flight.get(&id).copied()) {
                None => return Ok(()),
                Some(Err(violation)) => return self.end(Unreadable::Reply(violation)),
                Some(Ok(piece)) => self.reply(piece, &mut hint).or_else(|fault| self.end(fault))?,
            }
        }
    }

    fn request(&mut self, piece: RequestPiece) -> Result<(), Unreadable> {
        let RequestPiece { head, bytes, is_last, .. } = piece;
        self.whole += u64::from(is_last);
        self.is_mid_request = !is_last;
        if let Some(head) = head {
            self.present = self.judge(head)?;
        }
        match &mut self.present {
            Present::Passes => self.to_member.push(bytes),
            Present::Refused(..) => {}
            Present::Gathers(_, gathered) if gathered.len() + bytes.len() <= LONGEST_AUTH => {
                gathered.extend_from_slice(&bytes);
            }
            Present::Gathers(head, _) => {
                self.present = Present::Refused(head.clone(), Status::SERVER_ERROR, TOO_LONG);
            }
        }
        if is_last {
            match std::mem::replace(&mut self.present, Present::Passes) {
                Present::Passes => {}
                Present::Refused(head, status, why) => self.answer(&head, status, why),
                Present::Gathers(head, gathered) if names_external(&gathered) => {
                    self.answer(&head, Status::SERVER_ERROR, NO_EXTERNAL);
                }
                Present::Gathers(head, gathered) => {
                    self.note(&head);
                    self.to_member.push(gathered.freeze());
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, head: RequestHead) -> Result<Present, Unreadable> {
        if self.in_flight.contains_key(&head.message_id) {
            return Err(Unreadable::DuplicateId(head.message_id));
        }
        if self.refuses_all {
            return Ok(Present::Refused(head, Status::ILLEGAL_LIFECYCLE_STATE, STOPPING));
        }
        if head.context.operation == Operation::Auth {
            return Ok(Present::Gathers(head, BytesMut::new()));
        }
        self.note(&head);
        Ok(Present::Passes)
    }

    fn note(&mut self, head: &RequestHead) {
        self.in_flight.insert(head.message_id, head.context);
    }

    fn answer(&mut self, head: &RequestHead, status: Status, why: &'static str) {
        self.refused.push(if why == STOPPING { "draining" } else { "auth" });
        self.own_answers.push_back(error_reply(head.message_id, head.context, status, why));
        self.send_own_answers();
    }

    /// Queues an error reply for the request that ends the session, and counts it.
    fn answer_fault(&mut self, fault: &Unreadable) {
        let newest =
            ReplyContext { operation: Operation::Ping, version: Version::LATEST, intelligence: Intelligence::Basic };
        let (status, (message_id, asked)) = match fault {
            Unreadable::Request(RequestFault::UnknownVersion { message_id, .. }) => {
                (Status::UNKNOWN_VERSION, (*message_id, newest))
            }
            Unreadable::Request(RequestFault::UnknownOperation { message_id, .. }) => {
                (Status::UNKNOWN_OPERATION, (*message_id, newest))
            }
            Unreadable::DuplicateId(message_id) => (Status::PARSE_ERROR, (*message_id, newest)),
            // 0 is what Infinispan sends for a request whose id it could not read.
            _ => (Status::PARSE_ERROR, self.requests.unfinished().unwrap_or((0, newest))),
        };
        let why = format!("the gateway ends this session: {fault}");
        self.own_answers.push_back(error_reply(message_id, asked, status, &why));
        self.send_own_answers();
        self.refused.push(fault.reason());
    }

    fn end(&mut self, fault: Unreadable) -> Result<(), Unreadable> {
        self.refused.push(fault.reason());
        Err(fault)
    }

    fn send_own_answers(&mut self) {
        if !self.is_mid_reply {
            self.own_answers.drain(..).for_each(|answer| self.to_client.push(answer));
        }
    }

    fn reply(&mut self, piece: ReplyPiece, mut hint: impl FnMut(&Topology)) -> Result<(), Unreadable> {
        if !self.authenticated.is_done()
            && let MessageKind::Reply { message_id, .. } = piece.kind
            && let Some(asked) = self.in_flight.get(&message_id)
        {
            self.authenticated.answer(*asked, &piece);
        }
        let ReplyPiece { kind, bytes, is_last, topology, .. } = piece;
        let mut is_stray = false;
        if let MessageKind::Reply { message_id, .. } = kind {
            is_stray = !self.in_flight.contains_key(&message_id);
            if let Some(topology) = topology {
                hint(&topology);
            }
            if is_last {
                self.in_flight.remove(&message_id);
            }
        }
        self.to_client.push(bytes);
        self.is_mid_reply = !is_last;
        self.send_own_answers();
        // The member could not read a request that the scanner has read.
        if is_stray && is_last { Err(Unreadable::StrayReply) } else { Ok(()) }
    }
}

impl From<RequestFault> for Unreadable {
    fn from(fault: RequestFault) -> Self {
        match fault {
            RequestFault::Violation(Violation {
                problem: Problem::OverLimit { announced, limit },
                field: "message",
                ..
            }) => Self::TooLarge { announced, limit },
            fault => Self::Request(fault),
        }
    }
}

/// Limits of a scanner of requests that have at most `most_request` bytes.
pub(crate) fn request_limits(most_request: usize) -> Limits {
    Limits { message: most_request, ..Limits::default() }
}

/// Whether a whole AUTH names EXTERNAL; one that can't be read counts as if it did.
pub(crate) fn names_external(request: &[u8]) -> bool {
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(request);
    match decoder.poll() {
        Some(Ok((_, Request::Auth { mechanism, .. }))) => mechanism.eq_ignore_ascii_case("EXTERNAL"),
        _ => true,
    }
}

/// Encodes an error reply.
pub(crate) fn error_reply(message_id: u64, asked: ReplyContext, status: Status, why: &str) -> Bytes {
    let mut out = SendBuffer::new();
    write_reply(&Reply { message_id, status, topology: None, body: Body::Error(why.into()) }, asked, &mut out);
    out.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ASKED, auth, get, put, reply, value};
    use std::task::Context;

    fn refusal(message_id: u64, operation: Operation, status: Status, why: &str) -> Bytes {
        error_reply(message_id, ReplyContext { operation, ..ASKED }, status, why)
    }

    fn external_refused(message_id: u64) -> Bytes {
        refusal(message_id, Operation::Auth, Status::SERVER_ERROR, NO_EXTERNAL)
    }

    const MOST_REQUEST: usize = 1 << 20;

    /// A watch, and what it has forwarded.
    struct Followed {
        watch: Watch,
        to_member: Vec<u8>,
        to_client: Vec<u8>,
        hints: usize,
    }

    impl Followed {
        fn new() -> Self {
            let (to_member, to_client) = (Vec::new(), Vec::new());
            Self { watch: Watch::new(MOST_REQUEST), to_member, to_client, hints: 0 }
        }

        /// Writes everything that is queued.
        fn take(&mut self) {
            let take = |pieces: &mut Pieces, out: &mut Vec<u8>| {
                let mut sink = std::io::Cursor::new(Vec::new());
                let mut cx = Context::from_waker(std::task::Waker::noop());
                while pieces.poll_write(std::pin::Pin::new(&mut sink), &mut cx).is_ready() {}
                out.extend(sink.into_inner());
            };
            take(self.watch.for_member(), &mut self.to_member);
            take(self.watch.for_client(), &mut self.to_client);
        }

        /// Receives these bytes of the client in pieces of `piece` bytes.
        fn client_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), Unreadable> {
            for chunk in bytes.chunks(piece) {
                let received = self.watch.client_sent(chunk);
                self.take();
                received?;
            }
            Ok(())
        }

        fn member_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), Unreadable> {
            for chunk in bytes.chunks(piece) {
                let received = self.watch.member_sent(chunk, |_| self.hints += 1);
                self.take();
                received?;
            }
            Ok(())
        }
    }

    const CUTS: [usize; 5] = [1, 2, 7, 100, 1 << 20];

    #[test]
    fn all_bytes_go_on_and_it_is_known_when_nothing_is_in_flight() {
        for cut in CUTS {
            let mut followed = Followed::new();
            assert!(followed.watch.is_quiet());
            let requests = [get(1), put(2, 3000), auth(3, "PLAIN", 20), get(4)].concat();
            followed.client_sends(&requests, cut).unwrap();
            assert_eq!(followed.to_member, requests);
            let challenge =
                reply(3, Operation::Auth, Status::SUCCESS, Body::Challenge { complete: true, challenge: Bytes::new() });
            let stored = reply(2, Operation::Put, Status::SUCCESS, Body::Nothing);
            let replies = [value(4, 5000), stored, challenge].concat();
            followed.member_sends(&replies, cut).unwrap();
            assert!(!followed.watch.is_quiet(), "1 is not answered");
            followed.member_sends(&value(1, 10), cut).unwrap();
            assert_eq!(followed.to_client, [replies, value(1, 10).to_vec()].concat());
            assert_eq!((followed.watch.is_quiet(), followed.watch.held()), (true, 0));
            assert_eq!(followed.hints, 2, "each reply to GET has a topology");
        }
    }

    #[test]
    fn external_is_answered_here_between_two_messages_of_the_member() {
        for cut in CUTS {
            for name in ["EXTERNAL", "external"] {
                let mut followed = Followed::new();
                followed.client_sends(&get(1), cut).unwrap();
                let reply = value(1, 5000);
                followed.member_sends(&reply[..3000], cut).unwrap();
                followed.client_sends(&[auth(2, name, 0), get(3)].concat(), cut).unwrap();
                assert_eq!(followed.to_member, [get(1), get(3)].concat());
                assert_eq!(followed.to_client, reply[..3000], "in the midst of a message nothing is said");
                assert!(!followed.watch.wants_requests());
                followed.member_sends(&reply[3000..], cut).unwrap();
                assert_eq!(followed.to_client, [reply.clone(), external_refused(2)].concat());
                assert!(followed.watch.wants_requests());
                assert_eq!(followed.watch.take_refused().collect::<Vec<_>>(), ["auth"]);
            }
        }
    }

    #[test]
    fn no_more_of_an_auth_is_held_than_one_may_have() {
        let mut followed = Followed::new();
        followed.client_sends(&auth(1, "GSSAPI", LONGEST_AUTH), 1000).unwrap();
        assert!(followed.to_member.is_empty());
        assert_eq!(followed.to_client, refusal(1, Operation::Auth, Status::SERVER_ERROR, TOO_LONG));
        let longest = auth(2, "GSSAPI", LONGEST_AUTH - 100);
        followed.client_sends(&longest, 1000).unwrap();
        assert_eq!(followed.to_member, longest);
    }

    #[test]
    fn when_all_are_refused_what_has_begun_is_finished() {
        for cut in CUTS {
            let mut followed = Followed::new();
            let large = put(2, 3000);
            followed.client_sends(&[get(1), large.slice(..1000)].concat(), cut).unwrap();
            followed.watch.refuse_all();
            let rest = [large.slice(1000..), get(3), put(4, 3000)].concat();
            followed.client_sends(&rest, cut).unwrap();
            assert_eq!(followed.to_member, [get(1), large].concat());
            let stopping = |id, operation| refusal(id, operation, Status::ILLEGAL_LIFECYCLE_STATE, STOPPING);
            let refused = [stopping(3, Operation::Get), stopping(4, Operation::Put)].concat();
            assert_eq!(followed.to_client, refused);
            assert!(!followed.watch.is_quiet());
            let replies = [value(1, 3), reply(2, Operation::Put, Status::SUCCESS, Body::Nothing)].concat();
            followed.member_sends(&replies, cut).unwrap();
            assert_eq!(followed.to_client, [refused, replies].concat());
            assert!(followed.watch.is_quiet());
        }
    }

    /// A request of an operation that nobody knows.
    fn unknown(message_id: u8) -> Vec<u8> {
        vec![0xa0, message_id, 31, 0xee, 0, 0, 1, 0, 1, 2, 3, 4]
    }

    /// Bytes after a request that can't be read may be read as something else by the member: none of them is forwarded.
    #[test]
    fn a_request_that_cannot_be_read_ends_the_session_and_its_error_says_why() {
        let too_large = put(2, MOST_REQUEST);
        let older = [0xa0, 2, 13, 0x03, 0, 0, 1, 0, 1, b'k'];
        let nonsense = [0u8; 4];
        for (bad, status, id, reason) in [
            (&unknown(2)[..], Status::UNKNOWN_OPERATION, 2, "unreadable_request"),
            (&older, Status::UNKNOWN_VERSION, 2, "unreadable_request"),
            (&too_large, Status::PARSE_ERROR, 2, "request_too_large"),
            (&nonsense, Status::PARSE_ERROR, 0, "unreadable_request"),
        ] {
            for cut in CUTS {
                let mut followed = Followed::new();
                let requests = [&get(1)[..], bad, &auth(4, "EXTERNAL", 0)].concat();
                let fault = followed.client_sends(&requests, cut).unwrap_err();
                assert_eq!(fault.reason(), reason);
                assert_eq!(followed.watch.take_refused().collect::<Vec<_>>(), [reason]);
                let forwarded = followed.to_member.to_ascii_uppercase();
                assert!(!forwarded.windows(8).any(|window| window == b"EXTERNAL"), "{bad:?} in pieces of {cut}");
                let mut replies = ReplyScanner::new(Limits::default());
                replies.receive(&followed.to_client);
                let kind = replies.poll(|_| None).unwrap().unwrap().kind;
                assert!(
                    matches!(kind, MessageKind::Reply { message_id, status: told, .. } if (message_id, told) == (id, status)),
                    "{kind:?}"
                );
            }
        }
    }

    /// A reply is read by the grammar of its request: with two requests of one id a stored value could stand for a reply.
    #[test]
    fn a_message_id_that_is_in_flight_ends_the_session() {
        for cut in CUTS {
            let mut followed = Followed::new();
            let fault = followed.client_sends(&[get(1), get(2), get(1)].concat(), cut).unwrap_err();
            assert_eq!(fault, Unreadable::DuplicateId(1));
            assert!([get(1), get(2)].concat().starts_with(&followed.to_member), "the second 1 is not forwarded");
            // Once it is answered it is free again.
            let mut followed = Followed::new();
            followed.client_sends(&get(1), cut).unwrap();
            followed.member_sends(&value(1, 10), cut).unwrap();
            followed.client_sends(&get(1), cut).unwrap();
            // An AUTH that is gathered counts as well.
            let fault = followed.client_sends(&auth(1, "PLAIN", 10), cut).unwrap_err();
            assert_eq!(fault, Unreadable::DuplicateId(1));
        }
    }

    #[test]
    fn a_reply_that_answers_no_request_ends_the_session() {
        for cut in CUTS {
            let mut followed = Followed::new();
            followed.client_sends(&get(1), cut).unwrap();
            let fault = followed.member_sends(&value(77, 10), cut).unwrap_err();
            assert_eq!(fault.reason(), "unreadable_reply");
            // An error that Infinispan sends for a request that it could not read: the client is told first.
            let mut followed = Followed::new();
            let error = refusal(0, Operation::Get, Status::PARSE_ERROR, "what was that?");
            assert_eq!(followed.member_sends(&error, cut), Err(Unreadable::StrayReply));
            assert_eq!(followed.to_client, error);
        }
    }

    proptest::proptest! {
        /// Whatever either side sends, a prefix of it is forwarded in order, and what is missing is held or the session is over.
        #[test]
        fn no_byte_is_lost(
            mut sent in proptest::collection::vec((proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..20),
            hot_rod in proptest::collection::vec(0..4u64, 0..6),
        ) {
            for id in hot_rod {
                let bytes = if id == 0 { put(id, 200) } else { get(id) };
                sent.insert(0, (true, bytes.to_vec()));
            }
            let mut followed = Followed::new();
            let (mut requests, mut replies) = (Vec::new(), Vec::new());
            let mut is_over = false;
            for (is_client, bytes) in sent {
                let received = if is_client {
                    requests.extend(&bytes);
                    followed.client_sends(&bytes, 13)
                } else {
                    replies.extend(&bytes);
                    followed.member_sends(&bytes, 13)
                };
                is_over = received.is_err();
                if is_over {
                    break;
                }
            }
            proptest::prop_assert!(requests.starts_with(&followed.to_member));
            if !is_over {
                proptest::prop_assert!(replies.starts_with(&followed.to_client));
                let (up, down) = (requests.len() - followed.to_member.len(), replies.len() - followed.to_client.len());
                proptest::prop_assert_eq!(followed.watch.held(), up + down);
            }
        }
    }
}
