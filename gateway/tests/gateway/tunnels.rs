//! Tunnels: what they carry, how they end, and how they are refused (spec/hotrod-over-http.md, sections 12 and 13).

use std::net::SocketAddr;
use std::time::Duration;

use hotrod_core::carriage::registry::setting;
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::{Body, Operation};
use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::common::{LONG, Played, anywhere, config, metric, node, readiness, series, sidecar, until};
use crate::peer::{EXTENDED, FIRST, FRAMES, Heard, Peer, WHOLE, get, put};

/// PING of the default cache, message 1, version 2.0, and its answer.
const PING: [u8; 8] = [0xa0, 1, 20, 0x17, 0, 0, 1, 0];
const PONG: [u8; 5] = [0xa1, 1, 0x18, 0, 0];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What is asked for, and in which of the HTTP versions.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n";

/// The head of an answer over HTTP/1.1, in lower case, and the stream behind it.
async fn http1(address: SocketAddr, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read = timeout(LONG, stream.read_u8()).await.expect("an answer in time");
        head.push(read.unwrap_or_else(|_| panic!("closed after {:?}", String::from_utf8_lossy(&head))));
    }
    (String::from_utf8(head).unwrap().to_lowercase(), stream)
}

async fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.expect("an end in time");
    rest
}

/// A tunnel over HTTP/2, which was accepted; `more` are further fields.
async fn tunnel(gateway: &Gateway, more: &[(&str, &str)]) -> (Peer, StreamId, Vec<(String, String)>) {
    let mut peer = Peer::connect(gateway.address(), &[]).await;
    let stream = peer.ask_session(more).await;
    let answer = peer.next().await;
    let Heard::Answer { status: 200, fields, is_last: false, .. } = answer else { panic!("{answer:?}") };
    (peer, stream, fields)
}

fn data(stream: StreamId, bytes: &[u8]) -> Heard {
    Heard::Data { stream, bytes: bytes.to_vec().into(), is_last: false }
}

/// over HTTP/2 as over HTTP/1.1 the first octets decide, however they are cut.
#[tokio::test]
async fn the_first_octets_of_a_tunnel_over_http2_decide_what_it_carries() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for more in [&[][..], &[("hot-rod-inside", "hotrod")], &[("hot-rod-inside", "h2")]] {
        let (mut peer, stream, _) = tunnel(&gateway, more).await;
        peer.data(stream, &PING, false).await;
        assert_eq!(peer.next().await, data(stream, &PONG), "{more:?}");
        let (mut peer, stream, _) = tunnel(&gateway, more).await;
        for piece in PREFACE.chunks(7) {
            peer.data(stream, piece, false).await;
        }
        let heard = peer.next().await;
        let Heard::Data { bytes, .. } = heard else { panic!("{heard:?}") };
        assert_eq!(bytes[3], 4, "SETTINGS come first: {bytes:x?}");
        let passed = series(&gateway, "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"}").await;
        for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01", b"\0", b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"] {
            let (mut peer, stream, _) = tunnel(&gateway, more).await;
            peer.data(stream, nonsense, false).await;
            let code = ErrorCode::PROTOCOL_ERROR;
            assert_eq!(peer.next().await, Heard::Reset { stream, code }, "{nonsense:?}");
        }
        let passed_since = series(&gateway, "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"}").await;
        assert_eq!(passed, passed_since, "nothing of it went to the member");
    }
    node.stop().await;
}

/// R-76 over HTTP/1.1: what `Hot-Rod-Inside` says changes nothing.
#[tokio::test]
async fn a_tunnel_that_was_asked_for_as_h2_carries_hot_rod_if_that_comes() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for connect in ["", "CONNECT node-0:1 HTTP/1.1\r\nHost: h\r\n"] {
        let asked = if connect.is_empty() { UPGRADE } else { connect };
        let (head, mut stream) = http1(gateway.address(), &format!("{asked}Hot-Rod-Inside: h2\r\n")).await;
        assert!(head.starts_with("http/1.1 101") || head.starts_with("http/1.1 200"), "{head}");
        stream.write_all(&PING).await.unwrap();
        let mut answer = [0; PONG.len()];
        timeout(LONG, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, PONG);
        let (_, mut stream) = http1(gateway.address(), &format!("{asked}Hot-Rod-Inside: h2\r\n")).await;
        stream.write_all(b"\0\0\0").await.unwrap();
        assert!(rest_of(&mut stream).await.is_empty());
    }
    node.stop().await;
}

