//! A client's connection: what it speaks, and who serves it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hotrod_core::wire::Member;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::info;

use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::stream::{Stream, prepare};
use crate::{http, raw};

/// First byte of a TLS record with a handshake (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// First byte of a Hot Rod request.
const HOT_ROD_REQUEST: u8 = 0xa0;
/// Time for a client that is turned away to say what it speaks.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection of which it is known what it speaks.
pub(crate) struct Incoming {
    pub(crate) stream: Stream,
    /// What was received already; never empty.
    pub(crate) first: BytesMut,
    /// Whether it is to be turned away, because there are too many.
    pub(crate) is_surplus: bool,
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
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("{0}")]
    Failed(#[from] io::Error),
    #[error("spoke without TLS, which is required here")]
    Plain,
    #[error("wants TLS, and there is none here")]
    NoTls,
    #[error("speaks nothing that is known here (first byte {0:#04x})")]
    Unknown(u8),
    #[error("the gateway is about to stop")]
    Draining,
}

impl Introduction {
    fn reason(&self) -> &'static str {
        match self {
            Self::Silent => "closed",
            Self::Late => "timeout",
            Self::Tls(_) => "tls",
            Self::Failed(_) => "failed",
            Self::Plain => "plain",
            Self::NoTls => "no_tls",
            Self::Unknown(_) => "unknown_protocol",
            Self::Draining => "draining",
        }
    }
}

/// What the first bytes are.
enum Spoken {
    HotRod,
    Http,
}

/// Serves a client to the end, and says so in the log.
pub(crate) async fn serve(shared: Arc<Shared>, socket: TcpStream, client: SocketAddr, is_surplus: bool) {
    let begun = Instant::now();
    let mut open = shared.metrics.connection();
    let limit = if is_surplus { REFUSAL_TIMEOUT } else { shared.config.limits.handshake_timeout };
    let mut drain = shared.drain.clone();
    let introduced = tokio::select! {
        introduced = timeout(limit, introduce(&shared, socket)) => introduced.unwrap_or(Err(Introduction::Late)),
        _ = drain.beyond(Phase::Serving) => Err(Introduction::Draining),
    };
    let mut tls = false;
    let ended = match introduced {
        Err(problem) => {
            shared.metrics.handshake_failed(problem.reason());
            Ended::early(problem)
        }
        Ok((spoken, stream, first)) => {
            tls = stream.is_encrypted();
            let incoming = Incoming { stream, first, is_surplus };
            match spoken {
                Spoken::HotRod => {
                    open.set_carriage(Carriage::Raw);
                    raw::serve(&shared, incoming).await
                }
                Spoken::Http => http::serve(&shared, incoming, &mut open).await,
            }
        }
    };
    let member = ended.member.as_ref().map(ToString::to_string);
    info!(
        %client,
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
async fn introduce(shared: &Shared, socket: TcpStream) -> Result<(Spoken, Stream, BytesMut), Introduction> {
    prepare(&socket, shared.config.upstream.keep_alive)?;
    let mut stream = secure(shared, socket).await?;
    let mut first = BytesMut::with_capacity(1024);
    stream.read_buf(&mut first).await?;
    match first.first() {
        None => Err(Introduction::Silent),
        Some(&HOT_ROD_REQUEST) => Ok((Spoken::HotRod, stream, first)),
        // The method of a request, or the preface of HTTP/2.
        Some(b'A'..=b'Z') => Ok((Spoken::Http, stream, first)),
        Some(other) => Err(Introduction::Unknown(*other)),
    }
}

/// TLS, if that is what the client begins with.
async fn secure(shared: &Shared, socket: TcpStream) -> Result<Stream, Introduction> {
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Err(Introduction::Silent);
    }
    match (first[0] == TLS_HANDSHAKE, shared.tls.server()) {
        (true, Some(config)) => {
            let stream = TlsAcceptor::from(config).accept(socket).await.map_err(Introduction::Tls)?;
            Ok(Stream::Tls(Box::new(stream.into())))
        }
        (true, None) => Err(Introduction::NoTls),
        (false, Some(_)) if !shared.config.allow_plain => Err(Introduction::Plain),
        (false, _) => Ok(Stream::Plain(socket)),
    }
}
