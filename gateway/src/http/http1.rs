//! A client's HTTP/1.1 link: ordinary requests are answered, and one for a tunnel leads to a member.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use hotrod_core::carriage::registry::{ADDRESS_FIELD, INSIDE_FIELD, NODE_FIELD};
use hotrod_core::carriage::{Detected, Refusal, answer_ordinary, check_tunnel_fields, detect};
use hotrod_core::http1::{Fields, Kind, Limits, Request, ServerEvent, ServerExchange, Violation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::endpoint::{Meant, node_at, refusal_of};
use super::http2;
use super::place::Place;
use super::{HERE, Link};
use crate::budget::CONNECTION_COVERED;
use crate::connection::{Ended, REFUSAL_TIMEOUT};
use crate::deadlines::Overdue;
use crate::drain::Phase;
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::opening::Opening;
use crate::relay::relay;
use crate::upstream::Upstream;

/// Time for a client to take an answer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a client that speaks HTTP/1.1; `first` is what it has sent already.
pub(super) async fn serve(shared: &Shared, stream: &mut impl Link, first: BytesMut, place: Place<'_>) -> Ended {
    let mut held = place.budget.account(CONNECTION_COVERED);
    let limits = Limits { head: shared.config.limits.header, ..Limits::default() };
    let mut exchange = ServerExchange::new(limits);
    exchange.handle_received(&first);
    let mut drain = shared.drain.clone();
    let patience = shared.config.limits.handshake_timeout;
    let patience = if place.surplus.is_some() { patience.min(REFUSAL_TIMEOUT) } else { patience };
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
                ServerEvent::Request(request) => match place.surplus {
                    None => return tunnel(shared, stream, exchange, &request, &place).await,
                    Some(surplus) => {
                        shared.metrics.refused(surplus.reason());
                        return turn_away(stream, &mut exchange, &Refusal::temporary(429), surplus).await;
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
                    return Ended::early(violation);
                }
            }
            if let Err(error) = flush(stream, &mut exchange).await {
                return Ended::early(error);
            }
        }
        if exchange.closes() {
            let _ = stream.shutdown().await;
            return Ended::early("answered");
        }
        let read = tokio::select! {
            read = timeout_at(deadline, stream.read_buf(exchange.receive_buffer())) => read,
            _ = drain.beyond(Phase::Serving) => return Ended::early("drained"),
        };
        match read {
            Ok(Ok(0)) => return Ended::early("closed by the client"),
            Ok(Ok(_)) => {
                exchange.handle_filled();
                held.set(exchange.memory());
            }
            Ok(Err(error)) => return Ended::early(error),
            Err(_) => {
                let is_begun = exchange.handle_timeout().is_some();
                let _ = flush(stream, &mut exchange).await;
                let _ = timeout(FLUSH_TIMEOUT, stream.shutdown()).await;
                if !is_begun {
                    return Ended::early("no further HTTP request in time (handshake-timeout)");
                }
                shared.metrics.refused("first_request");
                return Ended::early("no whole HTTP request in time (handshake-timeout)");
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

/// Leads a client to a member, or says why not.
async fn tunnel(
    shared: &Shared,
    stream: &mut impl Link,
    mut exchange: ServerExchange,
    request: &Request,
    place: &Place<'_>,
) -> Ended {
    let target = match &request.kind {
        Kind::Connect { authority } => Some(authority.as_str()),
        _ => None,
    };
    let meant = Meant::of(shared, request.fields.text(NODE_FIELD), target);
    let carriage = if target.is_some() { Carriage::Connect } else { Carriage::Upgrade };
    if let Err(wrong) = check_tunnel_fields(&request.fields) {
        return turn_away(stream, &mut exchange, &Refusal::new(400), wrong).await;
    }
    // Sessions of an inner link find their members each by itself.
    let is_early = request.fields.text(INSIDE_FIELD) == Some("h2");
    let connected = if is_early && !shared.drain.is_draining() {
        Ok(None)
    } else {
        shared.connect(place.owner(), meant.wanted(), carriage).await.map(Some)
    };
    let mut upstream = match connected {
        Ok(upstream) => upstream,
        Err(refusal) => return turn_away(stream, &mut exchange, &refusal_of(&refusal), refusal).await,
    };
    let mut first = match begin(shared, stream, &mut exchange, upstream.as_mut()).await {
        Ok(first) => first,
        Err(reason) => {
            return Ended { member: upstream.map(|upstream| upstream.member().clone()), ..Ended::early(reason) };
        }
    };
    // The first octets tell what is inside, whatever was said of it.
    match detect(&first) {
        Detected::HotRod => {}
        Detected::Http2 => {
            drop(upstream);
            return http2::serve(shared, stream, first, place.within(meant)).await;
        }
        _ => {
            let _ = stream.shutdown().await;
            return Ended::early("its tunnel carries neither Hot Rod nor HTTP/2");
        }
    }
    let opened = match upstream {
        // Its first request has the session's deadline.
        Some(upstream) => {
            let mut opening = Opening::new(shared.config.limits.request);
            match opening.take(&first) {
                Ok(()) => Ok((opening, upstream)),
                Err(fault) => {
                    drop(upstream);
                    opening.answer_fault(shared, stream).await;
                    Err(fault.to_string())
                }
            }
        }
        None => open(shared, stream, &mut first, &meant, carriage, place).await,
    };
    let (opening, mut upstream) = match opened {
        Ok(opened) => opened,
        Err(reason) => {
            let _ = stream.shutdown().await;
            return Ended::early(reason);
        }
    };
    let relayed = relay(stream, &mut upstream, opening, shared.relaying(place.budget)).await;
    Ended {
        member: Some(upstream.member().clone()),
        to_member: relayed.to_member,
        to_client: relayed.to_client,
        reason: relayed.end.to_string(),
    }
}

/// Connects a session whose member was not connected at the head of its request.
async fn open(
    shared: &Shared,
    stream: &mut impl Link,
    first: &mut BytesMut,
    meant: &Meant,
    carriage: Carriage,
    place: &Place<'_>,
) -> Result<(Opening, Upstream), String> {
    let opening = Opening::read((shared, place.budget), stream, first).await.map_err(|reason| reason.to_string())?;
    let connected = shared.connect(place.owner(), meant.wanted(), carriage).await;
    connected.map(|upstream| (opening, upstream)).map_err(|refusal| refusal.to_string())
}

async fn turn_away(
    stream: &mut impl Link,
    exchange: &mut ServerExchange,
    refusal: &Refusal,
    why: impl std::fmt::Display,
) -> Ended {
    refusal.answer_http1(exchange);
    let _ = flush(stream, exchange).await;
    let _ = stream.shutdown().await;
    Ended::early(why)
}

/// Says that the tunnel is there, and to whom it leads if that is known. Answers its first bytes.
async fn begin(
    shared: &Shared,
    stream: &mut impl Link,
    exchange: &mut ServerExchange,
    mut upstream: Option<&mut Upstream>,
) -> Result<BytesMut, String> {
    let mut fields = Fields::new();
    if let Some(upstream) = &upstream {
        // A name that can't be a field's value is left out.
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

/// Says that the tunnel is there. Answers its first bytes.
async fn accept(stream: &mut impl Link, exchange: &mut ServerExchange, fields: &Fields) -> std::io::Result<BytesMut> {
    let trailing = exchange.accept(fields).map_err(std::io::Error::other)?;
    flush(stream, exchange).await?;
    Ok(BytesMut::from(&trailing[..]))
}

/// The first bytes of a tunnel: they tell what it carries.
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
