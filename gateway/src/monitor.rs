//! Monitors a session of plain Hot Rod: tracks its requests in flight, and rejects requests that are not forwarded.
//!
//! [`hotrod_core`]'s scanners find the boundaries of messages and hold no message. The gateway rejects AUTH with EXTERNAL
//! (spec/hotrod-over-http.md, R-99).
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

/// Upper bound on requests in flight; at the bound the client is not read.
const MOST_IN_FLIGHT: usize = 10_000;
/// Size of a read.
const READ: usize = 16 << 10;
/// Memory of a request in flight, in bytes: a map is half full at worst.
const FLIGHT: usize = 2 * (size_of::<u64>() + size_of::<ReplyContext>());
/// Upper bound on an AUTH, in bytes: it is collected and decoded whole.
const LONGEST_AUTH: usize = 64 << 10;

/// Error message for AUTH with EXTERNAL.
pub(crate) const NO_EXTERNAL: &str =
    "hotrod-gateway: EXTERNAL ends at the gateway, where TLS does: use another mechanism";
const AUTH_TOO_LONG: &str = "hotrod-gateway: AUTH is too long";

/// Scans a session's bytes in both directions, and decides which are forwarded.
pub(crate) struct SessionMonitor {
    requests: RequestScanner,
    replies: ReplyScanner,
    /// Requests forwarded whole or in part, and not yet answered.
    in_flight: BTreeMap<u64, ReplyContext>,
    present: Present,
    /// Whether a reply or event has been forwarded in part.
    is_mid_reply: bool,
    /// Replies of the gateway, queued until the end of the member's present message.
    own_replies: VecDeque<Bytes>,
    to_member: Pieces,
    to_client: Pieces,
    /// Metric labels of rejected requests, since the last [`take_rejected`](Self::take_rejected).
    rejected: Vec<&'static str>,
    /// Number of requests received whole.
    whole: u64,
    /// Whether a further request has been received in part.
    is_mid_request: bool,
    authenticated: Authenticated,
}

/// State of the request that has been received in part.
enum Present {
    Forwarded,
    /// Collected, and forwarded or rejected once it is whole.
    Collected(RequestHead, BytesMut),
    /// AUTH with EXTERNAL, or of more than [`LONGEST_AUTH`] bytes, and the error message.
    Rejected(RequestHead, &'static str),
}

/// Reason why the gateway ends a session whose messages it can't follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionFault {
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

impl SessionFault {
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

impl SessionMonitor {
    /// Monitors a session from its first byte. A request of more than `max_request` bytes ends it.
    pub(crate) fn new(max_request: usize) -> Self {
        Self {
            requests: RequestScanner::new(request_limits(max_request)),
            replies: ReplyScanner::new(Limits::default()),
            in_flight: BTreeMap::new(),
            present: Present::Forwarded,
            is_mid_reply: false,
            own_replies: VecDeque::new(),
            to_member: Pieces::default(),
            to_client: Pieces::default(),
            rejected: Vec::new(),
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
        let own: usize = self.own_replies.iter().map(Bytes::len).sum();
        self.requests_held() + self.to_client.len() + own + self.replies.buffered()
    }

    /// Memory of the session, in bytes. Queued bytes keep the whole buffer into which they were read.
    pub(crate) fn memory(&self) -> usize {
        let collected = if let Present::Collected(_, bytes) = &self.present { bytes.capacity() } else { 0 };
        let waiting = self.to_member.len().next_multiple_of(READ) + self.to_client.len().next_multiple_of(READ);
        let own = self.own_replies.iter().map(Bytes::len).sum::<usize>() + collected;
        own + waiting + self.requests.memory() + self.replies.memory() + self.in_flight.len() * FLIGHT
    }

    /// Whether the member has authenticated the session.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.is_done()
    }

    /// Received bytes of requests that may still be written to the member.
    pub(crate) fn requests_held(&self) -> usize {
        let collected = if let Present::Collected(_, bytes) = &self.present { bytes.len() } else { 0 };
        self.to_member.len() + collected + self.requests.buffered()
    }

    /// Whether further requests are read from the client.
    pub(crate) fn wants_requests(&self) -> bool {
        self.to_member.is_empty() && self.own_replies.is_empty() && self.in_flight.len() < MOST_IN_FLIGHT
    }

    /// Whether no request is in flight and no message is partly forwarded.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_between_messages = !self.is_mid_reply && self.to_client.is_empty() && self.to_member.is_empty();
        self.in_flight.is_empty() && is_between_messages && self.own_replies.is_empty()
    }

