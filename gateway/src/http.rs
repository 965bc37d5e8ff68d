//! HTTP: for now an answer to everything that says that there is nothing.

use tokio::io::AsyncWriteExt;

use crate::connection::{Ended, Incoming, Speaks};
use crate::gateway::Shared;

const ANSWER: &[u8] = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves a client that speaks HTTP.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming) -> Ended {
    let Incoming { mut stream, speaks, .. } = incoming;
    shared.metrics.refused("http");
    if speaks == Speaks::Http1
        && let Err(error) = stream.write_all(ANSWER).await
    {
        return Ended::early(error);
    }
    // The client may be gone, and then needs no goodbye.
    let _ = stream.shutdown().await;
    Ended::early("HTTP is not served")
}
