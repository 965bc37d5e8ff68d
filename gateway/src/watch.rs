//! What passes by in a session of plain Hot Rod: which requests the member has, and what it is not to get.
//!
//! Every message is found by [`hotrod_core`]'s scanners, which hold none. So it is known when nothing is in flight, views
//! of the cluster are learned from, and two kinds of request are answered here and not passed on: AUTH with EXTERNAL
//! (spec/hotrod-over-http.md, R-99), and, when the gateway is about to stop, every new one; its client tries another
//! server then.
//!
//! What the scanners can't follow, of a version to come perhaps, is passed on unseen from there on, but for one word: a
//! request that may be AUTH with EXTERNAL ends the session. Where the gateway shows a certificate of its own to the member
//! nothing is passed on unseen.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use hotrod_core::wire::{
    Asked, Body, Limits, MessageKind, Operation, Reply, ReplyPiece, ReplyScanner, Request, RequestDecoder, RequestHead,
    RequestPiece, RequestScanner, SendBuffer, Status, write_reply,
};

use crate::external::Lookout;
use crate::gateway::Seen;
use crate::pieces::Pieces;

/// Requests that the member has not answered above which no further ones are taken.
const MOST_IN_FLIGHT: usize = 10_000;
/// The longest AUTH: it is looked at whole.
const LONGEST_AUTH: usize = 64 << 10;

/// Why AUTH with EXTERNAL is not passed on.
pub(crate) const NO_EXTERNAL: &str = "EXTERNAL ends at the gateway, where TLS does: use another mechanism";
const TOO_LONG: &str = "the gateway takes no AUTH of that length";
const STOPPING: &str = "the gateway is about to stop";

/// Looks at a session's bytes, and says which go on.
pub(crate) struct Watch {
    requests: RequestScanner,
    replies: ReplyScanner,
    /// What was received and has not come out of the scanners: for when they are given up.
    kept_requests: Vec<u8>,
    kept_replies: Vec<u8>,
    /// What the member has, or begins to have, and has not answered.
    asked: BTreeMap<u64, Flight>,
    present: Present,
    /// Some of a message of the member's has gone on, and not its end.
    is_mid_reply: bool,
    /// The gateway's own answers, until they can go between two messages of the member.
    own_answers: VecDeque<Bytes>,
    to_member: Pieces,
    to_client: Pieces,
    /// What was answered here, in one word each.
    refused: Vec<&'static str>,
    refuses_all: bool,
    sight: Sight,
    /// Once sight is lost.
    lookout: Lookout,
}

/// Whether what passes is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// As long as that goes.
    Wanted,
    /// Or the session ends.
    Needed,
    /// No longer.
    Lost,
}

struct Flight {
    asked: Asked,
    cache: String,
}

/// What becomes of the request of which not all has come.
enum Present {
    /// It goes on.
    Passes,
    /// It is looked at first.
    Gathers(RequestHead, BytesMut),
    /// It is answered here.
    Refused(RequestHead, Status, &'static str),
}

/// The session can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what passes can't be followed: {0}")]
pub(crate) struct LostTrack(String);

impl Watch {
    /// For a session that begins. With `must_see` nothing is passed on unseen.
    pub(crate) fn new(must_see: bool) -> Self {
        Self {
            requests: RequestScanner::new(Limits::default()),
            replies: ReplyScanner::new(Limits::default()),
            kept_requests: Vec::new(),
            kept_replies: Vec::new(),
            asked: BTreeMap::new(),
            present: Present::Passes,
            is_mid_reply: false,
            own_answers: VecDeque::new(),
            to_member: Pieces::default(),
            to_client: Pieces::default(),
            refused: Vec::new(),
            refuses_all: false,
            sight: if must_see { Sight::Needed } else { Sight::Wanted },
            lookout: Lookout::default(),
        }
    }

    /// For the member's socket.
    pub(crate) fn for_member(&mut self) -> &mut Pieces {
        &mut self.to_member
    }

