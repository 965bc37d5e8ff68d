//! Waits that tests of clusters share.

use std::time::Duration;

use hotrod_tokio::{Cache, Client};
use tokio::time::{sleep, timeout};

/// Waits until the client has a session with so many members of the topology.
pub(crate) async fn settled(client: &Client, cache: &Cache, members: usize) {
    let is_settled = || {
        let view = client.view(cache);
        let ready = client.members().iter().filter(|member| member.ready).count();
        view.is_some_and(|view| view.members().len() == members) && ready >= members
    };
    let waited = timeout(Duration::from_secs(60), async {
        while !is_settled() {
            cache.ping().await.unwrap();
            sleep(Duration::from_millis(50)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("no {members} members after 60 s: {:#?}", client.members()));
}
