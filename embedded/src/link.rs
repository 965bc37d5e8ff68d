//! One client's link to one member, over any carriage.

use std::net::SocketAddr;

use bytes::BytesMut;
use hotrod_core::carriage::{Detected, detect};
use hotrod_core::time::Instant;
use hotrod_core::wire::SendBuffer;

use crate::cluster::{Cluster, Moment};
use crate::connection::{Connection, Refused, check_capacity};
use crate::deadlines::{Activity, Progress};
use crate::event_queues::{ConnectionId, End};
use crate::http1::Http1;
use crate::http2::Http2;
use crate::members::MemberId;

/// Estimated memory of a link without its protocol's, in bytes.
const OWN_BYTES: usize = 1 << 10;

/// A client's link to a member. It is driven like a [`Connection`], and has timeouts of its own
/// ([`poll_timeout`](Self::poll_timeout)).
///
/// Its first bytes decide the protocol (spec/hotrod-over-http.md, R-90): plain Hot Rod, HTTP/1.1 with Upgrade or CONNECT, or
/// HTTP/2 with sessions in Hot Rod frames or in tunnels. TLS is the host's.
pub struct Link {
    id: ConnectionId,
    member: MemberId,
    place: Place,
    /// Address by which the client has reached the member.
    local_address: Option<SocketAddr>,
    protocol: Protocol,
    progress: Progress,
    empty: SendBuffer,
    end: Option<End>,
}

/// What carries a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The host's connection.
    Outermost,
    /// A tunnel of an outermost link.
    Tunnel,
    /// A tunnel of a link that is in a tunnel itself: it carries Hot Rod alone.
    InnerTunnel,
}

enum Protocol {
    /// The first bytes do not decide yet.
    Unknown(BytesMut),
    HotRod(Box<Connection>),
    Http1(Box<Http1>),
    Http2(Box<Http2>),
}

impl Link {
    /// Opens the link of a client that has connected to `member`.
    pub fn open(cluster: &mut Cluster, member: MemberId) -> Result<Self, Refused> {
        check_capacity(cluster, member, None)?;
        let id = cluster.queues.open(member, None);
        Ok(Self::new(id, member, Place::Outermost))
    }

    /// Opens the link inside a tunnel of the link `carrier`, which stands at `place`.
    pub(crate) fn inside(
        cluster: &mut Cluster,
        member: MemberId,
        (carrier, place): (ConnectionId, Place),
    ) -> Result<Self, Refused> {
        check_capacity(cluster, member, Some(carrier))?;
        let id = cluster.queues.open(member, Some(carrier));
        let place = if place == Place::Outermost { Place::Tunnel } else { Place::InnerTunnel };
        Ok(Self::new(id, member, place))
    }

    fn new(id: ConnectionId, member: MemberId, place: Place) -> Self {
        let protocol = Protocol::Unknown(BytesMut::new());
        let progress = Progress::default();
        Self { id, member, place, local_address: None, protocol, progress, empty: SendBuffer::new(), end: None }
    }

    /// Sets the address by which the client has reached the member: a CONNECT to it names no other member.
    pub fn set_local_address(&mut self, address: SocketAddr) {
        self.local_address = Some(address);
    }

    /// Speaks HTTP/2 from the beginning, as where client and host have agreed on the ALPN id `h2`: the member's SETTINGS do not wait
    /// for the client's first bytes. Has no effect once bytes were received.
    pub fn begin_http2(&mut self, cluster: &Cluster, moment: Moment) {
        if matches!(&self.protocol, Protocol::Unknown(first) if first.is_empty()) {
            self.protocol = self.http2(cluster, moment);
        }
    }

    fn http2(&self, cluster: &Cluster, moment: Moment) -> Protocol {
        let place = (self.id, self.place);
        Protocol::Http2(Box::new(Http2::new(cluster, place, self.member, self.local_address, moment)))
    }

