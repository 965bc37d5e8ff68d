//! Conversations between two well-behaved endpoints.

use bytes::Bytes;
use hotrod_core::http2::{Config, ErrorCode, Event, Misuse, RequestError, StreamId, setting};

use crate::pair::{KINDS, Pair, config, events, fields, get, ok, post, send, tunnel};

#[test]
fn each_side_learns_the_settings_of_the_other_unknown_ones_included() {
    let mut pair = Pair::new(Config::default(), config());
    assert_eq!(pair.client.peer_settings(), None);
    pair.settle();
    let received = pair.client.peer_settings().unwrap();
    assert_eq!(received.get(setting::ENABLE_CONNECT_PROTOCOL), Some(1));
    assert_eq!(received.get(setting::MAX_CONCURRENT_STREAMS), Some(100));
    assert_eq!((received.get(0xf000), received.get(0xf001), received.get(0xf002)), (Some(1), Some(65_536), None));
    assert_eq!(received, pair.server.local_settings());
    assert_eq!(pair.server.peer_settings().unwrap().get(setting::ENABLE_PUSH), Some(0));
    assert_eq!(pair.server.peer_settings().unwrap().get(0xf000), None);
}

#[test]
fn a_request_and_its_response() {
    let mut pair = Pair::ready();
    let stream = pair.request(&get("/"), true);
    assert_eq!(stream.value(), 1);
    pair.server.respond(stream, &fields(&[(":status", "103"), ("link", "</style>")]), false).unwrap();
    pair.server.respond(stream, &fields(&[(":status", "200"), ("content-length", "5")]), false).unwrap();
    pair.server.send_data(stream, "hello".into(), true).unwrap();
    pair.settle();
    let expected = [
        Event::Interim { stream, fields: fields(&[(":status", "103"), ("link", "</style>")]) },
        Event::Response { stream, fields: fields(&[(":status", "200"), ("content-length", "5")]), end_stream: false },
        Event::Data { stream, data: "hello".into(), end_stream: true },
    ];
    assert_eq!(pair.client_events(), expected);
    assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
}

#[test]
fn content_and_trailers_both_ways() {
    let mut pair = Pair::ready();
    let stream = pair.request(&post("/"), false);
    pair.client.send_data(stream, "ping".into(), false).unwrap();
    pair.client.send_trailers(stream, &fields(&[("checksum", "1")])).unwrap();
    pair.settle();
    let expected = [
        Event::Data { stream, data: "ping".into(), end_stream: false },
        Event::Trailers { stream, fields: fields(&[("checksum", "1")]) },
    ];
    assert_eq!(pair.server_events(), expected);
    pair.server.respond(stream, &ok(), false).unwrap();
    pair.server.send_data(stream, "pong".into(), false).unwrap();
    pair.server.send_trailers(stream, &fields(&[("checksum", "2")])).unwrap();
    pair.settle();
    let expected = [
        Event::Response { stream, fields: ok(), end_stream: false },
        Event::Data { stream, data: "pong".into(), end_stream: false },
        Event::Trailers { stream, fields: fields(&[("checksum", "2")]) },
    ];
    assert_eq!(pair.client_events(), expected);
    assert_eq!((pair.client.open_streams(), pair.server.open_streams()), (0, 0));
}

/// RFC 8441.
#[test]
fn a_tunnel_carries_bytes_and_registered_frames() {
    let mut pair = Pair::ready();
    let stream = pair.tunnel();
    pair.client.send_data(stream, "raw".into(), false).unwrap();
    pair.client.send_extension(stream, KINDS[0], 3, &["first, ".into(), "second".into()]).unwrap();
    pair.client.send_extension(StreamId::CONNECTION, KINDS[1], 0, &[]).unwrap();
    pair.settle();
    let expected = [
        Event::Data { stream, data: "raw".into(), end_stream: false },
        Event::Extension { stream, kind: KINDS[0], flags: 3, payload: "first, second".into() },
        Event::Extension { stream: StreamId::CONNECTION, kind: KINDS[1], flags: 0, payload: Bytes::new() },
    ];
    assert_eq!(pair.server_events(), expected);
    let refused = pair.client.send_extension(stream, 0xf1, 0, &[]);
    assert!(matches!(refused, Err(Misuse::NotRegistered { .. })));
    let large = Bytes::from(vec![0; 16_385]);
    assert!(matches!(
        pair.client.send_extension(stream, KINDS[0], 0, &[large]),
        Err(Misuse::PayloadTooLarge { size: 16_385, limit: 16_384 })
    ));
}

/// RFC 8441, 3.
#[test]
fn extended_connect_waits_for_the_setting() {
    let mut pair = Pair::new(config(), Config::default());
    assert_eq!(
        pair.client.request(pair.now, &tunnel(), false),
        Err(RequestError::ExtendedConnectNotEnabled),
        "before SETTINGS"
    );
    pair.settle();
    assert_eq!(pair.client.request(pair.now, &tunnel(), false), Err(RequestError::ExtendedConnectNotEnabled));
}

