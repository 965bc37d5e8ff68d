//! An HTTP/2 link: sessions in Hot Rod frames, and tunnels.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::{
    Form, Knowledge, Mode, Node, NodeSelector, Offer, ReceivedSessionRequest, Refusal, ServerConfig, ServerEvent,
    ServerLink, answer_ordinary_http2,
};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::time::Instant;
use hotrod_core::wire::SendBuffer;

use crate::cluster::{Cluster, Moment};
use crate::connection::check_capacity;
use crate::deadlines::Activity;
use crate::event_queues::{ConnectionId, End};
use crate::framed::Framed;
use crate::http1::GREETING;
use crate::link::{Link, Place};
use crate::members::MemberId;

/// Initial connection credit, in bytes of fragments of all calls: enough for several calls over a long round trip.
const CONNECTION_CREDIT: u32 = 4 << 20;
/// Unsent bytes above which the node reads nothing from the client and executes nothing for it.
const MAX_UNSENT_BYTES: usize = 1 << 20;

/// Estimated memory of HTTP/2 on a link, in bytes: HPACK tables and an incomplete frame.
const HTTP2_BYTES: usize = 32 << 10;
/// Estimated memory of a session, in bytes.
const SESSION_BYTES: usize = 4 << 10;

/// An HTTP/2 link. It asks clients for no second lane: it reads the requests of one session side by side.
pub(crate) struct Http2 {
    id: ConnectionId,
    member: MemberId,
    place: Place,
    local_address: Option<SocketAddr>,
    machine: ServerLink,
    sessions: BTreeMap<StreamId, Session>,
    /// Whether bytes have been received since the last `process`.
    has_received: bool,
    /// Traffic of sessions that have ended.
    activity: Activity,
    end: Option<End>,
}

enum Session {
    Framed(Box<Framed>),
    Tunnel {
        link: Box<Link>,
        /// Bytes received whose flow-control credit has not been returned to the client.
        held: usize,
    },
}

impl Http2 {
    pub(crate) fn new(
        cluster: &Cluster,
        (id, place): (ConnectionId, Place),
        member: MemberId,
        local_address: Option<SocketAddr>,
        moment: Moment,
    ) -> Self {
        let max_message_size = u32::try_from(cluster.options.limits.message).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let frames = Some(Offer { connection_credit: CONNECTION_CREDIT, max_message_size, ..Offer::default() });
        let mut config = ServerConfig::default();
        config.frames = frames;
        Self {
            id,
            member,
            place,
            local_address,
            machine: ServerLink::new(config, moment.now),
            sessions: BTreeMap::new(),
            has_received: false,
            activity: Activity::default(),
            end: None,
        }
    }

    pub(crate) fn receive_buffer(&mut self) -> &mut BytesMut {
        self.machine.receive_buffer()
    }

    pub(crate) fn handle_filled(&mut self) {
        self.has_received = true;
    }

    pub(crate) fn wants_read(&self) -> bool {
        self.end.is_none() && self.machine.wants_read() && self.machine.transmit().len() < MAX_UNSENT_BYTES
    }

    /// Returns whether a tunnel reads nothing because too many of its bytes are unsent.
    pub(crate) fn has_full_tunnels(&self) -> bool {
        self.sessions.values().any(|session| matches!(session, Session::Tunnel { link, .. } if !link.wants_read()))
    }

