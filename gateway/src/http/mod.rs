//! HTTP on the main port: the carriages of Hot Rod, and a short answer to everything else.

mod endpoint;
mod http1;
mod http2;
mod lane;
mod session;

use bytes::BytesMut;
use hotrod_core::carriage::{Detected, detect};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{Ended, Incoming};
use crate::gateway::Shared;
use crate::metrics::{Carriage, OpenConnection};

/// What an ordinary request is told: probes and people see that they are at the right door.
const HERE: &str = "hotrod-gateway: Hot Rod is served here, by Upgrade, CONNECT, Extended CONNECT or as it is.\n";

/// A client's end of a link, with TLS or without, or a tunnel.
trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// Serves a client that speaks HTTP.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming, open: &mut OpenConnection) -> Ended {
    let Incoming { mut stream, first, is_surplus } = incoming;
    match detect_all(&mut stream, first).await {
        Ok((Detected::Http2, first)) => {
            open.set_carriage(Carriage::Http2);
            http2::serve(shared, &mut stream, first, http2::Place { is_surplus, ..http2::Place::default() }).await
        }
        Ok((Detected::Http1, first)) => {
            open.set_carriage(Carriage::Http1);
            http1::serve(shared, &mut stream, first, is_surplus).await
        }
        Ok((other, _)) => Ended::early(format_args!("speaks nothing that is known here ({other:?})")),
        Err(error) => Ended::early(error),
    }
}

/// Reads until it is known what is spoken.
async fn detect_all(stream: &mut impl Link, mut first: BytesMut) -> std::io::Result<(Detected, BytesMut)> {
    use tokio::io::AsyncReadExt;
    loop {
        match detect(&first) {
            Detected::NeedMore => {}
            known => return Ok((known, first)),
        }
        if stream.read_buf(&mut first).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
