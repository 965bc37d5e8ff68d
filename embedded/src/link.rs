//! One client's link to one member, in whatever it speaks: plain Hot Rod, or HTTP around it.

use bytes::BytesMut;
use hotrod_core::carriage::{Detected, detect};
use hotrod_core::time::Instant;
use hotrod_core::wire::SendBuffer;

use crate::cluster::{Cluster, Moment};
use crate::connection::{Connection, Refused, may_open};
use crate::deadlines::{Progress, Seen};
use crate::http1::Http1;
use crate::http2::Http2;
use crate::members::MemberId;
use crate::post::{ConnectionId, End};

/// About what a link takes to keep, without what it speaks.
const OWN_BYTES: usize = 1 << 10;

/// A client's link to a member; it is driven as a [`Connection`] is, and time has to be told to it as well.
///
/// What the client speaks is told from its first bytes (spec/hotrod-over-http.md, R-90): plain Hot Rod, HTTP/1.1 with an
/// Upgrade or CONNECT to it, or HTTP/2 with sessions in Hot Rod frames or in tunnels. TLS is the host's business.
pub struct Link {
    id: ConnectionId,
    member: MemberId,
    /// In a tunnel, and then in no further one.
    is_inside: bool,
    speaks: Speaks,
    progress: Progress,
    nothing: SendBuffer,
    end: Option<End>,
}

enum Speaks {
    /// Not known yet.
    Unknown(BytesMut),
    HotRod(Box<Connection>),
    Http1(Box<Http1>),
    Http2(Box<Http2>),
}

impl Link {
    /// A client has connected to a member.
    pub fn open(cluster: &mut Cluster, member: MemberId) -> Result<Self, Refused> {
        may_open(cluster, member, None)?;
        let id = cluster.post.open(member, None);
        Ok(Self::new(id, member, false))
    }

    /// The inside of a tunnel, carried by another link.
    pub(crate) fn inside(cluster: &mut Cluster, member: MemberId, carrier: ConnectionId) -> Result<Self, Refused> {
        may_open(cluster, member, Some(carrier))?;
        let id = cluster.post.open(member, Some(carrier));
        Ok(Self::new(id, member, true))
    }

    fn new(id: ConnectionId, member: MemberId, is_inside: bool) -> Self {
        let speaks = Speaks::Unknown(BytesMut::new());
        let progress = Progress::default();
        Self { id, member, is_inside, speaks, progress, nothing: SendBuffer::new(), end: None }
    }

