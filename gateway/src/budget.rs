//! Memory that clients can have the gateway use: one budget for all links, and within it one for each link.
//!
//! The least memory of a connection or session is reserved as a constant, and refused where there is no room. Memory beyond
//! that is counted by its holder ([`Reservation::set`]), and a link without [room](LinkBudget::has_room) is not read. A link
//! that has not authenticated has a small share; all such links together have a quarter, and those of one source a part of it.
//!
//! The constants are measured: `tests/gateway/memory.rs` fills a gateway to its limit by every carriage and compares, and
//! `tests/gateway/load_limits.rs` measures TLS and links in tunnels.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tracing::warn;

use crate::config;

/// A connection of a client: its socket, its task, its registration in the reactor. Measured: 7.0 KiB.
pub(crate) const CONNECTION: usize = 8 << 10;
/// Part of [`CONNECTION`] for the head of an HTTP/1.1 request.
pub(crate) const CONNECTION_COVERED: usize = 1 << 10;
/// TLS on a connection of either side: its state, an incomplete record, decrypted bytes, and [`TLS_OUTPUT`].
/// Measured: 65 KiB with a ClientHello of 60 KiB that does not end, 9 KiB idle, 53 KiB with unsent output.
pub(crate) const TLS: usize = 64 << 10;
/// Upper bound on unsent bytes in TLS.
pub(crate) const TLS_OUTPUT: usize = 32 << 10;
/// A session with a member, the socket included. Measured: 1.6 KiB.
pub(crate) const SESSION: usize = 4 << 10;
/// Part of [`SESSION`] for the bytes that a session holds.
pub(crate) const SESSION_COVERED: usize = 2 << 10;
/// A stream of a session over HTTP/2, in addition to the session. Measured together: 7.6 KiB.
pub(crate) const STREAM: usize = 4 << 10;
/// The HTTP/2 machine of a link. Measured: 5.9 KiB.
pub(crate) const HTTP2: usize = 8 << 10;
/// Part of [`HTTP2`] for the bytes that the machine holds.
pub(crate) const HTTP2_COVERED: usize = 4 << 10;
/// A link within a tunnel, in addition to its HTTP/2 machine: its task, a full pipe in each direction, and the buffers through
/// which bytes reach them. Measured after both pipes were full: 65 KiB.
pub(crate) const INNER: usize = (32 << 10) + 2 * INNER_PIPE;
/// Size of each pipe between a tunnel and the link within it.
pub(crate) const INNER_PIPE: usize = 16 << 10;

/// Upper bound on the memory of a link before authentication.
pub(crate) const EARLY_LINK: usize = 512 << 10;
/// A link that holds less is read until the budget is used up; other links only while a quarter of it is left.
const LITTLE: usize = 1 << 20;
/// While memory is used up, a link that holds bytes and to which none can be written for this time is closed.
pub(crate) const SHED_AFTER: Duration = Duration::from_secs(10);
/// Granularity of the count beyond a constant, so that an ordinary request changes no counter.
const STEP: usize = 4 << 10;

/// The budget of all links. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Budget(Arc<All>);

struct All {
    /// `max-memory`.
    limit: usize,
    /// Bytes of all links; the metric itself.
    held: Gauge,
    /// Bytes of links that have not authenticated.
    early: AtomicUsize,
    /// Upper bound on the bytes of one source's links that have not authenticated.
    early_of_source: usize,
    /// Notified when a limit that was reached no longer is.
    freed: Notify,
    /// Whether the log has the line that memory is used up.
    is_logged: AtomicBool,
}

/// The limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exhausted {
    #[error("the gateway holds as much as it may (max-memory, {0} bytes)")]
    All(usize),
    #[error("links that have not authenticated hold as much as they may (a quarter of max-memory, {0} bytes)")]
    Early(usize),
    #[error(
        "links of this source that have not authenticated hold as much as they may ({0} bytes, \
         a part of a quarter of max-memory: see max-connections-per-source)"
    )]
    EarlySource(usize),
    #[error("the link holds as much as it may (an eighth of max-memory, {0} bytes)")]
    Link(usize),
    #[error("the link holds as much as it may before it has authenticated ({0} bytes)")]
    EarlyLink(usize),
}

