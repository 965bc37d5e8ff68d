//! A session of an HTTP/2 link, and its connection with a member.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::registry::HOT_ROD_NOT_AUTHENTICATED;
use hotrod_core::carriage::{Fragment, Node, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::Topology;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::call_forwarder::{CallForwarder, ForwardError};
use super::context::LinkContext;
use super::endpoint::{RequestedMember, node_at, refusal_of};
use super::http2::{MAX_UNSENT, serve_inner};
use super::inner_link::InnerLink;
use super::tunnel::{Tunnel, read_at_most};
use super::tunnel_start::{TunnelProtocol, TunnelStart};
use crate::budget::{INNER, Reservation};
use crate::deadlines::{CallDeadlines, Deadlines, Overdue, Progress, Times};
use crate::gateway::{CacheTopology, Shared};
use crate::metrics::Carriage;
use crate::upstream::{NoUpstream, Upstream};

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Upstream, NoUpstream>> + Send + 'a>>;

/// A session that a client has requested.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    /// Memory of its stream.
    _memory: Reservation,
    stream: StreamId,
    requested: RequestedMember,
    carriage: Carriage,
    /// Its link; one within a tunnel carries no further tunnel.
    context: LinkContext<'a>,
    _counted: OwnedSemaphorePermit,
    is_accepted: bool,
    /// Set when the client has been answered.
    deadlines: Option<Deadlines>,
    /// Number of requests received whole in frames.
    whole: u64,
    call_deadlines: CallDeadlines,
    upstream: MemberLink<'a>,
    form: Form<'a>,
    /// First bytes of a tunnel, until its protocol is known.
    start: Option<TunnelStart>,
    /// The last NODE that the client was sent.
    sent_node: Option<Node>,
    to_member: u64,
    to_client: u64,
}

enum MemberLink<'a> {
    /// No connection, and none in progress.
    None,
    Connecting(Connecting<'a>),
    Connected(Box<Upstream>),
}

enum Form<'a> {
    Frames(Box<CallForwarder>),
    Tunnel(Box<Tunnel>),
    InnerLink(Box<InnerLink<'a>>),
}

/// Result of a step of a session.
pub(super) enum Outcome {
    Pending,
    /// End of the session, which the machine has been given.
    Over(String),
}

