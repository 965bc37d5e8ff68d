//! Our client, and the crate h2's server.

use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::SendResponse;
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Connection, ErrorCode, Event, RequestError, StreamId, setting};
use hotrod_http2_interop::Host;
use http::{Request, Response};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

use crate::{Backlogs, LARGE, config, content, field, link, value};

/// Sends back what comes, trailers included; `/reset` is reset, and after `/drain` nothing more is accepted.
async fn serve(link: DuplexStream) {
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol().initial_window_size(100_000).max_concurrent_streams(10);
    let mut connection = builder.handshake::<_, Bytes>(link).await.unwrap();
    while let Some(accepted) = connection.accept().await {
        let Ok((request, respond)) = accepted else { return };
        if request.uri().path() == "/drain" {
            connection.graceful_shutdown();
        }
        tokio::spawn(answer(request, respond));
    }
}

async fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>) {
    if request.uri().path() == "/reset" {
        respond.send_reset(h2::Reason::REFUSED_STREAM);
        return;
    }
    let protocol = request.extensions().get::<Protocol>().map_or("none", Protocol::as_str);
    let response = Response::builder().status(200).header("x-protocol", protocol).body(()).unwrap();
    let mut body = request.into_body();
    let mut out = respond.send_response(response, body.is_end_stream()).unwrap();
    if body.is_end_stream() {
        return;
    }
    while let Some(data) = body.data().await {
        let Ok(mut data) = data else { return };
        let _ = body.flow_control().release_capacity(data.len());
        while !data.is_empty() {
            out.reserve_capacity(data.len());
            let Some(Ok(room)) = std::future::poll_fn(|context| out.poll_capacity(context)).await else { return };
            out.send_data(data.split_to(room.min(data.len())), false).unwrap();
        }
    }
    match body.trailers().await {
        Ok(Some(trailers)) => out.send_trailers(trailers).unwrap(),
        _ => out.send_data(Bytes::new(), true).unwrap(),
    }
}

fn start() -> (Host<DuplexStream>, JoinHandle<()>) {
    let (ours, theirs) = link();
    (Host::new(ours, |now| Connection::client(config(), now)), tokio::spawn(serve(theirs)))
}

fn request(method: &'static str, path: &'static str) -> Vec<Field> {
    vec![field(":method", method), field(":scheme", "http"), field(":authority", "pod"), field(":path", path)]
}

fn tunnel() -> Vec<Field> {
    let mut fields = request("CONNECT", "/hotrod");
    fields.insert(1, field(":protocol", "hotrod"));
    fields
}

async fn settings(host: &mut Host<DuplexStream>) {
    assert_eq!(host.event().await, Event::Settings);
}

fn open(host: &mut Host<DuplexStream>, fields: &[Field], end: bool) -> StreamId {
    let now = host.now();
    host.connection.request(now, fields, end).unwrap()
}

#[tokio::test]
async fn requests_up_to_the_servers_limit() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let told = host.connection.peer_settings().unwrap();
    assert_eq!(told.get(setting::ENABLE_CONNECT_PROTOCOL), Some(1));
    let streams: Vec<_> = (0..10).map(|_| open(&mut host, &request("GET", "/"), true)).collect();
    let now = host.now();
    assert_eq!(
        host.connection.request(now, &request("GET", "/"), true),
        Err(RequestError::TooManyStreams { limit: 10 })
    );
    for _ in &streams {
        let Event::Response { stream, fields, end_stream: true } = host.event().await else { panic!() };
        assert!(streams.contains(&stream));
        assert_eq!(value(&fields, ":status"), b"200");
    }
    assert_eq!(host.connection.open_streams(), 0);
}

