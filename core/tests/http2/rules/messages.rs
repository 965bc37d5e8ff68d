//! 8.1 to 8.5, and RFC 8441: requests, responses, trailers.

use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, ErrorCode, Event, Misuse, RequestError};

use crate::pair::{config, fields, get, ok, post, start, tunnel};
use crate::raw::{Raw, data, id};

type Fields<'a> = &'a [(&'static str, &'a str)];

const GET: Fields<'_> = &[(":method", "GET"), (":scheme", "https"), (":authority", "pod"), (":path", "/")];

fn with<'a>(first: &[(&'static str, &'a str)], more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    [first, more].concat()
}

/// Asserts that a server resets the stream without an event, and that a client rejects the request.
fn malformed(request: Fields<'_>) {
    let request = fields(request);
    let mut raw = Raw::server(config());
    raw.send_headers(1, &request, true);
    raw.resets(1, ErrorCode::PROTOCOL_ERROR);
    assert_eq!(raw.events(), [], "{request:?}");
    raw.open(3, true);
    let mut raw = Raw::client(config());
    let refused = raw.endpoint.request(start(), &request, true);
    assert!(matches!(refused, Err(RequestError::Malformed(_))), "{request:?}");
    assert_eq!(raw.replies(), []);
}

fn well_formed(request: Fields<'_>) {
    let request = fields(request);
    let mut raw = Raw::server(config());
    raw.send_headers(1, &request, true);
    assert_eq!(raw.events(), [Event::Request { stream: id(1), fields: request.clone(), end_stream: true }]);
}

/// 8.2.1
#[test]
fn names_are_tokens_in_lower_case() {
    for name in ["", "Upper", "with space", "tab\t", "colon:inside", "nul\0", "\u{e9}", "del\x7f", "line\n", "(x)"] {
        malformed(&with(GET, &[(name, "value")]));
    }
    well_formed(&with(GET, &[("a!#$%&'*+-.^_`|~9", "value")]));
}

/// 8.2.1
#[test]
fn values_hold_no_control_and_no_white_space_around_them() {
    for value in ["nul\0", "line\nfeed", "carriage\rreturn", " before", "after ", "\tbefore", "after\t", " "] {
        malformed(&with(GET, &[("x", value)]));
    }
    for value in ["", "in side", "\u{e9}", "a\tb"] {
        well_formed(&with(GET, &[("x", value)]));
    }
}

/// 8.2.2
#[test]
fn fields_of_the_connection_do_not_exist() {
    for name in ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"] {
        malformed(&with(GET, &[(name, "x")]));
    }
    malformed(&with(GET, &[("te", "gzip")]));
    malformed(&with(GET, &[("te", "trailers, gzip")]));
    well_formed(&with(GET, &[("te", "trailers")]));
}

/// 8.3
#[test]
fn pseudo_header_fields_come_once_and_first() {
    malformed(&with(GET, &[(":path", "/")]));
    malformed(&with(&[("x", "y")], GET));
    malformed(&with(&GET[..3], &[("x", "y"), (":path", "/")]));
    malformed(&with(GET, &[(":unknown", "x")]));
    malformed(&with(GET, &[(":status", "200")]));
    malformed(&with(GET, &[(":Path", "/")]));
}

/// 8.3.1
#[test]
fn a_request_has_method_scheme_path_and_authority() {
    for missing in [0, 1, 3] {
        let rest: Vec<_> =
            GET.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, field)| *field).collect();
        malformed(&rest);
    }
    malformed(&[(":method", "GET"), (":scheme", "https"), (":path", "/")]);
    well_formed(&[(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "pod")]);
    well_formed(&[(":method", "OPTIONS"), (":scheme", "http"), (":authority", "pod"), (":path", "*")]);
    well_formed(&[(":method", "GET"), (":scheme", "coap"), (":path", "any")]);
    let wrong: [(&str, &str); 12] = [
        (":path", "*"),
        (":path", "/a b"),
        (":authority", "po\td"),
        (":method", ""),
        (":method", "G T"),
        (":scheme", ""),
        (":path", ""),
        (":path", "relative"),
        (":path", "/ "),
        (":authority", ""),
        (":authority", "user@pod"),
        ("host", ""),
    ];
    for (name, value) in wrong {
        let mut request: Vec<_> = GET.iter().filter(|(known, _)| *known != name).copied().collect();
        if name == "host" {
            request.push(("host", value));
        } else {
            request.insert(0, (name, value));
        }
        malformed(&request);
    }
    malformed(&with(GET, &[("host", "pod"), ("host", "pod")]));
}

