//! A client's connection: what it speaks, and who serves it.

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

use crate::budget::{Account, CONNECTION, Exhausted, LinkBudget, TLS, TLS_OUTPUT};
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::proxy_protocol::{self, ProxyFault};
use crate::sources::{Source, SourceLimit};
use crate::stream::{Stream, prepare};
use crate::{http, raw, tls};

/// First byte of a TLS record with a handshake (RFC 8446, 5.1): what a peek at one byte can tell.
const TLS_HANDSHAKE: u8 = 0x16;
/// Time for a client that is turned away to say what it speaks.
pub(crate) const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection is one too many: it is turned away in what it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Surplus {
    #[error("the gateway has as many connections as it may have (max-connections)")]
    Gateway,
    #[error("{0}")]
    Source(SourceLimit),
}

impl Surplus {
    /// Label value of the metric of refusals.
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
    /// The other end of the connection: a client, or a router that speaks for one.
    pub(crate) peer: SocketAddr,
    /// The client; `None` until a router has named it.
    pub(crate) source: Option<Source>,
    pub(crate) surplus: Option<Surplus>,
}

/// A connection of which it is known what it speaks.
pub(crate) struct Incoming<'a> {
    pub(crate) stream: Stream,
    pub(crate) source: &'a Source,
    pub(crate) speaks: Speaks,
    /// What was received already; never empty.
    pub(crate) first: BytesMut,
    /// Why it is to be turned away, if it is.
    pub(crate) surplus: Option<Surplus>,
    /// What it may hold.
    pub(crate) budget: LinkBudget,
}

/// What became of a connection, for its line in the log.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whom it led to; `None` if that were none or several.
    pub(crate) member: Option<Member>,
    /// Bytes of Hot Rod that members took, and that the client took.
    pub(crate) to_member: u64,
    pub(crate) to_client: u64,
    /// Why it is over.
    pub(crate) reason: String,
}

impl Ended {
    /// Without anything passed on.
    pub(crate) fn early(reason: impl fmt::Display) -> Self {
        Self { member: None, to_member: 0, to_client: 0, reason: reason.to_string() }
    }
}

