//! Clients that begin and do not go on.

use hotrod_core::http2::{ErrorCode, StreamId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, Limits, Operation};
use hotrod_gateway::gateway::Gateway;

use crate::common::{LONG, Played, answers, end_of, metric, node, refusals, sidecar, until};
use crate::peer::{FIRST, FRAMES, Heard, Peer, WHOLE, get};

const SOON: [&str; 2] = ["--handshake-timeout", "1s"];
/// An AUTH of version 2.0 by PLAIN, of which the last of three bytes is missing.
const HALF_AN_AUTH: [u8; 17] = [0xa0, 1, 20, 0x23, 0, 0, 1, 0, 5, b'P', b'L', b'A', b'I', b'N', 3, 0, 0];
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n";

/// The gateway's own connection is there.
async fn follows(gateway: &Gateway) {
    until("it follows", || async { metric(gateway, "hotrod_gateway_upstream_connects_total").await == 1 }).await;
}

#[tokio::test]
async fn half_a_first_request_gets_no_member_connection_and_ends() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &SOON).await;
    follows(&gateway).await;
    for begin in [&HALF_AN_AUTH[..1], &HALF_AN_AUTH[..5], &HALF_AN_AUTH[..]] {
        let mut client = TcpStream::connect(gateway.address()).await.unwrap();
        client.write_all(begin).await.unwrap();
        assert!(end_of(&mut client).await.is_empty());
    }
    assert_eq!(refusals(&gateway, "first_request").await, 3);
    assert_eq!(metric(&gateway, "hotrod_gateway_upstream_connects_total").await, 1, "the gateway's own");
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(answers(&mut client).await);
    assert_eq!(metric(&gateway, "hotrod_gateway_upstream_connects_total").await, 2);
    node.stop().await;
}

#[tokio::test]
async fn half_a_head_of_http_is_told_so_and_ends() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &SOON).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
    assert!(end_of(&mut client).await.starts_with(b"HTTP/1.1 408 "));
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let answers = String::from_utf8(end_of(&mut client).await).unwrap();
    assert!(answers.starts_with("HTTP/1.1 200 ") && !answers.contains("408"), "between requests nothing is said");
    node.stop().await;
}

/// The stream ends, or the whole link, with that code.
async fn ended(peer: &mut Peer, stream: StreamId) -> ErrorCode {
    loop {
        match peer.next().await {
            Heard::Reset { stream: reset, code } if reset == stream => return code,
            Heard::GoAway { code, .. } => return code,
            Heard::Data { stream: of, is_last: true, .. } if of == stream => return ErrorCode::NO_ERROR,
            Heard::Closed => panic!("closed without a word"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_session_that_is_not_used_gives_its_member_back_over_every_carriage() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &SOON).await;
    let mut upgrade = TcpStream::connect(gateway.address()).await.unwrap();
    upgrade.write_all(UPGRADE).await.unwrap();
    assert!(end_of(&mut upgrade).await.starts_with(b"HTTP/1.1 101 "));
    let mut begun = TcpStream::connect(gateway.address()).await.unwrap();
    begun.write_all(&[UPGRADE, &HALF_AN_AUTH].concat()).await.unwrap();
    assert!(end_of(&mut begun).await.starts_with(b"HTTP/1.1 101 "));
    for settings in [&[][..], &[FRAMES]] {
        let mut peer = Peer::connect(gateway.address(), settings).await;
        let silent = peer.ask_session(&[]).await;
        let begun = peer.ask_session(&[]).await;
        if settings.is_empty() {
            peer.data(begun, &HALF_AN_AUTH, false).await;
        } else {
            peer.request(begun, 1, FIRST, &HALF_AN_AUTH).await;
        }
        ended(&mut peer, silent).await;
        ended(&mut peer, begun).await;
    }
    until("no session is left", || async { metric(&gateway, "hotrod_gateway_sessions_open").await == 0 }).await;
    assert!(refusals(&gateway, "first_request").await >= 6);
    node.stop().await;
}

#[tokio::test]
async fn a_link_without_a_session_ends() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &SOON).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    assert!(matches!(peer.next().await, Heard::GoAway { code: ErrorCode::NO_ERROR, .. }));
    // The same within a tunnel.
    let mut upgrade = TcpStream::connect(gateway.address()).await.unwrap();
    upgrade.write_all(UPGRADE).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LONG, upgrade.read_u8()).await.unwrap().unwrap());
    }
    let mut inner = Peer::over(upgrade, &[FRAMES]).await;
    assert!(matches!(inner.next().await, Heard::GoAway { code: ErrorCode::NO_ERROR, .. }));
    until("no connection is left", || async { metric(&gateway, "hotrod_gateway_connections_open").await == 0 }).await;
    node.stop().await;
}