    /// For the client's.
    pub(crate) fn for_client(&mut self) -> &mut Pieces {
        &mut self.to_client
    }

    /// Bytes held for either side.
    pub(crate) fn held(&self) -> usize {
        let own: usize = self.own_answers.iter().map(Bytes::len).sum();
        self.requests_held() + self.to_client.len() + own + self.kept_replies.len()
    }

    /// Bytes of the client's that have not gone to the member and may yet.
    pub(crate) fn requests_held(&self) -> usize {
        let gathered = if let Present::Gathers(_, bytes) = &self.present { bytes.len() } else { 0 };
        self.to_member.len() + gathered + self.kept_requests.len()
    }

    /// Whether the client is to be read.
    pub(crate) fn wants_requests(&self) -> bool {
        self.to_member.is_empty() && self.own_answers.is_empty() && self.asked.len() < MOST_IN_FLIGHT
    }

    /// Whether nothing is in flight, and nothing half said; `None` if that is not known.
    pub(crate) fn is_quiet(&self) -> Option<bool> {
        let says_nothing = !self.is_mid_reply && self.to_client.is_empty() && self.to_member.is_empty();
        (self.sight != Sight::Lost).then_some(self.asked.is_empty() && says_nothing && self.own_answers.is_empty())
    }

    /// From now on every request is answered here. One of which some has gone on goes on.
    pub(crate) fn refuse_all(&mut self) {
        self.refuses_all = true;
    }

    /// What was answered here since the last time, in one word each.
    pub(crate) fn take_refused(&mut self) -> impl Iterator<Item = &'static str> {
        self.refused.drain(..)
    }

    /// The client has sent something.
    pub(crate) fn client_sent(&mut self, bytes: &[u8]) -> Result<(), LostTrack> {
        if self.sight == Sight::Lost {
            return self.pass_unseen(Bytes::copy_from_slice(bytes));
        }
        self.requests.receive(bytes);
        let mut out = 0;
        let fault = loop {
            match self.requests.poll() {
                None => break None,
                Some(Err(fault)) => break Some(fault),
                Some(Ok(piece)) => {
                    out += piece.bytes.len();
                    self.request(piece);
                }
            }
        };
        keep(&mut self.kept_requests, bytes, out);
        fault.map_or(Ok(()), |fault| self.lose_track(fault.to_string()))
    }

    /// The member has sent something. Views of the cluster in it are told to `learn`.
    pub(crate) fn member_sent(&mut self, bytes: &[u8], mut learn: impl FnMut(Seen)) -> Result<(), LostTrack> {
        if self.sight == Sight::Lost {
            self.to_client.push(Bytes::copy_from_slice(bytes));
            return Ok(());
        }
        self.replies.receive(bytes);
        let mut out = 0;
        let fault = loop {
            let asked = &self.asked;
            match self.replies.poll(|id| asked.get(&id).map(|flight| flight.asked)) {
                None => break None,
                Some(Err(violation)) => break Some(violation),
                Some(Ok(piece)) => {
                    out += piece.bytes.len();
                    self.reply(piece, &mut learn);
                }
            }
        };
        keep(&mut self.kept_replies, bytes, out);
        fault.map_or(Ok(()), |violation| self.lose_track(violation.to_string()))
    }

