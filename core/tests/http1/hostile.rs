//! Arbitrary bytes: nothing panics, every exchange ends, and chunking makes no difference.

use hotrod_core::http1::{
    ClientEvent, ClientExchange, Fields, Kind, Limits, Response, ServerEvent, ServerExchange, Trailing, Violation,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Limits low enough to be reached.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.line = 64;
    limits.fields = 4;
    limits.head = 256;
    limits.interim = 2;
    limits.content = 32;
    limits.requests = 4;
    limits
}

/// Parts of heads, valid and invalid.
const PARTS: [&[u8]; 34] = [
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"POST http://a/b HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"HEAD * HTTP/2.0\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 \r\n\r\n",
    b"HTTP/1.1 503\r\n",
    b"Host: x\r\n",
    b"Host:\r\n",
    b"Connection: Upgrade\r\n",
    b"Connection: close\r\n",
    b"Upgrade: hotrod\r\n",
    b"Upgrade: h2c, hotrod\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 99\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Retry-After: 1\r\n",
    b"Set-Cookie: a=b\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"abc",
    b"0\r\n\r\n",
    b"\xa0\xff",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    b"HTTP/1.",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let parts = vec(select(&PARTS[..]).prop_map(<[u8]>::to_vec), 0..20).prop_map(|parts| parts.concat());
    prop_oneof![4 => parts, 1 => vec(any::<u8>(), 0..200)]
}

/// Feeds a server that responds to ordinary requests and accepts tunnels: returns its events and its output.
fn serve(bytes: &[u8], step: usize) -> (Vec<ServerEvent>, Vec<u8>, Vec<u8>) {
    let mut server = ServerExchange::new(limits());
    let (mut events, mut sent, mut tunnelled) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_tunnel = false;
    for piece in bytes.chunks(step) {
        if is_tunnel {
            tunnelled.extend_from_slice(piece);
            continue;
        }
        server.handle_received(piece);
        while let Some(event) = server.poll_event() {
            assert!(events.len() <= limits().requests, "more requests than there may be");
            match &event {
                ServerEvent::Request(request) if request.kind == Kind::Ordinary => {
                    server.respond(&Response::text(404, "nothing here"), false).expect("an answer");
                }
                ServerEvent::Request(request) => {
                    assert!(!request.fields.list("transfer-encoding").any(|_| true), "{request:?}");
                    tunnelled = server.accept(&Fields::new()).expect("a tunnel").to_vec();
                    is_tunnel = true;
                }
                ServerEvent::Failed(_) => assert!(server.closes()),
                other => panic!("unexpected: {other:?}"),
            }
            events.push(event);
            sent.extend_from_slice(&server.transmit().to_bytes());
            server.transmitted(usize::MAX);
        }
    }
    (events, sent, tunnelled)
}

fn ask(bytes: &[u8], step: usize, by_connect: bool) -> (Option<ClientEvent>, Vec<u8>) {
    let client = if by_connect {
        ClientExchange::connect("a:1", &Fields::new(), Trailing::Tunnelled, limits())
    } else {
        ClientExchange::upgrade("a", "/", &Fields::new(), limits())
    };
    let mut client = client.expect("a request");
    for (index, piece) in bytes.chunks(step).enumerate() {
        client.handle_received(piece);
        if let Some(event) = client.poll_event() {
            let behind = &bytes[(step * (index + 1)).min(bytes.len())..];
            assert_eq!(client.poll_event(), None, "one event");
            return match event {
                ClientEvent::Accepted(mut accepted) => {
                    let tunnelled = [&core::mem::take(&mut accepted.trailing), behind].concat();
                    (Some(ClientEvent::Accepted(accepted)), tunnelled)
                }
                other => (Some(other), Vec::new()),
            };
        }
    }
    (None, Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_server_makes_the_same_of_any_bytes_however_they_are_cut(bytes in bytes(), step in 1usize..64) {
        prop_assert_eq!(serve(&bytes, step), serve(&bytes, bytes.len().max(1)));
    }

    #[test]
    fn a_client_makes_the_same_of_any_bytes_however_they_are_cut(
        bytes in bytes(),
        step in 1usize..64,
        by_connect in any::<bool>(),
    ) {
        prop_assert_eq!(ask(&bytes, step, by_connect), ask(&bytes, bytes.len().max(1), by_connect));
    }
}

/// A head without an end is rejected exactly at the limit.
#[test]
fn a_head_without_an_end_ends_at_the_limit() {
    let endless = b"A: b\r\n".iter().copied().cycle();
    let mut limits = Limits::default();
    limits.fields = usize::MAX;
    let mut server = ServerExchange::new(limits.clone());
    let mut count = 0;
    for byte in b"GET / HTTP/1.1\r\n".iter().copied().chain(endless) {
        server.handle_received(&[byte]);
        count += 1;
        if let Some(event) = server.poll_event() {
            assert_eq!(event, ServerEvent::Failed(Violation::HeadTooLong { limit: limits.head }));
            break;
        }
    }
    assert_eq!(count, limits.head + 1);
}
