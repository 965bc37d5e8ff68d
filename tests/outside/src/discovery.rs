//! What it takes to find members that can't be asked for: connections until one leads to each.

use std::time::Duration;

use hotrod_tokio::Client;
use serde::Serialize;

use crate::outside::PODS;
use crate::{Failure, Outside, coverage, paths};

/// Clients that look for members, one after the other.
const RUNS: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(60);
/// How far the mean may be from what is expected. Of 60 runs at random it strays by some 6%.
const TOLERANCE: f64 = 0.2;

/// What was measured, and what is expected of a client that wastes nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Discovery {
    /// How the balancer chooses.
    pub balance: String,
    /// Connections until all members were found, the mean of all runs, counted by the balancer.
    pub connections: f64,
    /// By round robin one for each member; at random n (1 + 1/2 + … + 1/n).
    pub expected: f64,
    /// What was not as expected.
    pub problems: Vec<String>,
}

/// Measures both ways of choosing.
pub async fn measure(outside: &Outside) -> Result<Vec<Discovery>, Failure> {
    let at_random = (1..=PODS).map(|n| PODS as f64 / n as f64).sum();
    let one_by_one = search(outside, "roundrobin", PODS as f64).await?;
    Ok(vec![one_by_one, search(outside, "random", at_random).await?])
}

async fn search(outside: &Outside, balance: &str, expected: f64) -> Result<Discovery, Failure> {
    let row = format!("load-balancer haproxy none {balance} raw");
    let uri = paths::path(&row).ok_or("there is no such row")?.uri(outside);
    let service = format!("service-{balance}");
    let before = outside.haproxy.connections(&service)?;
    for _ in 0..RUNS {
        let client = Client::connect(&uri).await?;
        let found = coverage::wait_for(&client, PODS, PATIENCE).await;
        client.close().await;
        if !coverage::is_full(&found, PODS) {
            return Err(format!("{row}: {found:?} after {PATIENCE:?}").into());
        }
    }
    let connections = (outside.haproxy.connections(&service)? - before) as f64 / f64::from(RUNS);
    let is_near = (connections / expected - 1.0).abs() <= TOLERANCE;
    let problem = format!("{connections:.2} connections find all members, {expected:.2} are expected");
    Ok(Discovery {
        balance: balance.into(),
        connections,
        expected,
        problems: Vec::from_iter((!is_near).then_some(problem)),
    })
}
