//! Each role reads what the other one writes, field by field.

use hotrod_core::http1::{
    ClientEvent, ClientExchange, Fields, Kind, Limits, Misuse, Request, Response, ServerEvent, ServerExchange, Trailing,
};
use proptest::collection::vec as many;
use proptest::prelude::*;

/// Fields of the exchange, and fields of the connection.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,20}"
        .prop_filter("not the caller's", |name| !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)))
}

/// Any bytes but control characters, without surrounding whitespace.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    many(octet, 0..40).prop_map(|octets| octets.trim_ascii().to_vec())
}

fn fields() -> impl Strategy<Value = Fields> {
    many((name(), value()), 0..20).prop_map(|pairs| {
        let mut fields = Fields::new();
        pairs.into_iter().for_each(|(name, value)| fields.push(&name, value).expect("valid"));
        fields
    })
}

fn authority() -> impl Strategy<Value = String> {
    let host = prop_oneof!["[a-z0-9][a-z0-9.-]{0,20}", Just("[::1]".to_string()), Just("[2001:db8::1:2]".to_string())];
    (host, 1..=u16::MAX).prop_map(|(host, port)| format!("{host}:{port}"))
}

fn path() -> impl Strategy<Value = String> {
    "/([a-zA-Z0-9._~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2}){0,30}(\\?[a-z0-9=&/?]{0,10})?"
}

/// Passes bytes in chunks of `step` bytes.
fn pieces(bytes: &[u8], step: usize, take: impl FnMut(&[u8])) {
    bytes.chunks(step).for_each(take);
}

fn serve(client: &mut ClientExchange, behind: &[u8], step: usize) -> (ServerExchange, Request) {
    let mut server = ServerExchange::new(Limits::default());
    let mut request = None;
    let bytes = [&client.transmit().to_bytes()[..], behind].concat();
    client.transmitted(bytes.len());
    pieces(&bytes, step, |piece| {
        server.handle_received(piece);
        let event = server.poll_event();
        assert!(event.is_none() || request.is_none(), "one request");
        request = event.or(request.take());
    });
    match request {
        Some(ServerEvent::Request(request)) => (server, request),
        other => panic!("{other:?}"),
    }
}

/// Feeds all bytes in chunks, and polls the event.
fn read(client: &mut ClientExchange, bytes: &[u8], step: usize) -> ClientEvent {
    pieces(bytes, step, |piece| client.handle_received(piece));
    client.poll_event().expect("an answer")
}

/// Fields of the caller, behind `own` fields of the exchange.
fn behind(fields: &Fields, own: usize) -> Vec<(bytes::Bytes, bytes::Bytes)> {
    fields.iter().skip(own).map(|(name, value)| (name.clone(), value.clone())).collect()
}

