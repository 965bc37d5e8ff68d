//! Accepted connections: detects the protocol of each, and serves it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hotrod_core::carriage::{Detected, detect};
use hotrod_core::wire::Member;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::info;

use crate::budget::{CONNECTION, Exhausted, LinkBudget, Reservation, TLS, TLS_OUTPUT};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::proxy_protocol::{self, ProxyFault};
use crate::sources::{Source, SourceLimit};
use crate::stream::{Stream, prepare};
use crate::{http, raw, tls};

/// First byte of a TLS record with a handshake message (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// Handshake timeout of a client that is refused.
pub(crate) const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The limit that a connection exceeds; the client is refused in its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectionLimit {
    #[error("the gateway has as many connections as it may have (max-connections)")]
    Gateway,
    #[error("{0}")]
    Source(SourceLimit),
}

impl ConnectionLimit {
    /// Label of the metric `refusals`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Gateway => "connections",
            Self::Source(limit) => limit.reason(),
        }
    }
}

/// A connection that was accepted.
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    /// Peer address of the socket: a client, or a router on behalf of one.
    pub(crate) peer: SocketAddr,
    /// The client; `None` until the header of a router has been read.
    pub(crate) source: Option<Source>,
    pub(crate) over_limit: Option<ConnectionLimit>,
}

/// A connection whose protocol is known.
pub(crate) struct Incoming<'a> {
    pub(crate) stream: Stream,
    pub(crate) source: &'a Source,
    pub(crate) protocol: Protocol,
    /// Bytes read so far; never empty.
    pub(crate) first: BytesMut,
    /// Limit that the connection exceeds: it is refused.
    pub(crate) over_limit: Option<ConnectionLimit>,
    /// Memory budget of the connection.
    pub(crate) budget: LinkBudget,
}

/// Result of a connection, for its line in the log.
#[derive(Debug)]
pub(crate) struct ConnectionEnd {
    /// Its member; `None` if it had none or several.
    pub(crate) member: Option<Member>,
    /// Bytes of Hot Rod written to members, and to the client.
    pub(crate) to_member: u64,
    pub(crate) to_client: u64,
    /// Reason for its end.
    pub(crate) reason: String,
}

impl ConnectionEnd {
    /// The end of a connection that relayed nothing.
    pub(crate) fn early(reason: impl fmt::Display) -> Self {
        Self { member: None, to_member: 0, to_client: 0, reason: reason.to_string() }
    }
}

/// Reason why the protocol of a connection did not become known.
#[derive(Debug, thiserror::Error)]
enum HandshakeError {
    #[error("closed before it said anything")]
    Silent,
    #[error("did not say in time what it speaks")]
    Late,
    #[error(transparent)]
    Tls(#[from] tls::Refused),
    #[error("{0}")]
    Failed(#[from] io::Error),
    #[error("spoke without TLS, which is required here")]
    Plain,
    #[error("wants TLS, and there is none here")]
    NoTls,
    #[error("speaks nothing that is known here (first byte {0:#04x})")]
    Unknown(u8),
    #[error("speaks {0:?} after another ALPN id was selected")]
    NotAsAgreed(Protocol),
    #[error("the gateway is about to stop")]
    Draining,
    #[error("{0}")]
    Memory(#[from] Exhausted),
    #[error("{0}")]
    Proxy(#[from] ProxyFault),
    #[error("of the router's client {0}: {1}")]
    TooOften(SocketAddr, SourceLimit),
}

impl HandshakeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Silent => "closed",
            Self::Late => "timeout",
            Self::Tls(tls::Refused::Alpn(_)) => "no_application_protocol",
            Self::Tls(tls::Refused::Name(_)) => "unrecognized_name",
            Self::Tls(tls::Refused::Failed(_)) => "tls",
            Self::Failed(_) => "failed",
            Self::Plain => "plain",
            Self::NoTls => "no_tls",
            Self::Unknown(_) => "unknown_protocol",
            Self::NotAsAgreed(_) => "alpn",
            Self::Draining => "draining",
            Self::Memory(_) => "memory",
            Self::Proxy(_) => "proxy_protocol",
            Self::TooOften(_, limit) => limit.reason(),
        }
    }
}

/// Protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    HotRod,
    Http1,
    Http2,
}

impl Protocol {
    /// Whether TLS with this ALPN id may carry the protocol (spec/hotrod-over-http.md, R-90).
    fn fits(self, alpn: Option<&[u8]>) -> bool {
        match alpn {
            Some(b"h2") => self == Self::Http2,
            Some(b"http/1.1") => self == Self::Http1,
            Some(b"hotrod" | b"HR") => self == Self::HotRod,
            // No id, or another id of the settings.
            _ => true,
        }
    }
}