    /// Progress of the session, for its deadlines.
    pub(crate) fn progress(&self) -> Progress {
        let has_begun = self.is_mid_request || self.requests.buffered() > 0;
        Progress {
            whole: self.whole,
            // The relay reads no requests while replies are queued for the client.
            is_waiting: has_begun && self.wants_requests() && self.to_client.is_empty(),
            is_authenticated: self.authenticated.is_done(),
        }
    }

    /// Takes the metric labels of rejected requests.
    pub(crate) fn take_rejected(&mut self) -> impl Iterator<Item = &'static str> {
        self.rejected.drain(..)
    }

    /// Receives bytes from the client. After an error [`for_client`](Self::for_client) ends with an error reply that names
    /// the fault.
    pub(crate) fn receive_from_client(&mut self, bytes: &[u8]) -> Result<(), SessionFault> {
        self.requests.receive(bytes);
        while let Some(piece) = self.requests.poll() {
            let received = piece.map_err(SessionFault::from).and_then(|piece| self.request(piece));
            received.inspect_err(|fault| self.answer_fault(fault))?;
        }
        Ok(())
    }

    /// Receives bytes from the member. Reports topologies to `hint`.
    pub(crate) fn receive_from_member(
        &mut self,
        bytes: &[u8],
        mut hint: impl FnMut(&Topology),
    ) -> Result<(), SessionFault> {
        self.replies.receive(bytes);
        loop {
            let in_flight = &self.in_flight;
            match self.replies.poll(|id| in_flight.get(&id).copied()) {
                None => return Ok(()),
                Some(Err(violation)) => return self.end(SessionFault::Reply(violation)),
                Some(Ok(piece)) => self.reply(piece, &mut hint).or_else(|fault| self.end(fault))?,
            }
        }
    }

