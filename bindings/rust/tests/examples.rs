//! Runs the examples.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use infinispan_harness::{Cluster, Options, skip_real};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

async fn output_of(example: &str, cache: &str) -> String {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let node = Embedded::start(EmbeddedOptions { members: 3, listen, ..EmbeddedOptions::default() }).await.unwrap();
    let output = output_at(example, format!("hotrod://{}{cache}", node.addresses()[0])).await;
    node.stop().await;
    output
}

async fn output_at(example: &str, uri: String) -> String {
    // Cargo builds the examples beside the tests.
    let tests: PathBuf = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join(example);
    assert!(program.exists(), "cargo test builds the examples; with --test it does not: {}", program.display());
    let output = tokio::task::spawn_blocking(move || Command::new(program).arg(uri).output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_of_the_readme() {
    assert_eq!(output_of("readme", "").await, "done\n");
    let program = fs::read_to_string(format!("{ROOT}/examples/readme.rs")).unwrap();
    let (_, program) = program.split_once("\n\n").unwrap();
    let readme = fs::read_to_string(format!("{ROOT}/../../README.md")).unwrap();
    assert!(readme.contains(&format!("```rust,no_run\n{program}```")), "the README shows it");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_on_the_caches_of_docs_keys_and_values() {
    if skip_real() {
        return;
    }
    let page = fs::read_to_string(format!("{ROOT}/../../docs/keys-and-values.md")).unwrap();
    let extra_caches = page.split("```").find_map(|part| part.strip_prefix("xml")).expect("a configuration").to_owned();
    let start = move || Cluster::start(Options { extra_caches, ..Options::default() });
    let cluster = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let server = &cluster.endpoints()[0];
    let expected = concat!(
        "lamp costs 1999\ntogether 10899\nlast order: 7\norder 7: lamp for 1999\n",
        "{\"_type\":\"shop.Order\",\"item\":\"lamp\",\"price\":1999}\n",
    );
    assert_eq!(output_at("objects", format!("hotrod://{}:{}", server.host, server.port)).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_sockets() {
    assert_eq!(output_of("own_sockets", "/dist").await, "hello from my own sockets\n");
    let lines = fs::read_to_string(format!("{ROOT}/examples/own_sockets.rs")).unwrap().lines().count();
    assert!(lines < 100, "{lines} lines");
}
