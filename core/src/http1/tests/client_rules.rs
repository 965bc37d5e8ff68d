//! Rules of the client's role.

use alloc::format;

use super::{fields, sent};
use crate::http1::{Accepted, ClientEvent, ClientExchange, Fields, Limits, Misuse, Refused, Trailing, Violation};

const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: HotRod\r\n\
    Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n";

fn upgrade() -> ClientExchange {
    ClientExchange::upgrade("example.com", "/", &Fields::new(), Limits::default()).unwrap()
}

fn connect(trailing: Trailing) -> ClientExchange {
    ClientExchange::connect("example.com:443", &Fields::new(), trailing, Limits::default()).unwrap()
}

fn answered(mut exchange: ClientExchange, bytes: &[u8]) -> Option<ClientEvent> {
    exchange.handle_received(bytes);
    exchange.poll_event()
}

#[test]
fn a_request_has_the_exchange_s_fields_before_the_caller_s() {
    let fields = fields(&[("hot-rod-node", "node-1"), ("Cookie", "a=b")]);
    let exchange = ClientExchange::upgrade("example.com:8443", "/hr?x=1", &fields, Limits::default()).unwrap();
    let expected = "GET /hr?x=1 HTTP/1.1\r\nHost: example.com:8443\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n\
                  Hot-Rod-Node: node-1\r\nCookie: a=b\r\n\r\n";
    assert_eq!(sent(exchange.transmit()), expected);
    let exchange = ClientExchange::connect("[::1]:11222", &fields, Trailing::Tunnelled, Limits::default()).unwrap();
    let expected = "CONNECT [::1]:11222 HTTP/1.1\r\nHost: [::1]:11222\r\nHot-Rod-Node: node-1\r\nCookie: a=b\r\n\r\n";
    assert_eq!(sent(exchange.transmit()), expected);
}

#[test]
fn nothing_of_the_caller_s_writes_a_line_of_its_own() {
    let limits = Limits::default;
    let refused = |authority: &str, path: &str| {
        ClientExchange::upgrade(authority, path, &Fields::new(), limits()).expect_err("refused")
    };
    for authority in ["", "a\r\nX: y", "a b", "user@host", "a/b", "[::1", "a:x", "a:70000", "a:0"] {
        assert_eq!(refused(authority, "/"), Misuse::Authority(authority.into()));
    }
    for path in ["", "a", "/a b", "/a\r\nX: y", "/a#b", "/%g0", "/%2", "/ä", "http://a/"] {
        assert_eq!(refused("a", path), Misuse::Path(path.into()));
    }
    for authority in ["a", "a:", "[::1]", ":1"] {
        let refused = ClientExchange::connect(authority, &Fields::new(), Trailing::Tunnelled, limits());
        assert_eq!(refused.err(), Some(Misuse::Authority(authority.into())));
    }
    for (name, value) in [("a b", "x"), ("", "x"), ("a:", "x"), ("a\r\n", "x"), ("ä", "x")] {
        assert_eq!(Fields::new().push(name, value), Err(Misuse::FieldName(name.into())));
    }
    for value in ["x\r\nY: z", "x\ny", "x\0", "\u{7f}", " x", "x\t", "\u{1}"] {
        assert_eq!(Fields::new().push("a", value), Err(Misuse::FieldValue("a".into())));
    }
    for name in ["Host", "connection", "UPGRADE", "Content-Length", "transfer-encoding", "TE"] {
        let refused = ClientExchange::upgrade("a", "/", &fields(&[(name, "x")]), limits());
        assert_eq!(refused.err(), Some(Misuse::ReservedField(name.to_ascii_lowercase())));
    }
}

#[test]
fn a_101_to_hotrod_is_a_tunnel_and_what_follows_is_its_first_bytes() {
    let Some(ClientEvent::Accepted(Accepted { status: 101, fields, trailing })) =
        answered(upgrade(), &[SWITCHED, b"\xa1x"].concat())
    else {
        panic!()
    };
    assert_eq!(trailing, &b"\xa1x"[..]);
    assert!(fields.all("set-cookie").eq(["a=b", "c=d"]));
}

