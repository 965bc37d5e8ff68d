//! Memory that clients can have the gateway take: one budget for all links, and within it one for each.
//!
//! What a peer needs to be served at all is reserved as a constant, and refused where there is no room; what it has the
//! gateway hold beside that is counted by who holds it ([`Account::set`]), and nothing more is read for a link without
//! [room](LinkBudget::has_room). A link that has not authenticated has a small share, and all such links together a quarter.
//!
//! The constants are measured: `tests/gateway/memory.rs` fills a gateway to its limit by every carriage and compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tracing::warn;

/// A connection of a client: its socket, its task, its place in the reactor. Measured: 7.0 KiB.
pub(crate) const CONNECTION: usize = 8 << 10;
/// Of that what the head of an HTTP/1.1 request may take.
pub(crate) const CONNECTION_COVERED: usize = 1 << 10;
/// TLS on a connection, whichever side: its state, a record that is not whole, what is decrypted, and [`TLS_OUTPUT`].
pub(crate) const TLS: usize = 64 << 10;
/// Plain bytes that TLS takes before the socket has taken their records.
pub(crate) const TLS_OUTPUT: usize = 32 << 10;
/// A session with a member, the socket included. Measured: 1.6 KiB.
pub(crate) const SESSION: usize = 4 << 10;
/// Of that what a session may hold.
pub(crate) const SESSION_COVERED: usize = 2 << 10;
/// A stream of a session over HTTP/2, beside the session. Measured, with it: 7.6 KiB.
pub(crate) const STREAM: usize = 4 << 10;
/// The HTTP/2 machine of a link. Measured: 5.9 KiB.
pub(crate) const HTTP2: usize = 8 << 10;
/// Of that what the machine may hold.
pub(crate) const HTTP2_COVERED: usize = 4 << 10;
/// What a link within a tunnel takes beside its HTTP/2 machine: its task, and a full pipe in each direction.
pub(crate) const INNER: usize = (8 << 10) + 2 * INNER_PIPE;
/// Bytes between a tunnel and the link within it that one side may be ahead.
pub(crate) const INNER_PIPE: usize = 16 << 10;

/// What a link may hold before it has authenticated.
pub(crate) const EARLY_LINK: usize = 512 << 10;
/// A link that holds less is read until the budget is used up; others only as long as a quarter of it is left.
const LITTLE: usize = 1 << 20;
/// A link that holds something, and of which nobody takes anything for so long while others wait for memory, is closed.
pub(crate) const SHED_AFTER: Duration = Duration::from_secs(10);
/// What is held beyond a constant counts in steps, so that an ordinary request changes no counter.
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
    /// Notified when there is room where there was none.
    freed: Notify,
    /// Whether the log says that memory is used up.
    is_told: AtomicBool,
}

/// Why nothing more is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exhausted {
    #[error("the gateway holds as much as it may (max-memory, {0} bytes)")]
    All(usize),
    #[error("links that have not authenticated hold as much as they may (a quarter of max-memory, {0} bytes)")]
    Early(usize),
    #[error("the link holds as much as it may (an eighth of max-memory, {0} bytes)")]
    Link(usize),
    #[error("the link holds as much as it may before it has authenticated ({0} bytes)")]
    EarlyLink(usize),
}

impl Budget {
    /// `held` shows what is counted.
    pub(crate) fn new(limit: usize, held: Gauge) -> Self {
        let (early, freed, is_told) = (AtomicUsize::new(0), Notify::new(), AtomicBool::new(false));
        Self(Arc::new(All { limit, held, early, freed, is_told }))
    }

    /// The budget of a link that begins.
    pub(crate) fn link(&self) -> LinkBudget {
        LinkBudget(Arc::new(Link { all: self.clone(), held: AtomicUsize::new(0), is_admitted: AtomicBool::new(false) }))
    }

    /// What a link may hold.
    pub(crate) fn of_link(&self) -> usize {
        self.0.limit / 8
    }

    fn of_early(&self) -> usize {
        self.0.limit / 4
    }

    /// Above this only links that hold little are read.
    fn crowded(&self) -> usize {
        self.0.limit / 4 * 3
    }

    fn held(&self) -> usize {
        usize::try_from(self.0.held.get()).unwrap_or(0)
    }

    fn change(&self, from: usize, to: usize, is_early: bool) {
        let before = usize::try_from(self.0.held.inc_by(to as i64 - from as i64)).unwrap_or(0);
        let early = if is_early { add(&self.0.early, from, to) } else { 0 };
        if to < from {
            let after = before.saturating_sub(from - to);
            let falls_below = |limit, before: usize, after: usize| before >= limit && after < limit;
            if falls_below(self.0.limit, before, after)
                || falls_below(self.crowded(), before, after)
                || is_early && falls_below(self.of_early(), early, early.saturating_sub(from - to))
            {
                self.0.freed.notify_waiters();
            }
            if after < self.crowded() && self.0.is_told.load(Relaxed) {
                self.0.is_told.store(false, Relaxed);
            }
        }
    }

