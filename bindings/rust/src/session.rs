//! One session on one stream: a task that moves bytes between the stream and the machine of [`hotrod_core`].

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::session::{self as machine, Call, Config, Disconnect, Event, OperationId, Ready};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Reply, Request, RequestOptions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

use crate::Error;
use crate::listener::{Listener, ListenerEvent};

/// Reads of one turn before other tasks get theirs.
const READS_A_TURN: usize = 16;
/// Pieces of one vectored write.
const PIECES: usize = 64;
/// Listener events that wait to be taken by the application before the link is no longer read.
const LISTENER_QUEUE: usize = 1024;

type Answer = Result<Reply, machine::OperationError>;

/// A Hot Rod conversation on a stream: any number of tasks submit operations to it, and they share its link.
///
/// The level below [`Client`](crate::Client): no reconnecting, no choice of server. Dropping it closes the link once
/// the last clone is gone; operations that are still waited for fail.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    ready: Arc<Ready>,
    /// Ends the driver when the last session is dropped.
    _alive: Arc<Alive>,
}

struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.with(|inner| inner.machine.abort());
    }
}

struct Shared {
    server: Arc<str>,
    epoch: tokio::time::Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    machine: machine::Session,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    listeners: HashMap<Bytes, mpsc::Sender<ListenerEvent>>,
    /// An event whose listener's queue is full: nothing more is polled until it is taken.
    held: Option<(Bytes, ListenerEvent)>,
    ready: Option<oneshot::Sender<Result<Ready, Arc<Disconnect>>>>,
    driver: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under the lock leaves it half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.epoch.elapsed().as_micros() as u64)
    }

    /// Changes something, and has the driver look at it.
    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = change(&mut inner);
        let driver = inner.driver.take();
        drop(inner);
        if let Some(driver) = driver {
            driver.wake();
        }
        result
    }
}

impl Session {
    /// Makes a session on a stream that is connected; `server` names it in errors.
    ///
    /// The driver runs as a task of the present runtime.
    pub async fn start<S>(stream: S, server: &str, config: Config) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Error::Settings(format!("no randomness: {error}")))?;
        let (ready, session_ready) = oneshot::channel();
        let machine = machine::Session::new(config, seed, Instant::EPOCH);
        let inner = Inner {
            machine,
            waiting: HashMap::new(),
            listeners: HashMap::new(),
            held: None,
            ready: Some(ready),
            driver: None,
        };
        let server: Arc<str> = server.into();
        let epoch = tokio::time::Instant::now();
        let shared = Arc::new(Shared { server: server.clone(), epoch, inner: Mutex::new(inner) });
        let alive = Arc::new(Alive(shared.clone()));
        tokio::spawn(Driver { stream, shared: shared.clone(), sleep: None });
        let outcome = session_ready.await.unwrap_or_else(|_| Err(Arc::new(Disconnect::Closed)));
        let ready = outcome.map_err(|reason| Error::Handshake { server: server.to_string(), reason })?;
        Ok(Self { shared, ready: Arc::new(ready), _alive: alive })
    }

    /// What negotiation has found.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The server, as named at the start.
    pub fn server(&self) -> &Arc<str> {
        &self.shared.server
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().machine.is_closed()
    }

    /// What the session has done.
    pub fn counters(&self) -> machine::Counters {
        self.shared.lock().machine.counters()
    }

    /// How the session authenticated; see [`machine::Session::authentication`].
    pub(crate) fn authentication(&self) -> Option<machine::Authentication> {
        self.shared.lock().machine.authentication().cloned()
    }

    /// Executes an operation.
    ///
    /// Dropping the future gives the operation up; it may be executed all the same.
    pub async fn execute(
        &self,
        options: &RequestOptions,
        request: &Request,
        timeout: Option<Duration>,
    ) -> Result<Reply, Error> {
        let mut pending = self.submit(options, request, timeout)?;
        let answer = (&mut pending.answer).await;
        pending.done = true;
        let error = match answer {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            // The runtime dropped the driver.
            Err(_) => machine::OperationError::Disconnected {
                operation: request.operation(),
                reason: Arc::new(Disconnect::Closed),
                applied: machine::Applied::Unknown,
            },
        };
        Err(Error::Operation { server: self.shared.server.clone(), error })
    }

    fn submit(
        &self,
        options: &RequestOptions,
        request: &Request,
        timeout: Option<Duration>,
    ) -> Result<Pending<'_>, Error> {
        let now = self.shared.now();
        let id = self.shared.with(|inner| {
            let id = inner.machine.submit(now, Call { timeout, ..Call::new(request, options) })?;
            let (sender, answer) = oneshot::channel();
            inner.waiting.insert(id.0, sender);
            Ok::<_, Error>((id, answer))
        })?;
        Ok(Pending { session: self, id: id.0, answer: id.1, done: false })
    }

    /// Adds a listener: `request` is one of the operations that do.
    pub(crate) async fn listen(
        &self,
        options: &RequestOptions,
        listener_id: Bytes,
        request: &Request,
        removal: Request,
    ) -> Result<Listener, Error> {
        let (sender, events) = mpsc::channel(LISTENER_QUEUE);
        // Events may come before the answer.
        self.shared.lock().listeners.insert(listener_id.clone(), sender);
        match self.execute(options, request, None).await {
            Ok(_) => Ok(Listener::new(self.clone(), options.clone(), listener_id, removal, events)),
            Err(error) => {
                self.forget_listener(&listener_id);
                Err(error)
            }
        }
    }

    pub(crate) fn forget_listener(&self, listener_id: &Bytes) {
        self.shared.with(|inner| {
            inner.listeners.remove(listener_id);
            inner.held.take_if(|(held, _)| held == listener_id);
        });
    }

    /// Submits without waiting for an answer.
    pub(crate) fn submit_and_forget(&self, options: &RequestOptions, request: &Request) {
        let now = self.shared.now();
        self.shared.with(|inner| {
            if let Ok(id) = inner.machine.submit(now, Call::new(request, options)) {
                inner.machine.cancel(id);
            }
        });
    }

    /// Has the driver look again: a listener has room.
    pub(crate) fn resume(&self) {
        if self.shared.lock().held.is_some() {
            self.shared.with(|_| ());
        }
    }

    /// Lets the operations in flight finish, then closes the link.
    pub fn close(&self) {
        self.shared.with(|inner| inner.machine.close());
    }
}

