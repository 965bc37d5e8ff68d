//! One session on one stream: a task moves bytes between the stream and the session machine of [`hotrod_core`].

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hotrod_core::session::{self as machine, Call, Config, Disconnect, Event, OperationId, Ready};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Reply, Request, RequestOptions};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::driver::ListenerEvents;
use crate::transfer::{READS_PER_POLL, read, send};
use crate::{Error, ListenerEvent};

/// Queued listener events at which reading from the link pauses.
const EVENT_QUEUE: usize = 1024;

type Answer = Result<Reply, machine::OperationError>;

/// A Hot Rod session on a stream, shared by any number of tasks.
///
/// The level below [`Client`](crate::Client): no reconnect, no choice of server. Dropping the last clone closes the
/// link; pending operations fail.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    ready: Arc<Ready>,
    /// Ends the driver when the last clone is dropped.
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
    /// Listener events that the application has not consumed.
    events: ListenerEvents,
    listening: Option<Waker>,
    ready: Option<oneshot::Sender<Result<Ready, Arc<Disconnect>>>>,
    driver: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock leaves no partial state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.epoch.elapsed().as_micros() as u64)
    }

    /// Calls `change` under the lock and wakes the driver.
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
    /// Starts a session on a connected stream; `server` is its name in errors.
    ///
    /// The driver runs as a task of the current runtime.
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
            events: ListenerEvents::new(),
            listening: None,
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

    /// Returns the negotiated properties of the session.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns the server's name as passed to [`start`](Self::start).
    pub fn server(&self) -> &Arc<str> {
        &self.shared.server
    }

    /// Returns whether the session has ended.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().machine.is_closed()
    }

    /// Returns the session's statistics.
    pub fn counters(&self) -> machine::Counters {
        self.shared.lock().machine.counters()
    }

    /// Executes an operation.
    ///
    /// Dropping the future cancels the operation; it may still be executed.
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
            // The runtime has dropped the driver.
            Err(_) => machine::OperationError::Disconnected {
                operation: request.operation(),
                reason: Arc::new(Disconnect::Closed),
                applied: machine::Applied::Unknown,
            },
        };
        Err(Error::Operation { server: self.shared.server.clone(), error, attempts: 1 })
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

    /// Returns the next event of the session's listeners; `None` when the session has ended. One task at a time can
    /// wait.
    ///
    /// No event is dropped: 1,024 unconsumed events pause the whole session.
    pub async fn next_event(&self) -> Option<ListenerEvent> {
        poll_fn(|cx| {
            let mut inner = self.shared.lock();
            let event = inner.events.pop_front();
            if event.is_none() && !inner.machine.is_closed() {
                inner.listening = Some(cx.waker().clone());
                return Poll::Pending;
            }
            // Reading may have paused on a full queue.
            let driver = inner.driver.take();
            drop(inner);
            driver.into_iter().for_each(Waker::wake);
            Poll::Ready(event)
        })
        .await
    }

    /// Lets operations in flight finish, then closes the link.
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

/// Moves bytes between the stream and the machine until the session ends.
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
        // Flushes operations that were submitted meanwhile, and the handshake's messages.
        if let Err(error) = write(&mut this.stream, &mut inner.machine, cx) {
            inner.machine.handle_link_lost(error.to_string());
            cx.waker().wake_by_ref();
        }
        let closed = inner.machine.is_closed();
        let deadline = inner.machine.poll_timeout();
        inner.driver = Some(cx.waker().clone());
        drop(inner);
        for (sender, answer) in answers {
            // The receiver is gone if the operation was cancelled meanwhile.
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
                // An early alarm is harmless, and most deadlines are never reached.
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

/// Writes, then reads, until the stream is not ready.
fn exchange<S>(stream: &mut S, inner: &mut Inner, now: Instant, cx: &mut Context<'_>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    write(stream, &mut inner.machine, cx)?;
    for _ in 0..READS_PER_POLL {
        if inner.events.len() >= EVENT_QUEUE || !inner.machine.wants_read() {
            return Ok(());
        }
        if read(stream, inner.machine.receive_buffer(), cx)?.is_pending() {
            return Ok(());
        }
        inner.machine.handle_filled(now);
    }
    cx.waker().wake_by_ref();
    Ok(())
}

fn write<S>(stream: &mut S, machine: &mut machine::Session, cx: &mut Context<'_>) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    while !machine.transmit().is_empty() {
        match send(stream, machine.transmit(), cx)? {
            Poll::Pending => break,
            Poll::Ready(count) => machine.transmitted(count),
        }
    }
    Ok(())
}

/// Dispatches events; returns the answers, to be sent after the lock is released.
fn take_events(inner: &mut Inner) -> Vec<(oneshot::Sender<Answer>, Answer)> {
    let mut answers = Vec::new();
    while inner.events.len() < EVENT_QUEUE
        && let Some(event) = inner.machine.poll_event()
    {
        match event {
            Event::Completed { id, result, .. } => {
                if let Some(sender) = inner.waiting.remove(&id.0) {
                    answers.push((sender, result));
                }
            }
            Event::Entry(event) => inner.deliver(ListenerEvent::Entry(event)),
            Event::Counter(event) => inner.deliver(ListenerEvent::Counter(event)),
            Event::Ready(ready) => inner.announce(Ok(*ready)),
            Event::Closed(reason) => {
                inner.announce(Err(reason));
                inner.listening.take().into_iter().for_each(Waker::wake);
            }
            // Topologies concern the cluster machine only, and a session has no place to report further events.
            _ => {}
        }
    }
    answers
}

impl Inner {
    fn announce(&mut self, outcome: Result<Ready, Arc<Disconnect>>) {
        if let Some(waiting) = self.ready.take() {
            // The receiver is gone if `start` was cancelled.
            let _ = waiting.send(outcome);
        }
    }

    fn deliver(&mut self, event: ListenerEvent) {
        self.events.push_back(event);
        self.listening.take().into_iter().for_each(Waker::wake);
    }
}
