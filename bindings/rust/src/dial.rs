//! Establishing links.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hotrod_core::cluster::Endpoint;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// A transport connection, with or without TLS.
pub(crate) enum Link {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// How to reach servers.
pub(crate) struct Dialer {
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) server_name: Option<String>,
    pub(crate) timeout: Duration,
}

impl Dialer {
    pub(crate) async fn dial(&self, server: &Endpoint) -> io::Result<Link> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {:?}", self.timeout));
        timeout(self.timeout, self.dial_untimed(server)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn dial_untimed(&self, server: &Endpoint) -> io::Result<Link> {
        let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        // Requests are batched before they are written; waiting for more would only delay them.
        stream.set_nodelay(true)?;
        let Some(connector) = &self.tls else { return Ok(Link::Plain(stream)) };
        // A name for this member counts for more than one for all.
        let name = server.server_name.as_ref().or(self.server_name.as_ref()).unwrap_or(&server.host);
        let server_name = ServerName::try_from(name.clone()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is no name for a TLS server"))
        })?;
        let stream = connector.connect(server_name, stream).await?;
        Ok(Link::Tls(Box::new(stream)))
    }
}

macro_rules! on_link {
    ($link:expr, $stream:ident => $call:expr) => {
        match $link.get_mut() {
            Link::Plain($stream) => $call,
            Link::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_link!(self, stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on_link!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_link!(self, stream => Pin::new(stream).poll_write_vectored(cx, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_link!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_link!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
