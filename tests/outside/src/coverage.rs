//! Waiting for a client to reach members directly.

use std::time::{Duration, Instant};

use hotrod_tokio::Client;
use hotrod_tokio::core::cluster::Coverage;
use tokio::time::sleep;

/// Whether all of so many members are covered.
pub fn is_full(coverage: &Coverage, members: usize) -> bool {
    coverage.members == members && coverage.covered == members
}

/// Waits until all of so many members are covered; answers what is covered in the end.
pub async fn wait_for(client: &Client, members: usize, patience: Duration) -> Coverage {
    wait_until(client, patience, |coverage| is_full(coverage, members)).await
}

/// Waits until coverage is like that; answers what it is in the end.
pub async fn wait_until(client: &Client, patience: Duration, is_reached: impl Fn(&Coverage) -> bool) -> Coverage {
    let started = Instant::now();
    loop {
        let coverage = client.coverage();
        if is_reached(&coverage) || started.elapsed() > patience {
            return coverage;
        }
        sleep(Duration::from_millis(1)).await;
    }
}
