//! A balancer that does not spread.

use std::time::Duration;

use hotrod_tokio::core::cluster::{Coverage, Uncovered};
use tokio::task::block_in_place;

use super::Finding;
use super::trial::Trials;
use crate::outside::PODS;
use crate::{Failure, Outside, coverage};

/// The router knows one pod alone, and the cluster has three members: the client says why it covers no more, and goes on.
pub(super) async fn leads_to_one_pod(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows = [
        "load-balancer haproxy passthrough roundrobin raw",
        "load-balancer haproxy edge roundrobin extended-connect",
        "cookie haproxy edge roundrobin extended-connect",
    ];
    block_in_place(|| (1..PODS).try_for_each(|pod| outside.haproxy.set_pod(pod, None)))?;
    let mut trials = Trials::start_uncovered(outside, &rows).await?;
    for trial in &mut trials.0 {
        let is_said = |coverage: &Coverage| matches!(coverage.reason, Some(Uncovered::OneMember { .. }));
        let coverage = coverage::wait_until(&trial.client, Duration::from_secs(20), is_said).await;
        if !is_said(&coverage) || coverage.covered != 1 {
            trial.problems.push(format!("all connections led to one pod, and the client says {coverage:?}"));
        }
    }
    let pods = outside.backends.pods.clone();
    block_in_place(|| {
        pods.iter().enumerate().try_for_each(|(pod, known)| outside.haproxy.set_pod(pod, Some(known.plain.ip())))
    })?;
    trials.until_direct(outside, PODS).await?;
    trials.finish("a balancer leads everybody to one pod").await
}
