//! The port for clients.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::connection::{self, Accepted, ConnectionLimit};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::proxy_protocol;

/// Pause after a failure to accept, for instance because of too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Upper bound on connections that are being refused in their protocol; further ones are closed at once.
const MAX_REFUSING: usize = 256;

/// Listens at the first address of a name.
pub(crate) async fn bind(address: &str, backlog: u32) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("can't listen at {address}: {error}"));
    let nobody = || io::Error::other(format!("can't listen at {address}: no such host"));
    let found = lookup_host(address).await.map_err(named)?.next().ok_or_else(nobody)?;
    let listen = || {
        let socket = if found.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Allows a port with connections in TIME_WAIT.
        socket.set_reuseaddr(true)?;
        socket.bind(found)?;
        socket.listen(backlog)
    };
    listen().map_err(named)
}

/// Accepts clients until the gateway drains, and then closes the port.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let over_limit = Arc::new(Semaphore::new(MAX_REFUSING));
    let mut drain = shared.drain.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = drain.beyond(Phase::Serving) => return,
        };
        let (socket, peer): (_, SocketAddr) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("can't accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Some((accepted, place)) = admit(&shared, &over_limit, socket, peer) {
            let serving = shared.clone();
            shared.tasks.spawn(async move {
                connection::serve(serving, accepted).await;
                drop(place);
            });
        }
    }
}

/// Counts a connection against the limits. `None` closes it at once.
fn admit(
    shared: &Shared,
    polite: &Arc<Semaphore>,
    socket: TcpStream,
    peer: SocketAddr,
) -> Option<(Accepted, OwnedSemaphorePermit)> {
    // The client of a router is known only after its PROXY header.
    let is_router = proxy_protocol::is_trusted(&shared.config.proxy_protocol, peer.ip());
    let admitted = (!is_router).then(|| shared.sources.admit(peer, Instant::now())).transpose();
    let (source, beyond) = match admitted {
        Ok(admitted) => admitted.map_or((None, None), |(source, beyond)| (Some(source), beyond)),
        Err(limit) => {
            shared.metrics.refused(limit.reason());
            shared.sources.log_refusal(peer, limit.reason(), &limit);
            return None;
        }
    };
    let over_limit = match (shared.places.clone().try_acquire_owned(), beyond) {
        (Ok(place), None) => return Some((Accepted { socket, peer, source, over_limit: None }, place)),
        (Ok(_), Some(limit)) => ConnectionLimit::Source(limit),
        (Err(_), _) => ConnectionLimit::Gateway,
    };
    let Ok(place) = polite.clone().try_acquire_owned() else {
        shared.metrics.refused(over_limit.reason());
        debug!(client = %peer, reason = %over_limit, "closed at once");
        return None;
    };
    Some((Accepted { socket, peer, source, over_limit: Some(over_limit) }, place))
}