/// Three streams at once, each with more than all windows.
#[tokio::test]
async fn large_content_both_ways() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let mut backlogs = Backlogs::default();
    let mut got = std::collections::BTreeMap::new();
    for _ in 0..3 {
        let stream = open(&mut host, &request("POST", "/"), false);
        got.insert(stream, Vec::new());
        backlogs.push(&mut host.connection, stream, &content(LARGE), true);
    }
    let mut ended = 0;
    while ended < 3 {
        match host.event().await {
            Event::Response { .. } => {}
            Event::Writable { stream } => backlogs.send(&mut host.connection, stream),
            Event::Data { stream, data, end_stream } => {
                got.get_mut(&stream).unwrap().extend_from_slice(&data);
                host.connection.release(stream, data.len());
                ended += usize::from(end_stream);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(got.values().all(|got| *got == content(LARGE)));
}

#[tokio::test]
async fn trailers() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let stream = open(&mut host, &request("POST", "/"), false);
    host.connection.send_data(stream, "content".into(), false).unwrap();
    host.connection.send_trailers(stream, &[field("checksum", "1")]).unwrap();
    let Event::Response { .. } = host.event().await else { panic!() };
    let Event::Data { data, .. } = host.event().await else { panic!() };
    assert_eq!(data, "content");
    assert_eq!(host.event().await, Event::Trailers { stream, fields: vec![field("checksum", "1")] });
}

/// RFC 8441; and a frame that h2 does not know, which it ignores (RFC 9113, 5.5).
#[tokio::test]
async fn an_extended_connect_tunnel() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let stream = open(&mut host, &tunnel(), false);
    let Event::Response { fields, end_stream: false, .. } = host.event().await else { panic!() };
    assert_eq!(value(&fields, "x-protocol"), b"hotrod");
    host.connection.send_extension(stream, 0xf0, 0, &["unknown to h2".into()]).unwrap();
    host.connection.send_extension(StreamId::CONNECTION, 0xf0, 0, &["unknown to h2".into()]).unwrap();
    for part in ["one", "two"] {
        host.connection.send_data(stream, part.into(), false).unwrap();
        assert_eq!(host.event().await, Event::Data { stream, data: part.into(), end_stream: false });
    }
    host.connection.send_data(stream, "end".into(), true).unwrap();
    assert_eq!(host.event().await, Event::Data { stream, data: "end".into(), end_stream: false });
    assert_eq!(host.event().await, Event::Data { stream, data: Bytes::new(), end_stream: true });
}

#[tokio::test]
async fn resets_of_either_side() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let stream = open(&mut host, &request("POST", "/reset"), false);
    assert_eq!(host.event().await, Event::Reset { stream, code: ErrorCode::REFUSED_STREAM, by_peer: true });
    let stream = open(&mut host, &request("POST", "/"), false);
    let Event::Response { .. } = host.event().await else { panic!() };
    host.connection.send_data(stream, "content".into(), false).unwrap();
    host.connection.reset(stream, ErrorCode::CANCEL).unwrap();
    let after = open(&mut host, &request("GET", "/"), true);
    let Event::Response { stream, .. } = host.event().await else { panic!() };
    assert_eq!(stream, after);
}

/// RFC 9113, 6.8
#[tokio::test]
async fn a_server_that_drains() {
    let (mut host, server) = start();
    settings(&mut host).await;
    let stream = open(&mut host, &request("POST", "/"), false);
    let Event::Response { .. } = host.event().await else { panic!() };
    open(&mut host, &request("GET", "/drain"), true);
    let mut has_heard = false;
    loop {
        match host.event().await {
            Event::GoAway { code: ErrorCode::NO_ERROR, .. } => has_heard = true,
            Event::Response { .. } => {}
            other => panic!("{other:?}"),
        }
        if has_heard {
            break;
        }
    }
    let now = host.now();
    assert_eq!(host.connection.request(now, &request("GET", "/"), true), Err(RequestError::GoingAway));
    host.connection.send_data(stream, "still here".into(), true).unwrap();
    let mut content = Vec::new();
    loop {
        match host.event().await {
            Event::Data { data, end_stream, .. } => {
                content.extend_from_slice(&data);
                if end_stream {
                    break;
                }
            }
            Event::Response { .. } | Event::GoAway { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(content, b"still here");
    while !matches!(host.event().await, Event::Closed(_)) {}
    server.await.unwrap();
}

#[tokio::test]
async fn a_ping_is_answered() {
    let (mut host, _server) = start();
    settings(&mut host).await;
    let now = host.now();
    host.connection.ping(now);
    open(&mut host, &request("GET", "/"), true);
    let Event::Response { .. } = host.event().await else { panic!() };
    assert!(host.connection.round_trip().is_some());
}
