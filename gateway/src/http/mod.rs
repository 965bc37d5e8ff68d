//! HTTP on the main port: the carriages of Hot Rod, and a short answer to everything else.

mod begins;
mod endpoint;
mod http1;
mod http2;
mod inside;
mod lane;
mod names;
mod outgoing;
mod place;
mod session;
mod tunnel;
mod waiting;

use tokio::io::{AsyncRead, AsyncWrite};

use self::place::Place;
use crate::connection::{Ended, Incoming, Speaks};
use crate::gateway::Shared;

/// What an ordinary request is told: probes and people see that they are at the right door.
const HERE: &str = "hotrod-gateway: Hot Rod is served here, by Upgrade, CONNECT, Extended CONNECT or as it is.\n";

/// A client's end of a link, with TLS or without, or a tunnel.
trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// Serves a client that speaks HTTP.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming<'_>) -> Ended {
    let Incoming { mut stream, source, speaks, first, surplus, budget } = incoming;
    let place = Place::new(shared, (source, &budget), surplus);
    if speaks == Speaks::Http2 {
        http2::serve(shared, &mut stream, first, place).await
    } else {
        http1::serve(shared, &mut stream, first, place).await
    }
}
