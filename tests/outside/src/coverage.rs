//! How many members a client reaches directly.

use std::time::{Duration, Instant};

use hotrod_tokio::{Cache, Client};
use tokio::time::sleep;

/// What a client covers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Members that it has a session with, and knows to have it with.
    pub covered: usize,
    /// Members of the topology.
    pub members: usize,
    /// Why it does not cover more.
    pub reason: Option<String>,
}

impl Coverage {
    /// What it covers now.
    pub fn of(client: &Client, cache: &Cache) -> Self {
        let Some(view) = client.view(cache) else { return Self::default() };
        let known = client.members();
        let is_ready = |id| known.iter().any(|member| member.id == id && member.ready);
        let covered = view.members().iter().filter(|member| is_ready(**member)).count();
        let reason = known.iter().find_map(|member| Some(member.failure.as_ref()?.to_string()));
        Self { covered, members: view.members().len(), reason }
    }

    /// Whether all of so many members are covered.
    pub fn is_full(&self, members: usize) -> bool {
        self.members == members && self.covered == members
    }
}

/// Waits until all of so many members are covered; answers what is covered in the end, and how long that took.
pub async fn wait_for(client: &Client, cache: &Cache, members: usize, patience: Duration) -> (Coverage, Duration) {
    let started = Instant::now();
    loop {
        let coverage = Coverage::of(client, cache);
        if coverage.is_full(members) || started.elapsed() > patience {
            return (coverage, started.elapsed());
        }
        sleep(Duration::from_millis(1)).await;
    }
}
