//! The cluster as this client sees it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use hotrod_tokio::core::cluster::{AccessPath, Counters, Coverage, Endpoint, Event, MemberInfo, Uncovered, View};
use hotrod_tokio::core::wire::Request;
use hotrod_tokio::{Cache, Error};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinSet;

use crate::arguments::{Arguments, MapOptions};
use crate::commands::connect;
use crate::failure::Failure;
use crate::output::{Outcome, print};

/// Width in columns of a bar for all segments.
const BAR: usize = 32;
/// Longest wait for members that are neither ready nor have failed.
const SEARCH: Duration = Duration::from_secs(10);
/// Keys that are looked up for a map: enough for every member to own some.
const SAMPLES: usize = 1000;
/// Tasks that look them up, each one key at a time.
const TASKS: usize = 64;
/// Timeout of a PING; after it a member has no round-trip time.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn run(arguments: &Arguments, options: &MapOptions) -> Result<Outcome, Failure> {
    let cache = connect(arguments).await?;
    // The first response carries the topology.
    cache.ping().await?;
    wait_for_members(&cache).await;
    let (mut events, mut unrouted_because) = (cache.client().events(), None);
    loop {
        let sample = sample(&cache).await;
        unrouted_because = unrouted_reason(&mut events).or(unrouted_because);
        let map = ClusterMap { unrouted_because: unrouted_because.clone(), ..ClusterMap::take(&cache, sample).await };
        if options.watch.is_some() && !arguments.json && io::stdout().is_terminal() {
            // Moves the cursor home and clears the rest of the screen.
            write!(io::stdout(), "\x1b[H\x1b[2J")?;
        }
        print(arguments.json, &map.lines().join("\n"), &map.json())?;
        let Some(seconds) = options.watch else { return Ok(Outcome::of(map.is_complete())) };
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
}

/// Why keys of the cache's declared media type have no known owner, if that was reported.
fn unrouted_reason(events: &mut broadcast::Receiver<Event>) -> Option<String> {
    let mut told = None;
    loop {
        match events.try_recv() {
            Ok(Event::KeysNotRouted { reason, .. }) => told = Some(reason),
            Ok(_) | Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return told,
        }
    }
}