impl<'a> Session<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        stream: StreamId,
        requested: RequestedMember,
        carriage: Carriage,
        context: LinkContext<'a>,
        (counted, memory): (OwnedSemaphorePermit, Reservation),
    ) -> Self {
        let (form, start) = if carriage == Carriage::Frames {
            (Form::Frames(Box::new(CallForwarder::new(stream, shared.request_limits()))), None)
        } else {
            (Form::Tunnel(Box::new(Tunnel::new(stream, shared))), Some(TunnelStart::default()))
        };
        Self {
            shared,
            _memory: memory,
            stream,
            requested,
            carriage,
            context,
            _counted: counted,
            is_accepted: false,
            deadlines: None,
            whole: 0,
            call_deadlines: CallDeadlines::default(),
            upstream: MemberLink::None,
            form,
            start,
            sent_node: None,
            to_member: 0,
            to_client: 0,
        }
    }

    /// Connects with the member; the client is answered after that.
    pub(super) fn connect(&mut self) {
        let (shared, owner, requested, carriage) =
            (self.shared, self.context.owner(), self.requested.clone(), self.carriage);
        let connecting = async move { shared.connect(owner, requested.wanted(), carriage).await };
        self.upstream = MemberLink::Connecting(Box::pin(connecting));
    }

    /// Answers the client at once: it opens sessions within its tunnel, and each of them connects with its own member.
    pub(super) fn open(&mut self, link: &mut ServerLink) {
        link.accept(self.stream, &Node::default());
        self.accepted();
    }

    /// Starts the deadlines: the client has been answered.
    fn accepted(&mut self) {
        self.is_accepted = true;
        self.deadlines = Some(Deadlines::new(Times::of(&self.shared.config.limits), Instant::now()));
    }

    /// Whether a whole request has been received.
    pub(super) fn has_request(&self) -> bool {
        self.progress().whole > 0
    }

    /// Whether the member has authenticated the session.
    pub(super) fn is_authenticated(&self) -> bool {
        self.progress().is_authenticated
    }

    fn progress(&self) -> Progress {
        match &self.form {
            Form::Frames(calls) => {
                Progress { whole: self.whole, is_waiting: false, is_authenticated: calls.is_authenticated() }
            }
            Form::Tunnel(tunnel) => tunnel.progress(),
            Form::InnerLink(_) => Progress::default(),
        }
    }

    /// Ends the session if it has missed a deadline.
    pub(super) fn end_overdue(&mut self, link: &mut ServerLink, now: Instant) -> Option<Overdue> {
        // An inner link has its own deadlines, and those of its sessions.
        let deadlines = self.deadlines.as_mut().filter(|_| !matches!(self.form, Form::InnerLink(_)))?;
        let mut overdue = deadlines.overdue(now, || self.shared.wants_authentication());
        if let Form::Frames(calls) = &self.form {
            let times = Times::of(&self.shared.config.limits);
            let is_slow = self.call_deadlines.is_overdue(&times, now, |call| calls.needs_more_of(call));
            overdue = overdue.or(is_slow.then_some(Overdue::Request));
        }
        let overdue = overdue?;
        let code = match (overdue, &mut self.form) {
            (Overdue::Authentication, Form::Frames(_)) => HOT_ROD_NOT_AUTHENTICATED,
            (Overdue::Request, _) => ErrorCode::ENHANCE_YOUR_CALM,
            _ => ErrorCode::NO_ERROR,
        };
        if let Form::Frames(calls) = &mut self.form {
            calls.give_up(link);
        }
        link.end(self.stream, code);
        Some(overdue)
    }

    /// Bytes sent to the member, and to the client.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.to_member, self.to_client)
    }

    /// Memory of the session in bytes, without the machine's unsent output.
    pub(super) fn memory(&mut self, link: &ServerLink) -> usize {
        let form = match &mut self.form {
            Form::Frames(calls) => calls.memory() + link.session_memory(self.stream),
            Form::Tunnel(tunnel) => tunnel.memory(),
            Form::InnerLink(inside) => inside.memory(),
        };
        form + self.requested.memory() + self.start.as_mut().map_or(0, TunnelStart::memory)
    }

    /// Bytes of queued requests.
    pub(super) fn queued_bytes(&self) -> usize {
        if let Form::Frames(calls) = &self.form { calls.queued_bytes() } else { 0 }
    }

    /// Receives a fragment of a request. Queued requests may have `room` bytes.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        if let Form::Frames(calls) = &mut self.form {
            let now = Instant::now();
            self.whole += u64::from(fragment.is_last);
            self.call_deadlines.fragment(fragment.call, fragment.bytes.len(), fragment.is_last, now);
            if let Some(deadlines) = &mut self.deadlines {
                deadlines.received(fragment.bytes.len());
                deadlines.note_move(now);
            }
            calls.request(fragment, room, link);
        }
    }

    /// Receives bytes of a tunnel.
    pub(super) fn bytes(&mut self, bytes: Bytes) {
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.received(bytes.len());
        }
        match (&mut self.form, &mut self.start) {
            (_, Some(start)) => start.push(bytes),
            (Form::Tunnel(tunnel), None) => tunnel.push(bytes),
            (Form::InnerLink(inside), None) => inside.push(bytes),
            (Form::Frames(_), None) => {}
        }
    }

    /// Handles the end of the client's half of the stream.
    pub(super) fn finished(&mut self, link: &mut ServerLink) -> Outcome {
        match (&mut self.form, &mut self.start) {
            (_, Some(start)) => start.is_finished = true,
            (Form::Tunnel(tunnel), None) => tunnel.finish(),
            (Form::InnerLink(inside), None) => inside.finish(),
            (Form::Frames(calls), None) => {
                let finished = calls.finish(link);
                return self.end_if_broken(finished, link);
            }
        }
        Outcome::Pending
    }

    /// Handles CANCEL.
    pub(super) fn cancelled(&mut self, call: u32, link: &mut ServerLink) -> Outcome {
        let Form::Frames(calls) = &mut self.form else { return Outcome::Pending };
        self.call_deadlines.ended(call);
        let cancelled = calls.cancel(call, link);
        self.end_if_broken(cancelled, link)
    }

    fn end_if_broken(&mut self, result: Result<(), ForwardError>, link: &mut ServerLink) -> Outcome {
        let (Err(broken), Form::Frames(calls)) = (result, &mut self.form) else { return Outcome::Pending };
        calls.end(&broken, link);
        Outcome::Over(broken.to_string())
    }

    /// Sends TOPOLOGY to a client that knows of the cache.
    pub(super) fn send_topology(&mut self, view: &CacheTopology, link: &mut ServerLink) {
        if let Form::Frames(calls) = &mut self.form {
            calls.send_topology(&view.cache, &view.topology, link);
        }
    }

    /// Sends NODE if it differs from the last one.
    pub(super) fn send_node(&mut self, link: &mut ServerLink) {
        let (Form::Frames(_), MemberLink::Connected(upstream)) = (&self.form, &self.upstream) else { return };
        let node = node_at(self.shared, upstream);
        if self.sent_node.as_ref().is_some_and(|sent| *sent != node) {
            link.send_node(self.stream, &node);
            self.sent_node = Some(node);
        }
    }

    /// Cuts the session off at the end of the drain timeout. Returns whether it has further output.
    pub(super) fn cut(&mut self, link: &mut ServerLink) -> bool {
        match &mut self.form {
            Form::Frames(calls) if self.is_accepted => {
                calls.give_up(link);
                self.upstream = MemberLink::None;
                true
            }
            // The inner link closes by itself.
            Form::InnerLink(_) => true,
            Form::Frames(_) | Form::Tunnel(_) => {
                if self.is_accepted {
                    link.end(self.stream, ErrorCode::CONNECT_ERROR);
                } else {
                    refusal_of(&NoUpstream::Draining).answer_http2(link, self.stream);
                }
                false
            }
        }
    }

    /// Ends a session in frames that was cut off. Returns whether it has ended.
    pub(super) fn end(&mut self, link: &mut ServerLink) -> bool {
        let is_framed = matches!(self.form, Form::Frames(_));
        if is_framed {
            link.end(self.stream, ErrorCode::NO_ERROR);
        }
        is_framed
    }

    /// Reads and writes while there is progress.
    pub(super) fn poll(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Outcome {
        let before = self.moved();
        let result = self
            .poll_upstream(link, cx)
            .and_then(|()| self.detect_protocol(link, cx))
            .and_then(|()| self.poll_form(link, cx));
        if let Some(mut deadlines) = self.deadlines.take() {
            if self.moved() != before {
                deadlines.note_move(Instant::now());
            }
            deadlines.update(self.progress(), Instant::now);
            self.deadlines = Some(deadlines);
        }
        self.shared.metrics.sent_to_member((self.to_member - before.0) as usize);
        self.shared.metrics.sent_to_client((self.to_client - before.1) as usize);
        match result {
            Ok(()) => Outcome::Pending,
            Err(why) => Outcome::Over(why),
        }
    }

    fn poll_upstream(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        let MemberLink::Connecting(connecting) = &mut self.upstream else { return Ok(()) };
        match connecting.as_mut().poll(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(upstream)) => {
                if !self.is_accepted {
                    let node = node_at(self.shared, &upstream);
                    link.accept(self.stream, &node);
                    self.sent_node = Some(node);
                    self.accepted();
                }
                self.upstream = MemberLink::Connected(Box::new(upstream));
                if let Form::Frames(calls) = &mut self.form {
                    // Fails only for requests that are partly forwarded.
                    let _ = calls.opened(link);
                }
            }
            Poll::Ready(Err(refusal)) => {
                if self.is_accepted {
                    link.end(self.stream, ErrorCode::CONNECT_ERROR);
                } else {
                    refusal_of(&refusal).answer_http2(link, self.stream);
                }
                return Err(refusal.to_string());
            }
        }
        Ok(())
    }

    /// Detects the protocol within a tunnel, and serves it.
    fn detect_protocol(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        if !self.is_accepted {
            return Ok(());
        }
        let Some(protocol) = self.start.as_ref().and_then(TunnelStart::protocol) else { return Ok(()) };
        let start = self.start.take().unwrap_or_default();
        match protocol {
            TunnelProtocol::HotRod => {
                if let Form::Tunnel(tunnel) = &mut self.form {
                    start.pass_on(|bytes| tunnel.push(bytes)).then(|| tunnel.finish());
                }
                if matches!(self.upstream, MemberLink::None) {
                    // It was requested as a tunnel for HTTP/2; the first bytes count.
                    self.connect();
                    return self.poll_upstream(link, cx);
                }
            }
            TunnelProtocol::Http2 if self.context.inside.is_none() => {
                let memory = match self.context.budget.reserve(INNER) {
                    Ok(memory) => memory,
                    Err(why) => {
                        self.shared.metrics.refused("memory");
                        link.end(self.stream, ErrorCode::ENHANCE_YOUR_CALM);
                        return Err(why.to_string());
                    }
                };
                let (shared, context) = (self.shared, self.context.within(self.requested.clone()));
                let mut inside = InnerLink::new(self.stream, memory, |far| serve_inner(shared, far, context));
                start.pass_on(|bytes| inside.push(bytes)).then(|| inside.finish());
                self.form = Form::InnerLink(Box::new(inside));
                self.upstream = MemberLink::None;
            }
            TunnelProtocol::Http2 | TunnelProtocol::Other => {
                link.end(self.stream, ErrorCode::PROTOCOL_ERROR);
                return Err("its tunnel has a protocol that it may not have".into());
            }
        }
        Ok(())
    }

    fn poll_form(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        let shared = self.shared;
        let hint = |topology: &Topology| shared.hint(topology);
        let moved = (&mut self.to_member, &mut self.to_client);
        match (&mut self.upstream, &mut self.form) {
            (MemberLink::Connected(upstream), Form::Frames(calls)) => {
                let limit = self.shared.config.limits.buffer;
                let result = poll_calls(calls, upstream, link, (self.stream, limit), moved, hint, cx);
                (0..calls.take_external_refused()).for_each(|_| self.shared.metrics.refused("auth"));
                result.map_err(|broken| {
                    broken.reason().into_iter().for_each(|reason| shared.metrics.refused(reason));
                    calls.end(&broken, link);
                    broken.to_string()
                })?;
                self.end_if_done(link)
            }
            (MemberLink::None, Form::Frames(_)) => self.end_if_done(link),
            (MemberLink::Connected(upstream), Form::Tunnel(tunnel)) => {
                let result = tunnel.poll(&mut **upstream, link, moved, hint, cx);
                tunnel.take_rejected().for_each(|reason| self.shared.metrics.refused(reason));
                result.map_err(|(code, why)| {
                    link.end(self.stream, code);
                    why
                })
            }
            (_, Form::InnerLink(inside)) => inside.poll(link, cx),
            _ => Ok(()),
        }
    }

    /// Ends a session whose client has ended its half and has been answered.
    fn end_if_done(&mut self, link: &mut ServerLink) -> Result<(), String> {
        if let Form::Frames(calls) = &self.form
            && calls.is_done(link)
        {
            link.end(self.stream, ErrorCode::NO_ERROR);
            return Err("ended by the client".into());
        }
        Ok(())
    }
}

