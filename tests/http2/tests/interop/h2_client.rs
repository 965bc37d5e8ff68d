//! The crate h2's client, and our server.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use hotrod_core::http2::{Config, Connection, ErrorCode, Event, Reason};
use hotrod_http2_interop::Host;
use http::{HeaderMap, Request};
use tokio::task::JoinHandle;

use crate::{LARGE, config, content, echo, link};

struct Theirs {
    client: SendRequest<Bytes>,
    /// Their connection, which ends when nothing of theirs is held any more; and our server.
    connection: JoinHandle<Result<(), h2::Error>>,
    server: JoinHandle<Vec<Event>>,
}

async fn start(config: Config) -> Theirs {
    let (ours, theirs) = link();
    let server = tokio::spawn(echo(Host::new(ours, |now| Connection::server(config, now))));
    let (client, connection) = h2::client::Builder::new().initial_window_size(100_000).handshake(theirs).await.unwrap();
    Theirs { client, connection: tokio::spawn(connection), server }
}

impl Theirs {
    async fn request(&mut self, path: &str, end: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let request = Request::builder().method("POST").uri(format!("http://pod{path}")).body(()).unwrap();
        self.client = self.client.clone().ready().await.unwrap();
        self.client.send_request(request, end).unwrap()
    }

    async fn end(self) -> Vec<Event> {
        drop(self.client);
        self.connection.await.unwrap().unwrap();
        self.server.await.unwrap()
    }
}

async fn send(stream: &mut SendStream<Bytes>, mut data: Bytes, end: bool) {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await.unwrap().unwrap();
        let part = data.split_to(room.min(data.len()));
        stream.send_data(part, end && data.is_empty()).unwrap();
    }
}

async fn receive(body: &mut RecvStream) -> Bytes {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    all.into()
}

#[tokio::test]
async fn requests_side_by_side() {
    let mut theirs = start(Config::default()).await;
    let mut waiting = Vec::new();
    for index in 0..50 {
        waiting.push((index, theirs.request(&format!("/{index}"), true).await.0));
    }
    for (index, response) in waiting {
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-path"], format!("/{index}"));
    }
    assert!(matches!(theirs.end().await.last(), Some(Event::Closed(Reason::LinkLost))));
}

#[tokio::test]
async fn large_content_both_ways_and_trailers() {
    let mut theirs = start(Config::default()).await;
    let mut exchanges = Vec::new();
    for _ in 0..3 {
        let (response, mut up) = theirs.request("/", false).await;
        exchanges.push(tokio::spawn(async move {
            let sending = async {
                send(&mut up, content(LARGE), true).await;
            };
            let receiving = async {
                let mut body = response.await.unwrap().into_body();
                receive(&mut body).await
            };
            tokio::join!(sending, receiving).1
        }));
    }
    for exchange in exchanges {
        assert!(exchange.await.unwrap() == content(LARGE));
    }
    let (response, mut up) = theirs.request("/", false).await;
    send(&mut up, "content".into(), false).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", "1".parse().unwrap());
    up.send_trailers(trailers.clone()).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(receive(&mut body).await, "content");
    assert_eq!(body.trailers().await.unwrap(), Some(trailers));
    drop((up, body));
    theirs.end().await;
}

/// RFC 8441
#[tokio::test]
async fn an_extended_connect_tunnel() {
    let mut theirs = start(config()).await;
    // The setting has come once there was an answer.
    theirs.request("/", true).await.0.await.unwrap();
    assert!(theirs.client.is_extended_connect_protocol_enabled());
    let mut request = Request::builder().method("CONNECT").uri("http://pod/hotrod").body(()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("hotrod"));
    let (response, mut up) = theirs.client.send_request(request, false).unwrap();
    let response = response.await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["x-protocol"]),
        (http::StatusCode::OK, &"hotrod".parse().unwrap())
    );
    let mut down = response.into_body();
    for part in ["one", "two"] {
        send(&mut up, part.into(), false).await;
        assert_eq!(down.data().await.unwrap().unwrap(), part);
    }
    send(&mut up, "end".into(), true).await;
    assert_eq!(receive(&mut down).await, "end");
    drop((up, down));
    theirs.end().await;
}

#[tokio::test]
async fn resets() {
    let mut theirs = start(Config::default()).await;
    let (response, mut up) = theirs.request("/", false).await;
    response.await.unwrap();
    up.send_reset(h2::Reason::CANCEL);
    drop(up);
    // And another stream after it.
    theirs.request("/", true).await.0.await.unwrap();
    let events = theirs.end().await;
    let is_reset = |event: &Event| matches!(event, Event::Reset { code: ErrorCode::CANCEL, by_peer: true, .. });
    assert!(events.iter().any(is_reset), "{events:?}");
}

/// RFC 9113, 6.8: requests in flight end well, and no others are made.
#[tokio::test]
async fn a_server_that_drains() {
    let mut theirs = start(Config::default()).await;
    let (response, mut up) = theirs.request("/", false).await;
    let mut down = response.await.unwrap().into_body();
    theirs.request("/drain", true).await.0.await.unwrap();
    let refused = loop {
        match theirs.client.clone().ready().await {
            Ok(client) => theirs.client = client,
            Err(error) => break error,
        }
        tokio::task::yield_now().await;
    };
    assert!(refused.is_go_away() && refused.reason() == Some(h2::Reason::NO_ERROR), "{refused}");
    send(&mut up, "still here".into(), true).await;
    assert_eq!(receive(&mut down).await, "still here");
    let Some(Event::Closed(Reason::Closed { code: ErrorCode::NO_ERROR })) = theirs.server.await.unwrap().pop() else {
        panic!()
    };
    theirs.connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_floods_is_told_to_calm_down() {
    let theirs = start(Config::default()).await;
    let error = loop {
        let (response, mut up) = match theirs.client.clone().ready().await {
            Ok(mut client) => {
                let request = Request::builder().uri("http://pod/").body(()).unwrap();
                match client.send_request(request, false) {
                    Ok(stream) => stream,
                    Err(error) => break error,
                }
            }
            Err(error) => break error,
        };
        up.send_reset(h2::Reason::CANCEL);
        drop(response);
        tokio::task::yield_now().await;
    };
    assert_eq!(error.reason(), Some(h2::Reason::ENHANCE_YOUR_CALM), "{error}");
    let events = theirs.server.await.unwrap();
    assert!(matches!(events.last(), Some(Event::Closed(Reason::Violation { .. }))));
}