/// Why it did not become known what a connection speaks.
#[derive(Debug, thiserror::Error)]
enum Introduction {
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
    NotAsAgreed(Speaks),
    #[error("the gateway is about to stop")]
    Draining,
    #[error("{0}")]
    Memory(#[from] Exhausted),
    #[error("{0}")]
    Proxy(#[from] ProxyFault),
    #[error("of the router's client {0}: {1}")]
    TooOften(SocketAddr, SourceLimit),
}

impl Introduction {
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

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    HotRod,
    Http1,
    Http2,
}

impl Speaks {
    /// Whether it may be spoken after TLS has selected that ALPN id (spec/hotrod-over-http.md, R-90).
    fn fits(self, alpn: Option<&[u8]>) -> bool {
        match alpn {
            Some(b"h2") => self == Self::Http2,
            Some(b"http/1.1") => self == Self::Http1,
            Some(b"hotrod" | b"HR") => self == Self::HotRod,
            // None, or one of the settings' own that says nothing here.
            _ => true,
        }
    }
}

/// Serves a client to the end, and says so in the log.
pub(crate) async fn serve(shared: Arc<Shared>, accepted: Accepted) {
    let Accepted { socket, peer, mut source, mut surplus } = accepted;
    let begun = Instant::now();
    let mut open = shared.metrics.connection();
    let limit = shared.config.limits.handshake_timeout;
    let limit = if surplus.is_some() { limit.min(REFUSAL_TIMEOUT) } else { limit };
    let mut drain = shared.drain.clone();
    let budget = shared.budget.link();
    if !shared.wants_authentication() {
        budget.admit();
    }
    let introduced = {
        let introduction = introduce(&shared, socket, peer, &mut source, &mut surplus, &budget);
        tokio::select! {
            introduced = timeout(limit, introduction) => introduced.unwrap_or(Err(Introduction::Late)),
            _ = drain.beyond(Phase::Serving) => Err(Introduction::Draining),
        }
    };
    let mut tls = false;
    // What was introduced has a source.
    let ended = match introduced.and_then(|introduced| Ok((introduced, source.as_ref().ok_or(Introduction::Silent)?))) {
        Err(problem) => {
            if let Introduction::Memory(_) = problem {
                shared.metrics.refused("memory");
            }
            if let Introduction::TooOften(_, limit) = &problem {
                shared.metrics.refused(limit.reason());
            }
            shared.metrics.handshake_failed(problem.reason());
            Ended::early(problem)
        }
        Ok(((speaks, Secured { stream, _memory }, first), source)) => {
            tls = stream.is_encrypted();
            let incoming = Incoming { stream, source, speaks, first, surplus, budget };
            open.set_carriage(match speaks {
                Speaks::HotRod => Carriage::Raw,
                Speaks::Http1 => Carriage::Http1,
                Speaks::Http2 => Carriage::Http2,
            });
            match speaks {
                Speaks::HotRod => raw::serve(&shared, incoming).await,
                Speaks::Http1 | Speaks::Http2 => http::serve(&shared, incoming).await,
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

/// Finds out what a client speaks.
async fn introduce(
    shared: &Shared,
    mut socket: TcpStream,
    peer: SocketAddr,
    source: &mut Option<Source>,
    surplus: &mut Option<Surplus>,
    budget: &LinkBudget,
) -> Result<(Speaks, Secured, BytesMut), Introduction> {
    let connection = budget.reserve(CONNECTION)?;
    prepare(&socket, shared.config.upstream.keep_alive)?;
    if source.is_none() {
        let client = proxy_protocol::read(&mut socket).await?.unwrap_or(peer);
        let admitted = shared.sources.admit(client, tokio::time::Instant::now());
        let (named, beyond) = admitted.map_err(|limit| Introduction::TooOften(client, limit))?;
        *source = Some(named);
        *surplus = surplus.or(beyond.map(Surplus::Source));
    }
    let (mut stream, tls) = secure(shared, socket, budget).await?;
    let memory = (connection, tls);
    let mut first = BytesMut::with_capacity(1024);
    while stream.read_buf(&mut first).await? > 0 {
        let speaks = match detect(&first) {
            Detected::NeedMore => continue,
            Detected::HotRod => Speaks::HotRod,
            Detected::Http1 => Speaks::Http1,
            Detected::Http2 => Speaks::Http2,
            Detected::Tls | Detected::Unknown => return Err(Introduction::Unknown(first[0])),
        };
        let fits = speaks.fits(stream.alpn());
        let secured = Secured { stream, _memory: memory };
        return if fits { Ok((speaks, secured, first)) } else { Err(Introduction::NotAsAgreed(speaks)) };
    }
    Err(Introduction::Silent)
}

/// A client's stream, with what is reserved for it.
struct Secured {
    stream: Stream,
    _memory: (Account, Option<Account>),
}

/// TLS, if that is what the client begins with.
async fn secure(
    shared: &Shared,
    socket: TcpStream,
    budget: &LinkBudget,
) -> Result<(Stream, Option<Account>), Introduction> {
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Err(Introduction::Silent);
    }
    match (first[0] == TLS_HANDSHAKE, shared.tls.server()) {
        (true, Some(serving)) => {
            let memory = budget.reserve(TLS)?;
            let mut stream = serving.accept(socket.into()).await?;
            stream.get_mut().1.set_buffer_limit(Some(TLS_OUTPUT));
            Ok((Stream::Tls(Box::new(stream.into())), Some(memory)))
        }
        (true, None) => Err(Introduction::NoTls),
        (false, Some(_)) if !shared.config.allow_plain => Err(Introduction::Plain),
        (false, _) => Ok((Stream::Plain(socket.into()), None)),
    }
}
