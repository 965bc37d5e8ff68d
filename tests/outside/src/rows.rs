//! Measuring one row.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hotrod_tokio::Client;
use hotrod_tokio::core::cluster::Coverage;
use infinispan_harness::Hits;
use serde::Serialize;
use tokio::time::timeout;

use crate::coverage;
use crate::outside::PODS;
use crate::paths::{Expected, Path};
use crate::relay::Relay;
use crate::workload::{KEYS, Latencies, OPERATIONS, many_at_a_time, one_by_one};
use crate::{Failure, Outside, sockets};

/// The way between client and router that is made longer, each way.
const ONE_WAY: Duration = Duration::from_millis(20);
/// How long a client may take to cover all members.
const PATIENCE: Duration = Duration::from_secs(15);
/// The share of direct hits that is to be reached.
pub const ENOUGH: f64 = 0.999;
/// Round trips from the first answer to full coverage, at most, where one link leads to all members.
const ROUND_TRIPS_TO_COVER: f64 = 2.0;
/// What `access=auto` may take beside that, for a guess that the first refusal shows to be wrong.
const A_WRONG_GUESS: f64 = 2.0;
/// What programs on the way take of a round trip in all; more than this would be another one.
const PROCESSING: f64 = 0.5;

/// What was measured, and what was not as expected.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The access path.
    pub path: String,
    /// What stands between.
    pub router: String,
    /// Who ends TLS.
    pub tls: String,
    /// How the router chooses for those who do not.
    pub balance: String,
    /// How sessions travel.
    pub carriage: String,
    /// The client's language.
    pub language: String,
    /// Members of the topology.
    pub members: usize,
    /// The share of them that is reached directly.
    pub coverage: f64,
    /// Why it is not all of them.
    pub reason: Option<String>,
    /// The share of operations that came to their key's primary owner, counted by the servers.
    pub direct_hit_share: f64,
    /// The same of a client that knows no topology.
    pub basic_hit_share: f64,
    /// Connections that the client has asked for until it covered what it covers.
    pub connections_opened: u64,
    /// Connections that it has then, counted by the kernel.
    pub links_held: usize,
    /// Median latency of one operation at a time, in microseconds.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Median latency of a client that knows no topology.
    pub basic_p50_us: u64,
    /// 99th percentile of it.
    pub basic_p99_us: u64,
    /// With 20 ms each way between client and router.
    #[serde(flatten)]
    pub far: Option<Far>,
    /// What was not as expected.
    pub problems: Vec<String>,
}

/// With a long way between client and router.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Far {
    /// A round trip, in microseconds: the median of one operation at a time.
    pub round_trip_us: u64,
    /// Round trips from nothing to the first answer.
    pub first_answer_round_trips: f64,
    /// Round trips from nothing to full coverage.
    pub coverage_round_trips: f64,
    /// Operations in a second, 64 in flight.
    pub far_operations_per_second: f64,
    /// Connections that came to the relay until coverage.
    pub far_connections: u64,
}

/// Measures a row; what goes wrong is in it.
pub async fn measure(outside: &Outside, path: &Path, with_relay: bool) -> Row {
    let mut row = Row::new(path, "rust");
    if let Err(error) = near(outside, path, &mut row).await {
        row.problems.push(error.to_string());
    } else if let (true, Some(entry)) = (with_relay, path.entry_address(outside)) {
        match far(outside, path, entry).await {
            Ok(far) => row.far = Some(far),
            Err(error) => row.problems.push(format!("far away: {error}")),
        }
    }
    judge(path, &mut row);
    row
}

/// Without any delay: coverage, direct hits, latencies; and the same with a client that knows no topology.
async fn near(outside: &Outside, path: &Path, row: &mut Row) -> Result<(), Failure> {
    let uri = path.uri(outside);
    let client = connect(&uri).await?;
    let patience = if path.expected == Expected::One { PATIENCE / 3 } else { PATIENCE };
    let coverage = coverage::wait_for(&client, PODS, patience).await;
    row.connections_opened = client.counters().connects;
    row.links_held = links_held(outside, path, std::process::id(), &mut row.problems)?;
    row.set_coverage(&coverage, PODS);
    let (share, latencies) = counted(outside, &client, row).await?;
    client.close().await;
    row.direct_hit_share = share;
    (row.p50_us, row.p99_us) = (latencies.quantile(0.5), latencies.quantile(0.99));
    let separator = if uri.contains('?') { '&' } else { '?' };
    let basic = connect(&format!("{uri}{separator}client_intelligence=basic")).await?;
    let (share, latencies) = counted(outside, &basic, row).await?;
    basic.close().await;
    row.basic_hit_share = share;
    (row.basic_p50_us, row.basic_p99_us) = (latencies.quantile(0.5), latencies.quantile(0.99));
    Ok(())
}

async fn connect(uri: &str) -> Result<Client, Failure> {
    let client = timeout(PATIENCE, Client::connect(uri)).await;
    Ok(client.map_err(|_| format!("no client after {PATIENCE:?}"))??)
}

