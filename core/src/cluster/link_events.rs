//! Links: what the host reports of them, and what their events mean to the rest of the machine.

use alloc::string::String;
use alloc::sync::Arc;
use core::net::IpAddr;

use bytes::BytesMut;

use super::machine::Cluster;
use super::members::MemberId;
use super::transport::link::LinkId;
use super::transport::open_session::{Purpose, SessionId};
use super::transport::sessions::{Filled, Sent};
use crate::carriage::registry::{HOT_ROD_NOT_AUTHENTICATED, HOT_ROD_UPSTREAM_GONE};
use crate::carriage::{ChannelId, ClientEvent, LinkEnd, Refusal};
use crate::http1;
use crate::http2::{ErrorCode, Reason, RequestError};
use crate::session::Disconnect;
use crate::time::Instant;
use crate::wire::{Intelligence, SendBuffer, Topology};

impl Cluster {
    /// The host has established what [`Output::Connect`](super::Output::Connect) or
    /// [`Output::StartTls`](super::Output::StartTls) asked for; after TLS `alpn` is the id that the server selected, if it did.
    pub fn handle_connected(&mut self, now: Instant, link: LinkId, alpn: Option<&[u8]>) {
        self.now = now;
        let (transport, mut scope) = self.transport();
        if let Err(reason) = transport.handle_connected(&mut scope, link, alpn) {
            return self.end_link(link, &reason);
        }
        let early = self.transport.take_early(link);
        if !early.is_empty() {
            self.handle_received(now, link, &early);
        }
    }

    /// Takes bytes from the link. Those that come before [`handle_connected`](Self::handle_connected) are kept for it; after
    /// [`Output::StartTls`](super::Output::StartTls) the host gives bytes that TLS has decrypted only.
    pub fn handle_received(&mut self, now: Instant, link: LinkId, bytes: &[u8]) {
        if let Some(buffer) = self.receive_buffer(link) {
            buffer.extend_from_slice(bytes);
            self.handle_filled(now, link);
        }
    }

    /// The receive buffer of a link, with room for a read; call [`handle_filled`](Self::handle_filled) after it. `None` if
    /// the link is not open (any more).
    pub fn receive_buffer(&mut self, link: LinkId) -> Option<&mut BytesMut> {
        self.transport.receive_buffer(link)
    }