    fn request(&mut self, piece: RequestPiece) {
        let RequestPiece { head, bytes, is_last, .. } = piece;
        if let Some(head) = head {
            self.present = self.judge(head);
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
                    self.note(head);
                    self.to_member.push(gathered.freeze());
                }
            }
        }
    }

    fn judge(&mut self, head: RequestHead) -> Present {
        if self.refuses_all {
            return Present::Refused(head, Status::ILLEGAL_LIFECYCLE_STATE, STOPPING);
        }
        if head.asked.operation == Operation::Auth {
            return Present::Gathers(head, BytesMut::new());
        }
        self.note(head);
        Present::Passes
    }

    fn note(&mut self, head: RequestHead) {
        let RequestHead { message_id, asked, cache, .. } = head;
        self.asked.insert(message_id, Flight { asked, cache });
    }

    fn answer(&mut self, head: &RequestHead, status: Status, why: &'static str) {
        self.refused.push(if why == STOPPING { "draining" } else { "auth" });
        self.own_answers.push_back(error_reply(head.message_id, head.asked, status, why));
        self.send_own_answers();
    }

    fn send_own_answers(&mut self) {
        if !self.is_mid_reply {
            self.own_answers.drain(..).for_each(|answer| self.to_client.push(answer));
        }
    }

    fn reply(&mut self, piece: ReplyPiece, mut learn: impl FnMut(Seen)) {
        let ReplyPiece { kind, bytes, is_last, topology, .. } = piece;
        if let MessageKind::Reply { message_id, .. } = kind {
            if let (Some(topology), Some(flight)) = (topology, self.asked.get(&message_id)) {
                learn(Seen { cache: flight.cache.clone(), topology });
            }
            if is_last {
                self.asked.remove(&message_id);
            }
        }
        self.to_client.push(bytes);
        self.is_mid_reply = !is_last;
        self.send_own_answers();
    }

    /// Everything that is held back goes on, and what comes from now on does unseen.
    fn lose_track(&mut self, why: String) -> Result<(), LostTrack> {
        let is_refusing = self.refuses_all || matches!(self.present, Present::Refused(..));
        if self.sight == Sight::Needed || is_refusing || !self.own_answers.is_empty() {
            return Err(LostTrack(why));
        }
        self.sight = Sight::Lost;
        self.asked.clear();
        self.to_client.push(std::mem::take(&mut self.kept_replies).into());
        if let Present::Gathers(_, gathered) = std::mem::replace(&mut self.present, Present::Passes) {
            self.pass_unseen(gathered.freeze())?;
        }
        let kept = std::mem::take(&mut self.kept_requests);
        self.pass_unseen(kept.into())
    }

    /// Passes on what is not followed, as long as it has no EXTERNAL in it.
    fn pass_unseen(&mut self, bytes: Bytes) -> Result<(), LostTrack> {
        if self.lookout.sees_external(&bytes) {
            self.refused.push("auth");
            return Err(LostTrack(format!("{NO_EXTERNAL}; it stands in what is not understood here")));
        }
        self.to_member.push(bytes);
        Ok(())
    }
}

/// Of what was kept and what has come now, the first `out` bytes have come out.
fn keep(kept: &mut Vec<u8>, bytes: &[u8], out: usize) {
    if let Some(of_new) = out.checked_sub(kept.len()) {
        kept.clear();
        kept.extend_from_slice(&bytes[of_new..]);
    } else {
        kept.drain(..out);
        kept.extend_from_slice(bytes);
    }
    if kept.is_empty() {
        // A session that waits holds nothing.
        *kept = Vec::new();
    }
}

/// Whether a whole AUTH names EXTERNAL. One that can't be read does not.
pub(crate) fn names_external(request: &[u8]) -> bool {
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(request);
    let read = decoder.poll();
    matches!(read, Some(Ok((_, Request::Auth { mechanism, .. }))) if mechanism.eq_ignore_ascii_case("EXTERNAL"))
}

