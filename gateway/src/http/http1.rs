//! Serves a client's HTTP/1.1 link: answers ordinary requests, and connects a tunnel with a member.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use hotrod_core::carriage::registry::{ADDRESS_FIELD, INSIDE_FIELD, NODE_FIELD};
use hotrod_core::carriage::{Detected, Refusal, answer_ordinary, check_tunnel_fields, detect};
use hotrod_core::http1::{Fields, Kind, Limits, Request, ServerEvent, ServerExchange, Violation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::context::LinkContext;
use super::endpoint::{RequestedMember, node_at, refusal_of};
use super::http2;
use super::{HERE, Link};
use crate::budget::CONNECTION_COVERED;
use crate::connection::{ConnectionEnd, REFUSAL_TIMEOUT};
use crate::deadlines::Overdue;
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::opening::Opening;
use crate::relay::relay;
use crate::upstream::Upstream;

/// Time limit for sending an answer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a client that speaks HTTP/1.1. `first` has the bytes that were read before.
pub(super) async fn serve(
    shared: &Shared,
    stream: &mut impl Link,
    first: BytesMut,
    context: LinkContext<'_>,
) -> ConnectionEnd {
    let mut held = context.budget.account(CONNECTION_COVERED);
    let mut limits = Limits::default();
    limits.head = shared.config.limits.header;
    let mut exchange = ServerExchange::new(limits);
    exchange.handle_received(&first);
    let mut drain = shared.drain.clone();
    let patience = shared.config.limits.handshake_timeout;
    let patience = if context.over_limit.is_some() { patience.min(REFUSAL_TIMEOUT) } else { patience };
    let mut deadline = Instant::now() + patience;
    let mut is_answered = false;
    loop {
        while let Some(event) = exchange.poll_event() {
            match event {
                ServerEvent::Request(request) if request.kind == Kind::Ordinary => {
                    let close = shared.drain.is_draining();
                    answer_ordinary(&mut exchange, &request, HERE, close);
                    is_answered = true;
                    deadline = Instant::now() + patience;
                }
                ServerEvent::Request(request) => match context.over_limit {
                    None => return tunnel(shared, stream, exchange, &request, &context).await,
                    Some(over_limit) => {
                        shared.metrics.refused(over_limit.reason());
                        return refuse_link(stream, &mut exchange, &Refusal::temporary(429), over_limit).await;
                    }
                },
                ServerEvent::Failed(violation) => {
                    shared.metrics.refused("request");
                    // A link that does not begin with a request line speaks something else: it is closed.
                    let is_http = is_answered || !matches!(violation, Violation::NotHttp | Violation::FirstLine);
                    if is_http {
                        let _ = flush(stream, &mut exchange).await;
                    }
                    let _ = stream.shutdown().await;
                    return ConnectionEnd::early(violation);
                }
                // Only a request needs a response, and only a failure ends the connection.
                _ => {}
            }
            if let Err(error) = flush(stream, &mut exchange).await {
                return ConnectionEnd::early(error);
            }
        }
        if exchange.closes() {
            let _ = stream.shutdown().await;
            return ConnectionEnd::early("answered");
        }
        let read = tokio::select! {
            read = timeout_at(deadline, stream.read_buf(exchange.receive_buffer())) => read,
            _ = drain.beyond(Phase::Serving) => return ConnectionEnd::early("drained"),
        };
        match read {
            Ok(Ok(0)) => return ConnectionEnd::early("closed by the client"),
            Ok(Ok(_)) => {
                exchange.handle_filled();
                held.set(exchange.memory());
            }
            Ok(Err(error)) => return ConnectionEnd::early(error),
            Err(_) => {
                let is_begun = exchange.handle_timeout().is_some();
                let _ = flush(stream, &mut exchange).await;
                let _ = timeout(FLUSH_TIMEOUT, stream.shutdown()).await;
                if !is_begun {
                    return ConnectionEnd::early("no further HTTP request in time (handshake-timeout)");
                }
                shared.metrics.refused("first_request");
                return ConnectionEnd::early("no whole HTTP request in time (handshake-timeout)");
            }
        }
    }
}

async fn flush(stream: &mut impl Link, exchange: &mut ServerExchange) -> std::io::Result<()> {
    let flush = async {
        while !exchange.transmit().is_empty() {
            let written = stream.write(exchange.transmit().first()).await?;
            exchange.transmitted(written);
        }
        stream.flush().await
    };
    timeout(FLUSH_TIMEOUT, flush).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

/// Connects a tunnel with a member, or refuses it.
async fn tunnel(
    shared: &Shared,
    stream: &mut impl Link,
    mut exchange: ServerExchange,
    request: &Request,
    context: &LinkContext<'_>,
) -> ConnectionEnd {
    let target = match &request.kind {
        Kind::Connect { authority } => Some(authority.as_str()),
        _ => None,
    };
    let requested = RequestedMember::of(shared, request.fields.text(NODE_FIELD), target);
    let carriage = if target.is_some() { Carriage::Connect } else { Carriage::Upgrade };
    if let Err(wrong) = check_tunnel_fields(&request.fields) {
        return refuse_link(stream, &mut exchange, &Refusal::new(400), wrong).await;
    }
    // Each session of an inner link connects with its own member.
    let is_early = request.fields.text(INSIDE_FIELD) == Some("h2");
    let connected = if is_early && !shared.drain.is_draining() {
        shared.upstreams.check(requested.wanted()).map(|()| None)
    } else {
        shared.connect(context.owner(), requested.wanted(), carriage).await.map(Some)
    };
    let mut upstream = match connected {
        Ok(upstream) => upstream,
        Err(refusal) => return refuse_link(stream, &mut exchange, &refusal_of(&refusal), refusal).await,
    };
    let first = match begin(shared, stream, &mut exchange, upstream.as_mut()).await {
        Ok(first) => first,
        Err(reason) => {
            return ConnectionEnd {
                member: upstream.map(|upstream| upstream.member().clone()),
                ..ConnectionEnd::early(reason)
            };
        }
    };
    // The first bytes decide what the tunnel contains, whatever `Hot-Rod-Inside` says.
    match detect(&first) {
        Detected::HotRod => {}
        Detected::Http2 => {
            drop(upstream);
            return http2::serve(shared, stream, first, context.within(requested)).await;
        }
        _ => {
            let _ = stream.shutdown().await;
            return ConnectionEnd::early("its tunnel carries neither Hot Rod nor HTTP/2");
        }
    }
    let opened = match upstream {
        // The relay has the deadline of the first request.
        Some(upstream) => {
            let mut opening = Opening::new(shared.config.limits.request);
            match opening.receive(&first) {
                Ok(()) => Ok((opening, upstream)),
                Err(fault) => {
                    drop(upstream);
                    opening.send_error(shared, stream).await;
                    Err(fault.to_string())
                }
            }
        }
        None => open(shared, stream, first, &requested, carriage, context).await,
    };
    let (opening, mut upstream) = match opened {
        Ok(opened) => opened,
        Err(reason) => {
            let _ = stream.shutdown().await;
            return ConnectionEnd::early(reason);
        }
    };
    let relayed = relay(stream, &mut upstream, opening, shared.relay_config(context.budget)).await;
    ConnectionEnd {
        member: Some(upstream.member().clone()),
        to_member: relayed.to_member,
        to_client: relayed.to_client,
        reason: relayed.end.to_string(),
    }
}

/// Connects a session after its first request: the head was answered without a member.
async fn open(
    shared: &Shared,
    stream: &mut impl Link,
    first: BytesMut,
    requested: &RequestedMember,
    carriage: Carriage,
    context: &LinkContext<'_>,
) -> Result<(Opening, Upstream), String> {
    let opening = Opening::read((shared, context.budget), stream, first).await.map_err(|reason| reason.to_string())?;
    let connected = shared.connect(context.owner(), requested.wanted(), carriage).await;
    connected.map(|upstream| (opening, upstream)).map_err(|refusal| refusal.to_string())
}

async fn refuse_link(
    stream: &mut impl Link,
    exchange: &mut ServerExchange,
    refusal: &Refusal,
    why: impl std::fmt::Display,
) -> ConnectionEnd {
    refusal.answer_http1(exchange);
    let _ = flush(stream, exchange).await;
    let _ = stream.shutdown().await;
    ConnectionEnd::early(why)
}

/// Accepts the tunnel, with the name of its member if that is connected. Returns its first bytes.
async fn begin(
    shared: &Shared,
    stream: &mut impl Link,
    exchange: &mut ServerExchange,
    mut upstream: Option<&mut Upstream>,
) -> Result<BytesMut, String> {
    let mut fields = Fields::new();
    if let Some(upstream) = &upstream {
        // A name that is no valid field value is left out.
        let _ = fields.push(NODE_FIELD, upstream.name().to_string());
        if let Some(address) = node_at(shared, upstream).address() {
            let _ = fields.push(ADDRESS_FIELD, address.to_string());
        }
    }
    let trailing = accept(stream, exchange, &fields).await.map_err(|error| error.to_string())?;
    let lost = poll_fn(|cx| upstream.as_mut().map_or(Poll::Pending, |upstream| upstream.poll_lost(cx)));
    tokio::select! {
        first = first_bytes(shared, stream, trailing) => first,
        () = lost => Err("closed by the member".into()),
    }
}

/// Accepts the tunnel. Returns bytes that followed the head.
async fn accept(stream: &mut impl Link, exchange: &mut ServerExchange, fields: &Fields) -> std::io::Result<BytesMut> {
    let trailing = exchange.accept(fields).map_err(std::io::Error::other)?;
    flush(stream, exchange).await?;
    Ok(BytesMut::from(&trailing[..]))
}

/// Reads the first bytes of a tunnel, which decide its protocol.
async fn first_bytes(shared: &Shared, stream: &mut impl Link, mut first: BytesMut) -> Result<BytesMut, String> {
    let read = async {
        while first.is_empty() || detect(&first) == Detected::NeedMore {
            if stream.read_buf(&mut first).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
            }
        }
        Ok(())
    };
    match timeout(shared.config.limits.handshake_timeout, read).await {
        Ok(Ok(())) => Ok(first),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            shared.metrics.refused("first_request");
            Err(Overdue::FirstRequest.to_string())
        }
    }
}