/// Serves a connection until its end, and logs it.
pub(crate) async fn serve(shared: Arc<Shared>, accepted: Accepted) {
    let Accepted { socket, peer, mut source, mut over_limit } = accepted;
    let begun = Instant::now();
    let mut open = shared.metrics.connection();
    let limit = shared.config.limits.handshake_timeout;
    let limit = if over_limit.is_some() { limit.min(REFUSAL_TIMEOUT) } else { limit };
    let mut drain = shared.drain.clone();
    let budget = shared.budget.link();
    if !shared.wants_authentication() {
        budget.admit();
    }
    let result = {
        let handshake = handshake(&shared, socket, peer, &mut source, &mut over_limit, &budget);
        tokio::select! {
            result = timeout(limit, handshake) => result.unwrap_or(Err(HandshakeError::Late)),
            _ = drain.beyond(Phase::Serving) => Err(HandshakeError::Draining),
        }
    };
    let mut tls = false;
    // After the handshake there is a source.
    let ended = match result.and_then(|connected| Ok((connected, source.as_ref().ok_or(HandshakeError::Silent)?))) {
        Err(problem) => {
            if let HandshakeError::Memory(_) = problem {
                shared.metrics.refused("memory");
            }
            if let HandshakeError::TooOften(_, limit) = &problem {
                shared.metrics.refused(limit.reason());
            }
            shared.metrics.handshake_failed(problem.reason());
            ConnectionEnd::early(problem)
        }
        Ok(((protocol, Secured { stream, _memory }, first), source)) => {
            tls = stream.is_encrypted();
            let incoming = Incoming { stream, source, protocol, first, over_limit, budget };
            open.set_carriage(match protocol {
                Protocol::HotRod => Carriage::Raw,
                Protocol::Http1 => Carriage::Http1,
                Protocol::Http2 => Carriage::Http2,
            });
            match protocol {
                Protocol::HotRod => raw::serve(&shared, incoming).await,
                Protocol::Http1 | Protocol::Http2 => http::serve(&shared, incoming).await,
            }
        }
    };
    let client = source.as_ref().map_or(peer, Source::address);
    let via = (client != peer).then(|| peer.to_string());
    let member = ended.member.as_ref().map(ToString::to_string);
    info!(
        %client,
        via,
        tls,
        carriage = open.carriage().name(),
        member,
        to_member = ended.to_member,
        to_client = ended.to_client,
        milliseconds = begun.elapsed().as_millis() as u64,
        reason = ended.reason,
        "connection ended"
    );
}

/// Reads a PROXY header, accepts TLS, and detects the protocol.
async fn handshake(
    shared: &Shared,
    mut socket: TcpStream,
    peer: SocketAddr,
    source: &mut Option<Source>,
    over_limit: &mut Option<ConnectionLimit>,
    budget: &LinkBudget,
) -> Result<(Protocol, Secured, BytesMut), HandshakeError> {
    let connection = budget.reserve(CONNECTION)?;
    prepare(&socket, shared.config.upstream.keep_alive)?;
    if source.is_none() {
        let client = proxy_protocol::read(&mut socket).await?.unwrap_or(peer);
        let admitted = shared.sources.admit(client, tokio::time::Instant::now());
        let (named, beyond) = admitted.map_err(|limit| HandshakeError::TooOften(client, limit))?;
        *source = Some(named);
        *over_limit = over_limit.or(beyond.map(ConnectionLimit::Source));
    }
    if let Some(source) = source {
        budget.set_source(source.early_memory())?;
    }
    let (mut stream, tls) = secure(shared, socket, budget).await?;
    let memory = (connection, tls);
    let mut first = BytesMut::with_capacity(1024);
    while stream.read_buf(&mut first).await? > 0 {
        let protocol = match detect(&first) {
            Detected::NeedMore => continue,
            Detected::HotRod => Protocol::HotRod,
            Detected::Http1 => Protocol::Http1,
            Detected::Http2 => Protocol::Http2,
            Detected::Tls | Detected::Unknown => return Err(HandshakeError::Unknown(first[0])),
        };
        let fits = protocol.fits(stream.alpn());
        let secured = Secured { stream, _memory: memory };
        return if fits { Ok((protocol, secured, first)) } else { Err(HandshakeError::NotAsAgreed(protocol)) };
    }
    Err(HandshakeError::Silent)
}

/// A client's stream, with the memory reserved for it.
struct Secured {
    stream: Stream,
    _memory: (Reservation, Option<Reservation>),
}

/// Accepts TLS if the client begins with it.
async fn secure(
    shared: &Shared,
    socket: TcpStream,
    budget: &LinkBudget,
) -> Result<(Stream, Option<Reservation>), HandshakeError> {
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Err(HandshakeError::Silent);
    }
    match (first[0] == TLS_HANDSHAKE, shared.tls.server()) {
        (true, Some(serving)) => {
            let memory = budget.reserve(TLS)?;
            let mut stream = serving.accept(socket.into()).await?;
            stream.get_mut().1.set_buffer_limit(Some(TLS_OUTPUT));
            Ok((Stream::Tls(Box::new(stream.into())), Some(memory)))
        }
        (true, None) => Err(HandshakeError::NoTls),
        (false, Some(_)) if !shared.config.allow_plain => Err(HandshakeError::Plain),
        (false, _) => Ok((Stream::Plain(socket.into()), None)),
    }
}
