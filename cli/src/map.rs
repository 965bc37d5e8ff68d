//! The cluster as this client sees it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use hotrod_tokio::Cache;
use hotrod_tokio::core::cluster::{Counters, Coverage, MemberInfo, Uncovered, View};
use hotrod_tokio::core::wire::Request;
use serde_json::{Value, json};

use crate::arguments::{Arguments, MapOptions};
use crate::commands::connect;
use crate::failure::Failure;
use crate::output::{Outcome, print};

/// Width in columns of a bar for all segments.
const BAR: usize = 32;
/// Time to wait for members to become ready before they are shown.
const SEARCH: Duration = Duration::from_secs(3);
/// Timeout of a PING; after it a member has no round-trip time.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn run(arguments: &Arguments, options: &MapOptions) -> Result<Outcome, Failure> {
    let cache = connect(arguments).await?;
    // The first response carries the topology.
    cache.ping().await?;
    wait_for_members(&cache).await;
    loop {
        let map = ClusterMap::take(&cache).await;
        if options.watch.is_some() && !arguments.json && io::stdout().is_terminal() {
            // Moves the cursor home and clears the rest of the screen.
            write!(io::stdout(), "\x1b[H\x1b[2J")?;
        }
        print(arguments.json, &map.lines().join("\n"), &map.json())?;
        let Some(seconds) = options.watch else { return Ok(Outcome::Done) };
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
}

/// Waits until the client has reached every member, or the time is up.
async fn wait_for_members(cache: &Cache) {
    let begun = Instant::now();
    while cache.client().coverage().reason == Some(Uncovered::OnTheWay) && begun.elapsed() < SEARCH {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A snapshot of the cluster.
pub(crate) struct ClusterMap {
    cache: String,
    topology: Option<u32>,
    segments: usize,
    members: Vec<Row>,
    coverage: Coverage,
    counters: Counters,
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
    pub(crate) async fn take(cache: &Cache) -> Self {
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
            topology: view.as_ref().map(|view| view.id()),
            segments: view.map_or(0, |view| view.segments()),
            members,
            coverage: client.coverage(),
            counters: client.counters(),
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let name = if self.cache.is_empty() { "(the default cache)" } else { &self.cache };
        let topology = self.topology.map_or_else(|| "no topology".into(), |id| format!("topology {id:08x}"));
        let mut lines = vec![format!("{name}: {topology}, {} segments, {} members", self.segments, self.members.len())];
        let width = self.members.iter().map(|row| row.info.address.to_string().len()).max().unwrap_or(0);
        lines.extend(self.members.iter().map(|row| row.line(self.segments, width)));
        let Coverage { covered, members, reason } = &self.coverage;
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        lines.push(format!("{covered} of {members} members reached directly{reason}"));
        let Counters { direct, forwarded, retries, disconnects, .. } = self.counters;
        let keyed = direct + forwarded;
        let share = if keyed == 0 {
            String::from("no keyed operation yet")
        } else {
            format!(
                "{direct} of {keyed} keyed operations sent to their owner ({:.1}%)",
                100.0 * direct as f64 / keyed as f64
            )
        };
        lines.push(format!("{share}; {retries} retries, {disconnects} sessions lost"));
        lines
    }

    pub(crate) fn json(&self) -> Value {
        let members: Vec<Value> = self.members.iter().map(Row::json).collect();
        json!({
            "cache": self.cache,
            "topology_id": self.topology,
            "segments": self.segments,
            "members": members,
            "covered": self.coverage.covered,
            "uncovered_because": self.coverage.reason.as_ref().map(ToString::to_string),
            "tries": self.counters.tries,
            "direct": self.counters.direct,
            "forwarded": self.counters.forwarded,
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
        format!("{address:<width$}  {bar}  {share}  {time}  {} {links}  {}", self.info.links, self.state())
    }

    fn state(&self) -> String {
        match (&self.info.failure, self.info.ready, self.in_topology) {
            (_, true, true) => "ready".into(),
            (_, true, false) => "ready, not in the topology".into(),
            (Some(failure), ..) => format!("unavailable: {failure}"),
            (None, ..) => "not connected".into(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "address": self.info.address.to_string(),
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