/// Bytes sent to the member, and to the client.
type Moved<'a> = (&'a mut u64, &'a mut u64);

/// Forwards requests and replies while there is progress. Does not read the member while `limit` bytes wait for the client.
fn poll_calls(
    calls: &mut CallForwarder,
    upstream: &mut Upstream,
    link: &mut ServerLink,
    (stream, limit): (StreamId, usize),
    (to_member, to_client): Moved<'_>,
    hint: impl Fn(&Topology),
    cx: &mut Context<'_>,
) -> Result<(), ForwardError> {
    loop {
        calls.forward(link)?;
        if calls.outgoing().is_empty() {
            break;
        }
        match calls.outgoing().poll_write(upstream, cx) {
            Poll::Pending => break,
            Poll::Ready(Ok(count)) => *to_member += count as u64,
            Poll::Ready(Err(error)) => return Err(failed(&error)),
        }
    }
    while link.waiting(stream) < limit && link.transmit().len() < MAX_UNSENT {
        let most = limit - link.waiting(stream);
        match read(upstream, calls.receive_buffer(most), most, cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => return Err(ForwardError::Lost("closed by the member".into())),
            Poll::Ready(Ok(count)) => {
                *to_client += count as u64;
                calls.received(link, &hint)?;
            }
            Poll::Ready(Err(error)) => return Err(failed(&error)),
        }
    }
    // The end of the member's connection is reported even while its replies are not read.
    match upstream.poll_lost(cx) {
        Poll::Pending => Ok(()),
        Poll::Ready(()) => Err(ForwardError::Lost("closed by the member before all of its answers were taken".into())),
    }
}

fn failed(error: &io::Error) -> ForwardError {
    ForwardError::Lost(format!("the member's link failed: {error}"))
}

fn read(upstream: &mut Upstream, buffer: &mut BytesMut, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let most = most.min(buffer.capacity() - buffer.len());
    read_at_most(upstream, buffer, most, cx)
}
