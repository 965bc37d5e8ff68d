//! One session of an HTTP/2 link: its connection with a member, and what moves between the two.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hotrod_core::carriage::{Fragment, ServerLink};
use hotrod_core::http2::{ErrorCode, StreamId};
use tokio::io::{AsyncWrite, DuplexStream};

use super::endpoint::{Meant, node_at, status_of};
use super::lane::{Broken, Lane};
use super::tunnel::{Tunnel, read_at_most};
use crate::connection::Ended;
use crate::gateway::{Seen, Shared};
use crate::metrics::Carriage;
use crate::pieces::Pieces;
use crate::upstream::{NoUpstream, Upstream};

/// Octets that wait for a client above which nothing more is read from its member.
const ENOUGH: usize = 64 << 10;
/// The most that is read from a member at a time where bytes are passed on as they are.
const CHUNK: usize = 16 << 10;

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Upstream, NoUpstream>> + Send + 'a>>;

/// A session that was asked for.
pub(super) struct Session<'a> {
    stream: StreamId,
    upstream: Stage<'a>,
    form: Form,
    to_member: u64,
    to_client: u64,
}

enum Stage<'a> {
    Connecting(Connecting<'a>),
    Connected(Box<Upstream>),
    /// Its tunnel carries HTTP/2, which is served here.
    Inside(Box<Inside<'a>>),
}

struct Inside<'a> {
    near: DuplexStream,
    serving: Pin<Box<dyn Future<Output = Ended> + Send + 'a>>,
}

enum Form {
    Frames(Box<Lane>),
    Tunnel(Box<Tunnel>),
    Inside(Bytewise),
}

/// Bytes on their way to and from the HTTP/2 that a tunnel carries.
#[derive(Default)]
struct Bytewise {
    received: Pieces,
    /// The client has ended its half.
    is_finished: bool,
    is_shut: bool,
    scratch: BytesMut,
}

/// How a session goes on.
pub(super) enum Progress {
    /// It waits.
    Pending,
    /// It is over, and the link knows.
    Over(String),
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, stream: StreamId, meant: Meant, carriage: Carriage) -> Self {
        let connecting = async move { shared.upstreams.connect(meant.wanted(), carriage).await };
        let form = if carriage == Carriage::Frames {
            Form::Frames(Box::new(Lane::new(stream)))
        } else {
            Form::Tunnel(Box::new(Tunnel::new(stream, shared)))
        };
        Self { stream, upstream: Stage::Connecting(Box::pin(connecting)), form, to_member: 0, to_client: 0 }
    }

    /// A session whose tunnel carries an HTTP/2 link of its own; `serve` serves its other end.
    pub(super) fn tunnel(
        stream: StreamId,
        serve: impl FnOnce(DuplexStream) -> Pin<Box<dyn Future<Output = Ended> + Send + 'a>>,
    ) -> Self {
        let (near, far) = tokio::io::duplex(ENOUGH);
        let upstream = Stage::Inside(Box::new(Inside { near, serving: serve(far) }));
        Self { stream, upstream, form: Form::Inside(Bytewise::default()), to_member: 0, to_client: 0 }
    }

    /// Bytes that went each way.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.to_member, self.to_client)
    }

    /// Bytes held for either side.
    pub(super) fn held(&self) -> usize {
        match &self.form {
            Form::Frames(lane) => lane.held(),
            Form::Tunnel(tunnel) => tunnel.held(),
            Form::Inside(session) => session.received.len(),
        }
    }

    /// Octets of requests that wait for their turn.
    pub(super) fn waiting_bytes(&self) -> usize {
        if let Form::Frames(lane) = &self.form { lane.waiting_bytes() } else { 0 }
    }

    /// A fragment of a request has come. What waits may have `room` octets.
    pub(super) fn request(&mut self, fragment: Fragment, room: usize, link: &mut ServerLink) {
        if let Form::Frames(lane) = &mut self.form {
            lane.request(fragment, room, link);
        }
    }

    pub(super) fn bytes(&mut self, bytes: Bytes) {
        match &mut self.form {
            Form::Frames(_) => {}
            Form::Tunnel(tunnel) => tunnel.push(bytes),
            Form::Inside(session) => session.received.push(bytes),
        }
    }

    /// The client has ended its half. Answers whether the session is over with that.
    pub(super) fn finished(&mut self, link: &mut ServerLink) -> bool {
        match &mut self.form {
            Form::Frames(lane) => {
                lane.finish(link);
                true
            }
            Form::Tunnel(tunnel) => {
                tunnel.finish();
                false
            }
            Form::Inside(session) => {
                session.is_finished = true;
                false
            }
        }
    }

    /// The client gives a call up. Answers why the session is over, if it is.
    pub(super) fn cancelled(&mut self, call: u32, link: &mut ServerLink) -> Option<String> {
        let Form::Frames(lane) = &mut self.form else { return None };
        let broken = lane.cancel(call, link).err()?;
        lane.end(link);
        Some(why(&broken))
    }

    pub(super) fn tell_topology(&mut self, seen: &Seen, link: &mut ServerLink) {
        if let Form::Frames(lane) = &mut self.form {
            lane.tell_topology(&seen.cache, &seen.topology, link);
        }
    }

    /// The grace is over.
    pub(super) fn cut(&mut self, link: &mut ServerLink) {
        match &mut self.form {
            Form::Frames(lane) => lane.end(link),
            Form::Tunnel(_) | Form::Inside(_) => link.end(self.stream, ErrorCode::CONNECT_ERROR),
        }
    }

    /// Moves what can be moved. Views that came with answers are put into `seen`.
    pub(super) fn poll(
        &mut self,
        shared: &Shared,
        link: &mut ServerLink,
        seen: &mut Vec<Seen>,
        cx: &mut Context<'_>,
    ) -> Progress {
        if let Stage::Connecting(connecting) = &mut self.upstream {
            match connecting.as_mut().poll(cx) {
                Poll::Pending => return Progress::Pending,
                Poll::Ready(Ok(upstream)) => {
                    link.accept(self.stream, &node_at(shared, &upstream));
                    self.upstream = Stage::Connected(Box::new(upstream));
                }
                Poll::Ready(Err(refusal)) => {
                    let (status, retry_after) = status_of(&refusal);
                    link.refuse(self.stream, status, retry_after);
                    return Progress::Over(refusal.to_string());
                }
            }
        }
        let before = self.moved();
        let result = match (&mut self.upstream, &mut self.form) {
            (Stage::Connected(upstream), Form::Frames(lane)) => {
                let result =
                    poll_lane(lane, upstream, link, self.stream, (&mut self.to_member, &mut self.to_client), seen, cx);
                if result.is_err() {
                    lane.end(link);
                }
                (0..lane.take_external_refused()).for_each(|_| shared.metrics.refused("auth"));
                result
            }
            (Stage::Connected(upstream), Form::Tunnel(tunnel)) => {
                let moved = (&mut self.to_member, &mut self.to_client);
                let result = tunnel.poll(&mut **upstream, link, moved, seen, cx);
                tunnel.take_refused().for_each(|reason| shared.metrics.refused(reason));
                result.map_err(|(code, why)| {
                    link.end(self.stream, code);
                    why
                })
            }
            (Stage::Inside(inside), Form::Inside(session)) => {
                let Inside { near, serving } = &mut **inside;
                let result = poll_inside(session, near, link, self.stream, cx);
                // What it writes wakes this task again.
                if let Poll::Ready(ended) = serving.as_mut().poll(cx) {
                    link.end(self.stream, ErrorCode::NO_ERROR);
                    return Progress::Over(ended.reason);
                }
                result
            }
            _ => Ok(()),
        };
        shared.metrics.sent_to_member((self.to_member - before.0) as usize);
        shared.metrics.sent_to_client((self.to_client - before.1) as usize);
        match result {
            Ok(()) => Progress::Pending,
            Err(why) => Progress::Over(why),
        }
    }
}