#[tokio::test]
async fn a_request_that_stops_half_way_ends_its_session_over_every_carriage() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &SOON).await;
    let mut raw = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(answers(&mut raw).await);
    raw.write_all(&HALF_AN_AUTH).await.unwrap();
    assert!(end_of(&mut raw).await.is_empty());
    let mut tunnels = Peer::connect(gateway.address(), &[]).await;
    let tunnel = tunnels.ask_session(&[]).await;
    tunnels.data(tunnel, &[&crate::common::PING[..], &[0xa0, 2], &HALF_AN_AUTH[2..]].concat(), false).await;
    assert_eq!(ended(&mut tunnels, tunnel).await, ErrorCode::ENHANCE_YOUR_CALM);
    let mut frames = Peer::connect(gateway.address(), &[FRAMES]).await;
    let session = frames.open().await;
    frames.request(session, 1, WHOLE, &get(1)).await;
    frames.request(session, 2, FIRST, &get(2)[..6]).await;
    assert_eq!(ended(&mut frames, session).await, ErrorCode::ENHANCE_YOUR_CALM);
    assert_eq!(refusals(&gateway, "slow_request").await, 3);
    node.stop().await;
}

/// A member that wants its clients to authenticate, and answers PING and no more.
async fn strict() -> (std::sync::Arc<Played>, Gateway) {
    let played = std::sync::Arc::new(Played::new().await);
    played.set_mechanisms(&["SCRAM-SHA-512"]);
    let gateway = sidecar(played.address(), &["--authentication-timeout", "500ms"]).await;
    (played, gateway)
}

#[tokio::test]
async fn who_does_not_authenticate_ends_where_the_cluster_wants_it() {
    let (played, gateway) = strict().await;
    let serving = played.clone();
    let refusing = tokio::spawn(async move {
        loop {
            // AUTH gets a challenge: that is not to be authenticated.
            let (mut link, header, request) = serving.next().await;
            tokio::spawn(async move {
                let body = Body::Challenge { complete: false, challenge: "r=nonce".into() };
                link.answer(&header, request.operation(), body).await;
                while link.request().await.is_some() {}
            });
        }
    });
    let mut pinging = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(answers(&mut pinging).await);
    assert!(end_of(&mut pinging).await.is_empty());
    let mut stepping = TcpStream::connect(gateway.address()).await.unwrap();
    stepping.write_all(&[&HALF_AN_AUTH[..], &[0]].concat()).await.unwrap();
    assert!(end_of(&mut stepping).await.ends_with(b"r=nonce"), "the challenge, and then the end");
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let session = peer.open().await;
    peer.request(session, 1, WHOLE, &[&HALF_AN_AUTH[..], &[0]].concat()).await;
    assert_eq!(ended(&mut peer, session).await, hotrod_core::carriage::registry::HOT_ROD_NOT_AUTHENTICATED);
    assert_eq!(refusals(&gateway, "authentication").await, 3);
    refusing.abort();
}

#[tokio::test]
async fn who_is_let_in_stays() {
    let (played, gateway) = strict().await;
    let serving = played.clone();
    let answering = tokio::spawn(async move {
        let (mut link, mut header, mut request) = serving.next().await;
        loop {
            let body = match request.operation() {
                Operation::Auth => Body::Challenge { complete: false, challenge: "v=proof".into() },
                _ => Body::Value("v".into()),
            };
            link.answer(&header, request.operation(), body).await;
            let Some(next) = link.request().await else { return };
            (header, request) = next;
        }
    });
    let mut stays = TcpStream::connect(gateway.address()).await.unwrap();
    stays.write_all(&[&HALF_AN_AUTH[..], &[0]].concat()).await.unwrap();
    let mut session = ServerSession::new(Limits::default(), 1 << 20);
    assert!(timeout(LONG, stays.read_buf(session.receive_buffer())).await.unwrap().unwrap() > 0);
    // Another that does not authenticate is ended meanwhile.
    sleep(std::time::Duration::from_millis(700)).await;
    stays.write_all(&[0xa0, 5, 20, 0x03, 0, 0, 1, 0, 1, b'k']).await.unwrap();
    let mut answer = [0; 7];
    timeout(LONG, stays.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, [0xa1, 5, 0x04, 0, 0, 1, b'v']);
    assert_eq!(refusals(&gateway, "authentication").await, 0);
    drop(stays);
    answering.await.unwrap();
}

#[tokio::test]
async fn where_nobody_authenticates_nobody_has_to() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--authentication-timeout", "100ms", "--idle-timeout", "500ms"]).await;
    follows(&gateway).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(answers(&mut client).await);
    assert!(end_of(&mut client).await.is_empty());
    assert_eq!(refusals(&gateway, "authentication").await, 0, "it was idle");
    node.stop().await;
}

#[tokio::test]
async fn a_silent_session_ends_beside_a_busy_one() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--idle-timeout", "1s"]).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let (silent, busy) = (peer.open().await, peer.open().await);
    for stream in [silent, busy] {
        peer.request(stream, 1, WHOLE, &get(1)).await;
    }
    let mut call = 1;
    loop {
        match peer.next_but_credit().await {
            Heard::Reset { stream, .. } if stream == silent => break,
            Heard::Data { stream, is_last: true, .. } if stream == silent => break,
            Heard::Response { stream, .. } if stream == busy => {
                sleep(std::time::Duration::from_millis(50)).await;
                call += 1;
                peer.request(busy, call, WHOLE, &get(call.into())).await;
            }
            Heard::Response { .. } => {}
            other => panic!("{other:?}"),
        }
        assert!(call < 1000, "it stays");
    }
    node.stop().await;
}
