//! Clusters that all tests of a process use together.

use std::sync::{Mutex, PoisonError};

use crate::{Cluster, Options};

/// The cluster of these options, started when it is first asked for.
///
/// It lives as long as the process: the kernel kills its nodes when the process ends, in whatever way. Its files stay
/// in the system's folder for temporary ones; use [`Cluster::start`] where that matters.
///
/// # Panics
///
/// If it can't be started: a test that asks for a server fails without one.
pub fn shared(options: Options) -> &'static Cluster {
    static CLUSTERS: Mutex<Vec<(Options, &'static Cluster)>> = Mutex::new(Vec::new());
    // Held while starting: the tests that need the same cluster wait for it.
    let mut clusters = CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, cluster)) = clusters.iter().find(|(known, _)| *known == options) {
        return cluster;
    }
    let cluster = Cluster::start(options.clone()).unwrap_or_else(|error| panic!("{error}"));
    let cluster: &'static Cluster = Box::leak(Box::new(cluster));
    clusters.push((options, cluster));
    cluster
}