/// Bytes that have gone to the member, and to the client.
type Moved<'a> = (&'a mut u64, &'a mut u64);

fn poll_lane(
    lane: &mut Lane,
    upstream: &mut Upstream,
    link: &mut ServerLink,
    stream: StreamId,
    (to_member, to_client): Moved<'_>,
    seen: &mut Vec<Seen>,
    cx: &mut Context<'_>,
) -> Result<(), String> {
    loop {
        lane.forward(link);
        if lane.outgoing().is_empty() {
            break;
        }
        match lane.outgoing().poll_write_through(upstream, cx) {
            Poll::Pending => break,
            Poll::Ready(Ok(count)) => *to_member += count as u64,
            Poll::Ready(Err(error)) => return Err(format!("the member's link failed: {error}")),
        }
    }
    while link.waiting(stream) < ENOUGH {
        match read(upstream, lane.receive_buffer(), cx) {
            Poll::Pending => break,
            Poll::Ready(Ok(0)) => return Err("closed by the member".into()),
            Poll::Ready(Ok(count)) => {
                *to_client += count as u64;
                seen.extend(lane.received(link).map_err(|broken| why(&broken))?);
            }
            Poll::Ready(Err(error)) => return Err(format!("the member's link failed: {error}")),
        }
    }
    Ok(())
}

fn poll_inside(
    session: &mut Bytewise,
    near: &mut DuplexStream,
    link: &mut ServerLink,
    stream: StreamId,
    cx: &mut Context<'_>,
) -> Result<(), String> {
    while !session.received.is_empty() {
        match session.received.poll_write_through(near, cx) {
            Poll::Pending => break,
            Poll::Ready(Ok(count)) => link.bytes_taken(stream, count),
            Poll::Ready(Err(error)) => {
                link.end(stream, ErrorCode::CONNECT_ERROR);
                return Err(format!("the HTTP/2 in the tunnel has ended: {error}"));
            }
        }
    }
    if session.is_finished && session.received.is_empty() && !session.is_shut {
        session.is_shut = Pin::new(&mut *near).poll_shutdown(cx).is_ready();
    }
    loop {
        let room = link.room(stream).min(CHUNK);
        if room == 0 {
            return Ok(());
        }
        session.scratch.reserve(CHUNK);
        match read_at_most(near, &mut session.scratch, room, cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => {
                link.end(stream, ErrorCode::NO_ERROR);
                return Err("the HTTP/2 in the tunnel has ended".into());
            }
            Poll::Ready(Ok(_)) => link.send_bytes(stream, session.scratch.split().freeze()),
            Poll::Ready(Err(error)) => {
                link.end(stream, ErrorCode::CONNECT_ERROR);
                return Err(format!("the HTTP/2 in the tunnel has ended: {error}"));
            }
        }
    }
}

fn read(upstream: &mut Upstream, buffer: &mut BytesMut, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let most = buffer.capacity() - buffer.len();
    read_at_most(upstream, buffer, most, cx)
}

fn why(broken: &Broken) -> String {
    match broken {
        Broken::HalfSent => "a request was given up when half of it had gone to the member".into(),
        Broken::Violation(violation) => format!("the member broke the protocol: {violation}"),
        Broken::LostTrack => "the member could not read a request".into(),
    }
}