    fn request(&mut self, piece: RequestPiece) -> Result<(), SessionFault> {
        let RequestPiece { head, bytes, is_last, .. } = piece;
        self.whole += u64::from(is_last);
        self.is_mid_request = !is_last;
        if let Some(head) = head {
            self.present = self.judge(head)?;
        }
        match &mut self.present {
            Present::Forwarded => self.to_member.push(bytes),
            Present::Rejected(..) => {}
            Present::Collected(_, collected) if collected.len() + bytes.len() <= LONGEST_AUTH => {
                collected.extend_from_slice(&bytes);
            }
            Present::Collected(head, _) => {
                self.present = Present::Rejected(head.clone(), AUTH_TOO_LONG);
            }
        }
        if is_last {
            match std::mem::replace(&mut self.present, Present::Forwarded) {
                Present::Forwarded => {}
                Present::Rejected(head, message) => self.reject(&head, message),
                Present::Collected(head, collected) if names_external(&collected) => {
                    self.reject(&head, NO_EXTERNAL);
                }
                Present::Collected(head, collected) => {
                    self.note(&head);
                    self.to_member.push(collected.freeze());
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, head: RequestHead) -> Result<Present, SessionFault> {
        if self.in_flight.contains_key(&head.message_id) {
            return Err(SessionFault::DuplicateId(head.message_id));
        }
        if head.context.operation == Operation::Auth {
            return Ok(Present::Collected(head, BytesMut::new()));
        }
        self.note(&head);
        Ok(Present::Forwarded)
    }

    fn note(&mut self, head: &RequestHead) {
        self.in_flight.insert(head.message_id, head.context);
    }

    fn reject(&mut self, head: &RequestHead, message: &str) {
        self.rejected.push("auth");
        self.reply_with_error(head.message_id, head.context, Status::SERVER_ERROR, message);
    }

    fn reply_with_error(&mut self, message_id: u64, asked: ReplyContext, status: Status, message: &str) {
        self.own_replies.push_back(error_reply(message_id, asked, status, message));
        self.queue_own_replies();
    }

    /// Queues an error reply for the request that ends the session, and counts it.
    fn answer_fault(&mut self, fault: &SessionFault) {
        let newest =
            ReplyContext { operation: Operation::Ping, version: Version::LATEST, intelligence: Intelligence::Basic };
        let (status, (message_id, asked)) = match fault {
            SessionFault::Request(RequestFault::UnknownVersion { message_id, .. }) => {
                (Status::UNKNOWN_VERSION, (*message_id, newest))
            }
            SessionFault::Request(RequestFault::UnknownOperation { message_id, .. }) => {
                (Status::UNKNOWN_OPERATION, (*message_id, newest))
            }
            SessionFault::DuplicateId(message_id) => (Status::PARSE_ERROR, (*message_id, newest)),
            // Infinispan replies with id 0 to a request whose id it could not read.
            _ => (Status::PARSE_ERROR, self.requests.unfinished().unwrap_or((0, newest))),
        };
        let why = format!("hotrod-gateway ends this session: {fault}");
        self.reply_with_error(message_id, asked, status, &why);
        self.rejected.push(fault.reason());
    }

    fn end(&mut self, fault: SessionFault) -> Result<(), SessionFault> {
        self.rejected.push(fault.reason());
        Err(fault)
    }

    fn queue_own_replies(&mut self) {
        if !self.is_mid_reply {
            self.own_replies.drain(..).for_each(|reply| self.to_client.push(reply));
        }
    }

    fn reply(&mut self, piece: ReplyPiece, mut hint: impl FnMut(&Topology)) -> Result<(), SessionFault> {
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
        self.queue_own_replies();
        // A stray reply shows that the member could not read a request that the scanner has read.
        if is_stray && is_last { Err(SessionFault::StrayReply) } else { Ok(()) }
    }
}

impl From<RequestFault> for SessionFault {
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

/// Scanner limits for requests of at most `max_request` bytes.
pub(crate) fn request_limits(max_request: usize) -> Limits {
    let mut limits = Limits::default();
    limits.message = max_request;
    limits
}

/// Whether a whole AUTH names EXTERNAL. An AUTH that can't be decoded counts as one that does.
pub(crate) fn names_external(request: &[u8]) -> bool {
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(request);
    match decoder.poll() {
        Some(Ok((_, Request::Auth { mechanism, .. }))) => mechanism.eq_ignore_ascii_case("EXTERNAL"),
        _ => true,
    }
}

/// Encodes an error reply.
pub(crate) fn error_reply(message_id: u64, asked: ReplyContext, status: Status, message: &str) -> Bytes {
    let mut out = SendBuffer::new();
    write_reply(&Reply { message_id, status, topology: None, body: Body::Error(message.into()) }, asked, &mut out);
    out.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ASKED, auth, get, put, reply, value};
    use std::task::Context;

    fn refusal(message_id: u64, operation: Operation, status: Status, message: &str) -> Bytes {
        error_reply(message_id, ReplyContext { operation, ..ASKED }, status, message)
    }

    fn external_refused(message_id: u64) -> Bytes {
        refusal(message_id, Operation::Auth, Status::SERVER_ERROR, NO_EXTERNAL)
    }

    const MOST_REQUEST: usize = 1 << 20;

    /// A monitor, and the bytes that it has forwarded.
    struct Monitored {
        monitor: SessionMonitor,
        to_member: Vec<u8>,
        to_client: Vec<u8>,
        hints: usize,
    }

    impl Monitored {
        fn new() -> Self {
            let (to_member, to_client) = (Vec::new(), Vec::new());
            Self { monitor: SessionMonitor::new(MOST_REQUEST), to_member, to_client, hints: 0 }
        }

        /// Writes everything that is queued.
        fn take(&mut self) {
            let take = |pieces: &mut Pieces, out: &mut Vec<u8>| {
                let mut sink = std::io::Cursor::new(Vec::new());
                let mut cx = Context::from_waker(std::task::Waker::noop());
                while pieces.poll_write(std::pin::Pin::new(&mut sink), &mut cx).is_ready() {}
                out.extend(sink.into_inner());
            };
            take(self.monitor.for_member(), &mut self.to_member);
            take(self.monitor.for_client(), &mut self.to_client);
        }

        /// Receives these bytes of the client in pieces of `piece` bytes.
        fn client_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), SessionFault> {
            for chunk in bytes.chunks(piece) {
                let received = self.monitor.receive_from_client(chunk);
                self.take();
                received?;
            }
            Ok(())
        }

        fn member_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), SessionFault> {
            for chunk in bytes.chunks(piece) {
                let received = self.monitor.receive_from_member(chunk, |_| self.hints += 1);
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
            let mut monitored = Monitored::new();
            assert!(monitored.monitor.is_quiet());
            let requests = [get(1), put(2, 3000), auth(3, "PLAIN", 20), get(4)].concat();
            monitored.client_sends(&requests, cut).unwrap();
            assert_eq!(monitored.to_member, requests);
            let challenge =
                reply(3, Operation::Auth, Status::SUCCESS, Body::Challenge { complete: true, challenge: Bytes::new() });
            let stored = reply(2, Operation::Put, Status::SUCCESS, Body::Nothing);
            let replies = [value(4, 5000), stored, challenge].concat();
            monitored.member_sends(&replies, cut).unwrap();
            assert!(!monitored.monitor.is_quiet(), "1 is not answered");
            monitored.member_sends(&value(1, 10), cut).unwrap();
            assert_eq!(monitored.to_client, [replies, value(1, 10).to_vec()].concat());
            assert_eq!((monitored.monitor.is_quiet(), monitored.monitor.held()), (true, 0));
            assert_eq!(monitored.hints, 2, "each reply to GET has a topology");
        }
    }

    #[test]
    fn external_is_answered_here_between_two_messages_of_the_member() {
        for cut in CUTS {
            for name in ["EXTERNAL", "external"] {
                let mut monitored = Monitored::new();
                monitored.client_sends(&get(1), cut).unwrap();
                let reply = value(1, 5000);
                monitored.member_sends(&reply[..3000], cut).unwrap();
                monitored.client_sends(&[auth(2, name, 0), get(3)].concat(), cut).unwrap();
                assert_eq!(monitored.to_member, [get(1), get(3)].concat());
                assert_eq!(monitored.to_client, reply[..3000], "in the midst of a message nothing is said");
                assert!(!monitored.monitor.wants_requests());
                monitored.member_sends(&reply[3000..], cut).unwrap();
                assert_eq!(monitored.to_client, [reply.clone(), external_refused(2)].concat());
                assert!(monitored.monitor.wants_requests());
                assert_eq!(monitored.monitor.take_rejected().collect::<Vec<_>>(), ["auth"]);
            }
        }
    }

    #[test]
    fn no_more_of_an_auth_is_held_than_one_may_have() {
        let mut monitored = Monitored::new();
        monitored.client_sends(&auth(1, "GSSAPI", LONGEST_AUTH), 1000).unwrap();
        assert!(monitored.to_member.is_empty());
        assert_eq!(monitored.to_client, refusal(1, Operation::Auth, Status::SERVER_ERROR, AUTH_TOO_LONG));
        let longest = auth(2, "GSSAPI", LONGEST_AUTH - 100);
        monitored.client_sends(&longest, 1000).unwrap();
        assert_eq!(monitored.to_member, longest);
    }

    /// A request of an unknown operation.
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
                let mut monitored = Monitored::new();
                let requests = [&get(1)[..], bad, &auth(4, "EXTERNAL", 0)].concat();
                let fault = monitored.client_sends(&requests, cut).unwrap_err();
                assert_eq!(fault.reason(), reason);
                assert_eq!(monitored.monitor.take_rejected().collect::<Vec<_>>(), [reason]);
                let forwarded = monitored.to_member.to_ascii_uppercase();
                assert!(!forwarded.windows(8).any(|window| window == b"EXTERNAL"), "{bad:?} in pieces of {cut}");
                let mut replies = ReplyScanner::new(Limits::default());
                replies.receive(&monitored.to_client);
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
            let mut monitored = Monitored::new();
            let fault = monitored.client_sends(&[get(1), get(2), get(1)].concat(), cut).unwrap_err();
            assert_eq!(fault, SessionFault::DuplicateId(1));
            assert!([get(1), get(2)].concat().starts_with(&monitored.to_member), "the second 1 is not forwarded");
            // Once it is answered it is free again.
            let mut monitored = Monitored::new();
            monitored.client_sends(&get(1), cut).unwrap();
            monitored.member_sends(&value(1, 10), cut).unwrap();
            monitored.client_sends(&get(1), cut).unwrap();
            // An AUTH that is gathered counts as well.
            let fault = monitored.client_sends(&auth(1, "PLAIN", 10), cut).unwrap_err();
            assert_eq!(fault, SessionFault::DuplicateId(1));
        }
    }

