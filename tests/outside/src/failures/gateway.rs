//! Gateways that end, move, and are wrong.

use std::time::Duration;

use tokio::task::block_in_place;

use super::Finding;
use super::trial::Trials;
use crate::outside::PODS;
use crate::{Failure, Outside, coverage};

pub(super) async fn before_all_is_killed(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows = [
        "header haproxy reencrypt leastconn extended-connect",
        "header haproxy reencrypt leastconn upgrade",
        "header haproxy passthrough leastconn frames",
        "header nginx edge roundrobin upgrade",
    ];
    let mut trials = Trials::start(outside, &rows).await?;
    block_in_place(|| {
        outside.gateways.fronts[0].kill()?;
        outside.gateways.front_ends[0].kill()
    })?;
    trials.until_direct(outside, PODS).await?;
    block_in_place(|| {
        outside.gateways.fronts[0].start()?;
        outside.gateways.front_ends[0].start()
    })?;
    trials.finish("a gateway before all members is killed").await
}

/// What the router knows as one pod's address, and has a cookie for, leads to another pod.
pub(super) async fn addresses_are_swapped(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows = [
        "cookie haproxy edge roundrobin extended-connect",
        "cookie haproxy edge roundrobin upgrade",
        "cookie envoy edge session-cookie extended-connect",
        "load-balancer haproxy edge roundrobin extended-connect",
    ];
    let mut trials = Trials::start(outside, &rows).await?;
    block_in_place(|| swap_first_two(outside))?;
    trials.until_direct(outside, PODS).await?;
    let findings = trials.finish("gateways get each other's address").await;
    block_in_place(|| swap_first_two(outside))?;
    findings
}

fn swap_first_two(outside: &mut Outside) -> Result<(), Failure> {
    outside.restart_sidecars(&[0, 1], |sidecars| {
        let [one, two] = [sidecars[0].address, sidecars[1].address];
        sidecars[0].move_to(two);
        sidecars[1].move_to(one);
    })
}

/// The sidecar of one pod leads to another's member, and bears the name of its own pod. Nothing leads to that pod's member
/// then: the client has to see it by the address that is told, and say so.
pub(super) async fn answers_for_the_wrong_pod(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows =
        ["cookie haproxy edge roundrobin extended-connect", "load-balancer haproxy edge roundrobin extended-connect"];
    let mut trials = Trials::start(outside, &rows).await?;
    let [right, wrong] = [0, 1].map(|pod: usize| outside.backends.pods[pod].plain.to_string());
    block_in_place(|| lead_first_to(outside, &wrong))?;
    for trial in &mut trials.0 {
        let coverage = coverage::wait_until(&trial.client, Duration::from_secs(20), |coverage| {
            coverage.covered == PODS - 1 && coverage.reason.is_some()
        });
        let coverage = coverage.await;
        if coverage.covered != PODS - 1 || coverage.reason.is_none() {
            let said = outside.gateways.sidecars[0].readiness();
            trial.problems.push(format!("the gateway says {said}, and the client says {coverage:?}"));
        }
    }
    block_in_place(|| lead_first_to(outside, &right))?;
    trials.until_direct(outside, PODS).await?;
    trials.finish("a gateway answers for the wrong pod").await
}

fn lead_first_to(outside: &mut Outside, upstream: &str) -> Result<(), Failure> {
    outside.restart_sidecars(&[0], |sidecars| sidecars[0].set("upstream", upstream))
}