/// An answer that is an error.
pub(crate) fn error_reply(message_id: u64, asked: Asked, status: Status, why: &str) -> Bytes {
    let mut out = SendBuffer::new();
    write_reply(&Reply { message_id, status, topology: None, body: Body::Error(why.into()) }, asked, &mut out);
    out.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotrod_core::wire::{
        AuthResponse, Envelope, Expiration, Intelligence, Member, RequestOptions, Topology, Version, write_request,
    };
    use std::cell::RefCell;

    const ASKED: Asked =
        Asked { operation: Operation::Get, version: Version::V3_1, intelligence: Intelligence::TopologyAware };

    fn request(message_id: u64, request: &Request) -> Bytes {
        let Asked { version, intelligence, .. } = ASKED;
        let envelope = Envelope { message_id, version, intelligence, topology_id: 0 };
        let mut out = SendBuffer::new();
        write_request(envelope, &RequestOptions::cache("c"), request, &mut out);
        out.to_bytes()
    }

    fn get(message_id: u64) -> Bytes {
        request(message_id, &Request::Get { key: Bytes::from_static(b"k") })
    }

    fn put(message_id: u64, length: usize) -> Bytes {
        let (key, value) = (Bytes::from_static(b"k"), Bytes::from(vec![7; length]));
        request(message_id, &Request::Put { key, expiration: Expiration::DEFAULT, value })
    }

    fn auth(message_id: u64, mechanism: &str, length: usize) -> Bytes {
        let response = AuthResponse(Bytes::from(vec![b'x'; length]));
        request(message_id, &Request::Auth { mechanism: mechanism.into(), response })
    }

    fn reply(message_id: u64, operation: Operation, status: Status, body: Body) -> Bytes {
        let topology = Topology { id: 9, members: vec![Member { host: "m".into(), port: 1 }], hash: None };
        let topology = (operation == Operation::Get).then(|| Box::new(topology));
        let mut out = SendBuffer::new();
        write_reply(&Reply { message_id, status, topology, body }, Asked { operation, ..ASKED }, &mut out);
        out.to_bytes()
    }

    fn value(message_id: u64, length: usize) -> Bytes {
        reply(message_id, Operation::Get, Status::SUCCESS, Body::Value(Bytes::from(vec![9; length])))
    }

    fn refusal(message_id: u64, operation: Operation, status: Status, why: &str) -> Bytes {
        error_reply(message_id, Asked { operation, ..ASKED }, status, why)
    }

    fn external_refused(message_id: u64) -> Bytes {
        refusal(message_id, Operation::Auth, Status::SERVER_ERROR, NO_EXTERNAL)
    }

    /// What a watch has said.
    struct Said {
        watch: Watch,
        to_member: Vec<u8>,
        to_client: Vec<u8>,
        caches: Vec<String>,
    }

    impl Said {
        fn new(must_see: bool) -> Self {
            let (to_member, to_client) = (Vec::new(), Vec::new());
            Self { watch: Watch::new(must_see), to_member, to_client, caches: Vec::new() }
        }

        /// Everything that waits is sent.
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

        /// In pieces of so many bytes.
        fn client_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), LostTrack> {
            for chunk in bytes.chunks(piece) {
                self.watch.client_sent(chunk)?;
                self.take();
            }
            Ok(())
        }

        fn member_sends(&mut self, bytes: &[u8], piece: usize) -> Result<(), LostTrack> {
            for chunk in bytes.chunks(piece) {
                let caches = RefCell::new(&mut self.caches);
                self.watch.member_sent(chunk, |seen| caches.borrow_mut().push(seen.cache))?;
                self.take();
            }
            Ok(())
        }
    }

    use std::task::Context;

    const CUTS: [usize; 5] = [1, 2, 7, 100, 1 << 20];

    #[test]
    fn all_bytes_go_on_and_it_is_known_when_nothing_is_in_flight() {
        for cut in CUTS {
            let mut said = Said::new(true);
            assert_eq!(said.watch.is_quiet(), Some(true));
            let requests = [get(1), put(2, 3000), auth(3, "PLAIN", 20), get(4)].concat();
            said.client_sends(&requests, cut).unwrap();
            assert_eq!(said.to_member, requests);
            let challenge =
                reply(3, Operation::Auth, Status::SUCCESS, Body::Challenge { complete: true, challenge: Bytes::new() });
            let stored = reply(2, Operation::Put, Status::SUCCESS, Body::Nothing);
            let replies = [value(4, 5000), stored, challenge].concat();
            said.member_sends(&replies, cut).unwrap();
            assert_eq!(said.watch.is_quiet(), Some(false), "1 is not answered");
            said.member_sends(&value(1, 10), cut).unwrap();
            assert_eq!(said.to_client, [replies, value(1, 10).to_vec()].concat());
            assert_eq!((said.watch.is_quiet(), said.watch.held()), (Some(true), 0));
            assert_eq!(said.caches, ["c", "c"], "each answer to GET had a view");
        }
    }

    #[test]
    fn external_is_answered_here_between_two_messages_of_the_member() {
        for cut in CUTS {
            for name in ["EXTERNAL", "external"] {
                let mut said = Said::new(true);
                said.client_sends(&get(1), cut).unwrap();
                let reply = value(1, 5000);
                said.member_sends(&reply[..3000], cut).unwrap();
                said.client_sends(&[auth(2, name, 0), get(3)].concat(), cut).unwrap();
                assert_eq!(said.to_member, [get(1), get(3)].concat());
                assert_eq!(said.to_client, reply[..3000], "in the midst of a message nothing is said");
                assert!(!said.watch.wants_requests());
                said.member_sends(&reply[3000..], cut).unwrap();
                assert_eq!(said.to_client, [reply.clone(), external_refused(2)].concat());
                assert!(said.watch.wants_requests());
                assert_eq!(said.watch.take_refused().collect::<Vec<_>>(), ["auth"]);
            }
        }
    }

    #[test]
    fn no_more_of_an_auth_is_held_than_one_may_have() {
        let mut said = Said::new(true);
        said.client_sends(&auth(1, "GSSAPI", LONGEST_AUTH), 1000).unwrap();
        assert!(said.to_member.is_empty());
        assert_eq!(said.to_client, refusal(1, Operation::Auth, Status::SERVER_ERROR, TOO_LONG));
        let longest = auth(2, "GSSAPI", LONGEST_AUTH - 100);
        said.client_sends(&longest, 1000).unwrap();
        assert_eq!(said.to_member, longest);
    }

    #[test]
    fn when_all_are_refused_what_has_begun_is_finished() {
        for cut in CUTS {
            let mut said = Said::new(false);
            let large = put(2, 3000);
            said.client_sends(&[get(1), large.slice(..1000)].concat(), cut).unwrap();
            said.watch.refuse_all();
            let rest = [large.slice(1000..), get(3), put(4, 3000)].concat();
            said.client_sends(&rest, cut).unwrap();
            assert_eq!(said.to_member, [get(1), large].concat());
            let stopping = |id, operation| refusal(id, operation, Status::ILLEGAL_LIFECYCLE_STATE, STOPPING);
            let refused = [stopping(3, Operation::Get), stopping(4, Operation::Put)].concat();
            assert_eq!(said.to_client, refused);
            assert_eq!(said.watch.is_quiet(), Some(false));
            let replies = [value(1, 3), reply(2, Operation::Put, Status::SUCCESS, Body::Nothing)].concat();
            said.member_sends(&replies, cut).unwrap();
            assert_eq!(said.to_client, [refused, replies].concat());
            assert_eq!(said.watch.is_quiet(), Some(true));
        }
    }

    /// A request of an operation that nobody knows.
    fn unknown(message_id: u8) -> Vec<u8> {
        vec![0xa0, message_id, 31, 0xee, 0, 0, 1, 0, 1, 2, 3, 4]
    }

    #[test]
    fn what_is_not_known_passes_unseen_and_whole() {
        for cut in CUTS {
            let mut said = Said::new(false);
            let requests = [&put(1, 300)[..], &unknown(2), &get(3)].concat();
            said.client_sends(&requests, cut).unwrap();
            assert_eq!(said.to_member, requests, "in pieces of {cut}");
            assert_eq!(said.watch.is_quiet(), None);
            let replies = [&value(3, 10)[..], b"anything", &value(77, 10)].concat();
            said.member_sends(&replies, cut).unwrap();
            assert_eq!(said.to_client, replies);
            assert_eq!(said.watch.held(), 0);
        }
    }

    /// R-99 holds also where nothing is understood any more: the session ends before the member has the word.
    #[test]
    fn external_does_not_pass_where_nothing_is_followed() {
        for cut in CUTS {
            for name in ["EXTERNAL", "external"] {
                let mut said = Said::new(false);
                let requests = [&get(1)[..], &unknown(2), &get(3), &auth(4, name, 0), &get(5)].concat();
                said.client_sends(&requests, cut).unwrap_err();
                let passed = said.to_member.to_ascii_uppercase();
                assert!(!passed.windows(8).any(|window| window == b"EXTERNAL"), "in pieces of {cut}: {passed:?}");
                assert_eq!(said.watch.take_refused().collect::<Vec<_>>(), ["auth"]);
            }
            // What was lost sight of on the member's side is the same.
            let mut said = Said::new(false);
            said.member_sends(&value(77, 10), cut).unwrap();
            said.client_sends(&auth(4, "EXTERNAL", 0), cut).unwrap_err();
            // Other mechanisms go on.
            let mut said = Said::new(false);
            let requests = [&unknown(2)[..], &auth(4, "SCRAM-SHA-512", 20)].concat();
            said.client_sends(&requests, cut).unwrap();
            assert_eq!(said.to_member, requests);
        }
    }

    #[test]
    fn what_the_member_says_passes_unseen_and_whole_if_it_is_not_known() {
        for cut in CUTS {
            let mut said = Said::new(false);
            // The beginning of a request waits for its rest.
            let (requests, rest) = (put(1, 3000), get(2));
            said.client_sends(&[&requests[..], &rest[..2]].concat(), cut).unwrap();
            let replies = [&value(1, 10)[..], &value(77, 10), &value(78, 10)].concat();
            said.member_sends(&replies, cut).unwrap();
            assert_eq!(said.to_client, replies, "in pieces of {cut}");
            said.client_sends(&rest[2..], cut).unwrap();
            assert_eq!(said.to_member, [requests, rest].concat());
        }
    }

    #[test]
    fn where_all_must_be_seen_what_is_not_known_is_the_end() {
        for cut in CUTS {
            let mut said = Said::new(true);
            let requests = [&get(1)[..], &unknown(2), &auth(3, "EXTERNAL", 0)].concat();
            said.client_sends(&requests, cut).unwrap_err();
            assert_eq!(said.to_member.len(), if cut < 100 { get(1).len() } else { 0 }, "nothing after the first");
            let mut said = Said::new(true);
            said.member_sends(&value(1, 10), cut).unwrap_err();
        }
    }

    proptest::proptest! {
        /// Whatever either side says, it arrives whole and in order, or the session is over.
        #[test]
        fn no_byte_is_lost(
            mut sent in proptest::collection::vec((proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..20),
            hot_rod in proptest::collection::vec(0..4u64, 0..6),
        ) {
            for id in hot_rod {
                let bytes = if id == 0 { put(id, 200) } else { get(id) };
                sent.insert(0, (true, bytes.to_vec()));
            }
            let mut said = Said::new(false);
            let (mut requests, mut replies) = (Vec::new(), Vec::new());
            for (is_client, bytes) in sent {
                if is_client {
                    requests.extend(&bytes);
                    said.client_sends(&bytes, 13).unwrap();
                } else {
                    replies.extend(&bytes);
                    said.member_sends(&bytes, 13).unwrap();
                }
            }
            proptest::prop_assert!(requests.starts_with(&said.to_member) && replies.starts_with(&said.to_client));
            let (up, down) = (requests.len() - said.to_member.len(), replies.len() - said.to_client.len());
            proptest::prop_assert_eq!(said.watch.held(), up + down);
        }
    }
}