/// and section 4.1, over HTTP/2.
#[tokio::test]
async fn what_is_asked_for_unclearly_or_not_known_is_refused_over_http2() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let websocket: Vec<_> =
        EXTENDED.map(|(name, value)| (name, if name == ":protocol" { "websocket" } else { value })).into();
    for settings in [&[][..], &[FRAMES]] {
        let mut peer = Peer::connect(gateway.address(), settings).await;
        for (method, more, wanted) in [
            (&EXTENDED[..], &[("hot-rod-inside", "tls")][..], 400),
            (&EXTENDED, &[("hot-rod-node", "node-0"), ("hot-rod-node", "node-0")], 400),
            (&EXTENDED, &[("hot-rod-node", "node 0")], 400),
            (&websocket, &[], 501),
        ] {
            let stream = peer.ask(method, more).await;
            let heard = peer.next_of(stream).await;
            assert!(matches!(heard, Heard::Answer { status, .. } if status == wanted), "{more:?}: {heard:?}");
        }
    }
    node.stop().await;
}

/// what is inside of the tunnel makes no difference.
#[tokio::test]
async fn a_tunnel_for_http2_to_another_member_is_refused() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let (head, _) = http1(gateway.address(), &format!("{UPGRADE}Hot-Rod-Node: nobody\r\nHot-Rod-Inside: h2\r\n")).await;
    assert!(head.starts_with("http/1.1 421 "), "{head}");
    let mut peer = Peer::connect(gateway.address(), &[]).await;
    let stream = peer.ask_session(&[("hot-rod-node", "nobody"), ("hot-rod-inside", "h2")]).await;
    let heard = peer.next_of(stream).await;
    assert!(matches!(heard, Heard::Answer { status: 421, .. }), "{heard:?}");
    node.stop().await;
}

/// one link in a tunnel is enough.
#[tokio::test]
async fn no_tunnel_leads_through_an_inner_link_to_another_http2() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let (head, stream) = http1(gateway.address(), &format!("{UPGRADE}Hot-Rod-Inside: h2\r\n")).await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    let mut peer = Peer::over(stream, &[]).await;
    let refused = peer.ask(&[(":method", "CONNECT"), (":authority", "node-0:1")], &[]).await;
    let heard = peer.next().await;
    assert!(matches!(heard, Heard::Answer { stream, status: 405, .. } if stream == refused), "{heard:?}");
    for more in [&[][..], &[("hot-rod-inside", "h2")]] {
        let inner = peer.ask_session(more).await;
        let heard = peer.next_of(inner).await;
        assert!(matches!(heard, Heard::Answer { status: 200, .. }), "{heard:?}");
        peer.data(inner, PREFACE, false).await;
        assert_eq!(peer.next_of(inner).await, Heard::Reset { stream: inner, code: ErrorCode::PROTOCOL_ERROR });
    }
    // Hot Rod goes through, as it is and, on another inner link, in frames.
    let inner = peer.ask_session(&[]).await;
    assert!(matches!(peer.next_of(inner).await, Heard::Answer { status: 200, .. }));
    peer.data(inner, &PING, false).await;
    assert_eq!(peer.next_of(inner).await, data(inner, &PONG));
    let (_, stream) = http1(gateway.address(), &format!("{UPGRADE}Hot-Rod-Inside: h2\r\n")).await;
    let mut peer = Peer::over(stream, &[FRAMES]).await;
    let session = peer.open().await;
    peer.request(session, 1, WHOLE, &get(1)).await;
    assert!(matches!(peer.next().await, Heard::Response { call: 1, .. }));
    node.stop().await;
}

/// over HTTP/2 the stream is reset if the member's connection failed, over HTTP/1.1 the link is closed.
#[tokio::test]
async fn a_tunnel_ends_with_the_connection_of_its_member() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &[]).await;
    let (mut peer, stream, _) = tunnel(&gateway, &[]).await;
    peer.data(stream, &get(1), false).await;
    let (mut member, asked, _) = played.next().await;
    member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
    assert!(matches!(peer.next().await, Heard::Data { .. }));
    reset(member.stream);
    assert_eq!(peer.next().await, Heard::Reset { stream, code: ErrorCode::CONNECT_ERROR });
    let (_, mut link) = http1(gateway.address(), UPGRADE).await;
    link.write_all(&get(1)).await.unwrap();
    let (member, ..) = played.next().await;
    reset(member.stream);
    assert!(rest_of(&mut link).await.is_empty());
}

fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// something on the way has removed the Upgrade, and is to be told what was lost.
#[tokio::test]
async fn fields_of_hot_rod_without_an_upgrade_are_answered_with_what_is_missing() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    for field in ["Hot-Rod-Node: node-0", "Hot-Rod-Inside: hotrod"] {
        for method in ["GET", "HEAD", "POST"] {
            let asked = format!("{method} / HTTP/1.1\r\nHost: h\r\n{field}\r\n");
            let (head, _) = http1(gateway.address(), &asked).await;
            assert!(head.starts_with("http/1.1 426 "), "{head}");
            let connection = head.lines().find_map(|line| line.strip_prefix("connection: ")).unwrap();
            assert!(connection.split(", ").any(|option| option == "upgrade"), "{head}");
            assert!(head.contains("\r\nupgrade: hotrod\r\n"), "{head}");
        }
    }
    node.stop().await;
}

/// A status, over HTTP/1.1 by Upgrade and over HTTP/2 as a session stream and as a tunnel, each with its fields.
async fn refusals(gateway: &Gateway, wanted: Option<&str>) -> Vec<(u16, Vec<(String, String)>)> {
    let field = wanted.map_or(String::new(), |name| format!("Hot-Rod-Node: {name}\r\n"));
    let (head, mut stream) = http1(gateway.address(), &format!("{UPGRADE}{field}")).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let mut all = vec![(status, fields.map(|(name, value)| (name.into(), value.into())).collect())];
    if status != 101 {
        rest_of(&mut stream).await;
    }
    for settings in [&[][..], &[FRAMES]] {
        let mut peer = Peer::connect(gateway.address(), settings).await;
        let more: Vec<_> = wanted.map(|name| ("hot-rod-node", name)).into_iter().collect();
        let stream = peer.ask_session(&more).await;
        let heard = peer.next_of(stream).await;
        let Heard::Answer { status, fields, .. } = heard else { panic!("{heard:?}") };
        all.push((status, fields));
    }
    all
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
}

/// who is there is said, also to who wanted another.
#[tokio::test]
async fn a_sidecar_says_who_is_there_and_refuses_who_wants_another() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let address = node.addresses()[0].to_string();
    until("it is ready", || async { readiness(&gateway).await.0 == 200 }).await;
    for (wanted, status, is_accepted) in
        [(Some("somebody"), 421, false), (None, 200, true), (Some("node-0"), 200, true)]
    {
        for (got, fields) in refusals(&gateway, wanted).await {
            assert!(got == status || is_accepted && got == 101, "{wanted:?}: {got}");
            assert_eq!(value(&fields, "hot-rod-node"), Some("node-0"), "{wanted:?}: {fields:?}");
            let told = is_accepted.then_some(address.as_str());
            assert_eq!(value(&fields, "hot-rod-address"), told, "{wanted:?}: {fields:?}");
        }
    }
    node.stop().await;
}