    /// Returns the id that [`Cluster::poll_wakeup`] uses.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Returns the member at the other end.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Appends received bytes; [`process`](Self::process) reads them.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.receive_buffer().extend_from_slice(bytes);
        self.handle_filled(bytes.len());
    }

    /// Returns the receive buffer, with room for a read. Report the count with [`handle_filled`](Self::handle_filled).
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        match &mut self.protocol {
            Protocol::Unknown(first) => {
                first.reserve(1024);
                first
            }
            Protocol::HotRod(connection) => connection.receive_buffer(),
            Protocol::Http1(http1) => http1.receive_buffer(),
            Protocol::Http2(http2) => http2.receive_buffer(),
        }
    }

    /// Reports the count of bytes that were appended to [`receive_buffer`](Self::receive_buffer).
    pub fn handle_filled(&mut self, count: usize) {
        match &mut self.protocol {
            Protocol::Unknown(_) => {}
            Protocol::HotRod(connection) => connection.handle_filled(count),
            Protocol::Http1(http1) => http1.handle_filled(count),
            Protocol::Http2(http2) => http2.handle_filled(),
        }
    }

    /// Returns whether the host should read from the socket.
    pub fn wants_read(&self) -> bool {
        self.end.is_none()
            && match &self.protocol {
                Protocol::Unknown(_) => true,
                Protocol::HotRod(connection) => connection.wants_read(),
                Protocol::Http1(http1) => http1.wants_read(),
                Protocol::Http2(http2) => http2.wants_read(),
            }
    }

    /// Returns whether work waits until some bytes of [`transmit`](Self::transmit) are sent: then call
    /// [`process`](Self::process) again.
    pub fn waits_for_room(&self) -> bool {
        match &self.protocol {
            Protocol::Unknown(_) => false,
            Protocol::HotRod(_) | Protocol::Http1(_) => !self.wants_read(),
            Protocol::Http2(http2) => !http2.wants_read() || http2.has_full_tunnels(),
        }
    }

    /// Executes received requests and fetches events while there is room for their answers, and handles timeouts.
    pub fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        if let Some(end) = cluster.queues.end_of(self.id) {
            self.end.get_or_insert_with(|| end.clone());
            return;
        }
        self.detect_protocol(cluster, moment);
        match &mut self.protocol {
            Protocol::Unknown(_) => {}
            Protocol::HotRod(connection) => connection.process(cluster, moment),
            Protocol::Http1(http1) => http1.process(cluster, moment),
            Protocol::Http2(http2) => http2.process(cluster, moment),
        }
        self.enforce_limits(cluster, moment);
    }

    /// Ends the link if its client misses a deadline, and this link or another if clients occupy too much memory.
    fn enforce_limits(&mut self, cluster: &mut Cluster, moment: Moment) {
        if self.end().is_some() {
            return;
        }
        if let Some(late) = self.progress.check(cluster.options.deadlines, moment.now, self.activity()) {
            self.end = Some(late.into());
        } else if self.place == Place::Outermost {
            let held = self.held(cluster);
            if let Some((link, end)) = cluster.budget.set(self.id, held) {
                cluster.queues.end(link, end.clone());
                self.end = Some(end).filter(|_| link == self.id);
            }
        }
    }

    /// Returns the traffic of all sessions.
    pub(crate) fn activity(&self) -> Activity {
        match &self.protocol {
            Protocol::Unknown(first) => Activity { received: first.len() as u64, ..Activity::default() },
            Protocol::HotRod(connection) => connection.activity(),
            Protocol::Http1(http1) => http1.activity(),
            Protocol::Http2(http2) => http2.activity(),
        }
    }

    /// Bytes of memory that the client occupies.
    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        OWN_BYTES
            + match &self.protocol {
                Protocol::Unknown(first) => first.len(),
                Protocol::HotRod(connection) => connection.held(cluster),
                Protocol::Http1(http1) => http1.held(cluster),
                Protocol::Http2(http2) => http2.held(cluster),
            }
    }

    /// Detects the client's protocol.
    fn detect_protocol(&mut self, cluster: &Cluster, moment: Moment) {
        let Protocol::Unknown(first) = &mut self.protocol else { return };
        let first = match detect(first) {
            Detected::NeedMore => return,
            Detected::Tls | Detected::Unknown => return self.end_not_understood(),
            Detected::Http1 if self.place != Place::Outermost => return self.end_not_understood(),
            Detected::Http2 if self.place == Place::InnerTunnel => return self.end_not_understood(),
            detected => (detected, std::mem::take(first)),
        };
        let count = first.1.len();
        self.protocol = match first.0 {
            Detected::Http1 => Protocol::Http1(Box::new(Http1::new(self.id, self.member, self.local_address))),
            Detected::Http2 => self.http2(cluster, moment),
            _ => Protocol::HotRod(Box::new(Connection::new(cluster, self.id, self.member))),
        };
        self.receive_buffer().extend_from_slice(&first.1);
        self.handle_filled(count);
    }

    fn end_not_understood(&mut self) {
        self.end.get_or_insert(End::NotUnderstood);
    }

    /// Asks the client to move to another member within `grace_ms` milliseconds, where its protocol has a message for that.
    pub fn drain(&mut self, moment: Moment, grace_ms: u32) {
        match &mut self.protocol {
            Protocol::Http2(http2) => http2.drain(moment, grace_ms),
            Protocol::Http1(http1) => http1.drain(moment, grace_ms),
            Protocol::Unknown(_) | Protocol::HotRod(_) => {}
        }
    }

    /// Returns whether a drained link ends by itself, with its last session.
    pub fn ends_by_itself(&self) -> bool {
        match &self.protocol {
            Protocol::Http2(http2) => http2.has_sessions(),
            Protocol::Http1(http1) => http1.ends_by_itself(),
            Protocol::Unknown(_) | Protocol::HotRod(_) => false,
        }
    }

    /// Returns when to call [`process`](Self::process) at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.protocol {
            Protocol::Http2(http2) => http2.poll_timeout(),
            Protocol::Http1(http1) => http1.poll_timeout(),
            Protocol::Unknown(_) | Protocol::HotRod(_) => None,
        }
    }

    /// Returns the bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        match &self.protocol {
            Protocol::Unknown(_) => &self.empty,
            Protocol::HotRod(connection) => connection.transmit(),
            Protocol::Http1(http1) => http1.transmit(),
            Protocol::Http2(http2) => http2.transmit(),
        }
    }

    /// Reports that the first `count` bytes of [`transmit`](Self::transmit) were sent.
    pub fn transmitted(&mut self, count: usize) {
        match &mut self.protocol {
            Protocol::Unknown(_) => {}
            Protocol::HotRod(connection) => connection.transmitted(count),
            Protocol::Http1(http1) => http1.transmitted(count),
            Protocol::Http2(http2) => http2.transmitted(count),
        }
    }

    /// Returns why the link has ended; `None` while it has not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| match &self.protocol {
            Protocol::Unknown(_) => None,
            Protocol::HotRod(connection) => connection.end(),
            Protocol::Http1(http1) => http1.end(),
            Protocol::Http2(http2) => http2.end(),
        })
    }

    /// Returns whether the socket can be closed: the link has ended, and the bytes with the reason have been sent.
    pub fn is_finished(&self) -> bool {
        match self.end() {
            None => false,
            Some(End::Fault(_) | End::Http(_)) => self.transmit().is_empty(),
            Some(_) => true,
        }
    }

    /// Closes the link with all its sessions.
    pub fn close(self, cluster: &mut Cluster) {
        cluster.budget.forget(self.id);
        match self.protocol {
            Protocol::HotRod(connection) => return (*connection).close(cluster),
            Protocol::Http1(http1) => http1.close(cluster),
            Protocol::Http2(http2) => http2.close(cluster),
            Protocol::Unknown(_) => {}
        }
        cluster.disconnect(self.id);
    }
}