/// Works, and has the servers count what came to the primary owner.
async fn counted(outside: &Outside, client: &Client, row: &mut Row) -> Result<(f64, Latencies), Failure> {
    let before = outside.metrics()?.hits("dist");
    let latencies = one_by_one(&client.default_cache(), KEYS).await?;
    let hits = outside.metrics()?.hits("dist").since(before);
    row.check_count(hits);
    Ok((hits.direct_share(), latencies))
}

/// Connections that a process has with the entry; and none but the direct path may lead to a member.
pub(crate) fn links_held(
    outside: &Outside,
    path: &Path,
    process: u32,
    problems: &mut Vec<String>,
) -> Result<usize, Failure> {
    let peers = sockets::peers_of(process)?;
    let to = |address: &SocketAddr| peers.iter().filter(|peer| SocketAddr::V4(**peer) == *address).count();
    let members: usize = outside.inside_addresses().iter().map(to).sum();
    match path.entry_address(outside) {
        None => Ok(members),
        Some(entry) => {
            if members > 0 {
                problems.push(format!("{members} connections lead past the router: {peers:?}"));
            }
            Ok(to(&entry))
        }
    }
}

/// With a long way to the router.
async fn far(outside: &Outside, path: &Path, entry: SocketAddr) -> Result<Far, Failure> {
    let relay = Relay::start(entry, ONE_WAY)?;
    let uri = path.uri_at(outside, relay.address.port());
    let started = Instant::now();
    let client = connect(&uri).await?;
    let cache = client.default_cache();
    let covered = tokio::spawn({
        let client = client.clone();
        async move { coverage::is_full(&coverage::wait_for(&client, PODS, PATIENCE).await, PODS).then(Instant::now) }
    });
    cache.get("nothing").await?;
    let first_answer = started.elapsed();
    let covered = match path.expected {
        Expected::One => first_answer,
        _ => covered.await?.ok_or("not all members are covered")? - started,
    };
    let far_connections = relay.accepted();
    let round_trip_us = one_by_one(&cache, 10).await?.quantile(0.5);
    let round_trips = |time: Duration| time.as_micros() as f64 / round_trip_us as f64;
    let far_operations_per_second = many_at_a_time(&cache, 64, Duration::from_secs(2)).await?;
    client.close().await;
    Ok(Far {
        round_trip_us,
        first_answer_round_trips: round_trips(first_answer),
        coverage_round_trips: round_trips(covered),
        far_operations_per_second,
        far_connections,
    })
}

impl Row {
    /// One of which nothing is known yet.
    pub fn new(path: &Path, language: &str) -> Self {
        Self {
            path: path.path.into(),
            router: path.router.into(),
            tls: path.tls.into(),
            balance: path.balance.into(),
            carriage: path.carriage.into(),
            language: language.into(),
            members: 0,
            coverage: 0.0,
            reason: None,
            direct_hit_share: 0.0,
            basic_hit_share: 0.0,
            connections_opened: 0,
            links_held: 0,
            p50_us: 0,
            p99_us: 0,
            basic_p50_us: 0,
            basic_p99_us: 0,
            far: None,
            problems: Vec::new(),
        }
    }

    /// The servers have counted every operation once.
    pub(crate) fn check_count(&mut self, hits: Hits) {
        if hits.total() != OPERATIONS {
            self.problems.push(format!("of {OPERATIONS} operations the servers have counted {hits:?}"));
        }
    }

    fn set_coverage(&mut self, coverage: &Coverage, members: usize) {
        self.members = coverage.members;
        self.coverage = coverage.covered as f64 / members as f64;
        self.reason = coverage.reason.as_ref().map(ToString::to_string);
    }

    /// What tells it from all others.
    pub fn name(&self) -> String {
        let Self { path, router, tls, balance, carriage, language, .. } = self;
        format!("{path} {router} {tls} {balance} {carriage} {language}")
    }
}

/// What is to be reached, and was not.
pub(crate) fn judge(path: &Path, row: &mut Row) {
    if !row.problems.is_empty() {
        return;
    }
    let mut problem = |is_wrong: bool, text: String| {
        if is_wrong {
            row.problems.push(text);
        }
    };
    let share = row.direct_hit_share;
    problem(row.basic_hit_share > 0.75, format!("BASIC has {:.3} of direct hits: by what?", row.basic_hit_share));
    if path.expected == Expected::One {
        problem(row.coverage > 0.9, "a balancer that always chooses the same member has led to others".into());
        problem(row.reason.is_none(), "the client does not say why it covers no more".into());
        return;
    }
    problem(row.coverage < 1.0, format!("{:.2} of the members are covered: {:?}", row.coverage, row.reason));
    problem(share < ENOUGH, format!("{share:.4} of operations are direct hits"));
    if path.expected == Expected::AllOnOneLink {
        problem(row.links_held != 1, format!("{} links are held, and one would do", row.links_held));
        let later = row.far.map_or(0.0, |far| far.coverage_round_trips - far.first_answer_round_trips);
        let most = ROUND_TRIPS_TO_COVER + if path.path == "auto" { A_WRONG_GUESS } else { 0.0 };
        // Where chance decides how many rounds a search takes there is no such bound.
        let is_late = path.balance != "random" && later > most + PROCESSING;
        problem(is_late, format!("coverage comes {later:.1} round trips after the first answer"));
    }
}