/// 8.5
#[test]
fn connect_names_an_authority_and_nothing_else() {
    well_formed(&[(":method", "CONNECT"), (":authority", "pod:11222")]);
    malformed(&[(":method", "CONNECT"), (":authority", "")]);
    malformed(&[(":method", "CONNECT")]);
    malformed(&[(":method", "CONNECT"), (":authority", "pod:11222"), (":path", "/")]);
    malformed(&[(":method", "CONNECT"), (":authority", "pod:11222"), (":scheme", "https")]);
}

/// RFC 8441, 4
#[test]
fn extended_connect_is_a_request_with_a_protocol() {
    let of = |request: &[Field]| {
        let mut raw = Raw::server(config());
        raw.send_headers(1, request, false);
        raw.events().len()
    };
    assert_eq!(of(&tunnel()), 1);
    malformed(&with(GET, &[(":protocol", "hotrod")]));
    malformed(&[(":method", "CONNECT"), (":protocol", "hotrod"), (":authority", "pod")]);
    for wrong in ["", "hot rod"] {
        let mut request = tunnel();
        request[1] = Field::new(":protocol", wrong.as_bytes().to_vec());
        assert_eq!(of(&request), 0);
    }
    let mut raw = Raw::server(Config::default());
    raw.send_headers(1, &tunnel(), false);
    raw.resets(1, ErrorCode::PROTOCOL_ERROR);
}

/// 8.1.1
#[test]
fn content_is_as_long_as_its_length_says() {
    for wrong in ["x", "", "-1", "+1", "1,1", "1 ", "99999999999999999999"] {
        malformed(&length_of(wrong));
    }
    malformed(&with(&length_of("5"), &[("content-length", "6")]));
    let cases: [(&[&str], bool); 6] = [
        (&["hello"], true),
        (&["he", "llo"], true),
        (&["hell"], false),
        (&["hello!"], false),
        (&["hello", ""], true),
        (&["hell", ""], false),
    ];
    for (pieces, is_right) in cases {
        let mut raw = Raw::server(config());
        raw.send_headers(1, &fields(&length_of("5")), false);
        raw.events();
        for (index, piece) in pieces.iter().enumerate() {
            raw.send([&data(1, piece.as_bytes().to_vec(), index + 1 == pieces.len())]);
        }
        if is_right {
            assert!(matches!(raw.events().last(), Some(Event::Data { end_stream: true, .. })));
            assert_eq!(raw.replies(), []);
        } else {
            raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
        }
    }
    let mut raw = Raw::server(config());
    raw.send_headers(1, &fields(&length_of("5")), true);
    raw.resets(1, ErrorCode::PROTOCOL_ERROR);
    raw.send_headers(3, &fields(&length_of("5")), false);
    raw.send([&data(3, "hell", false)]);
    raw.send_headers(3, &fields(&[("x", "y")]), true);
    raw.resets_aloud(3, ErrorCode::PROTOCOL_ERROR);
}

const POST: Fields<'_> = &[(":method", "POST"), (":scheme", "https"), (":authority", "pod"), (":path", "/")];

fn length_of(length: &str) -> Vec<(&'static str, &str)> {
    with(POST, &[("content-length", length)])
}

