//! Members that die and come back.

use tokio::task::block_in_place;

use super::Finding;
use super::trial::Trials;
use crate::outside::PODS;
use crate::{Failure, Outside};

/// Every way that leads to members.
const ROWS: [&str; 8] = [
    "header haproxy reencrypt leastconn extended-connect",
    "cookie haproxy edge roundrobin extended-connect",
    "cookie haproxy edge roundrobin upgrade",
    "template haproxy passthrough sni raw",
    "load-balancer haproxy passthrough roundrobin raw",
    "connect envoy edge session-header connect-http2",
    "cookie envoy edge session-cookie extended-connect",
    "header nginx edge roundrobin upgrade",
];

pub(super) async fn is_killed_and_started_again(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let mut trials = Trials::start(outside, &ROWS).await?;
    block_in_place(|| outside.kill_pod(2))?;
    trials.until_direct(outside, PODS - 1).await?;
    block_in_place(|| outside.start_pod(2, 2))?;
    trials.until_direct(outside, PODS).await?;
    trials.finish("a member is killed and started again").await
}

/// What a StatefulSet does: the same name, another address; and an address that was one pod's becomes another's.
pub(super) async fn are_replaced_under_their_names(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let mut trials = Trials::start(outside, &ROWS).await?;
    for (pod, address) in [(2, 3), (1, 2), (2, 1)] {
        block_in_place(|| outside.kill_pod(pod))?;
        trials.until_direct(outside, PODS - 1).await?;
        block_in_place(|| outside.start_pod(pod, address))?;
        trials.until_direct(outside, PODS).await?;
    }
    trials.finish("pods are replaced under their names, and one gets another's address").await
}