    pub(crate) fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        if std::mem::take(&mut self.has_received) {
            self.machine.handle_filled(moment.now);
        }
        if self.machine.poll_timeout().is_some_and(|at| at <= moment.now) {
            self.machine.handle_timeout(moment.now);
        }
        self.handle_events(cluster);
        self.process_sessions(cluster, moment);
        self.handle_events(cluster);
    }

    fn handle_events(&mut self, cluster: &mut Cluster) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                ServerEvent::SessionRequested { stream, request } => self.begin(cluster, stream, &request),
                ServerEvent::Ordinary { stream, method, path } => {
                    answer_ordinary_http2(&mut self.machine, stream, &method, &path, GREETING);
                }
                ServerEvent::Request { stream, fragment } => {
                    let room = CONNECTION_CREDIT as usize / 4 * 3 / self.sessions.len().max(1);
                    if let Some(Session::Framed(session)) = self.sessions.get_mut(&stream)
                        && let Err(code) = session.request(&fragment, room, &mut self.machine)
                    {
                        self.end_session(cluster, stream, code);
                    }
                }
                ServerEvent::Bytes { stream, bytes } => {
                    if let Some(Session::Tunnel { link, held }) = self.sessions.get_mut(&stream) {
                        link.handle_received(&bytes);
                        *held += bytes.len();
                    }
                }
                ServerEvent::Cancelled { stream, call, code } => {
                    if let Some(Session::Framed(session)) = self.sessions.get_mut(&stream) {
                        session.cancelled(call, code, &mut self.machine);
                    }
                }
                ServerEvent::Finished { stream } => self.finished(cluster, stream),
                ServerEvent::Ended { stream, .. } => self.forget(cluster, stream),
                ServerEvent::Drained => {
                    self.machine.close(ErrorCode::NO_ERROR, b"");
                    self.end.get_or_insert_with(|| End::Http("drained".into()));
                }
                ServerEvent::Closed(reason) => {
                    self.end.get_or_insert_with(|| End::Http(reason.to_string()));
                }
                // `Writable` needs no action: `process_sessions` serves every session after the events. Further events are
                // information.
                _ => {}
            }
        }
    }

    fn process_sessions(&mut self, cluster: &mut Cluster, moment: Moment) {
        let mut over = Vec::new();
        let is_held = self.machine.transmit().len() >= MAX_UNSENT_BYTES;
        for (stream, session) in &mut self.sessions {
            match session {
                Session::Framed(session) => {
                    if matches!(cluster.queues.end_of(session.id()), Some(End::TooSlow { .. })) {
                        over.push((*stream, ErrorCode::ENHANCE_YOUR_CALM));
                    } else if self.machine.transmit().len() < MAX_UNSENT_BYTES
                        && session.process(cluster, moment, &mut self.machine)
                    {
                        over.push((*stream, ErrorCode::NO_ERROR));
                    } else if session.is_late(cluster.options.deadlines, moment.now, is_held) {
                        over.push((*stream, ErrorCode::CANCEL));
                    }
                }
                Session::Tunnel { link, held } => {
                    link.process(cluster, moment);
                    move_out(link, *stream, &mut self.machine);
                    if link.wants_read() {
                        self.machine.release_bytes(*stream, std::mem::take(held));
                    }
                    if link.is_finished() {
                        let is_unknown = matches!(link.end(), Some(End::NotUnderstood));
                        over.push((*stream, if is_unknown { ErrorCode::PROTOCOL_ERROR } else { ErrorCode::NO_ERROR }));
                    }
                }
            }
        }
        over.into_iter().for_each(|(stream, code)| self.end_session(cluster, stream, code));
    }

    /// Opens or refuses the session that a request asks for.
    fn begin(&mut self, cluster: &mut Cluster, stream: StreamId, request: &ReceivedSessionRequest) {
        let refused = if request.is_foreign {
            Some(Refusal::new(501))
        } else if self.place != Place::Outermost && request.target.is_some() {
            Some(Refusal::new(405))
        } else if request.is_malformed || request.has_unknown_inside() {
            Some(Refusal::new(400))
        } else if !cluster.is_addressed(
            (self.member, self.local_address),
            request.node.as_deref(),
            request.target.as_deref(),
        ) {
            Some(Refusal::another_member(cluster.name_of(self.member)))
        } else if check_capacity(cluster, self.member, Some(self.id)).is_err() {
            Some(Refusal::temporary(429))
        } else {
            None
        };
        if let Some(refusal) = refused {
            return refusal.answer_http2(&mut self.machine, stream);
        }
        let session = if self.machine.form(stream) == Some(Form::Frames) {
            let id = cluster.queues.open(self.member, Some(self.id));
            Session::Framed(Box::new(Framed::new(cluster, id, self.member, stream)))
        } else {
            match Link::inside(cluster, self.member, (self.id, self.place)) {
                Ok(link) => Session::Tunnel { link: Box::new(link), held: 0 },
                Err(_) => return Refusal::temporary(429).answer_http2(&mut self.machine, stream),
            }
        };
        self.sessions.insert(stream, session);
        let node = cluster.node_of(self.member);
        self.machine.accept(stream, &node);
    }

    fn finished(&mut self, cluster: &mut Cluster, stream: StreamId) {
        match self.sessions.get_mut(&stream) {
            Some(Session::Framed(session)) => session.finished(),
            Some(Session::Tunnel { .. }) => self.end_session(cluster, stream, ErrorCode::NO_ERROR),
            None => {}
        }
    }

    fn end_session(&mut self, cluster: &mut Cluster, stream: StreamId, code: ErrorCode) {
        self.machine.end(stream, code);
        self.forget(cluster, stream);
    }

    fn forget(&mut self, cluster: &mut Cluster, stream: StreamId) {
        if let Some(session) = self.sessions.remove(&stream) {
            self.activity = self.activity.and(session.activity());
            session.close(cluster);
        }
    }

    pub(crate) fn drain(&mut self, moment: Moment, grace_ms: u32) {
        self.machine.drain(moment.now, grace_ms);
    }

    pub(crate) fn has_sessions(&self) -> bool {
        !self.sessions.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    pub(crate) fn transmit(&self) -> &SendBuffer {
        self.machine.transmit()
    }

    pub(crate) fn transmitted(&mut self, count: usize) {
        self.machine.transmitted(count);
        // Sent bytes make room for the tunnels; no other call moves theirs on.
        for (stream, session) in &mut self.sessions {
            if let Session::Tunnel { link, .. } = session {
                move_out(link, *stream, &mut self.machine);
            }
        }
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Returns the traffic of all sessions, ended ones included.
    pub(crate) fn activity(&self) -> Activity {
        self.sessions.values().map(Session::activity).fold(self.activity, Activity::and)
    }

    /// Bytes of memory that the client occupies.
    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        let of_session = |(stream, session): (&StreamId, &Session)| match session {
            Session::Framed(session) => {
                SESSION_BYTES + session.held() + self.machine.waiting(*stream) + cluster.held_for(session.id())
            }
            Session::Tunnel { link, held } => SESSION_BYTES + held + link.held(cluster),
        };
        HTTP2_BYTES + self.machine.transmit().len() + self.sessions.iter().map(of_session).sum::<usize>()
    }

    pub(crate) fn close(self, cluster: &mut Cluster) {
        self.sessions.into_values().for_each(|session| session.close(cluster));
    }
}