/// An operation in flight.
struct Pending<'a> {
    session: &'a Session,
    id: OperationId,
    answer: oneshot::Receiver<Answer>,
    done: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.session.shared.with(|inner| {
                inner.machine.cancel(self.id);
                inner.waiting.remove(&self.id.0);
            });
        }
    }
}

/// Moves bytes between stream and machine until the session is over.
struct Driver<S> {
    stream: S,
    shared: Arc<Shared>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut inner = this.shared.lock();
        let now = this.shared.now();
        if let Err(error) = exchange(&mut this.stream, &mut inner, now, cx) {
            inner.machine.handle_link_lost(error.to_string());
        }
        inner.machine.handle_timeout(now);
        let answers = take_events(&mut inner);
        // What was submitted while this ran, or by the handshake, is to go out now.
        if let Err(error) = send(&mut this.stream, &mut inner.machine, cx) {
            inner.machine.handle_link_lost(error.to_string());
            cx.waker().wake_by_ref();
        }
        let closed = inner.machine.is_closed() && inner.held.is_none();
        let deadline = inner.machine.poll_timeout();
        inner.driver = Some(cx.waker().clone());
        drop(inner);
        for (sender, answer) in answers {
            // Nobody waits any more: the operation was given up at this moment.
            let _ = sender.send(answer);
        }
        if closed {
            return Poll::Ready(());
        }
        this.set_alarm(deadline, cx);
        Poll::Pending
    }
}

impl<S> Driver<S> {
    fn set_alarm(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) {
        let Some(deadline) = deadline else { return };
        let at = self.shared.epoch + Duration::from_micros(deadline.as_micros().min(u64::from(u32::MAX) * 1_000_000));
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                // An alarm that is early does no harm, and most deadlines are never reached.
                if sleep.is_elapsed() || sleep.deadline() > at {
                    sleep.as_mut().reset(at);
                }
                sleep
            }
            None => self.sleep.insert(Box::pin(tokio::time::sleep_until(at))),
        };
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

/// Reads what there is and writes what can be written.
fn exchange<S>(stream: &mut S, inner: &mut Inner, now: Instant, cx: &mut Context<'_>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    send(stream, &mut inner.machine, cx)?;
    for _ in 0..READS_A_TURN {
        if inner.held.is_some() || !inner.machine.wants_read() {
            return Ok(());
        }
        match poll_read_buf(Pin::new(&mut *stream), cx, inner.machine.receive_buffer()) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it"));
            }
            Poll::Ready(Ok(_)) => inner.machine.handle_filled(now),
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
    cx.waker().wake_by_ref();
    Ok(())
}

fn send<S>(stream: &mut S, machine: &mut machine::Session, cx: &mut Context<'_>) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    if machine.transmit().is_empty() {
        return Ok(());
    }
    while !machine.transmit().is_empty() {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for (piece, segment) in pieces.iter_mut().zip(machine.transmit().segments()) {
            *piece = IoSlice::new(segment);
            count += 1;
        }
        match Pin::new(&mut *stream).poll_write_vectored(cx, &pieces[..count]) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Ok(0)) => return Err(io::Error::new(io::ErrorKind::WriteZero, "the link takes no more bytes")),
            Poll::Ready(Ok(sent)) => machine.transmitted(sent),
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
    match Pin::new(stream).poll_flush(cx) {
        Poll::Ready(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Hands events out; answers are returned, to be sent when the lock is gone.
fn take_events(inner: &mut Inner) -> Vec<(oneshot::Sender<Answer>, Answer)> {
    let mut answers = Vec::new();
    if let Some((listener, event)) = inner.held.take() {
        inner.deliver(listener, event);
    }
    while inner.held.is_none() {
        let Some(event) = inner.machine.poll_event() else { break };
        match event {
            Event::Completed { id, result, .. } => {
                if let Some(sender) = inner.waiting.remove(&id.0) {
                    answers.push((sender, result));
                }
            }
            Event::Entry(event) => inner.deliver(event.listener_id.clone(), ListenerEvent::Entry(event)),
            Event::Counter(event) => inner.deliver(event.listener_id.clone(), ListenerEvent::Counter(event)),
            Event::Ready(ready) => {
                inner.announce(Ok(ready));
            }
            Event::Closed(reason) => {
                inner.announce(Err(reason));
                inner.listeners.clear();
            }
            // Topologies are the cluster's business.
            Event::Topology { .. } => {}
        }
    }
    answers
}

impl Inner {
    fn announce(&mut self, outcome: Result<Ready, Arc<Disconnect>>) {
        if let Some(waiting) = self.ready.take() {
            let _ = waiting.send(outcome);
        }
    }

    fn deliver(&mut self, listener: Bytes, event: ListenerEvent) {
        let Some(queue) = self.listeners.get(&listener) else { return };
        if let Err(mpsc::error::TrySendError::Full(event)) = queue.try_send(event) {
            self.held = Some((listener, event));
        }
    }
}