    #[test]
    fn a_reply_that_answers_no_request_ends_the_session() {
        for cut in CUTS {
            let mut monitored = Monitored::new();
            monitored.client_sends(&get(1), cut).unwrap();
            let fault = monitored.member_sends(&value(77, 10), cut).unwrap_err();
            assert_eq!(fault.reason(), "unreadable_reply");
            // An error that Infinispan sends for a request that it could not read: the client is told first.
            let mut monitored = Monitored::new();
            let error = refusal(0, Operation::Get, Status::PARSE_ERROR, "what was that?");
            assert_eq!(monitored.member_sends(&error, cut), Err(SessionFault::StrayReply));
            assert_eq!(monitored.to_client, error);
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
            let mut monitored = Monitored::new();
            let (mut requests, mut replies) = (Vec::new(), Vec::new());
            let mut is_over = false;
            for (is_client, bytes) in sent {
                let received = if is_client {
                    requests.extend(&bytes);
                    monitored.client_sends(&bytes, 13)
                } else {
                    replies.extend(&bytes);
                    monitored.member_sends(&bytes, 13)
                };
                is_over = received.is_err();
                if is_over {
                    break;
                }
            }
            proptest::prop_assert!(requests.starts_with(&monitored.to_member));
            if !is_over {
                proptest::prop_assert!(replies.starts_with(&monitored.to_client));
                let (up, down) = (requests.len() - monitored.to_member.len(), replies.len() - monitored.to_client.len());
                proptest::prop_assert_eq!(monitored.monitor.held(), up + down);
            }
        }
    }
}
