//! Rules of the server's role.

use alloc::vec;
use alloc::vec::Vec;

use super::{fields, sent, serve};
use crate::http1::{Kind, Limits, Misuse, Request, Response, ServerEvent, ServerExchange, Target, Violation};

const UPGRADE: &[u8] = b"GET /hotrod HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: h2c, HotRod\r\nHot-Rod-Node: node-1\r\n\r\n";
const CONNECT: &[u8] = b"CONNECT [::1]:11222 HTTP/1.1\r\nHost: [::1]:11222\r\n\r\n";

fn request(bytes: &[u8]) -> (ServerExchange, Request) {
    let (exchange, mut events) = serve(bytes, bytes.len());
    match events.pop() {
        Some(ServerEvent::Request(request)) => (exchange, request),
        other => panic!("{other:?}"),
    }
}

fn violation(bytes: &[u8]) -> (ServerExchange, Violation) {
    let (exchange, mut events) = serve(bytes, 1);
    match events.pop() {
        Some(ServerEvent::Failed(violation)) => (exchange, violation),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_upgrade_is_answered_with_101_and_what_follows_is_the_tunnel_s() {
    let (mut exchange, request) = request(&[UPGRADE, b"\xa0tunnel"].concat());
    assert_eq!(request.kind, Kind::Upgrade { protocols: vec!["HotRod".into()] });
    assert_eq!((request.method.as_str(), request.host.as_str()), ("GET", "example.com"));
    assert_eq!(request.target, Target::Origin { path: "/hotrod".into() });
    assert_eq!(request.fields.text("hot-rod-node"), Some("node-1"));
    assert!(!exchange.wants_read());
    assert_eq!(exchange.accept(&fields(&[("Hot-Rod-Node", "node-1")])).unwrap(), &b"\xa0tunnel"[..]);
    let expected = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n\
                  Hot-Rod-Node: node-1\r\n\r\n";
    assert_eq!(sent(exchange.transmit()), expected);
    assert!(!exchange.closes());
    assert_eq!(exchange.accept(&fields(&[])), Err(Misuse::NoRequest));
}

#[test]
fn a_connect_is_answered_with_200_and_no_length() {
    let (mut exchange, request) = request(&[CONNECT, b"\xa0"].concat());
    assert_eq!(request.kind, Kind::Connect { authority: "[::1]:11222".into() });
    assert_eq!(exchange.accept(&fields(&[])).unwrap(), &b"\xa0"[..]);
    assert_eq!(sent(exchange.transmit()), "HTTP/1.1 200 OK\r\n\r\n");
}

#[test]
fn a_refused_tunnel_closes_the_link_and_its_bytes_are_nobody_s() {
    for asked in [UPGRADE, CONNECT] {
        let (mut exchange, _) = request(&[asked, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat());
        assert_eq!(exchange.respond(&Response::new(200), false), Err(Misuse::Status(200)));
        exchange.respond(&Response::text(503, "no member").with("Retry-After", "7").unwrap(), false).unwrap();
        let expected = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 9\r\n\
                      Content-Type: text/plain; charset=utf-8\r\nRetry-After: 7\r\n\r\nno member";
        assert_eq!(sent(exchange.transmit()), expected);
        assert!(exchange.closes());
        exchange.transmitted(1000);
        assert_eq!(exchange.poll_event(), None);
    }
}

#[test]
fn ordinary_requests_come_one_after_the_other() {
    let bytes = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\nHEAD /b HTTP/1.1\r\nHost:\r\n\r\n";
    let (mut exchange, first) = request(bytes);
    assert_eq!((first.target.path(), &first.kind), (Some("/a"), &Kind::Ordinary));
    assert_eq!(exchange.poll_event(), None, "not before the answer");
    exchange.respond(&Response::text(200, "ok"), false).unwrap();
    assert_eq!(exchange.poll_event(), None, "not before the answer is sent");
    exchange.transmitted(1000);
    let Some(ServerEvent::Request(second)) = exchange.poll_event() else { panic!() };
    assert_eq!((second.method.as_str(), second.target.path(), second.host.as_str()), ("HEAD", Some("/b"), ""));
    exchange.respond(&Response::text(404, "nothing"), true).unwrap();
    let expected = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 7\r\n\
                  Content-Type: text/plain; charset=utf-8\r\n\r\n";
    assert_eq!(sent(exchange.transmit()), expected, "without content, as it answers HEAD");
    assert!(exchange.closes());
}

#[test]
fn content_that_is_not_skipped_closes_the_link() {
    let closing = [
        "Transfer-Encoding: chunked",
        "Content-Length: 65537",
        "Content-Length: 1\r\nExpect: 100-continue",
        "Connection: Close",
    ];
    for field in closing {
        let head = alloc::format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n");
        let (mut exchange, _) = request(head.as_bytes());
        exchange.respond(&Response::new(204), false).unwrap();
        assert_eq!(sent(exchange.transmit()), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "{field}");
        assert!(exchange.closes(), "{field}");
    }
}

#[test]
fn violations_have_the_status_that_says_what_is_wrong() {
    let long = |prefix: &str, suffix: &str| [prefix, &"a".repeat(9000), suffix].concat().into_bytes();
    let many = ["GET / HTTP/1.1\r\n", &"A: b\r\n".repeat(70)].concat().into_bytes();
    let large = ["GET / HTTP/1.1\r\n", &alloc::format!("A: {}\r\n", "b".repeat(5000)).repeat(4)].concat().into_bytes();
    let cases: Vec<(Vec<u8>, u16)> = vec![
        (b"\xa0".to_vec(), 400),
        (long("GET /", " HTTP/1.1\r\n"), 414),
        (long("", " / HTTP/1.1\r\n"), 501),
        (long("GET / HTTP/1.1\r\nA: ", "\r\n"), 431),
        (many, 431),
        (large, 431),
        (b"GET / HTTP/2.0\r\n\r\n".to_vec(), 505),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_vec(), 501),
    ];
    for (bytes, status) in cases {
        let (exchange, violation) = violation(&bytes);
        assert_eq!(violation.status(), status, "{violation}");
        let answer = sent(exchange.transmit());
        assert!(answer.starts_with(&alloc::format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n") && exchange.closes(), "{answer}");
    }
}

#[test]
fn who_must_upgrade_is_told_to_what() {
    let (mut exchange, _) = request(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    exchange.respond(&Response::new(426), false).unwrap();
    let expected =
        "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(sent(exchange.transmit()), expected);
}

#[test]
fn a_link_has_a_limit_of_requests() {
    let mut exchange = ServerExchange::new(Limits { requests: 2, ..Limits::default() });
    for closes in [false, true] {
        exchange.handle_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(matches!(exchange.poll_event(), Some(ServerEvent::Request(_))));
        exchange.respond(&Response::new(200), false).unwrap();
        exchange.transmitted(1000);
        assert_eq!(exchange.closes(), closes);
    }
}

#[test]
fn a_lost_link_is_a_fault_only_within_a_request() {
    for (bytes, expected) in [(&b""[..], None), (b"GET /", Some(ServerEvent::Failed(Violation::Truncated)))] {
        let mut exchange = ServerExchange::new(Limits::default());
        exchange.handle_received(bytes);
        exchange.handle_link_lost();
        assert_eq!(exchange.poll_event(), expected);
        assert!(exchange.closes() && exchange.transmit().is_empty());
    }
}

#[test]
fn a_request_that_takes_too_long_is_told_so_and_an_idle_link_is_not() {
    let mut exchange = ServerExchange::new(Limits::default());
    exchange.handle_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(exchange.poll_event().is_some());
    assert_eq!(exchange.handle_timeout(), None, "the host's own time");
    exchange.respond(&Response::new(200), false).unwrap();
    exchange.transmitted(1000);
    assert_eq!(exchange.handle_timeout(), None);
    assert!(exchange.closes() && exchange.transmit().is_empty());
    let mut exchange = ServerExchange::new(Limits::default());
    exchange.handle_received(b"GET");
    assert_eq!(exchange.handle_timeout(), Some(ServerEvent::Failed(Violation::TimedOut)));
    assert!(sent(exchange.transmit()).starts_with("HTTP/1.1 408 "));
}