proptest! {
    #[test]
    fn an_upgrade_arrives_with_every_field_and_so_does_its_answer(
        authority in authority(),
        path in path(),
        (request_fields, response_fields) in (fields(), fields()),
        (early, late) in (many(any::<u8>(), 0..50), many(any::<u8>(), 0..50)),
        step in 1usize..200,
    ) {
        let mut client = ClientExchange::upgrade(&authority, &path, &request_fields, Limits::default()).unwrap();
        let (mut server, request) = serve(&mut client, &early, step);
        prop_assert_eq!(&request.kind, &Kind::Upgrade { protocols: vec!["hotrod".into()] });
        prop_assert_eq!(request.target.path(), Some(path.as_str()));
        prop_assert_eq!(&request.host, &authority);
        prop_assert_eq!(behind(&request.fields, 3), behind(&request_fields, 0));
        prop_assert_eq!(server.accept(&response_fields).unwrap(), early);
        let bytes = [&server.transmit().to_bytes()[..], &late].concat();
        let ClientEvent::Accepted(accepted) = read(&mut client, &bytes, step) else { panic!() };
        prop_assert_eq!(accepted.status, 101);
        prop_assert_eq!(behind(&accepted.fields, 2), behind(&response_fields, 0));
        prop_assert_eq!(accepted.trailing, late);
    }

    #[test]
    fn a_connect_arrives_with_every_field_and_so_does_its_answer(
        authority in authority(),
        (request_fields, response_fields) in (fields(), fields()),
        (early, late) in (many(any::<u8>(), 0..50), many(any::<u8>(), 0..50)),
        step in 1usize..200,
    ) {
        let mut client = ClientExchange::connect(&authority, &request_fields, Trailing::Tunnelled, Limits::default()).unwrap();
        let (mut server, request) = serve(&mut client, &early, step);
        prop_assert_eq!(&request.kind, &Kind::Connect { authority: authority.clone() });
        prop_assert_eq!(&request.host, &authority);
        prop_assert_eq!(behind(&request.fields, 1), behind(&request_fields, 0));
        prop_assert_eq!(server.accept(&response_fields).unwrap(), early);
        let bytes = [&server.transmit().to_bytes()[..], &late].concat();
        let ClientEvent::Accepted(accepted) = read(&mut client, &bytes, step) else { panic!() };
        prop_assert_eq!(accepted.status, 200);
        prop_assert_eq!(behind(&accepted.fields, 0), behind(&response_fields, 0));
        prop_assert_eq!(accepted.trailing, late);
    }

    #[test]
    fn a_refusal_arrives_with_every_field(
        by_connect in any::<bool>(),
        status in 300_u16..600,
        response_fields in fields(),
        content in many(any::<u8>(), 0..50),
        step in 1usize..200,
    ) {
        let (none, limits) = (Fields::new(), Limits::default());
        let mut client = if by_connect {
            ClientExchange::connect("a:1", &none, Trailing::Refused, limits).unwrap()
        } else {
            ClientExchange::upgrade("a:1", "/", &none, limits).unwrap()
        };
        let (mut server, _) = serve(&mut client, &[], step);
        let answer = Response { status, fields: response_fields, content: content.into() };
        server.respond(&answer, false).unwrap();
        prop_assert!(server.closes());
        let bytes = server.transmit().to_bytes();
        let ClientEvent::Refused(refused) = read(&mut client, &bytes, step) else { panic!() };
        prop_assert_eq!(refused.status, status);
        let own = refused.fields.len() - answer.fields.len();
        prop_assert_eq!(behind(&refused.fields, own), behind(&answer.fields, 0));
    }

    /// Every accepted field can be read again, and no other field is written.
    #[test]
    fn a_field_of_the_caller_s_is_refused_or_arrives(name in any::<String>(), value in many(any::<u8>(), 0..20)) {
        let mut fields = Fields::new();
        match fields.push(&name, value.clone()) {
            Ok(()) => {}
            Err(Misuse::FieldName(_) | Misuse::FieldValue(_)) => return Ok(()),
            Err(other) => panic!("{other}"),
        }
        match ClientExchange::upgrade("a", "/", &fields, Limits::default()) {
            Ok(mut client) => {
                let (_, request) = serve(&mut client, &[], 7);
                prop_assert_eq!(request.fields.len(), 4);
                prop_assert_eq!(request.fields.get(&name), Some(&value.into()));
            }
            Err(misuse) => prop_assert_eq!(misuse, Misuse::ReservedField(name.to_ascii_lowercase())),
        }
    }

    #[test]
    fn an_authority_or_path_of_the_caller_s_is_refused_or_arrives(
        authority in "[a-z0-9:.@/?#\\[\\]% \r\n]{0,12}",
        path in "[/a-z0-9%?# \r\n\u{e4}]{0,12}",
    ) {
        if let Ok(mut client) = ClientExchange::upgrade(&authority, &path, &Fields::new(), Limits::default()) {
            let (_, request) = serve(&mut client, &[], 7);
            prop_assert_eq!((request.host, request.target.path()), (authority.clone(), Some(path.as_str())));
        }
        if let Ok(mut client) = ClientExchange::connect(&authority, &Fields::new(), Trailing::Refused, Limits::default())
        {
            let (_, request) = serve(&mut client, &[], 7);
            prop_assert_eq!(request.kind, Kind::Connect { authority });
        }
    }

    #[test]
    fn requests_on_one_link_come_one_after_the_other_however_they_are_cut(
        contents in many(many(any::<u8>(), 0..100), 1..10),
        step in 1usize..200,
    ) {
        let mut bytes = Vec::new();
        for (index, content) in contents.iter().enumerate() {
            let length = content.len();
            let head = format!("POST /{index} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
            bytes.extend([head.as_bytes(), content].concat());
        }
        let mut server = ServerExchange::new(Limits::default());
        let mut seen = 0;
        pieces(&bytes, step, |piece| {
            server.handle_received(piece);
            while let Some(event) = server.poll_event() {
                let ServerEvent::Request(request) = event else { panic!("{event:?}") };
                assert_eq!(request.target.path(), Some(format!("/{seen}").as_str()));
                seen += 1;
                server.respond(&Response::text(200, "ok"), false).expect("an answer");
                assert!(server.poll_event().is_none(), "the answer is to be sent first");
                server.transmitted(server.transmit().len());
            }
        });
        prop_assert_eq!(seen, contents.len());
        prop_assert!(server.wants_read());
    }
}
