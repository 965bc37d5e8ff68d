//! Routers that end and begin again.

use tokio::task::block_in_place;

use super::Finding;
use super::trial::Trials;
use crate::outside::PODS;
use crate::{Failure, Outside};

pub(super) async fn is_restarted(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows = [
        "header haproxy reencrypt leastconn extended-connect",
        "cookie haproxy edge roundrobin extended-connect",
        "cookie haproxy edge roundrobin upgrade",
        "template haproxy passthrough sni raw",
        "load-balancer haproxy passthrough roundrobin raw",
        "connect envoy edge session-header connect-http2",
        "header nginx edge roundrobin upgrade",
    ];
    let mut trials = Trials::start(outside, &rows).await?;
    block_in_place(|| {
        outside.haproxy.stop()?;
        outside.envoy.stop()?;
        outside.nginx.stop()?;
        outside.nginx.start_again()?;
        outside.envoy.start_again(&outside.backends)?;
        outside.haproxy.start_again(&outside.backends)
    })?;
    trials.until_direct(outside, PODS).await?;
    trials.finish("a router is restarted").await
}

/// Every cookie that a client has leads to nobody from now on: the router chooses, and sets a new one.
pub(super) async fn has_other_cookies(outside: &mut Outside) -> Result<Vec<Finding>, Failure> {
    let rows = [
        "cookie haproxy edge roundrobin extended-connect",
        "cookie haproxy edge roundrobin upgrade",
        "cookie haproxy reencrypt roundrobin extended-connect",
    ];
    let mut trials = Trials::start(outside, &rows).await?;
    block_in_place(|| {
        outside.haproxy.stop()?;
        outside.haproxy.rotate_cookies();
        outside.haproxy.start_again(&outside.backends)
    })?;
    trials.until_direct(outside, PODS).await?;
    trials.finish("a router's cookies are others").await
}
