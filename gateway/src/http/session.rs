//! One session of an HTTP/2 link: its connection with a member, and what moves between the two.

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

use super::begins::{Begins, Carries};
use super::endpoint::{Meant, node_at, refusal_of};
use super::http2::{UNTAKEN, serve_inside};
use super::inside::Inside;
use super::lane::{Broken, Lane};
use super::place::Place;
use super::tunnel::{Tunnel, read_at_most};
use crate::budget::{Account, INNER};
use crate::deadlines::{Calls, Deadlines, Overdue, Progress as Done, Times};
use crate::gateway::{CacheTopology, Shared};
use crate::metrics::Carriage;
use crate::upstream::{NoUpstream, Upstream};

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Upstream, NoUpstream>> + Send + 'a>>;

/// A session that was asked for.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    /// What its stream takes at least.
    _memory: Account,
    stream: StreamId,
    /// Whom its client has asked for.
    meant: Meant,
    carriage: Carriage,
    /// Where its link is: within a tunnel it is none for a further one.
    place: Place<'a>,
    _counted: OwnedSemaphorePermit,
    is_accepted: bool,
    /// Since the client was told that the session is there.
    deadlines: Option<Deadlines>,
    /// Of a session in frames, whole requests and those that have begun to come.
    whole: u64,
    calls: Calls,
    upstream: Stage<'a>,
    form: Form<'a>,
    /// Of a tunnel, while it is not known what it carries.
    begins: Option<Begins>,
    /// What the client was told last of whom it talks to.
    told: Option<Node>,
    to_member: u64,
    to_client: u64,
}

enum Stage<'a> {
    /// There is none, and nobody looks for one: not yet, not any more, or never.
    None,
    Connecting(Connecting<'a>),
    Connected(Box<Upstream>),
}

enum Form<'a> {
    Frames(Box<Lane>),
    Tunnel(Box<Tunnel>),
    Inside(Box<Inside<'a>>),
}

/// How a session goes on.
pub(super) enum Progress {
    /// It waits.
    Pending,
    /// It is over, and the link knows.
    Over(String),
}

