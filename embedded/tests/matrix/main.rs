//! The list of operations and answers, against the embedded server. `tests/infinispan` runs it against a real one.

mod list;

use hotrod_core::wire::Operation;
use hotrod_embedded::ClusterOptions;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};

use list::{ROWS, Server};

#[test]
fn every_operation_has_a_row() {
    let missing = |operation: &Operation| ROWS.iter().all(|(of, ..)| of != operation);
    let missing: Vec<_> = Operation::table().iter().map(|row| row.operation).filter(missing).collect();
    assert_eq!(missing, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_embedded_server_answers_as_the_list_says() {
    let mut cluster = ClusterOptions::default();
    for cache in ["matrix", "matrix-multimap", "matrix-listened", "tx", "text:media-type=text/plain"] {
        cluster.caches.push(cache.parse().unwrap());
    }
    let listen = ([127, 0, 0, 1], 0).into();
    let node = Embedded::start(EmbeddedOptions { cluster, listen, ..EmbeddedOptions::default() }).await.unwrap();
    let address = node.addresses()[0].to_string();
    tokio::task::spawn_blocking(move || list::run(&address, Server::Embedded)).await.unwrap();
    node.stop().await;
}