/// Waits until each member is ready or has failed, or the time is up.
async fn wait_for_members(cache: &Cache) {
    let begun = Instant::now();
    while is_on_the_way(cache) && begun.elapsed() < SEARCH {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a member may still become ready: the search goes on, or its first session is being established.
fn is_on_the_way(cache: &Cache) -> bool {
    let client = cache.client();
    match client.coverage().reason {
        Some(Uncovered::OnTheWay) => true,
        // One member has failed; the others may be on the way.
        Some(Uncovered::Unreachable(_)) => {
            let view = client.view(cache);
            let is_named = |member: &MemberInfo| view.as_ref().is_some_and(|view| view.members().contains(&member.id));
            let is_coming = |member: &MemberInfo| !member.ready && (member.links > 0 || member.failure.is_none());
            client.members().iter().any(|member| is_named(member) && is_coming(member))
        }
        _ => false,
    }
}

/// Looks up keys, which count as keyed operations.
pub(crate) async fn sample(cache: &Cache) -> Sample {
    let mut tasks = JoinSet::new();
    for first in 0..TASKS {
        let cache = cache.clone();
        tasks.spawn(async move {
            let mut sample = Sample::default();
            for key in (first..SAMPLES).step_by(TASKS) {
                sample.note(cache.contains_key(key.to_string()).await.err());
            }
            sample
        });
    }
    tasks.join_all().await.into_iter().fold(Sample::default(), Sample::and)
}

/// Result of the lookups of a map.
#[derive(Default)]
pub(crate) struct Sample {
    answered: usize,
    failed: usize,
    first_failure: Option<String>,
}

impl Sample {
    fn note(&mut self, failure: Option<Error>) {
        *if failure.is_none() { &mut self.answered } else { &mut self.failed } += 1;
        self.first_failure = self.first_failure.take().or_else(|| Some(failure?.to_string()));
    }

    fn and(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            failed: self.failed + other.failed,
            first_failure: self.first_failure.or(other.first_failure),
        }
    }
}

/// A snapshot of the cluster.
pub(crate) struct ClusterMap {
    cache: String,
    access: AccessPath,
    sample: Sample,
    topology: Option<u32>,
    segments: usize,
    members: Vec<Row>,
    coverage: Coverage,
    counters: Counters,
    /// Why keys have no known owner.
    unrouted_because: Option<String>,
}

struct Row {
    info: MemberInfo,
    in_topology: bool,
    /// Segments of which the member is primary owner.
    primary: usize,
    /// Segments that the member owns.
    owned: usize,
    round_trip: Option<Duration>,
}

impl ClusterMap {
    /// Takes a snapshot, and measures each member's round-trip time.
    pub(crate) async fn take(cache: &Cache, sample: Sample) -> Self {
        let client = cache.client();
        let view = client.view(cache);
        let mut members = Vec::new();
        for info in client.members() {
            let in_topology = view.as_ref().is_some_and(|view| view.members().contains(&info.id));
            // Skips a seed that is a member under another address.
            if !in_topology && view.is_some() && info.links == 0 {
                continue;
            }
            let round_trip = if info.ready { round_trip(cache, &info).await } else { None };
            let (primary, owned) = view.as_ref().map_or((0, 0), |view| shares(view, &info));
            members.push(Row { info, in_topology, primary, owned, round_trip });
        }
        members.sort_by(|one, other| one.info.address.cmp(&other.info.address));
        Self {
            cache: cache.name().to_string(),
            access: client.access_path(),
            sample,
            topology: view.as_ref().map(|view| view.id()),
            segments: view.map_or(0, |view| view.segments()),
            members,
            coverage: client.coverage(),
            counters: client.counters(),
            unrouted_because: None,
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let name = if self.cache.is_empty() { "(the default cache)" } else { &self.cache };
        let topology = self.topology.map_or_else(|| "no topology".into(), |id| format!("topology {id:08x}"));
        let (segments, members, access) = (self.segments, self.members.len(), self.access);
        let mut lines = vec![format!("{name}: {topology}, {segments} segments, {members} members, access {access}")];
        let width = self.members.iter().map(|row| row.info.address.to_string().len()).max().unwrap_or(0);
        lines.extend(self.members.iter().map(|row| row.line(self.segments, width)));
        lines.push(self.reached());
        lines.push(self.operations());
        if self.counters.unrouted > 0 {
            let reason = self.unrouted_because.as_deref().unwrap_or("their media type is not stored so");
            lines.push(format!("{} operations on keys without a known owner: {reason}", self.counters.unrouted));
        }
        if let Some(failure) = &self.sample.first_failure {
            lines.push(format!("{} of {SAMPLES} lookups failed: {failure}", self.sample.failed));
        }
        lines
    }

    /// Whether every member is reached, and every lookup was answered.
    fn is_complete(&self) -> bool {
        let are_ready = self.members.iter().all(|row| row.info.ready || !row.in_topology);
        let has_ready = self.members.iter().any(|row| row.info.ready);
        self.coverage.covered == self.coverage.members && are_ready && has_ready && self.sample.failed == 0
    }

    fn reached(&self) -> String {
        let Coverage { covered, members, reason } = &self.coverage;
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let tries = match self.counters.tries {
            0 => String::new(),
            tries => format!(", {tries} connections tried"),
        };
        format!("{covered} of {members} members reached directly{tries}{reason}")
    }

    fn operations(&self) -> String {
        let Counters { direct, forwarded, unrouted, retries, disconnects, .. } = self.counters;
        let keyed = direct + forwarded + unrouted;
        let share = 100.0 * direct as f64 / keyed.max(1) as f64;
        let owners = format!("{direct} of {keyed} keyed operations sent to their owner ({share:.1}%)");
        format!("{owners}; {retries} retries, {disconnects} sessions lost")
    }

    pub(crate) fn json(&self) -> Value {
        let members: Vec<Value> = self.members.iter().map(Row::json).collect();
        json!({
            "cache": self.cache,
            "access": self.access.to_string(),
            "complete": self.is_complete(),
            "lookups": { "answered": self.sample.answered, "failed": self.sample.failed, "failure": self.sample.first_failure },
            "topology_id": self.topology,
            "segments": self.segments,
            "members": members,
            "covered": self.coverage.covered,
            "uncovered_because": self.coverage.reason.as_ref().map(ToString::to_string),
            "tries": self.counters.tries,
            "direct": self.counters.direct,
            "forwarded": self.counters.forwarded,
            "unrouted": self.counters.unrouted,
            "unrouted_because": self.unrouted_because,
            "retries": self.counters.retries,
            "sessions_lost": self.counters.disconnects,
        })
    }
}

impl Row {
    fn line(&self, segments: usize, width: usize) -> String {
        let address = self.info.address.to_string();
        let filled = (self.primary * BAR).div_ceil(segments.max(1));
        let bar = format!("{}{}", "█".repeat(filled), "·".repeat(BAR.saturating_sub(filled)));
        let time =
            self.round_trip.map_or_else(|| "    -   ".into(), |time| format!("{:>5.2} ms", time.as_secs_f64() * 1e3));
        let links = if self.info.links == 1 { "link" } else { "links" };
        let share = format!("{:>3} + {:<3}", self.primary, self.owned - self.primary);
        let (count, via, state) = (self.info.links, self.via(), self.state());
        format!("{address:<width$}  {bar}  {share}  {time}  {count} {links}  {via}{state}")
    }

    /// The dialled endpoint and the name that its certificate must have, where they differ from the member's address.
    fn via(&self) -> String {
        let Some(endpoint) = &self.info.endpoint else { return String::new() };
        let dialled = endpoint.authority();
        let dialled = if dialled == self.info.address.to_string() { String::new() } else { format!("via {dialled}  ") };
        match &endpoint.server_name {
            Some(name) if *name != endpoint.host => format!("{dialled}as {name}  "),
            _ => dialled,
        }
    }

    fn state(&self) -> String {
        match (&self.info.failure, self.info.ready, self.in_topology) {
            (_, true, true) => "ready".into(),
            (_, true, false) => "ready, not in the topology".into(),
            (Some(failure), ..) => format!("unavailable: {failure}"),
            (None, ..) if self.info.links > 0 => format!("no answer within {} s", SEARCH.as_secs()),
            (None, ..) => "not connected: no endpoint leads to it".into(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "address": self.info.address.to_string(),
            "endpoint": self.info.endpoint.as_ref().map(Endpoint::authority),
            "server_name": self.info.endpoint.as_ref().and_then(|endpoint| endpoint.server_name.as_deref()),
            "ready": self.info.ready,
            "in_topology": self.in_topology,
            "primary_segments": self.primary,
            "owned_segments": self.owned,
            "links": self.info.links,
            "in_flight": self.info.in_flight,
            "answered": self.info.answered,
            "round_trip_ms": self.round_trip.map(|time| time.as_secs_f64() * 1e3),
            "failure": self.info.failure.as_ref().map(ToString::to_string),
        })
    }
}

async fn round_trip(cache: &Cache, info: &MemberInfo) -> Option<Duration> {
    let started = Instant::now();
    let (_, answer) = cache.with_timeout(PATIENCE).execute_on(Some(info.id), Request::Ping {}).await;
    answer.is_ok().then(|| started.elapsed())
}

/// Counts the segments of which a member is primary owner, and those that it owns.
fn shares(view: &View, info: &MemberInfo) -> (usize, usize) {
    let owners = |segment| view.owners_of_segment(segment);
    let primary = (0..view.segments()).filter(|segment| owners(*segment).next() == Some(info.id)).count();
    let owned = (0..view.segments()).filter(|segment| owners(*segment).any(|owner| owner == info.id)).count();
    (primary, owned)
}
