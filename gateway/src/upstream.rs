//! Connections to members, one for each session.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hotrod_core::wire::Member;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::config::{Config, Role, UpstreamConfig};
use crate::drain::Drain;
use crate::membership::Membership;
use crate::metrics::{Carriage, Metrics, OpenSession};
use crate::stream::{Stream, prepare};
use crate::tls::TlsFiles;

/// What handlers get connections to members from.
pub(crate) struct Upstreams {
    dialer: Arc<Dialer>,
    role: Role,
    membership: Arc<Membership>,
    places: Arc<Semaphore>,
    metrics: Metrics,
    drain: Drain,
    /// Whose turn it is where a session names no member.
    turn: AtomicUsize,
}

/// A session's connection to its member: read it, write it, and drop it at the session's end. It counts as a session
/// until then.
pub(crate) struct Upstream {
    stream: Stream,
    member: Member,
    _open: OpenSession,
    _place: OwnedSemaphorePermit,
}

/// Why a session gets no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoUpstream {
    /// There are as many sessions as there may be. Another time.
    #[error("the gateway has as many sessions as it may have")]
    Full,
    /// The gateway is about to stop. Elsewhere.
    #[error("the gateway is about to stop")]
    Draining,
    /// The cluster has no such member.
    #[error("{0:?} is no member of the cluster")]
    UnknownMember(String),
    /// A sidecar was asked for another member than its own.
    #[error("{wanted:?} is another member than {own}, before which this gateway stands")]
    AnotherMember {
        /// What was asked for.
        wanted: String,
        /// The name of its own.
        own: String,
    },
    /// The member does not accept the connection. Another time, or another member.
    #[error("member {member} can't be reached: {error}")]
    Unreachable {
        /// The member.
        member: Member,
        /// Why.
        error: io::Error,
    },
}

impl NoUpstream {
    /// In one word, for metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Full => "sessions",
            Self::Draining => "draining",
            Self::UnknownMember(_) => "unknown_member",
            Self::AnotherMember { .. } => "another_member",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

impl Upstreams {
    pub(crate) fn new(
        config: &Config,
        dialer: Arc<Dialer>,
        membership: Arc<Membership>,
        metrics: Metrics,
        drain: Drain,
    ) -> Self {
        let places = Arc::new(Semaphore::new(config.limits.sessions.min(Semaphore::MAX_PERMITS)));
        Self { dialer, role: config.role.clone(), membership, places, metrics, drain, turn: AtomicUsize::new(0) }
    }

    /// Connects a session with the member that it asks for by name or address; with any if it asks for none.
    ///
    /// Nothing is dialled but the sidecar's member, or members that the cluster has at this moment. A session that gets
    /// none is counted as refused.
    pub(crate) async fn connect(&self, wanted: Option<&str>, carriage: Carriage) -> Result<Upstream, NoUpstream> {
        let connected = self.try_connect(wanted, carriage).await;
        connected.inspect_err(|refusal| self.metrics.refused(refusal.reason()))
    }

    async fn try_connect(&self, wanted: Option<&str>, carriage: Carriage) -> Result<Upstream, NoUpstream> {
        if self.drain.is_draining() {
            return Err(NoUpstream::Draining);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| NoUpstream::Full)?;
        let mut refusal = NoUpstream::UnknownMember(wanted.unwrap_or("any").into());
        for member in self.candidates(wanted)? {
            match self.dialer.dial(&member).await {
                Ok(stream) => {
                    let open = self.metrics.session(carriage);
                    return Ok(Upstream { stream, member, _open: open, _place: place });
                }
                Err(error) => refusal = NoUpstream::Unreachable { member, error },
            }
        }
        Err(refusal)
    }

    /// Where the one is dialled that is wanted; where none is, any that can be reached does, each in its turn.
    fn candidates(&self, wanted: Option<&str>) -> Result<Vec<Member>, NoUpstream> {
        let members = self.membership.present();
        match (&self.role, wanted) {
            (Role::Sidecar { upstream, .. }, None) => Ok(vec![upstream.clone()]),
            (Role::Sidecar { upstream, node_name, .. }, Some(wanted)) => {
                let named = members.named(wanted);
                let is_own = wanted == node_name
                    || members.own.as_ref().is_some_and(|own| own.to_string() == wanted || named == Some(own));
                if is_own {
                    Ok(vec![upstream.clone()])
                } else if named.is_some() || members.all.is_empty() {
                    Err(NoUpstream::AnotherMember { wanted: wanted.into(), own: node_name.clone() })
                } else {
                    Err(NoUpstream::UnknownMember(wanted.into()))
                }
            }
            (Role::Front { .. }, Some(wanted)) => match members.named(wanted) {
                Some(member) => Ok(vec![member.clone()]),
                None => Err(NoUpstream::UnknownMember(wanted.into())),
            },
            (Role::Front { .. }, None) => {
                let mut all = members.all;
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % all.len().max(1);
                all.rotate_left(turn);
                Ok(all)
            }
        }
    }
}

impl Upstream {
    /// Which member it leads to, at the address where it was dialled.
    pub(crate) fn member(&self) -> &Member {
        &self.member
    }
}

/// Establishes connections to members.
pub(crate) struct Dialer {
    config: UpstreamConfig,
    tls: Arc<TlsFiles>,
    metrics: Metrics,
}

impl Dialer {
    pub(crate) fn new(config: UpstreamConfig, tls: Arc<TlsFiles>, metrics: Metrics) -> Self {
        Self { config, tls, metrics }
    }

    /// Connects in time, or not at all.
    pub(crate) async fn dial(&self, member: &Member) -> io::Result<Stream> {
        let limit = self.config.connect_timeout;
        let dialled = timeout(limit, self.establish(member)).await.unwrap_or_else(|_| Err(late(limit)));
        match &dialled {
            Ok(_) => self.metrics.upstream_connected(),
            Err(error) => self.metrics.upstream_failed(kind(error)),
        }
        dialled
    }

    async fn establish(&self, member: &Member) -> io::Result<Stream> {
        let socket = TcpStream::connect((member.host.as_str(), member.port)).await?;
        prepare(&socket, self.config.keep_alive)?;
        let Some((config, server_name)) = self.tls.client() else { return Ok(Stream::Plain(socket)) };
        let server_name = server_name.unwrap_or(&member.host).to_string();
        let server_name =
            ServerName::try_from(server_name).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = TlsConnector::from(config).connect(server_name, socket).await?;
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}

fn late(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))
}

fn kind(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::TimedOut => "timeout",
        // What rustls has to say.
        io::ErrorKind::InvalidData => "tls",
        _ => "other",
    }
}

impl AsyncRead for Upstream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upstream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