impl<'a> Session<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        stream: StreamId,
        meant: Meant,
        carriage: Carriage,
        place: Place<'a>,
        (counted, memory): (OwnedSemaphorePermit, Account),
    ) -> Self {
        let (form, begins) = if carriage == Carriage::Frames {
            (Form::Frames(Box::new(Lane::new(stream, shared.request_limits()))), None)
        } else {
            (Form::Tunnel(Box::new(Tunnel::new(stream, shared))), Some(Begins::default()))
        };
        Self {
            shared,
            _memory: memory,
            stream,
            meant,
            carriage,
            place,
            _counted: counted,
            is_accepted: false,
            deadlines: None,
            whole: 0,
            calls: Calls::default(),
            upstream: Stage::None,
            form,
            begins,
            told: None,
            to_member: 0,
            to_client: 0,
        }
    }

    /// Looks for a connection with the member; the client is answered when there is one.
    pub(super) fn connect(&mut self) {
        let (shared, owner, meant, carriage) = (self.shared, self.place.owner(), self.meant.clone(), self.carriage);
        let connecting = async move { shared.connect(owner, meant.wanted(), carriage).await };
        self.upstream = Stage::Connecting(Box::pin(connecting));
    }

    /// Answers the client at once: it means to open sessions within its tunnel, each of which finds its member by itself.
    pub(super) fn open(&mut self, link: &mut ServerLink) {
        link.accept(self.stream, &Node::default());
        self.accepted();
    }

    /// The client has been told that its session is there: its time runs.
    fn accepted(&mut self) {
        self.is_accepted = true;
        self.deadlines = Some(Deadlines::new(Times::of(&self.shared.config.limits), Instant::now()));
    }

    /// Whether a whole request has come.
    pub(super) fn has_worked(&self) -> bool {
        self.progress().whole > 0
    }

    /// Whether the member has let it in.
    pub(super) fn is_authenticated(&self) -> bool {
        self.progress().is_authenticated
    }

    fn progress(&self) -> Done {
        match &self.form {
            Form::Frames(lane) => {
                Done { whole: self.whole, is_waiting: false, is_authenticated: lane.is_authenticated() }
            }
            Form::Tunnel(tunnel) => tunnel.progress(),
            Form::Inside(_) => Done::default(),
        }
    }

    /// Ends the session if it did not go on in time.
    pub(super) fn end_overdue(&mut self, link: &mut ServerLink, now: Instant) -> Option<Overdue> {
        // A link within has its own deadlines, and those of its sessions.
        let deadlines = self.deadlines.as_mut().filter(|_| !matches!(self.form, Form::Inside(_)))?;
        let mut overdue = deadlines.overdue(now, || self.shared.wants_authentication());
        if let Form::Frames(lane) = &self.form {
            let times = Times::of(&self.shared.config.limits);
            let is_slow = self.calls.is_overdue(&times, now, |call| lane.waits_for(call));
            overdue = overdue.or(is_slow.then_some(Overdue::Request));
        }
        let overdue = overdue?;
        let code = match (overdue, &mut self.form) {
            (Overdue::Authentication, Form::Frames(_)) => HOT_ROD_NOT_AUTHENTICATED,
            (Overdue::Request, _) => ErrorCode::ENHANCE_YOUR_CALM,
            _ => ErrorCode::NO_ERROR,
        };
        if let Form::Frames(lane) = &mut self.form {
            lane.give_up(link);
        }
        link.end(self.stream, code);
        Some(overdue)
    }

    /// Bytes that went each way.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.to_member, self.to_client)
    }

    /// Bytes of memory that it takes, but for what the link is about to send.
    pub(super) fn memory(&mut self, link: &ServerLink) -> usize {
        let form = match &mut self.form {
            Form::Frames(lane) => lane.memory() + link.session_memory(self.stream),
            Form::Tunnel(tunnel) => tunnel.memory(),
            Form::Inside(inside) => inside.memory(),
        };
        form + self.meant.memory() + self.begins.as_mut().map_or(0, Begins::memory)
    }

    /// Octets of requests that wait for their turn.
    pub(super) fn waiting_bytes(&self) -> usize {
        if let Form::Frames(lane) = &self.form { lane.waiting_bytes() } else { 0 }
    }

    /// A fragment of a request has come. What waits may have `room` octets.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        if let Form::Frames(lane) = &mut self.form {
            let now = Instant::now();
            self.whole += u64::from(fragment.is_last);
            self.calls.fragment(fragment.call, fragment.bytes.len(), fragment.is_last, now);
            if let Some(deadlines) = &mut self.deadlines {
                deadlines.received(fragment.bytes.len());
                deadlines.note_move(now);
            }
            lane.request(fragment, room, link);
        }
    }

    pub(super) fn bytes(&mut self, bytes: Bytes) {
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.received(bytes.len());
        }
        match (&mut self.form, &mut self.begins) {
            (_, Some(begins)) => begins.push(bytes),
            (Form::Tunnel(tunnel), None) => tunnel.push(bytes),
            (Form::Inside(inside), None) => inside.push(bytes),
            (Form::Frames(_), None) => {}
        }
    }

    /// The client has ended its half.
    pub(super) fn finished(&mut self, link: &mut ServerLink) -> Progress {
        match (&mut self.form, &mut self.begins) {
            (_, Some(begins)) => begins.is_finished = true,
            (Form::Tunnel(tunnel), None) => tunnel.finish(),
            (Form::Inside(inside), None) => inside.finish(),
            (Form::Frames(lane), None) => {
                let finished = lane.finish(link);
                return self.unless_broken(finished, link);
            }
        }
        Progress::Pending
    }

    /// The client gives a call up.
    pub(super) fn cancelled(&mut self, call: u32, link: &mut ServerLink) -> Progress {
        let Form::Frames(lane) = &mut self.form else { return Progress::Pending };
        self.calls.ended(call);
        let cancelled = lane.cancel(call, link);
        self.unless_broken(cancelled, link)
    }

    fn unless_broken(&mut self, result: Result<(), Broken>, link: &mut ServerLink) -> Progress {
        let (Err(broken), Form::Frames(lane)) = (result, &mut self.form) else { return Progress::Pending };
        lane.end(&broken, link);
        Progress::Over(broken.to_string())
    }

    pub(super) fn tell_topology(&mut self, view: &CacheTopology, link: &mut ServerLink) {
        if let Form::Frames(lane) = &mut self.form {
            lane.tell_topology(&view.cache, &view.topology, link);
        }
    }

    /// Tells the client whom it talks to if that is another than it was told.
    pub(super) fn tell_node(&mut self, link: &mut ServerLink) {
        let (Form::Frames(_), Stage::Connected(upstream)) = (&self.form, &self.upstream) else { return };
        let node = node_at(self.shared, upstream);
        if self.told.as_ref().is_some_and(|told| *told != node) {
            link.tell_node(self.stream, &node);
            self.told = Some(node);
        }
    }

    /// The grace is over. Answers whether the session still has something to say.
    pub(super) fn cut(&mut self, link: &mut ServerLink) -> bool {
        match &mut self.form {
            Form::Frames(lane) if self.is_accepted => {
                lane.give_up(link);
                self.upstream = Stage::None;
                true
            }
            // The link within says its own last words.
            Form::Inside(_) => true,
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

    /// It has had its time after the grace. Answers whether it is over with that.
    pub(super) fn end(&mut self, link: &mut ServerLink) -> bool {
        let is_framed = matches!(self.form, Form::Frames(_));
        if is_framed {
            link.end(self.stream, ErrorCode::NO_ERROR);
        }
        is_framed
    }

    /// Moves what can be moved.
    pub(super) fn poll(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Progress {
        let before = self.moved();
        let result =
            self.poll_upstream(link, cx).and_then(|()| self.decide(link, cx)).and_then(|()| self.poll_form(link, cx));
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
            Ok(()) => Progress::Pending,
            Err(why) => Progress::Over(why),
        }
    }

    fn poll_upstream(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        let Stage::Connecting(connecting) = &mut self.upstream else { return Ok(()) };
        match connecting.as_mut().poll(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(upstream)) => {
                if !self.is_accepted {
                    let node = node_at(self.shared, &upstream);
                    link.accept(self.stream, &node);
                    self.told = Some(node);
                    self.accepted();
                }
                self.upstream = Stage::Connected(Box::new(upstream));
                if let Form::Frames(lane) = &mut self.form {
                    // While nothing of them has gone to the member nothing can break.
                    let _ = lane.opened(link);
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

    /// Finds out what a tunnel carries, and has that served.
    fn decide(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        if !self.is_accepted {
            return Ok(());
        }
        let Some(carries) = self.begins.as_ref().and_then(Begins::carries) else { return Ok(()) };
        let begins = self.begins.take().unwrap_or_default();
        match carries {
            Carries::HotRod => {
                if let Form::Tunnel(tunnel) = &mut self.form {
                    begins.hand_on(|bytes| tunnel.push(bytes)).then(|| tunnel.finish());
                }
                if matches!(self.upstream, Stage::None) {
                    // It was asked for as a tunnel for HTTP/2, but that says nothing.
                    self.connect();
                    return self.poll_upstream(link, cx);
                }
            }
            Carries::Http2 if self.place.inside.is_none() => {
                let memory = match self.place.budget.reserve(INNER) {
                    Ok(memory) => memory,
                    Err(why) => {
                        self.shared.metrics.refused("memory");
                        link.end(self.stream, ErrorCode::ENHANCE_YOUR_CALM);
                        return Err(why.to_string());
                    }
                };
                let (shared, place) = (self.shared, self.place.within(self.meant.clone()));
                let mut inside = Inside::new(self.stream, memory, |far| serve_inside(shared, far, place));
                begins.hand_on(|bytes| inside.push(bytes)).then(|| inside.finish());
                self.form = Form::Inside(Box::new(inside));
                self.upstream = Stage::None;
            }
            Carries::Http2 | Carries::Nothing => {
                link.end(self.stream, ErrorCode::PROTOCOL_ERROR);
                return Err("its tunnel carries nothing that it may".into());
            }
        }
        Ok(())
    }

    fn poll_form(&mut self, link: &mut ServerLink, cx: &mut Context<'_>) -> Result<(), String> {
        let shared = self.shared;
        let hint = |topology: &Topology| shared.hint(topology);
        let moved = (&mut self.to_member, &mut self.to_client);
        match (&mut self.upstream, &mut self.form) {
            (Stage::Connected(upstream), Form::Frames(lane)) => {
                let limit = self.shared.config.limits.buffer;
                let result = poll_lane(lane, upstream, link, (self.stream, limit), moved, hint, cx);
                (0..lane.take_external_refused()).for_each(|_| self.shared.metrics.refused("auth"));
                result.map_err(|broken| {
                    broken.reason().into_iter().for_each(|reason| shared.metrics.refused(reason));
                    lane.end(&broken, link);
                    broken.to_string()
                })?;
                self.end_if_done(link)
            }
            (Stage::None, Form::Frames(_)) => self.end_if_done(link),
            (Stage::Connected(upstream), Form::Tunnel(tunnel)) => {
                let result = tunnel.poll(&mut **upstream, link, moved, hint, cx);
                tunnel.take_refused().for_each(|reason| self.shared.metrics.refused(reason));
                result.map_err(|(code, why)| {
                    link.end(self.stream, code);
                    why
                })
            }
            (_, Form::Inside(inside)) => inside.poll(link, cx),
            _ => Ok(()),
        }
    }

    /// A client that asks nothing more, and has been answered, is done.
    fn end_if_done(&mut self, link: &mut ServerLink) -> Result<(), String> {
        if let Form::Frames(lane) = &self.form
            && lane.is_done(link)
        {
            link.end(self.stream, ErrorCode::NO_ERROR);
            return Err("ended by the client".into());
        }
        Ok(())
    }
}

/// Bytes that have gone to the member, and to the client.
type Moved<'a> = (&'a mut u64, &'a mut u64);

/// Moves what can be moved; no more than `limit` octets wait for the client before nothing more is read for it.
fn poll_lane(
    lane: &mut Lane,
    upstream: &mut Upstream,
    link: &mut ServerLink,
    (stream, limit): (StreamId, usize),
    (to_member, to_client): Moved<'_>,
    hint: impl Fn(&Topology),
    cx: &mut Context<'_>,
) -> Result<(), Broken> {
    loop {
        lane.forward(link)?;
        if lane.outgoing().is_empty() {
            break;
        }
        match lane.outgoing().poll_write(upstream, cx) {
            Poll::Pending => break,
            Poll::Ready(Ok(count)) => *to_member += count as u64,
            Poll::Ready(Err(error)) => return Err(failed(&error)),
        }
    }
    while link.waiting(stream) < limit && link.transmit().len() < UNTAKEN {
        let most = limit - link.waiting(stream);
        match read(upstream, lane.receive_buffer(most), most, cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => return Err(Broken::Lost("closed by the member".into())),
            Poll::Ready(Ok(count)) => {
                *to_client += count as u64;
                lane.received(link, &hint)?;
            }
            Poll::Ready(Err(error)) => return Err(failed(&error)),
        }
    }
    // What the member has sent waits for the client, but not the news that it is gone.
    match upstream.poll_lost(cx) {
        Poll::Pending => Ok(()),
        Poll::Ready(()) => Err(Broken::Lost("closed by the member before all of its answers were taken".into())),
    }
}

fn failed(error: &io::Error) -> Broken {
    Broken::Lost(format!("the member's link failed: {error}"))
}

fn read(upstream: &mut Upstream, buffer: &mut BytesMut, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let most = most.min(buffer.capacity() - buffer.len());
    read_at_most(upstream, buffer, most, cx)
}