/// A frame of a type that one side has not registered is ignored (RFC 9113, 5.5).
#[test]
fn frames_that_are_not_registered_are_ignored() {
    let mut pair = Pair::ready_with(config(), Config::default());
    pair.client.send_extension(StreamId::CONNECTION, KINDS[0], 0, &["any".into()]).unwrap();
    let stream = pair.client.request(pair.now, &get("/"), true).unwrap();
    pair.settle();
    assert_eq!(pair.server_events(), [Event::Request { stream, fields: get("/"), end_stream: true }]);
}

/// Content above all windows and queues together, in both directions at once.
#[test]
fn large_content_flows_as_it_is_released() {
    const SIZE: usize = 5 << 20;
    let mut pair = Pair::ready();
    let stream = pair.tunnel();
    let content: Bytes = (0..SIZE).map(|n| (n / 7) as u8).collect();
    let (mut up, mut down) = (content.clone(), content.clone());
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    for _ in 0..10_000 {
        send(&mut pair.client, stream, &mut up, true);
        send(&mut pair.server, stream, &mut down, true);
        assert!(pair.client.transmit().len() < 100 << 10, "small frames wait for little");
        pair.settle();
        for (end, got) in [(&mut pair.server, &mut at_server), (&mut pair.client, &mut at_client)] {
            for event in events(end) {
                if let Event::Data { stream, data, .. } = event {
                    got.extend_from_slice(&data);
                    end.release(stream, data.len());
                }
            }
        }
        if pair.client.open_streams() == 0 && pair.server.open_streams() == 0 {
            break;
        }
    }
    assert!(at_server == content && at_client == content);
}

/// RFC 9113, 6.9: nothing is sent beyond the window that the peer has released.
#[test]
fn a_peer_that_releases_nothing_is_sent_no_more_than_its_window() {
    let mut pair = Pair::ready();
    let window = pair.server.local_settings().initial_window_size as usize;
    let stream = pair.tunnel();
    let mut content = Bytes::from(vec![7; 4 << 20]);
    let mut got = 0;
    for _ in 0..100 {
        send(&mut pair.client, stream, &mut content, true);
        pair.settle();
        for event in pair.server_events() {
            if let Event::Data { data, .. } = event {
                got += data.len();
            }
        }
    }
    assert_eq!(got, window);
    pair.client_events();
    assert_eq!(pair.client.send_capacity(stream), 0);
    assert_eq!(pair.client.send_data(stream, "x".into(), false), Err(Misuse::Full { capacity: 0 }));
    assert_eq!(pair.client_events(), []);
    pair.server.release(stream, got);
    pair.settle();
    assert_eq!(pair.client_events(), [Event::Writable { stream }]);
}

#[test]
fn streams_have_their_turns() {
    let mut pair = Pair::ready();
    let streams: Vec<_> = (0..4).map(|_| pair.tunnel()).collect();
    for stream in &streams {
        pair.client.send_data(*stream, vec![7; 100_000].into(), false).unwrap();
    }
    pair.settle();
    let order: Vec<_> = pair
        .server_events()
        .iter()
        .map(|event| match event {
            Event::Data { stream, .. } => *stream,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order[4..8], streams, "one after the other: {order:?}");
}

#[test]
fn a_reset_is_the_last_that_both_hear_of_a_stream() {
    let mut pair = Pair::ready();
    let stream = pair.tunnel();
    pair.server.send_data(stream, "on its way".into(), false).unwrap();
    pair.settle();
    pair.client.reset(stream, ErrorCode::CANCEL).unwrap();
    assert_eq!(pair.client_events(), [], "nothing comes of what was not polled");
    pair.server.send_data(stream, "crossing".into(), false).unwrap();
    pair.settle();
    assert_eq!(pair.client_events(), []);
    assert_eq!(pair.server_events(), [Event::Reset { stream, code: ErrorCode::CANCEL, by_peer: true }]);
    assert_eq!(pair.server.send_data(stream, "late".into(), false), Err(Misuse::NoSuchStream));
    assert_eq!(pair.client.reset(stream, ErrorCode::CANCEL), Err(Misuse::NoSuchStream));
}

/// RFC 9113, 5.1.2.
#[test]
fn a_client_opens_no_more_streams_than_the_server_allows() {
    let mut server = config();
    server.settings.max_concurrent_streams = Some(2);
    let mut pair = Pair::ready_with(config(), server);
    let first = pair.request(&get("/"), true);
    pair.request(&get("/"), true);
    assert_eq!(pair.client.request(pair.now, &get("/"), true), Err(RequestError::TooManyStreams { limit: 2 }));
    pair.server.respond(first, &ok(), true).unwrap();
    pair.settle();
    assert!(pair.client.request(pair.now, &get("/"), true).is_ok());
}