/// a front that knows nobody says another thing than one that knows all.
#[tokio::test]
async fn a_front_tells_a_member_that_is_not_there_from_not_knowing_yet() {
    let front = async |seed: SocketAddr| {
        let seed = seed.to_string();
        let arguments = ["--front", "--upstream", &seed, "--topology-cache", "dist", "--topology-interval", "20ms"];
        Gateway::start(config(&[&arguments[..], &["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]].concat())).await
    };
    let nobody = TcpListener::bind(anywhere()).await.unwrap().local_addr().unwrap();
    let gateway = front(nobody).await.unwrap();
    for (status, fields) in refusals(&gateway, Some("10.0.0.1:11222")).await {
        assert_eq!((status, value(&fields, "retry-after")), (503, Some("1")));
    }
    let node = node(2).await;
    let gateway = front(node.addresses()[0]).await.unwrap();
    crate::common::until("the members are known", || async { metric(&gateway, "hotrod_gateway_members").await == 2 })
        .await;
    for (status, fields) in refusals(&gateway, Some("10.0.0.1:11222")).await {
        assert_eq!((status, value(&fields, "retry-after")), (404, None));
    }
    node.stop().await;
}

/// too many are told when to come again.
#[tokio::test]
async fn a_session_too_many_is_told_to_come_later() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &["--max-sessions", "1"]).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    peer.open().await;
    for (status, fields) in refusals(&gateway, None).await {
        assert_eq!((status, value(&fields, "retry-after")), (429, Some("1")));
    }
    node.stop().await;
}

/// A member that takes connections and says nothing: towards it TLS never gets anywhere.
struct Held {
    listener: TcpListener,
    gateway: Gateway,
    /// The gateway's own connection, which lasts.
    _own: TcpStream,
}

impl Held {
    async fn new() -> Self {
        let listener = TcpListener::bind(anywhere()).await.unwrap();
        let upstream = listener.local_addr().unwrap().to_string();
        let arguments =
            ["--upstream", &upstream, "--node-name", "node-0", "--upstream-tls", "--connect-timeout", "10min"];
        let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let gateway = Gateway::start(config(&[&arguments[..], &ports].concat())).await.unwrap();
        let own = timeout(LONG, listener.accept()).await.unwrap().unwrap().0;
        Self { listener, gateway, _own: own }
    }

    /// The connection for the session that was asked for.
    async fn next(&self) -> TcpStream {
        timeout(LONG, self.listener.accept()).await.expect("a connection in time").unwrap().0
    }
}

/// nobody is told that a session is there before it is; and where it can't be had, that.
#[tokio::test]
async fn a_session_is_there_when_its_member_is() {
    let held = Held::new().await;
    for settings in [&[][..], &[FRAMES]] {
        let mut peer = Peer::connect(held.gateway.address(), settings).await;
        let stream = peer.ask_session(&[]).await;
        let connection = held.next().await;
        assert_eq!(peer.before_now().await, [], "the member is not there yet");
        drop(connection);
        let heard = peer.next().await;
        let Heard::Answer { stream: answered, status: 503, fields, .. } = &heard else { panic!("{heard:?}") };
        assert_eq!((*answered, value(fields, "retry-after")), (stream, Some("1")));
    }
    for asked in [UPGRADE, "CONNECT node-0:1 HTTP/1.1\r\nHost: h\r\n"] {
        let mut stream = TcpStream::connect(held.gateway.address()).await.unwrap();
        stream.write_all(format!("{asked}\r\n").as_bytes()).await.unwrap();
        let connection = held.next().await;
        // Nothing comes over HTTP/1.1 that would show the order, so a little while has to.
        assert!(timeout(Duration::from_millis(100), stream.peek(&mut [0])).await.is_err());
        drop(connection);
        let mut answer = [0; 13];
        timeout(LONG, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 503 ");
    }
}

/// what came behind the request of a session that was refused is given back to the link, or the third session
/// here could send nothing.
#[tokio::test]
async fn a_refusal_gives_back_the_credit_of_what_has_come() {
    let held = Held::new().await;
    let mut peer = Peer::connect(held.gateway.address(), &[FRAMES]).await;
    let all = peer.setting(setting::CONNECTION_CREDIT).unwrap() as usize;
    let fragment = put(1, 60_000).slice(..16_000);
    let each = 8 * fragment.len();
    let mut left = all;
    for _ in 0..=2 * all / each {
        while left < each {
            match peer.next().await {
                Heard::Credit { stream: StreamId::CONNECTION, increment, .. } => left += increment as usize,
                Heard::Reset { code: ErrorCode::NO_ERROR, .. } => {}
                other => panic!("{other:?}"),
            }
        }
        let stream = peer.ask_session(&[]).await;
        for call in 1..=8 {
            peer.request(stream, call, FIRST, &fragment).await;
            left -= fragment.len();
        }
        drop(held.next().await);
        loop {
            match peer.next().await {
                Heard::Answer { status: 503, .. } => break,
                Heard::Credit { stream: StreamId::CONNECTION, increment, .. } => left += increment as usize,
                Heard::Reset { code: ErrorCode::NO_ERROR, .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// a client says nothing of the tunnel before it has all of the answer's head.
#[tokio::test]
async fn a_client_waits_for_the_whole_answer_before_it_says_anything() {
    let listener = TcpListener::bind(anywhere()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let client =
        tokio::spawn(async move { Client::connect(&format!("hotrod://{address}/dist?carriage=upgrade")).await });
    let (mut stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LONG, stream.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"GET / HTTP/1.1\r\n"));
    for piece in ["HTTP/1.1 101 Switching Protocols\r\n", "Connection: Upgrade\r\nUpgrade: hotrod\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        assert!(timeout(Duration::from_millis(100), stream.peek(&mut [0])).await.is_err(), "behind {piece:?}");
    }
    stream.write_all(b"\r\n").await.unwrap();
    assert_eq!(timeout(LONG, stream.read_u8()).await.unwrap().unwrap(), 0xa0);
    client.abort();
}
