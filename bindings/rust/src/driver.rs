//! The driver of the cluster machine: state shared by a client's tasks, and dispatch of the machine's outputs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use hotrod_core::cluster::{
    Cluster, ClusterError, Config, Dial, Event, IterationId, LinkId, ListenerId, MemberId, OperationId, Output, Tls,
};
use hotrod_core::time::Instant;
use hotrod_core::wire::{IterationEntry, Reply};
use slotmap::SecondaryMap;
use smallvec::SmallVec;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, oneshot};
use tokio::task::AbortHandle;

use crate::Error;
use crate::dial::Dialer;
use crate::link;
use crate::listener::Registration;

/// Capacity of the broadcast channel for events.
const EVENT_QUEUE: usize = 1024;

/// An answer, and the member that sent it.
pub(crate) type Answer = (Option<MemberId>, Result<Reply, Error>);
pub(crate) type Entries = Result<Vec<IterationEntry>, Error>;

/// State shared by a client's tasks.
pub(crate) struct Shared {
    pub(crate) dialer: Dialer,
    pub(crate) events: broadcast::Sender<Event>,
    epoch: tokio::time::Instant,
    runtime: Handle,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) cluster: Cluster,
    pub(crate) waiting: SecondaryMap<OperationId, oneshot::Sender<Answer>>,
    pub(crate) iterations: SecondaryMap<IterationId, oneshot::Sender<Entries>>,
    pub(crate) listeners: SecondaryMap<ListenerId, Registration>,
    pub(crate) links: SecondaryMap<LinkId, LinkState>,
    /// Sender for the outcome of `connect`.
    pub(crate) started: Option<oneshot::Sender<Result<(), Error>>>,
    /// Senders for calls of `close`.
    pub(crate) closed: Vec<oneshot::Sender<()>>,
    pub(crate) timer: Option<Waker>,
    /// Deadline for which the timer's sleep is set.
    pub(crate) alarm: Option<Instant>,
}

/// The driver's state of a link.
#[derive(Default)]
pub(crate) struct LinkState {
    /// Waker of its task, once the link is established.
    pub(crate) task: Option<Waker>,
    /// Task that establishes the link.
    pub(crate) dialling: Option<AbortHandle>,
    /// Whether reading is paused.
    pub(crate) paused: bool,
    /// TLS handshake that its task has to start.
    pub(crate) start_tls: Option<Tls>,
}

/// Work to do after the lock is released. Empty vectors allocate nothing; a link's task reuses its own.
#[derive(Default)]
pub(crate) struct Actions {
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    entries: Vec<(oneshot::Sender<Entries>, Entries)>,
    wake: SmallVec<[Waker; 2]>,
    dial: Vec<(LinkId, Dial)>,
    events: Vec<Event>,
}

impl Shared {
    pub(crate) fn new(dialer: Dialer, config: Config, seed: [u8; 32]) -> Arc<Self> {
        let inner = Inner {
            cluster: Cluster::new(config, seed, Instant::EPOCH),
            waiting: SecondaryMap::new(),
            iterations: SecondaryMap::new(),
            listeners: SecondaryMap::new(),
            links: SecondaryMap::new(),
            started: None,
            closed: Vec::new(),
            timer: None,
            alarm: None,
        };
        Arc::new(Self {
            dialer,
            events: broadcast::channel(EVENT_QUEUE).0,
            epoch: tokio::time::Instant::now(),
            runtime: Handle::current(),
            inner: Mutex::new(inner),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock leaves no partial state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.epoch.elapsed().as_micros() as u64)
    }

    /// Spawns a task in the client's runtime.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Converts the machine's time to tokio's.
    pub(crate) fn tokio_instant(&self, time: Instant) -> tokio::time::Instant {
        // Caps the sleep at one hour: the timer then polls the deadline again.
        let ahead = time.as_micros().saturating_sub(self.now().as_micros()).min(3_600_000_000);
        tokio::time::Instant::now() + std::time::Duration::from_micros(ahead)
    }

    /// Calls `change` under the lock and executes the machine's outputs.
    pub(crate) fn with<T>(self: &Arc<Self>, change: impl FnOnce(&mut Inner, Instant) -> T) -> T {
        let mut actions = Actions::default();
        let mut inner = self.lock();
        let result = change(&mut inner, self.now());
        inner.pump(None, &mut actions);
        drop(inner);
        self.run(&mut actions);
        result
    }

    /// Executes and empties `actions`.
    pub(crate) fn run(self: &Arc<Self>, actions: &mut Actions) {
        for (link, dial) in actions.dial.drain(..) {
            let task = self.runtime.spawn(link::run(self.clone(), link, dial));
            if let Some(state) = self.lock().links.get_mut(link).filter(|state| state.task.is_none()) {
                state.dialling = Some(task.abort_handle());
            }
        }
        for (sender, answer) in actions.answers.drain(..) {
            // The receiver is gone if the operation was cancelled meanwhile.
            let _ = sender.send(answer);
        }
        for (sender, entries) in actions.entries.drain(..) {
            let _ = sender.send(entries);
        }
        actions.wake.drain(..).for_each(Waker::wake);
        for event in actions.events.drain(..) {
            // An error means that there is no subscriber.
            let _ = self.events.send(event);
        }
    }
}

impl Inner {
    /// Dispatches the machine's outputs. `own` is the calling link's task, which transmits by itself.
    pub(crate) fn pump(&mut self, own: Option<LinkId>, actions: &mut Actions) {
        while let Some(output) = self.cluster.poll_output() {
            match output {
                Output::Completed { id, member, result, .. } => {
                    if let Some(sender) = self.waiting.remove(id) {
                        let result = result.map_err(|error| self.failure(member, error));
                        actions.answers.push((sender, (member, result)));
                    }
                }
                Output::Transmit { link } => {
                    let state = self.links.get_mut(link).filter(|_| own != Some(link));
                    actions.wake.extend(state.and_then(|state| state.task.take()));
                }
                Output::Connect { link, dial, .. } => {
                    self.links.insert(link, LinkState::default());
                    actions.dial.push((link, *dial));
                }
                Output::StartTls { link, tls } => {
                    let state = self.links.get_mut(link);
                    actions.wake.extend(state.and_then(|state| {
                        state.start_tls = Some(*tls);
                        state.task.take()
                    }));
                }
                Output::Pause { link } => {
                    self.links.get_mut(link).into_iter().for_each(|state| state.paused = true);
                }
                Output::Resume { link } => {
                    let state = self.links.get_mut(link);
                    actions.wake.extend(state.and_then(|state| {
                        state.paused = false;
                        state.task.take()
                    }));
                }
                Output::Close { link } => {
                    if let Some(state) = self.links.remove(link) {
                        actions.wake.extend(state.task);
                        state.dialling.inspect(AbortHandle::abort);
                    }
                }
                Output::Entries { id, result } => {
                    if let Some(sender) = self.iterations.remove(id) {
                        let result = result.map_err(|error| self.failure(None, error));
                        actions.entries.push((sender, result));
                    }
                }
                Output::Event(event) => self.handle_event(event, actions),
                // An action that this driver does not know. What waits for it ends by its timeout.
                other => tracing::warn!(output = other.tag(), "an output of the cluster machine is not supported"),
            }
        }
        self.set_alarm(actions);
        if self.cluster.is_closed() {
            self.end(actions);
        }
    }

