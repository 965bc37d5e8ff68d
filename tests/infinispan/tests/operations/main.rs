//! Every operation of the protocol, in every version that matters, against a real Infinispan server: by a session
//! alone, and by whole clients through a gateway over every carriage.
//!
//! `HOTROD_INFINISPAN_VERSION` chooses the server (`make test-matrix` runs through the older lines), `HOTROD_RECORD`
//! names a folder into which the bytes of each conversation are written as golden vectors.

#![allow(unreachable_pub)]

mod authentication;
mod bulk;
mod carriages;
mod conversation;
mod counters;
mod forgotten;
mod iteration;
#[path = "../../../../embedded/tests/matrix/list/mod.rs"]
mod list;
mod listeners;
#[path = "../../../../core/tests/wire/meaning.rs"]
mod meaning;
mod multimap;
mod query;
mod recorder;
mod server;
mod single;
mod speaker;
mod streaming;
mod transactions;

use std::sync::OnceLock;

use carriages::{Front, over_every_carriage};
use conversation::Conversation;
use hotrod_core::wire::Version;
use infinispan_harness::{Cluster, Flavour, Options, skip_real};

fn server() -> &'static Cluster {
    infinispan_harness::shared(Options::default())
}

fn secured_server() -> &'static Cluster {
    let flavour = Flavour::SecurePlain;
    infinispan_harness::shared(Options { flavour, ..Options::default() })
}

/// Runs a part of the matrix in each version that the server has, and over each carriage.
fn in_every_version<F>(part: &str, test: F)
where
    F: AsyncFn(&Conversation),
{
    static FRONT: OnceLock<Front> = OnceLock::new();
    in_every_version_on(server, &FRONT, part, test);
}

fn in_every_version_on<F>(server: fn() -> &'static Cluster, fronts: &'static OnceLock<Front>, part: &str, test: F)
where
    F: AsyncFn(&Conversation),
{
    if skip_real() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for version in Version::ALL {
        runtime.block_on(async {
            let Some(conversation) = Conversation::begin(server(), version, part).await else { return };
            test(&conversation).await;
            conversation.end().await;
        });
    }
    if std::env::var_os("HOTROD_RECORD").is_none() && !infinispan_harness::is_older_line() {
        runtime.block_on(over_every_carriage(Front::of(server(), fronts), part, &test));
    }
}

/// The list that the embedded server is tested with. Older servers lack some of its answers.
#[test]
fn the_list_of_operations_and_answers() {
    if skip_real() || infinispan_harness::is_older_line() {
        return;
    }
    let endpoint = &server().endpoints()[0];
    list::run(&format!("{}:{}", endpoint.host, endpoint.port), list::Server::Infinispan);
}

#[test]
fn operations_on_one_entry() {
    in_every_version("single", single::conversation);
}

#[test]
fn operations_on_many_entries() {
    in_every_version("bulk", bulk::conversation);
}

#[test]
fn iteration() {
    in_every_version("iteration", iteration::conversation);
}

#[test]
fn streaming() {
    in_every_version("streaming", streaming::conversation);
}

#[test]
fn listeners_and_their_events() {
    in_every_version("listeners", listeners::conversation);
}

#[test]
fn counters_and_their_events() {
    in_every_version("counters", counters::conversation);
}

#[test]
fn multimaps() {
    in_every_version("multimap", multimap::conversation);
}

#[test]
fn transactions() {
    in_every_version("transactions", transactions::conversation);
}

#[test]
fn server_and_cache() {
    in_every_version("server", server::conversation);
}

/// Runs a test of whole clients.
fn with_clients<F>(test: F)
where
    F: AsyncFn(&Cluster),
{
    if skip_real() || infinispan_harness::is_older_line() {
        return;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test(server()));
}

#[test]
fn a_listener_of_a_cache_with_many_entries() {
    with_clients(forgotten::large_states);
}

#[test]
fn caches_that_are_removed_and_made_anew() {
    with_clients(forgotten::removed_caches);
}

#[test]
fn counters_that_are_removed() {
    with_clients(forgotten::removed_counters);
}

#[test]
fn near_entries_that_expire() {
    with_clients(forgotten::lifetimes);
}

#[test]
fn authentication_step_by_step() {
    static FRONT: OnceLock<Front> = OnceLock::new();
    in_every_version_on(secured_server, &FRONT, "authentication", authentication::conversation);
}

#[test]
fn queries() {
    in_every_version("query", query::conversation);
}