impl Session {
    fn activity(&self) -> Activity {
        match self {
            Self::Framed(session) => session.activity(),
            Self::Tunnel { link, .. } => link.activity(),
        }
    }

    fn close(self, cluster: &mut Cluster) {
        match self {
            Self::Framed(session) => cluster.disconnect(session.id()),
            Self::Tunnel { link, .. } => link.close(cluster),
        }
    }
}

/// Returns whether the target of CONNECT, which is the address of no member, names none: a host name, which may be
/// that of a load balancer before the node, or the address by which the client has come in.
fn names_no_member(target: &str, local_address: Option<SocketAddr>) -> bool {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    !is_address || local_address.is_some_and(|local| target.parse() == Ok(local))
}

/// Moves a tunnel's bytes to its stream, as many as the stream accepts.
fn move_out(link: &mut Link, stream: StreamId, machine: &mut ServerLink) {
    loop {
        let room = machine.room(stream).min(link.transmit().first().len());
        if room == 0 {
            return;
        }
        machine.send_bytes(stream, Bytes::copy_from_slice(&link.transmit().first()[..room]));
        link.transmitted(room);
    }
}

impl Cluster {
    /// Returns whether a request for a session may be served by `member`, reached by a local address: it names this
    /// member or none.
    pub(crate) fn is_addressed(
        &self,
        (member, local_address): (MemberId, Option<SocketAddr>),
        node: Option<&str>,
        target: Option<&str>,
    ) -> bool {
        let wanted = match (node, target) {
            (Some(node), _) => NodeSelector::Node(node),
            (None, Some(target)) => NodeSelector::Authority(target),
            (None, None) => return true,
        };
        let Some(own) = self.members.all.get(&member).map(|member| &member.address) else { return false };
        let all: Vec<_> = self.members().map(|(_, address)| address.clone()).collect();
        match wanted.find(&all) {
            Some(meant) => meant == own,
            None => node.is_none() && target.is_none_or(|target| names_no_member(target, local_address)),
        }
    }

    /// Returns the value of `Hot-Rod-Node` for a member: its address.
    pub(crate) fn name_of(&self, member: MemberId) -> String {
        self.members.all.get(&member).map(|member| member.address.to_string()).unwrap_or_default()
    }

    pub(crate) fn node_of(&self, member: MemberId) -> Node {
        let address = self.members.all.get(&member).map(|member| member.address.clone());
        let (host, port) = address.map_or((String::new(), 0), |address| (address.host, address.port));
        let name = self.name_of(member);
        Node { mode: Mode::NATIVE, knowledge: Knowledge::OWN_CONNECTION, name, host, port }
    }
}