    /// Takes the bytes that the host has appended to the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self, now: Instant, link: LinkId) {
        self.now = now;
        let (transport, mut scope) = self.transport();
        match transport.handle_filled(&mut scope, link) {
            Ok(Filled::Nothing) => {}
            Ok(Filled::Exchange) => self.handle_exchange(link),
            Ok(Filled::Carried) => self.handle_carried(link),
            Err(reason) => self.end_link(link, &reason),
        }
    }

    /// The link is gone, or could not be established; `why` is for people.
    pub fn handle_link_lost(&mut self, now: Instant, link: LinkId, why: impl Into<String>) {
        self.now = now;
        let (transport, mut scope) = self.transport();
        transport.note_lost(&mut scope, link);
        if !transport.survive_loss(&mut scope, link) {
            let reason = transport.reason_of_loss(link, why.into());
            self.end_link(link, &reason);
        }
    }

    /// The bytes to be sent on a link; `None` if it is not open (any more).
    pub fn transmit(&self, link: LinkId) -> Option<&SendBuffer> {
        self.transport.transmit(link)
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        match self.transport.note_transmitted(link, count) {
            Sent::Nothing => return,
            Sent::Handshake => {}
            Sent::Last => {
                let (transport, mut scope) = self.transport();
                transport.end_closing(&mut scope, link);
            }
            // The session may have been too full for what is queued.
            Sent::Raw(session) => self.submit_queued(session),
            Sent::Carried => {
                self.handle_carried(link);
                while let Some(session) = self.transport.next_served(link) {
                    let queued = self.operations.queued(session);
                    self.submit_queued(session);
                    if self.operations.queued(session) < queued {
                        self.transport.list(session);
                    }
                }
            }
        }
        self.transport.note_all_sent(link);
    }

    /// Whether the host should read from the link: not between [`Output::Pause`](super::Output::Pause) and
    /// [`Output::Resume`](super::Output::Resume), nor while events wait to be polled beyond their limit.
    pub fn wants_read(&self, link: LinkId) -> bool {
        self.transport.wants_read(link)
    }

    /// The keying material that TLS 1.3 exports on a link for [`EXPORTER_LABEL`](crate::sasl::EXPORTER_LABEL) with an empty
    /// context; call it before [`handle_connected`](Self::handle_connected). It counts for more than the server's certificate.
    /// Bytes of another length than [`EXPORTER_LENGTH`](crate::sasl::EXPORTER_LENGTH) are ignored.
    pub fn set_tls_exporter(&mut self, link: LinkId, exported: &[u8]) {
        self.transport.set_tls_exporter(link, exported);
    }

    /// The certificate, in DER, that the server at the other end of a link has shown; call it before
    /// [`handle_connected`](Self::handle_connected).
    pub fn set_server_certificate(&mut self, link: LinkId, certificate: &[u8]) {
        self.transport.set_server_certificate(link, certificate);
    }

    /// The address to which the host has connected a link; call it before
    /// [`handle_connected`](Self::handle_connected). Hosts that the address of a seed covers count as
    /// [`Config::member_hosts`](super::Config::member_hosts) where the user has set none: a seed's name may lead to members
    /// that advertise addresses. When the name leads elsewhere, the hosts of the former address count no longer, unless a
    /// link to it is open.
    pub fn set_peer(&mut self, link: LinkId, address: IpAddr) {
        self.note_peer(link, address);
    }

    /// Ends every session of a link, and with the last one the link.
    pub(super) fn end_link(&mut self, link: LinkId, reason: &Disconnect) {
        for session in self.transport.stop_sharing(link) {
            self.lose_session(session, reason);
        }
    }

    fn lose_session(&mut self, session: SessionId, reason: &Disconnect) {
        let (transport, scope) = self.transport();
        if !transport.lose(&scope, session, reason) {
            self.end_session(session, &Arc::new(reason.clone()));
        }
    }

    /// Handles the answer to the request for a tunnel, if it has come.
    fn handle_exchange(&mut self, link: LinkId) {
        let (transport, mut scope) = self.transport();
        match transport.poll_exchange(link) {
            None => transport.report_transmit(&mut scope, link),
            Some((session, http1::ClientEvent::Accepted(accepted))) => {
                self.handle_accepted(session, &accepted.fields);
                let (transport, mut scope) = self.transport();
                transport.open_tunnel(&mut scope, link, session);
                if !accepted.trailing.is_empty() {
                    self.handle_received(self.now, link, &accepted.trailing);
                }
            }
            Some((_, http1::ClientEvent::Refused(refused))) => {
                let refusal = Refusal {
                    status: refused.status,
                    retry_after: refused.retry_after().and_then(|seconds| u32::try_from(seconds).ok()),
                    node: None,
                };
                let is_no_tunnel = refused.status < 400 || matches!(refused.status, 400 | 405 | 426 | 501);
                let end = LinkEnd::Refused(refusal);
                self.note_access_refused(&end);
                self.step_down_or_end(link, end, is_no_tunnel, true);
            }
            Some((_, http1::ClientEvent::Failed(violation))) => {
                self.step_down_or_end(link, LinkEnd::NotHttp(violation), true, true);
            }
        }
    }

    fn step_down_or_end(&mut self, link: LinkId, end: LinkEnd, may_step_down: bool, is_answer: bool) {
        let (transport, mut scope) = self.transport();
        if !(may_step_down && transport.step_down(&mut scope, link, &end, is_answer)) {
            self.end_link(link, &Disconnect::Carriage(end));
        }
    }

    /// Handles the events of a link's HTTP/2 connection, and has its sessions send.
    pub(super) fn handle_carried(&mut self, link: LinkId) {
        let now = self.now;
        while let Some(event) = self.transport.poll_carried(now, link) {
            let (transport, mut scope) = self.transport();
            if let Some(event) = transport.handle_stream_event(&mut scope, link, event) {
                self.handle_client_event(link, event);
            }
        }
        let (transport, mut scope) = self.transport();
        transport.send_carried(&mut scope, link);
    }

    fn handle_client_event(&mut self, link: LinkId, event: ClientEvent) {
        match event {
            ClientEvent::Opened { channel, fields } => {
                let (transport, mut scope) = self.transport();
                transport.note_carriage(&mut scope, link);
                if let Some(session) = transport.session_at(link, channel) {
                    self.handle_accepted(session, &fields);
                    let (transport, mut scope) = self.transport();
                    transport.open_session(&mut scope, session);
                }
            }
            ClientEvent::Ended { channel, end } => self.channel_ended(link, channel, end),
            ClientEvent::Node { channel, node } => {
                if let Some(session) = self.transport.session_at(link, channel) {
                    self.handle_node(session, &node);
                }
            }
            ClientEvent::Topology { channel, cache, topology } => {
                if let Some(session) = self.transport.session_at(link, channel) {
                    self.apply_pushed(session, &cache, *topology);
                }
            }
            ClientEvent::Draining { channel, .. } => self.leave_draining_endpoint(link, channel),
            ClientEvent::Closed(end) => self.carried_ended(link, end),
            ClientEvent::Message { .. }
            | ClientEvent::Bytes { .. }
            | ClientEvent::CallEnded { .. }
            | ClientEvent::Dequeued { .. }
            | ClientEvent::Writable { .. } => {}
        }
    }

    /// Applies a topology that came without a request, if the settings ask for topologies.
    fn apply_pushed(&mut self, session: SessionId, cache: &str, topology: Topology) {
        if self.config.session.intelligence == Intelligence::Basic {
            return;
        }
        let Some(cache) = self.caches.find_named(cache) else { return };
        if self.caches.view(cache).is_none_or(|view| view.id != topology.id) {
            self.apply_topology(cache, session, topology);
        }
    }

    /// The endpoint has ended a session, or did not accept it.
    fn channel_ended(&mut self, link: LinkId, channel: ChannelId, end: LinkEnd) {
        let Some(session) = self.transport.session_at(link, channel) else { return };
        let (transport, mut scope) = self.transport();
        if let LinkEnd::NoStream(RequestError::TooManyStreams { limit }) = end
            && transport.leave_full_link(&mut scope, session, limit)
        {
            return;
        }
        self.note_access_refused(&end);
        let (transport, mut scope) = self.transport();
        if let LinkEnd::Refused(refusal) = &end
            && matches!(refusal.status, 400 | 405 | 501)
            && transport.step_down(&mut scope, link, &end, true)
        {
            return;
        }
        // An endpoint that ends a session in this way has closed every call that it took, or has taken none:
        // open operations were not applied.
        let has_taken_none = matches!(
            end,
            LinkEnd::Finished
                | LinkEnd::Refused(_)
                | LinkEnd::Reset(HOT_ROD_UPSTREAM_GONE | HOT_ROD_NOT_AUTHENTICATED | ErrorCode::REFUSED_STREAM)
        );
        transport.close_channel(session, has_taken_none);
        self.lose_session(session, &Disconnect::Carriage(end));
    }

    /// The HTTP/2 connection of a link is over, with every session.
    fn carried_ended(&mut self, link: LinkId, end: LinkEnd) {
        // Bytes that are not HTTP/2 are an answer too.
        let is_answer = matches!(
            end,
            LinkEnd::NoFrames
                | LinkEnd::NoExtendedConnect
                | LinkEnd::Connection(Reason::Violation { .. })
                | LinkEnd::GoAway(ErrorCode::HTTP_1_1_REQUIRED)
        );
        let may_be_another = is_answer || matches!(end, LinkEnd::Connection(_) | LinkEnd::GoAway(_));
        self.step_down_or_end(link, end, may_be_another, is_answer);
    }

    /// The endpoint will end: each session gets another, which takes its place as soon as it is ready.
    fn leave_draining_endpoint(&mut self, link: LinkId, channel: Option<ChannelId>) {
        for session in self.transport.begin_draining(link, channel) {
            let Some(needs_another) = self.transport.begin_leaving(session) else { continue };
            let Some(open) = self.transport.get(session) else { continue };
            let (member, begun) = (open.member(), open.begun());
            self.note_drain(member, begun);
            if !needs_another {
                self.drain(session);
            }
            self.replace_leaving(member);
        }
    }

    /// Gives a member a back-off whose endpoint announces its end to one session after the other.
    fn note_drain(&mut self, member: MemberId, begun: Instant) {
        let Some(known) = self.members.get_mut(member) else { return };
        let (first, longest) = (self.config.min_backoff, self.config.max_backoff);
        if let Some(drains) = known.note_drain(begun, self.now, longest.saturating_mul(2)) {
            let until = self.now + self.entropy.pause(drains, first, longest);
            known.retry_at = known.retry_at.max(Some(until));
        }
    }

    /// Begins the session that takes the place of a leaving one, if the member has only such: now, or when the back-off of
    /// the member is over.
    pub(super) fn replace_leaving(&mut self, member: MemberId) {
        let is_left = self.transport.has_session(member) && !self.transport.has_lasting_session(member);
        let can_be_dialled = || self.members.get(member).is_some_and(|known| self.can_be_dialled(member, known));
        if is_left && can_be_dialled() && self.begin_session(member, Purpose::Operations).is_none() {
            self.transport.replace_later(member);
        }
    }

    pub(super) fn handle_link_timeout(&mut self, link: LinkId) {
        let (transport, mut scope) = self.transport();
        transport.handle_link_timeout(&mut scope, link);
        self.handle_carried(link);
    }
}