/// 8.1
#[test]
fn trailers_end_the_stream_and_have_no_pseudo_header_fields() {
    let cases: [(Fields<'_>, bool); 4] =
        [(&[("x", "y")], false), (&[(":method", "GET")], true), (&[("X", "y")], true), (&[("connection", "x")], true)];
    for (trailers, end_stream) in cases {
        let mut raw = Raw::server(config());
        raw.open(1, false);
        raw.send_headers(1, &fields(trailers), end_stream);
        raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
    }
    let mut raw = Raw::server(config());
    raw.open(1, true);
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    assert!(matches!(raw.endpoint.send_trailers(id(1), &fields(&[(":x", "y")])), Err(Misuse::Malformed(_))));
}

/// 8.5
#[test]
fn a_tunnel_has_no_trailers() {
    let mut raw = Raw::server(config());
    raw.send_headers(1, &tunnel(), false);
    raw.events();
    raw.endpoint.respond(id(1), &ok(), false).unwrap();
    let trailers = fields(&[("x", "y")]);
    assert_eq!(raw.endpoint.send_trailers(id(1), &trailers), Err(Misuse::Malformed("trailers in a tunnel")));
    raw.send_headers(1, &trailers, true);
    raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
    // A refusal is an ordinary response.
    raw.send_headers(3, &tunnel(), false);
    raw.endpoint.respond(id(3), &fields(&[(":status", "404")]), false).unwrap();
    raw.endpoint.send_trailers(id(3), &trailers).unwrap();
}

/// 8.3.2
#[test]
fn a_response_has_a_status_of_three_digits() {
    let wrong: [Fields<'_>; 8] = [
        &[],
        &[("x", "y")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "2x0")],
        &[(":status", "099")],
        &[(":status", "101")],
        &[(":status", "200"), (":path", "/")],
    ];
    for response in wrong {
        let mut raw = Raw::client(config());
        raw.endpoint.request(start(), &get("/"), true).unwrap();
        raw.send_headers(1, &fields(response), true);
        raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
        let mut raw = Raw::server(config());
        raw.open(1, true);
        assert!(matches!(raw.endpoint.respond(id(1), &fields(response), true), Err(Misuse::Malformed(_))));
    }
}

/// 8.1
#[test]
fn interim_responses_come_before_the_final_one_and_end_nothing() {
    let mut raw = Raw::client(config());
    raw.endpoint.request(start(), &get("/"), true).unwrap();
    for status in ["100", "103", "199"] {
        raw.send_headers(1, &fields(&[(":status", status)]), false);
        assert_eq!(raw.events(), [Event::Interim { stream: id(1), fields: fields(&[(":status", status)]) }]);
    }
    raw.send_headers(1, &ok(), false);
    raw.events();
    raw.send_headers(1, &fields(&[(":status", "103")]), false);
    raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
    raw.endpoint.request(start(), &get("/"), true).unwrap();
    raw.send_headers(3, &fields(&[(":status", "103")]), true);
    raw.resets_aloud(3, ErrorCode::PROTOCOL_ERROR);
    let mut raw = Raw::server(config());
    raw.open(1, true);
    let interim = fields(&[(":status", "103")]);
    assert!(matches!(raw.endpoint.respond(id(1), &interim, true), Err(Misuse::Malformed(_))));
}

#[test]
fn content_before_a_response_resets_the_stream() {
    let mut raw = Raw::client(config());
    raw.endpoint.request(start(), &get("/"), true).unwrap();
    raw.send([&data(1, "x", false)]);
    raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
}

/// RFC 9110, 6.4.1: in spite of their content-length.
#[test]
fn responses_to_head_and_those_without_content_have_none() {
    let head = fields(&[(":method", "HEAD"), (":scheme", "https"), (":authority", "pod"), (":path", "/")]);
    let cases = [(head, "200"), (get("/"), "204"), (get("/"), "304")];
    for (request, status) in cases {
        let mut raw = Raw::client(config());
        let response = fields(&[(":status", status), ("content-length", "5")]);
        for stream in [1, 3] {
            raw.endpoint.request(start(), &request, true).unwrap();
            raw.send_headers(stream, &response, stream == 1);
            let expected = Event::Response { stream: id(stream), fields: response.clone(), end_stream: stream == 1 };
            assert_eq!(raw.events(), [expected]);
        }
        raw.send([&data(3, "hello", true)]);
        raw.resets_aloud(3, ErrorCode::PROTOCOL_ERROR);
    }
}

/// 8.5: the length of a tunnel is unknown, that of a refusal is not.
#[test]
fn a_length_in_the_answer_to_connect_counts_if_there_is_no_tunnel() {
    for (status, is_reset) in [("200", false), ("403", true)] {
        let mut raw = Raw::client(config());
        let connect = fields(&[(":method", "CONNECT"), (":authority", "pod:1")]);
        raw.endpoint.request(start(), &connect, false).unwrap();
        raw.send_headers(1, &fields(&[(":status", status), ("content-length", "1")]), false);
        raw.send([&data(1, "more", false)]);
        if is_reset {
            raw.resets_aloud(1, ErrorCode::PROTOCOL_ERROR);
        } else {
            assert_eq!(raw.events().len(), 2);
        }
    }
}

/// 8.1: a response may be complete before its request.
#[test]
fn a_server_may_answer_before_it_has_heard_all() {
    let mut raw = Raw::client(config());
    raw.endpoint.request(start(), &post("/"), false).unwrap();
    raw.replies();
    raw.send_headers(1, &fields(&[(":status", "413")]), true);
    assert_eq!(raw.events().len(), 1);
    raw.endpoint.send_data(id(1), "rest".into(), true).unwrap();
    assert_eq!(raw.replies(), [data(1, "rest", true)]);
    assert_eq!(raw.endpoint.open_streams(), 0);
}