impl Budget {
    /// A budget of `limit` bytes, of which `source_share` bounds what one source may hold of the part before authentication.
    /// Publishes the count in `held`.
    pub(crate) fn new(limit: usize, source_share: f64, held: Gauge) -> Self {
        let (early, freed, is_logged) = (AtomicUsize::new(0), Notify::new(), AtomicBool::new(false));
        let early_of_source = ((limit / 4) as f64 * source_share.min(1.0)) as usize;
        Self(Arc::new(All { limit, held, early, early_of_source, freed, is_logged }))
    }

    /// The budget of the gateway's settings. One source gets half of the memory before authentication, or more if it may have
    /// more than half of the connections.
    pub(crate) fn of(limits: &config::Limits, held: Gauge) -> Self {
        let of_connections = limits.connections_per_source as f64 / limits.connections.max(1) as f64;
        Self::new(limits.memory, of_connections.max(0.5), held)
    }

    /// Begins the budget of a new link.
    pub(crate) fn link(&self) -> LinkBudget {
        LinkBudget(Arc::new(Link {
            all: self.clone(),
            held: AtomicUsize::new(0),
            of_source: OnceLock::new(),
            is_admitted: AtomicBool::new(false),
        }))
    }

    /// Upper bound on the memory of one link.
    pub(crate) fn of_link(&self) -> usize {
        self.0.limit / 8
    }

    fn of_early(&self) -> usize {
        self.0.limit / 4
    }

    /// Threshold above which only links that hold less than [`LITTLE`] are read.
    fn crowded(&self) -> usize {
        self.0.limit / 4 * 3
    }

    fn held(&self) -> usize {
        usize::try_from(self.0.held.get()).unwrap_or(0)
    }

    /// Changes the count of a link: if it has not authenticated also that of its source, once that is known.
    fn change(&self, from: usize, to: usize, is_early: bool, of_source: Option<&AtomicUsize>) {
        let before = usize::try_from(self.0.held.inc_by(to as i64 - from as i64)).unwrap_or(0);
        let early_before = if is_early { add(&self.0.early, from, to) } else { 0 };
        let of_source = of_source.filter(|_| is_early);
        let of_source_before = of_source.map_or(0, |of_source| add(of_source, from, to));
        if to < from {
            let falls_below = |limit, before: usize| before >= limit && before.saturating_sub(from - to) < limit;
            if falls_below(self.0.limit, before)
                || falls_below(self.crowded(), before)
                || falls_below(self.of_early(), early_before)
                || falls_below(self.0.early_of_source, of_source_before)
            {
                self.0.freed.notify_waiters();
            }
            if before.saturating_sub(from - to) < self.crowded() && self.0.is_logged.load(Relaxed) {
                self.0.is_logged.store(false, Relaxed);
            }
        }
    }

    /// Logs that memory is used up; once, until less than [`crowded`](Self::crowded) is held.
    fn log(&self, why: Exhausted) {
        if !self.0.is_logged.swap(true, Relaxed) {
            warn!(
                held = self.held(),
                "connections and sessions are refused: {why}; raise max-memory if they are wanted"
            );
        }
    }
}

/// Changes a counter; returns its value before.
fn add(counter: &AtomicUsize, from: usize, to: usize) -> usize {
    if to >= from { counter.fetch_add(to - from, Relaxed) } else { counter.fetch_sub(from - to, Relaxed) }
}

/// The budget of one link and its sessions. Cheap to clone; used by the link's task alone.
#[derive(Clone)]
pub(crate) struct LinkBudget(Arc<Link>);

struct Link {
    all: Budget,
    held: AtomicUsize,
    /// Bytes of the source's links that have not authenticated, once the source is known.
    of_source: OnceLock<Arc<AtomicUsize>>,
    /// Whether it has authenticated, or needs not to.
    is_admitted: AtomicBool,
}

