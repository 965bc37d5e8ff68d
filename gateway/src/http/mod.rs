//! HTTP on the main port: the carriages of Hot Rod, and answers to ordinary requests.

mod call_forwarder;
mod context;
mod endpoint;
mod http1;
mod http2;
mod inner_link;
mod names;
mod outgoing;
mod queued_request;
mod session;
mod tunnel;
mod tunnel_start;

use tokio::io::{AsyncRead, AsyncWrite};

use self::context::LinkContext;
use crate::connection::{ConnectionEnd, Incoming, Protocol};
use crate::gateway::Shared;

/// Body of the answer to ordinary requests, for probes and people.
const HERE: &str = "hotrod-gateway: Hot Rod is served here, by Upgrade, CONNECT, Extended CONNECT or as it is.\n";

/// A client's end of a link, with TLS or without, or a tunnel.
trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// Serves a client that speaks HTTP.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming<'_>) -> ConnectionEnd {
    let Incoming { mut stream, source, protocol, first, over_limit, budget } = incoming;
    let context = LinkContext::new(shared, (source, &budget), over_limit);
    if protocol == Protocol::Http2 {
        http2::serve(shared, &mut stream, first, context).await
    } else {
        http1::serve(shared, &mut stream, first, context).await
    }
}
