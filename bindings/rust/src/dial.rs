//! Establishes links: TCP and TLS.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hotrod_core::cluster::{Dial, Tls};
use hotrod_core::sasl::{EXPORTER_LABEL, EXPORTER_LENGTH};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ProtocolVersion};

use crate::connect::connect;
use crate::tls::TlsFiles;

const NOT_TLS: &str = "the server does not answer in TLS: a port without TLS wants hotrod:// instead of hotrods://";
const NO_ANSWER: &str =
    "the server closed the connection in the TLS handshake: a port without TLS wants hotrod:// instead of hotrods://";

/// A transport connection, with or without TLS.
pub(crate) enum Link {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connection settings shared by all links.
pub(crate) struct Dialer {
    /// `None` without TLS.
    pub(crate) tls: Option<Arc<TlsFiles>>,
    pub(crate) timeout: Duration,
}

impl Dialer {
    pub(crate) async fn dial(&self, dial: &Dial) -> io::Result<Link> {
        self.in_time(async {
            let addresses: Vec<_> = lookup_host((dial.host.as_str(), dial.port)).await?.collect();
            let stream = connect(&addresses).await?;
            // The machine batches requests already; Nagle's algorithm would only delay them.
            stream.set_nodelay(true)?;
            match &dial.tls {
                None => Ok(Link::Plain(stream)),
                Some(tls) => self.secure(stream, tls).await,
            }
        })
        .await
    }

    /// Establishes TLS on an open connection.
    pub(crate) async fn start_tls(&self, link: Link, tls: &Tls) -> io::Result<Link> {
        match link {
            Link::Plain(stream) => self.in_time(self.secure(stream, tls)).await,
            Link::Tls(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS within TLS is not supported")),
        }
    }

    async fn in_time(&self, work: impl Future<Output = io::Result<Link>>) -> io::Result<Link> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {:?}", self.timeout));
        timeout(self.timeout, work).await.unwrap_or_else(|_| Err(late()))
    }

    async fn secure(&self, stream: TcpStream, tls: &Tls) -> io::Result<Link> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidInput, problem);
        let files = self.tls.clone().ok_or_else(|| invalid("the client has no TLS settings".into()))?;
        // Files may be on a slow disk.
        let config = spawn_blocking(move || files.config()).await?;
        let server_name = ServerName::try_from(tls.server_name.clone())
            .map_err(|_| invalid(format!("{:?} is no name for a TLS server", tls.server_name)))?;
        let alpn = tls.alpn.iter().map(|id| id.clone().into_bytes()).collect();
        let connector = TlsConnector::from(config);
        let stream = connector.with_alpn(alpn).connect(server_name, stream).await.map_err(explained)?;
        Ok(Link::Tls(Box::new(stream)))
    }
}

/// Explains the failure of a TLS handshake with a server that does not speak TLS.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let is_plain = matches!(cause, Some(rustls::Error::InvalidMessage(_)));
    let is_closed = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
    match (is_plain, is_closed) {
        (true, _) => io::Error::new(error.kind(), format!("{NOT_TLS} ({error})")),
        (_, true) => io::Error::new(error.kind(), format!("{NO_ANSWER} ({error})")),
        _ => error,
    }
}

impl Link {
    /// Returns the peer's address.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        stream.peer_addr().ok().map(|address| address.ip())
    }

    /// Returns the TLS 1.3 exporter value for channel binding (RFC 9266).
    pub(crate) fn exporter(&self) -> Option<[u8; EXPORTER_LENGTH]> {
        let Self::Tls(stream) = self else { return None };
        let (_, tls) = stream.get_ref();
        let is_fit = tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let label = EXPORTER_LABEL.as_bytes();
        tls.export_keying_material([0; EXPORTER_LENGTH], label, Some(&[])).ok().filter(|_| is_fit)
    }

    /// Returns the server's certificate in DER.
    pub(crate) fn server_certificate(&self) -> Option<&[u8]> {
        let Self::Tls(stream) = self else { return None };
        stream.get_ref().1.peer_certificates()?.first().map(AsRef::as_ref)
    }

    /// Returns the ALPN id that the server selected.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
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