impl LinkBudget {
    /// Counts the link for its source from now on.
    pub(crate) fn set_source(&self, of_source: Arc<AtomicUsize>) -> Result<(), Exhausted> {
        let of_source = self.0.of_source.get_or_init(|| of_source);
        if !self.is_admitted() {
            of_source.fetch_add(self.0.held.load(Relaxed), Relaxed);
        }
        self.check(0).inspect_err(|why| self.0.all.log(*why))
    }

    /// Reserves a constant.
    pub(crate) fn reserve(&self, constant: usize) -> Result<Reservation, Exhausted> {
        self.check(constant).inspect_err(|why| self.0.all.log(*why))?;
        let mut reservation = self.account(0);
        reservation.change(constant);
        Ok(reservation)
    }

    /// Begins to count memory beyond `covered` bytes, which are part of a constant.
    pub(crate) fn account(&self, covered: usize) -> Reservation {
        Reservation { link: self.clone(), covered, held: 0 }
    }

    fn check(&self, more: usize) -> Result<(), Exhausted> {
        let all = &self.0.all;
        let (held, limit) = (self.0.held.load(Relaxed) + more, all.0.limit);
        match self.is_admitted() {
            false if held > EARLY_LINK => Err(Exhausted::EarlyLink(EARLY_LINK)),
            false if all.0.early.load(Relaxed) + more > all.of_early() => Err(Exhausted::Early(all.of_early())),
            false if self.early_of_source() + more > all.0.early_of_source => {
                Err(Exhausted::EarlySource(all.0.early_of_source))
            }
            true if held > all.of_link() => Err(Exhausted::Link(all.of_link())),
            _ if all.held() + more > limit => Err(Exhausted::All(limit)),
            _ => Ok(()),
        }
    }

    /// Bytes of the source's links that have not authenticated.
    fn early_of_source(&self) -> usize {
        self.0.of_source.get().map_or(0, |of_source| of_source.load(Relaxed))
    }

    /// Whether this link may be read.
    pub(crate) fn has_room(&self) -> bool {
        let (all, held) = (&self.0.all, self.0.held.load(Relaxed));
        if !self.is_admitted() {
            let has_source_room = self.early_of_source() < all.0.early_of_source;
            return has_source_room && all.0.early.load(Relaxed) < all.of_early() && all.held() < all.0.limit;
        }
        let limit = if held > LITTLE { all.crowded() } else { all.0.limit };
        held < all.of_link() && all.held() < limit
    }

    /// The limit of a link that has not authenticated, if it holds more: it has to be closed.
    pub(crate) fn overdrawn(&self) -> Option<Exhausted> {
        let is_overdrawn = !self.is_admitted() && self.0.held.load(Relaxed) > EARLY_LINK;
        is_overdrawn.then_some(Exhausted::EarlyLink(EARLY_LINK))
    }

    /// Waits until there may be room.
    pub(crate) async fn wait_for_room(&self) {
        let mut freed = std::pin::pin!(self.0.all.0.freed.notified());
        freed.as_mut().enable();
        if !self.has_room() {
            freed.await;
        }
    }

    /// Upper bound on the memory of the link after authentication.
    pub(crate) fn limit(&self) -> usize {
        self.0.all.of_link()
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.0.is_admitted.load(Relaxed)
    }

    /// Ends the limits before authentication: a member has served a session of this link.
    pub(crate) fn admit(&self) {
        if !self.0.is_admitted.swap(true, Relaxed) {
            let all = &self.0.all;
            let held = self.0.held.load(Relaxed);
            all.0.early.fetch_sub(held, Relaxed);
            self.0.of_source.get().into_iter().for_each(|of_source| {
                of_source.fetch_sub(held, Relaxed);
            });
            all.0.freed.notify_waiters();
        }
    }
}