    pub(crate) fn failure(&self, member: Option<MemberId>, error: ClusterError) -> Error {
        Error::of_cluster(member.and_then(|member| self.cluster.address(member)), error)
    }

    fn handle_event(&mut self, event: Event, actions: &mut Actions) {
        let deliver = |inner: &mut Self, listener, event| inner.listeners.get_mut(listener)?.push(event);
        match event {
            Event::Started => self.announce_start(Ok(())),
            Event::StartFailed { error } => self.announce_start(Err(Error::Start(error))),
            Event::Entry { listener, event, .. } => {
                actions.wake.extend(deliver(self, listener, crate::ListenerEvent::Entry(event)));
            }
            Event::Counter { listener, event, .. } => {
                actions.wake.extend(deliver(self, listener, crate::ListenerEvent::Counter(event)));
            }
            Event::ListenerRegistered { listener, .. } => {
                if let Some(registration) = self.listeners.get_mut(listener) {
                    registration.announce(Ok(()));
                }
            }
            Event::ListenerMoved { listener, .. } => {
                actions.wake.extend(deliver(self, listener, crate::ListenerEvent::Moved));
            }
            Event::ListenerFailed { listener, member, error } => {
                let error = self.failure(member, error);
                if let Some(registration) = self.listeners.get_mut(listener) {
                    actions.wake.extend(registration.end(error));
                }
            }
            event => {
                log(&event);
                actions.events.push(event);
            }
        }
    }

    fn announce_start(&mut self, outcome: Result<(), Error>) {
        if let Some(started) = self.started.take() {
            // The receiver is gone if `connect` was cancelled.
            let _ = started.send(outcome);
        }
    }

    /// Wakes the timer if the deadline moved forward.
    fn set_alarm(&mut self, actions: &mut Actions) {
        let wanted = self.cluster.poll_timeout();
        let is_earlier = wanted.is_some_and(|wanted| self.alarm.is_none_or(|alarm| wanted < alarm));
        if is_earlier || self.cluster.is_closed() {
            self.alarm = wanted;
            actions.wake.extend(self.timer.take());
        }
    }

    /// Ends the client after its last link.
    fn end(&mut self, actions: &mut Actions) {
        for sender in self.closed.drain(..) {
            let _ = sender.send(());
        }
        for (_, registration) in &mut self.listeners {
            actions.wake.extend(registration.end(Error::closed()));
        }
        // The machine has completed every operation before.
        self.waiting.clear();
        self.iterations.clear();
    }
}

/// Logs an event at the level at which operators need it.
fn log(event: &Event) {
    match event {
        Event::MemberReady { address: member, .. } => tracing::debug!(%member, "session ready"),
        Event::MemberUnavailable { address: member, reason, retry_after, .. } => {
            tracing::warn!(%member, %reason, ?retry_after, "member unavailable");
        }
        Event::MemberNotAllowed { address: member, reason, .. } => {
            tracing::warn!(%member, reason, "member not allowed");
        }
        Event::Topology { id, members, .. } => tracing::debug!(id, members, "new topology"),
        Event::Degraded => tracing::warn!("no member of the topology can be reached: operations go to the seeds"),
        Event::Restored => tracing::info!("members of the topology can be reached again"),
        Event::SiteSwitched { from, to, automatic } => tracing::warn!(from, to, automatic, "another site is used"),
        other => tracing::debug!(event = ?other),
    }
}

/// A listener's queue; bounded, except for the events of one read.
pub(crate) type ListenerEvents = VecDeque<crate::ListenerEvent>;