#[test]
fn a_101_to_something_else_is_none() {
    let answers = [
        "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: hotrod, websocket\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: hotrod\r\n\r\n",
        "HTTP/1.1 101 x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n",
    ];
    for answer in answers {
        assert_eq!(answered(upgrade(), answer.as_bytes()), Some(ClientEvent::Failed(Violation::WrongProtocol)));
    }
    let answer = answered(connect(Trailing::Tunnelled), SWITCHED);
    assert_eq!(answer, Some(ClientEvent::Failed(Violation::WrongProtocol)), "not asked for");
}

#[test]
fn bytes_behind_a_2xx_to_connect_are_the_caller_s_choice() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\nabc";
    let Some(ClientEvent::Accepted(accepted)) = answered(connect(Trailing::Tunnelled), answer) else { panic!() };
    assert_eq!(accepted.trailing, &b"abc"[..], "no content whatever the fields say");
    let refused = answered(connect(Trailing::Refused), answer);
    assert_eq!(refused, Some(ClientEvent::Failed(Violation::TrailingData(3))));
}

#[test]
fn a_refusal_is_told_as_it_is() {
    let answer = b"HTTP/1.1 503 Not now\r\nRetry-After: 120\r\nSet-Cookie: a=b\r\n\r\nlater";
    let Some(ClientEvent::Refused(refused)) = answered(upgrade(), answer) else { panic!() };
    assert_eq!((refused.status, refused.reason.as_str(), refused.retry_after()), (503, "Not now", Some(120)));
    for status in [200, 204, 307, 404, 999] {
        let answer = answered(upgrade(), format!("HTTP/1.1 {status}\r\n\r\n").as_bytes());
        assert!(matches!(answer, Some(ClientEvent::Refused(Refused { status: was, .. })) if was == status));
    }
}

#[test]
fn a_date_to_come_back_at_counts_from_that_of_the_answer() {
    let after = |fields: &str| match answered(upgrade(), format!("HTTP/1.1 503 x\r\n{fields}\r\n\r\n").as_bytes()) {
        Some(ClientEvent::Refused(refused)) => refused.retry_after(),
        other => panic!("{other:?}"),
    };
    let date = |seconds: &str| format!("Sun, 06 Nov 1994 08:49:{seconds} GMT");
    let (early, late) = (date("07"), date("37"));
    assert_eq!(after(&format!("Retry-After: {late}\r\nDate: {early}")), Some(30));
    assert_eq!(after(&format!("Retry-After: {early}\r\nDate: {late}")), Some(0));
    assert_eq!(after(&format!("Retry-After: {late}")), None);
    assert_eq!(after("Retry-After: soon"), None);
    assert_eq!(after("Retry-After: -1"), None);
    assert_eq!(after("X: y"), None);
}

#[test]
fn interim_responses_are_passed_over_up_to_a_limit() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let answer = answered(upgrade(), &[&interim.repeat(8), SWITCHED].concat());
    assert!(matches!(answer, Some(ClientEvent::Accepted(_))));
    let answer = answered(upgrade(), &interim.repeat(9));
    assert_eq!(answer, Some(ClientEvent::Failed(Violation::TooManyInterim { limit: 8 })));
}

#[test]
fn a_link_that_ends_within_an_answer_is_a_fault() {
    let mut exchange = upgrade();
    exchange.handle_received(&SWITCHED[..SWITCHED.len() - 1]);
    exchange.handle_link_lost();
    assert_eq!(exchange.poll_event(), Some(ClientEvent::Failed(Violation::Truncated)));
    assert_eq!(exchange.poll_event(), None);
    let mut exchange = upgrade();
    exchange.handle_received(SWITCHED);
    exchange.handle_link_lost();
    assert!(matches!(exchange.poll_event(), Some(ClientEvent::Accepted(_))));
}

#[test]
fn secrets_are_not_in_debug() {
    let secret = fields(&[("Authorization", "s3cret"), ("Cookie", "s3cret"), ("Hot-Rod-Node", "n")]);
    let exchange = ClientExchange::upgrade("a", "/", &secret, Limits::default()).unwrap();
    let answer = b"HTTP/1.1 407 x\r\nset-cookie: s3cret\r\n\r\n";
    let shown = format!("{secret:?} {exchange:?} {:?}", answered(upgrade(), answer));
    assert!(!shown.contains("s3cret") && shown.contains("hot-rod-node") && shown.contains("set-cookie"), "{shown}");
}
