//! The short version of `make outside`: a row for each access path, and the failures for which no server has to start.
//!
//! All tests use the same running parts, one after the other; when the last is over everything is stopped.
//! `--include-ignored` runs every row and every failure.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use hotrod_outside::failures::{SCENARIOS, Scenario};
use hotrod_outside::paths::{PATHS, Path};
use hotrod_outside::{Failure, Outside, rows};
use hotrod_tokio::Client;
use infinispan_harness::skip_real;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Builder, Runtime};

/// Rows that every run of the tests has: each access path once, each TLS mode, each router.
const SHORT: [&str; 8] = [
    "header haproxy reencrypt leastconn extended-connect",
    "header nginx edge roundrobin upgrade",
    "template haproxy passthrough sni raw",
    "cookie haproxy edge roundrobin extended-connect",
    "cookie haproxy none roundrobin upgrade",
    "load-balancer haproxy passthrough roundrobin raw",
    "connect envoy edge session-header connect-http2",
    "auto haproxy edge roundrobin extended-connect",
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share the members: what one stops another would miss.
    arguments.test_threads = Some(1);
    let parts = Arc::new(Parts::default());
    let mut trials = vec![test(&parts, "servers count an operation once, where it comes in", false, |parts| {
        parts.with(|outside| Box::pin(operations_are_counted_where_they_come_in(outside)))
    })];
    for path in PATHS {
        let is_ignored = !SHORT.contains(&path.name().as_str());
        trials.push(test(&parts, &path.name(), is_ignored, move |parts| parts.measure(path)));
    }
    for scenario in SCENARIOS {
        trials.push(test(&parts, scenario.name, !scenario.is_quick, move |parts| parts.go_wrong(scenario)));
    }
    if skip_real() {
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The parts are dropped before the process ends, which kills what they have started.
    drop(parts);
    conclusion.exit_code()
}

fn test(
    parts: &Arc<Parts>,
    name: &str,
    is_ignored: bool,
    run: impl FnOnce(&Parts) -> Result<(), Failure> + Send + 'static,
) -> Trial {
    let parts = parts.clone();
    let run = move || run(&parts).map_err(|error| Failed::from(error.to_string()));
    Trial::test(name, run).with_ignored_flag(is_ignored)
}

type Work<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>>;

/// What is started for the first test that needs it.
struct Parts {
    runtime: Runtime,
    outside: Mutex<Option<Outside>>,
}

impl Default for Parts {
    fn default() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self { runtime: runtime.expect("a runtime"), outside: Mutex::default() }
    }
}

impl Parts {
    fn with(&self, work: impl FnOnce(&mut Outside) -> Work<'_>) -> Result<(), Failure> {
        let mut held = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        let outside = match &mut *held {
            Some(outside) => outside,
            none => none.insert(Outside::start()?),
        };
        // In a worker's context, where what blocks may say so.
        self.runtime.block_on(work(outside))
    }

    fn measure(&self, path: &'static Path) -> Result<(), Failure> {
        self.with(|outside| {
            Box::pin(async move {
                let row = rows::measure(outside, path, true).await;
                all_well(row.problems)
            })
        })
    }

    fn go_wrong(&self, scenario: &'static Scenario) -> Result<(), Failure> {
        self.with(|outside| {
            Box::pin(async move {
                let findings = scenario.run(outside).await?;
                all_well(findings.into_iter().flat_map(|finding| finding.problems).collect())
            })
        })
    }
}

fn all_well(problems: Vec<String>) -> Result<(), Failure> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

/// The yardstick of all rows: the same key, written and read at each member in turn, two of which forward it or are backups.
async fn operations_are_counted_where_they_come_in(outside: &Outside) -> Result<(), Failure> {
    let mut counted = Vec::new();
    for pod in &outside.backends.pods {
        let client = Client::connect(&format!("hotrod://{}/dist?client_intelligence=basic", pod.plain)).await?;
        let cache = client.default_cache();
        let before = outside.metrics()?.hits("dist");
        cache.put("a key", "v").await?;
        cache.get("a key").await?.ok_or("what was written is not there")?;
        let hits = outside.metrics()?.hits("dist").since(before);
        client.close().await;
        counted.push((hits.primary, hits.backup, hits.none));
    }
    counted.sort_unstable();
    // Two owners of three members: one is primary, one is backup, one is neither.
    if counted == [(0, 0, 2), (0, 2, 0), (2, 0, 0)] { Ok(()) } else { Err(format!("{counted:?}").into()) }
}