    /// Its id, as [`Cluster::poll_wakeup`] names it.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The member that it leads to.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Takes bytes from the client; they are looked at by [`process`](Self::process).
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.receive_buffer().extend_from_slice(bytes);
        self.handle_filled(bytes.len());
    }

    /// The receive buffer, with room for a read; say with [`handle_filled`](Self::handle_filled) how much came.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        match &mut self.speaks {
            Speaks::Unknown(first) => {
                first.reserve(1024);
                first
            }
            Speaks::HotRod(connection) => connection.receive_buffer(),
            Speaks::Http1(http1) => http1.receive_buffer(),
            Speaks::Http2(http2) => http2.receive_buffer(),
        }
    }

    /// So many bytes were put into the receive buffer.
    pub fn handle_filled(&mut self, count: usize) {
        match &mut self.speaks {
            Speaks::Unknown(_) => {}
            Speaks::HotRod(connection) => connection.handle_filled(count),
            Speaks::Http1(http1) => http1.handle_filled(count),
            Speaks::Http2(http2) => http2.handle_filled(),
        }
    }

    /// Whether the host should read from the link.
    pub fn wants_read(&self) -> bool {
        self.end.is_none()
            && match &self.speaks {
                Speaks::Unknown(_) => true,
                Speaks::HotRod(connection) => connection.wants_read(),
                Speaks::Http1(http1) => http1.wants_read(),
                Speaks::Http2(http2) => http2.wants_read(),
            }
    }

    /// Whether something waits until the client has taken some of what is sent: there may be more to do then.
    pub fn waits_for_room(&self) -> bool {
        match &self.speaks {
            Speaks::Unknown(_) => false,
            Speaks::HotRod(_) | Speaks::Http1(_) => !self.wants_read(),
            Speaks::Http2(http2) => !http2.wants_read() || http2.has_full_tunnels(),
        }
    }

    /// Executes what was received, and fetches events, as far as there is room for answers; what was to be done by now is
    /// done.
    pub fn process(&mut self, cluster: &mut Cluster, moment: Moment) {
        if let Some(end) = cluster.post.end_of(self.id) {
            self.end.get_or_insert_with(|| end.clone());
            return;
        }
        self.listen(cluster, moment);
        match &mut self.speaks {
            Speaks::Unknown(_) => {}
            Speaks::HotRod(connection) => connection.process(cluster, moment),
            Speaks::Http1(http1) => http1.process(cluster, moment),
            Speaks::Http2(http2) => http2.process(cluster, moment),
        }
        self.look_at_limits(cluster, moment);
    }

    /// Ends the link if its client takes too long; and this one or another, if clients make the node hold too much.
    fn look_at_limits(&mut self, cluster: &mut Cluster, moment: Moment) {
        if self.end().is_some() {
            return;
        }
        if let Some(late) = self.progress.look(cluster.options.deadlines, moment.now, self.seen()) {
            self.end = Some(late.into());
        } else if !self.is_inside {
            let held = self.held(cluster);
            if let Some((link, end)) = cluster.budget.set(self.id, held) {
                cluster.post.end(link, end.clone());
                self.end = Some(end).filter(|_| link == self.id);
            }
        }
    }

    /// All that it carries together.
    pub(crate) fn seen(&self) -> Seen {
        match &self.speaks {
            Speaks::Unknown(first) => Seen { received: first.len() as u64, ..Seen::default() },
            Speaks::HotRod(connection) => connection.seen(),
            Speaks::Http1(http1) => http1.seen(),
            Speaks::Http2(http2) => http2.seen(),
        }
    }

    /// Bytes that its client makes the node hold.
    pub(crate) fn held(&self, cluster: &Cluster) -> usize {
        OWN_BYTES
            + match &self.speaks {
                Speaks::Unknown(first) => first.len(),
                Speaks::HotRod(connection) => connection.held(cluster),
                Speaks::Http1(http1) => http1.held(cluster),
                Speaks::Http2(http2) => http2.held(cluster),
            }
    }

    /// Finds out what the client speaks.
    fn listen(&mut self, cluster: &Cluster, moment: Moment) {
        let Speaks::Unknown(first) = &mut self.speaks else { return };
        let first = match detect(first) {
            Detected::NeedMore => return,
            Detected::Tls | Detected::Unknown => return self.is_not_understood(),
            Detected::Http1 if self.is_inside => return self.is_not_understood(),
            detected => (detected, std::mem::take(first)),
        };
        let count = first.1.len();
        self.speaks = match first.0 {
            Detected::Http1 => Speaks::Http1(Box::new(Http1::new(self.id, self.member))),
            Detected::Http2 => {
                Speaks::Http2(Box::new(Http2::new(cluster, self.id, self.member, self.is_inside, moment)))
            }
            _ => Speaks::HotRod(Box::new(Connection::new(cluster, self.id, self.member))),
        };
        self.receive_buffer().extend_from_slice(&first.1);
        self.handle_filled(count);
    }

    fn is_not_understood(&mut self) {
        self.end.get_or_insert(End::NotUnderstood);
    }

    /// The member stops: clients that understand it are told to go elsewhere within so many milliseconds.
    pub fn drain(&mut self, moment: Moment, grace_ms: u32) {
        match &mut self.speaks {
            Speaks::Http2(http2) => http2.drain(moment, grace_ms),
            Speaks::Http1(http1) => http1.drain(moment, grace_ms),
            Speaks::Unknown(_) | Speaks::HotRod(_) => {}
        }
    }

    /// Whether a client that was told of the end goes elsewhere by itself: its link ends with its last session.
    pub fn ends_by_itself(&self) -> bool {
        match &self.speaks {
            Speaks::Http2(http2) => http2.has_sessions(),
            Speaks::Http1(http1) => http1.ends_by_itself(),
            Speaks::Unknown(_) | Speaks::HotRod(_) => false,
        }
    }

    /// When [`process`](Self::process) has to be called, if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.speaks {
            Speaks::Http2(http2) => http2.poll_timeout(),
            Speaks::Http1(http1) => http1.poll_timeout(),
            Speaks::Unknown(_) | Speaks::HotRod(_) => None,
        }
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        match &self.speaks {
            Speaks::Unknown(_) => &self.nothing,
            Speaks::HotRod(connection) => connection.transmit(),
            Speaks::Http1(http1) => http1.transmit(),
            Speaks::Http2(http2) => http2.transmit(),
        }
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        match &mut self.speaks {
            Speaks::Unknown(_) => {}
            Speaks::HotRod(connection) => connection.transmitted(count),
            Speaks::Http1(http1) => http1.transmitted(count),
            Speaks::Http2(http2) => http2.transmitted(count),
        }
    }

    /// Why it is over; `None` while it is not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| match &self.speaks {
            Speaks::Unknown(_) => None,
            Speaks::HotRod(connection) => connection.end(),
            Speaks::Http1(http1) => http1.end(),
            Speaks::Http2(http2) => http2.end(),
        })
    }

    /// Whether the link can be closed: it is over, and what says why has been sent.
    pub fn is_finished(&self) -> bool {
        match self.end() {
            None => false,
            Some(End::Fault(_) | End::Http(_)) => self.transmit().is_empty(),
            Some(_) => true,
        }
    }

    /// The link is closed: what belongs to it ends.
    pub fn close(self, cluster: &mut Cluster) {
        cluster.budget.forget(self.id);
        match self.speaks {
            Speaks::HotRod(connection) => return (*connection).close(cluster),
            Speaks::Http1(http1) => http1.close(cluster),
            Speaks::Http2(http2) => http2.close(cluster),
            Speaks::Unknown(_) => {}
        }
        cluster.disconnect(self.id);
    }
}