    /// Says once that memory is used up, until there is plenty again.
    fn tell(&self, why: Exhausted) {
        if !self.0.is_told.swap(true, Relaxed) {
            warn!(
                held = self.held(),
                "connections and sessions are refused: {why}; raise max-memory if they are wanted"
            );
        }
    }
}

/// Changes a counter; answers what it was.
fn add(counter: &AtomicUsize, from: usize, to: usize) -> usize {
    if to >= from { counter.fetch_add(to - from, Relaxed) } else { counter.fetch_sub(from - to, Relaxed) }
}

/// The budget of one link, with everything on it. Cheap to clone; used by the link's task alone.
#[derive(Clone)]
pub(crate) struct LinkBudget(Arc<Link>);

struct Link {
    all: Budget,
    held: AtomicUsize,
    is_admitted: AtomicBool,
}

impl LinkBudget {
    /// Reserves a constant.
    pub(crate) fn reserve(&self, constant: usize) -> Result<Account, Exhausted> {
        self.check(constant).inspect_err(|why| self.0.all.tell(*why))?;
        let mut account = self.account(0);
        account.change(constant);
        Ok(account)
    }

    /// For what is held beyond `covered` bytes, which a constant is reserved for.
    pub(crate) fn account(&self, covered: usize) -> Account {
        Account { link: self.clone(), covered, held: 0 }
    }

    fn check(&self, more: usize) -> Result<(), Exhausted> {
        let all = &self.0.all;
        let (held, limit) = (self.0.held.load(Relaxed) + more, all.0.limit);
        match self.is_admitted() {
            false if held > EARLY_LINK => Err(Exhausted::EarlyLink(EARLY_LINK)),
            false if all.0.early.load(Relaxed) + more > all.of_early() => Err(Exhausted::Early(all.of_early())),
            true if held > all.of_link() => Err(Exhausted::Link(all.of_link())),
            _ if all.held() + more > limit => Err(Exhausted::All(limit)),
            _ => Ok(()),
        }
    }

    /// Whether more may be read for this link.
    pub(crate) fn has_room(&self) -> bool {
        let (all, held) = (&self.0.all, self.0.held.load(Relaxed));
        if !self.is_admitted() {
            return all.0.early.load(Relaxed) < all.of_early() && all.held() < all.0.limit;
        }
        let limit = if held > LITTLE { all.crowded() } else { all.0.limit };
        held < all.of_link() && all.held() < limit
    }

    /// Why the link is to be closed: it has not authenticated, and holds more than its share.
    pub(crate) fn overdrawn(&self) -> Option<Exhausted> {
        let is_overdrawn = !self.is_admitted() && self.0.held.load(Relaxed) > EARLY_LINK;
        is_overdrawn.then_some(Exhausted::EarlyLink(EARLY_LINK))
    }

    /// Ready when there may be room.
    pub(crate) async fn wait_for_room(&self) {
        let mut freed = std::pin::pin!(self.0.all.0.freed.notified());
        freed.as_mut().enable();
        if !self.has_room() {
            freed.await;
        }
    }

    /// What a link may hold once it is admitted.
    pub(crate) fn limit(&self) -> usize {
        self.0.all.of_link()
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.0.is_admitted.load(Relaxed)
    }

    /// A member has served a session of this link: its share is small no more.
    pub(crate) fn admit(&self) {
        if !self.0.is_admitted.swap(true, Relaxed) {
            let all = &self.0.all;
            all.0.early.fetch_sub(self.0.held.load(Relaxed), Relaxed);
            all.0.freed.notify_waiters();
        }
    }
}

/// Bytes that are counted until this is dropped.
pub(crate) struct Account {
    link: LinkBudget,
    covered: usize,
    /// What is counted.
    held: usize,
}

impl Account {
    /// So many bytes are held now, the covered ones included.
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
        link.all.change(self.held, to, !self.link.is_admitted());
        self.held = to;
    }
}

impl Drop for Account {
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
        (Budget::new(LIMIT, gauge.clone()), gauge)
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
            let mut accounts: Vec<(usize, Account)> = Vec::new();
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
                let early: usize = (0..4).filter(|link| !links[*link].is_admitted()).map(of).sum();
                prop_assert_eq!(budget.0.early.load(Relaxed), early);
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
        let early: Vec<Account> = (0..8).map(|_| budget.link().reserve(EARLY_LINK).ok().unwrap()).collect();
        assert_eq!(budget.link().reserve(1).err(), Some(Exhausted::Early(LIMIT / 4)));
        let full: Vec<Account> = (0..6)
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
        let mut others: Vec<Account> = (0..6).map(|_| admitted().reserve(LIMIT / 8).ok().unwrap()).collect();
        assert!(!much.has_room() && little.has_room());
        others.pop();
        assert!(much.has_room());
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_waits_for_room_goes_on_when_another_gives_some_back() {
        let (budget, _) = budget();
        let full: Vec<Account> = (0..8).map(|_| budget.link().reserve(EARLY_LINK).ok().unwrap()).collect();
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