/// Counted bytes of a link; returned when dropped.
pub(crate) struct Reservation {
    link: LinkBudget,
    covered: usize,
    /// The count.
    held: usize,
}

impl Reservation {
    /// Sets the count to `bytes`, the covered ones included.
    pub(crate) fn set(&mut self, bytes: usize) {
        let beyond = bytes.saturating_sub(self.covered).next_multiple_of(STEP);
        if beyond != self.held {
            self.change(beyond);
        }
    }

    /// Whether anything is counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.held == 0
    }

    fn change(&mut self, to: usize) {
        let link = &self.link.0;
        add(&link.held, self.held, to);
        let of_source = link.of_source.get().map(|of_source| &**of_source);
        link.all.change(self.held, to, !self.link.is_admitted(), of_source);
        self.held = to;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.change(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 16 << 20;

    fn budget() -> (Budget, Gauge) {
        let gauge = Gauge::default();
        (Budget::new(LIMIT, 0.5, gauge.clone()), gauge)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Reserve { link: usize, constant: usize },
        Open { link: usize, covered: usize },
        Set { account: usize, bytes: usize },
        Drop { account: usize },
        Admit { link: usize },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..4usize, 0..200_000usize).prop_map(|(link, constant)| Step::Reserve { link, constant }),
            4 => (0..4usize, 0..20_000usize).prop_map(|(link, covered)| Step::Open { link, covered }),
            8 => (0..50usize, 0..2_000_000usize).prop_map(|(account, bytes)| Step::Set { account, bytes }),
            3 => (0..50usize).prop_map(|account| Step::Drop { account }),
            1 => (0..4usize).prop_map(|link| Step::Admit { link }),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// What is counted is the sum of the parts at any time, for all links, for each, and for those that have not
        /// authenticated; in the end nothing is.
        #[test]
        fn what_is_counted_is_the_sum_of_its_parts(steps in steps()) {
            let (budget, gauge) = budget();
            let links: Vec<LinkBudget> = (0..4).map(|_| budget.link()).collect();
            // Two sources, each with two links.
            let sources: [Arc<AtomicUsize>; 2] = Default::default();
            for (number, link) in links.iter().enumerate() {
                link.set_source(sources[number % 2].clone()).unwrap();
            }
            let mut accounts: Vec<(usize, Reservation)> = Vec::new();
            for step in steps {
                match step {
                    Step::Reserve { link, constant } => {
                        accounts.extend(links[link].reserve(constant).ok().map(|account| (link, account)));
                    }
                    Step::Open { link, covered } => accounts.push((link, links[link].account(covered))),
                    Step::Set { account, bytes } => {
                        let count = accounts.len().max(1);
                        if let Some((_, account)) = accounts.get_mut(account % count) {
                            account.set(bytes);
                            prop_assert!(account.held >= bytes.saturating_sub(account.covered));
                        }
                    }
                    Step::Drop { account } if !accounts.is_empty() => {
                        let at = account % accounts.len();
                        accounts.swap_remove(at);
                    }
                    Step::Drop { .. } => {}
                    Step::Admit { link } => links[link].admit(),
                }
                let of = |wanted: usize| -> usize {
                    accounts.iter().filter(|(link, _)| *link == wanted).map(|(_, account)| account.held).sum()
                };
                for (number, link) in links.iter().enumerate() {
                    prop_assert_eq!(link.0.held.load(Relaxed), of(number));
                }
                let early = |link: usize| if links[link].is_admitted() { 0 } else { of(link) };
                prop_assert_eq!(budget.0.early.load(Relaxed), (0..4).map(early).sum::<usize>());
                for (number, source) in sources.iter().enumerate() {
                    prop_assert_eq!(source.load(Relaxed), early(number) + early(number + 2));
                }
                prop_assert_eq!(gauge.get() as usize, (0..4).map(of).sum::<usize>());
            }
            drop(accounts);
            prop_assert_eq!((gauge.get(), budget.0.early.load(Relaxed)), (0, 0));
        }
    }

    #[test]
    fn what_is_refused_names_what_is_used_up_and_counts_for_nothing() {
        let (budget, gauge) = budget();
        let link = budget.link();
        assert_eq!(link.reserve(EARLY_LINK + 1).err(), Some(Exhausted::EarlyLink(EARLY_LINK)));
        link.admit();
        assert_eq!(link.reserve(LIMIT / 8 + 1).err(), Some(Exhausted::Link(LIMIT / 8)));
        let early: Vec<Reservation> = (0..8).map(|_| budget.link().reserve(EARLY_LINK).ok().unwrap()).collect();
        assert_eq!(budget.link().reserve(1).err(), Some(Exhausted::Early(LIMIT / 4)));
        let full: Vec<Reservation> = (0..6)
            .map(|_| {
                let link = budget.link();
                link.admit();
                link.reserve(LIMIT / 8).ok().unwrap()
            })
            .collect();
        let why = link.reserve(1).err().unwrap();
        assert_eq!(why, Exhausted::All(LIMIT));
        assert!(why.to_string().contains("max-memory"), "{why}");
        assert_eq!(gauge.get() as usize, LIMIT);
        drop((early, full));
        assert!(link.reserve(1).is_ok());
        assert_eq!(gauge.get(), 0);
    }

    /// Links of one source that have not authenticated leave room for those of others.
    #[test]
    fn one_source_holds_no_more_than_its_part_before_authentication() {
        let (budget, _) = budget();
        let source = Arc::<AtomicUsize>::default();
        let of_source = || {
            let link = budget.link();
            link.set_source(source.clone()).map(|()| link)
        };
        let links: Vec<LinkBudget> = (0..4).map(|_| of_source().unwrap()).collect();
        let _full: Vec<Reservation> = links.iter().map(|link| link.reserve(EARLY_LINK).ok().unwrap()).collect();
        let refused: Result<(), Exhausted> = Err(Exhausted::EarlySource(LIMIT / 8));
        assert_eq!(of_source().unwrap().reserve(1).map(drop), refused);
        assert!(!links[0].has_room());
        assert!(budget.link().reserve(EARLY_LINK).is_ok(), "another source");
        // What was reserved before the source was known counts as well.
        let late = budget.link();
        let _late = late.reserve(1).ok().unwrap();
        assert_eq!(late.set_source(source.clone()), refused);
        links[0].admit();
        assert!(links[1].has_room());
    }

    #[test]
    fn a_link_that_holds_much_is_stopped_before_those_that_hold_little() {
        let (budget, _) = budget();
        let admitted = || {
            let link = budget.link();
            link.admit();
            link
        };
        let (much, little) = (admitted(), admitted());
        let _much = much.reserve(LITTLE + 1).ok().unwrap();
        let mut others: Vec<Reservation> = (0..6).map(|_| admitted().reserve(LIMIT / 8).ok().unwrap()).collect();
        assert!(!much.has_room() && little.has_room());
        others.pop();
        assert!(much.has_room());
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_waits_for_room_goes_on_when_another_gives_some_back() {
        let (budget, _) = budget();
        let full: Vec<Reservation> = (0..8).map(|_| budget.link().reserve(EARLY_LINK).ok().unwrap()).collect();
        let link = budget.link();
        assert!(!link.has_room());
        let waiting = tokio::spawn({
            let link = link.clone();
            async move { link.wait_for_room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(full);
        waiting.await.unwrap();
        assert!(link.has_room());
    }

    #[test]
    fn a_link_over_its_share_is_overdrawn_until_it_is_admitted() {
        let (budget, _) = budget();
        let link = budget.link();
        let _constant = link.reserve(1000).ok().unwrap();
        let mut account = link.account(500);
        account.set(500);
        assert!(account.is_empty(), "it is covered");
        account.set(EARLY_LINK);
        assert_eq!(link.overdrawn(), Some(Exhausted::EarlyLink(EARLY_LINK)));
        link.admit();
        assert_eq!(link.overdrawn(), None);
    }
}
