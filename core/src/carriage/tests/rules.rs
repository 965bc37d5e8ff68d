//! Frames on the wrong stream, with invalid payloads, and out of order.

use alloc::vec;
use alloc::vec::Vec;

use super::pair::{NOW, Pair, ReportedError, client_config, fragment, frame, node, numbers};
use crate::carriage::registry::{
    HOT_ROD_CREDIT_ERROR, HOT_ROD_MESSAGE_ERROR, HOT_ROD_UNKNOWN_CALL, frame_type, setting,
};
use crate::carriage::{ClientConfig, ClientEvent, Offer, ServerEvent};
use crate::http2::ErrorCode;

/// Returns a valid payload of a frame type.
fn good(kind: u8) -> Vec<u8> {
    match kind {
        frame_type::CREDIT | frame_type::CANCEL => numbers(1, 8),
        frame_type::NODE => node().payload().to_vec(),
        frame_type::TOPOLOGY => vec![0, 1, b'c', 0, 0, 0, 0],
        frame_type::DRAIN => vec![0; 4],
        _ => fragment(1, b"any"),
    }
}

///
#[test]
fn where_frames_are_not_agreed_on_all_of_them_are_ignored_whatever_is_in_them() {
    for (client, server) in [(None, None), (Some(Offer::default()), None), (None, Some(Offer::default()))] {
        let mut pair = Pair::new(client_config(client), server, usize::MAX);
        let (_, stream) = pair.open();
        let (ended, _) = pair.open();
        pair.client.close(ended, ErrorCode::NO_ERROR);
        pair.exchange();
        let mut all = Vec::new();
        for (kind, stream) in (0xf0..=0xff).flat_map(|kind| [0, 1, 3, 99, 100].map(|stream| (kind, stream))) {
            all.extend(frame(stream, kind, 0xff, &[]));
            all.extend(frame(stream, kind, 0, &[0xff; 40]));
        }
        for (id, value) in (0xf000..=0xf005).flat_map(|id| [0, 7, u32::MAX].map(|value| (id, value))) {
            let setting = [&u16::to_be_bytes(id)[..], &u32::to_be_bytes(value)].concat();
            all.extend(frame(0, 4, 0, &setting));
        }
        let (events, frames) = pair.at_server(&all);
        assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
        let (events, frames) = pair.at_client(&all);
        assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
        assert!(pair.server.form(stream).is_some());
    }
}

///
#[test]
fn a_credit_above_the_largest_in_settings_ends_the_link() {
    let impossible = [
        Offer { initial_credit: 1 << 31, ..Offer::default() },
        Offer { connection_credit: u32::MAX, ..Offer::default() },
    ];
    for offer in impossible {
        let mut pair = Pair::new(client_config(Some(offer)), Some(Offer::default()), usize::MAX);
        let first = pair.client.transmit().to_bytes();
        assert_eq!(ReportedError::by(&pair.at_server(&first).1), ReportedError::Connection(HOT_ROD_CREDIT_ERROR));
        let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), usize::MAX);
        let first = pair.server.transmit().to_bytes();
        assert_eq!(ReportedError::by(&pair.at_client(&first).1), ReportedError::Connection(HOT_ROD_CREDIT_ERROR));
    }
    let largest = Offer { initial_credit: i32::MAX as u32, connection_credit: i32::MAX as u32, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(largest)), Some(largest), usize::MAX);
    pair.open();
}

///
#[test]
fn flags_without_a_meaning_are_ignored_and_sent_as_0() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 5, b"q");
    pair.exchange();
    let all = [
        frame(1, frame_type::REQUEST, 0x8f | 0x10, &fragment(6, b"q")),
        frame(1, frame_type::CREDIT, 0xff, &numbers(6, 1)),
        frame(1, frame_type::CANCEL, 0xff, &numbers(6, 8)),
        frame(0, frame_type::CREDIT, 0xff, &numbers(0, 1)),
    ];
    let (events, frames) = pair.at_server(&all.concat());
    let [ServerEvent::Request { fragment: one, .. }, ServerEvent::Cancelled { call: 6, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(one.is_whole() && one.urgency == 1 && ReportedError::by(&frames) == ReportedError::None);
    pair.server.end_call(stream, 6, ErrorCode::CANCEL, false);
    pair.server.respond(stream, 5, vec![1; 20_000].into(), true);
    pair.server.event(stream, "event".into(), true, true);
    let (_, frames) = pair.at_server(&[]);
    let flags: Vec<_> = super::pair::hot_rod(&frames).iter().map(|(kind, flags, _)| (*kind, *flags)).collect();
    let wanted =
        [(frame_type::CANCEL, 0), (frame_type::RESPONSE, 2), (frame_type::EVENT, 3), (frame_type::RESPONSE, 1)];
    assert!(wanted.iter().all(|one| flags.contains(one)) && flags.len() == 4, "{flags:?}");
    let all = [
        frame(1, frame_type::RESPONSE, 0xfc | 3, &fragment(5, b"a")),
        frame(1, frame_type::EVENT, 0xfc | 3, &fragment(1, b"event")),
        frame(1, frame_type::NODE, 0xff, &node().payload()),
        frame(1, frame_type::DRAIN, 0xff, &[0; 4]),
    ];
    let (events, frames) = pair.at_client(&all.concat());
    assert_eq!((events.len(), ReportedError::by(&frames)), (4, ReportedError::None), "{events:?}");
}

///
#[test]
fn a_frame_on_a_stream_that_is_no_session_ends_the_link() {
    let error = ReportedError::Connection(ErrorCode::PROTOCOL_ERROR);
    for kind in frame_type::ALL {
        let payload = good(kind);
        // A stream of another kind for both ends: a tunnel.
        let config = ClientConfig { ordinary_connect: true, ..client_config(Some(Offer::default())) };
        let mut pair = Pair::new(config, Some(Offer::default()), usize::MAX);
        pair.open();
        assert_eq!(ReportedError::by(&pair.at_server(&frame(1, kind, 3, &payload)).1), error, "{kind:#x} in a tunnel");
        assert_eq!(ReportedError::by(&pair.at_client(&frame(1, kind, 3, &payload)).1), error, "{kind:#x} in a tunnel");
        // An idle stream.
        let mut pair = Pair::framed();
        pair.open();
        assert_eq!(ReportedError::by(&pair.at_server(&frame(9, kind, 3, &payload)).1), error, "{kind:#x}, idle");
        assert_eq!(ReportedError::by(&pair.at_client(&frame(9, kind, 3, &payload)).1), error, "{kind:#x}, idle");
        // The stream of an ordinary request: GET / without an authority.
        let mut pair = Pair::framed();
        pair.open();
        let get = frame(3, 1, 4, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']);
        let (events, frames) = pair.at_server(&[get, frame(3, kind, 3, &payload)].concat());
        assert_eq!((ReportedError::by(&frames), events.len()), (error, 2), "{kind:#x}, of a GET");
        // Stream 0, for frames that are not allowed there.
        let on_link = match kind {
            frame_type::CREDIT => numbers(1, 8),
            _ => payload,
        };
        let mut pair = Pair::framed();
        pair.open();
        assert_eq!(ReportedError::by(&pair.at_server(&frame(0, kind, 3, &on_link)).1), error, "{kind:#x} on stream 0");
        let to_client = if kind == frame_type::DRAIN { ReportedError::None } else { error };
        assert_eq!(
            ReportedError::by(&pair.at_client(&frame(0, kind, 3, &on_link)).1),
            to_client,
            "{kind:#x} on stream 0"
        );
    }
}

///
#[test]
fn a_frame_from_the_wrong_side_ends_the_link() {
    let error = ReportedError::Connection(ErrorCode::PROTOCOL_ERROR);
    let of_endpoints =
        [frame_type::RESPONSE, frame_type::EVENT, frame_type::NODE, frame_type::TOPOLOGY, frame_type::DRAIN];
    for kind in of_endpoints {
        let mut pair = Pair::framed();
        let (channel, _) = pair.open();
        pair.call(channel, 1, b"q");
        pair.exchange();
        assert_eq!(ReportedError::by(&pair.at_server(&frame(1, kind, 3, &good(kind))).1), error, "{kind:#x}");
    }
    // The content does not matter: this violation is listed earlier in the table.
    let mut pair = Pair::framed();
    pair.open();
    assert_eq!(ReportedError::by(&pair.at_server(&frame(1, frame_type::NODE, 0, &[0; 6])).1), error);
    assert_eq!(ReportedError::by(&pair.at_client(&frame(1, frame_type::REQUEST, 3, &fragment(1, b"q"))).1), error);
}

/// After a link error all further frames are ignored.
#[test]
fn nothing_is_taken_behind_an_error_of_the_link() {
    let mut pair = Pair::framed();
    pair.open();
    let bad = frame(1, frame_type::NODE, 0, &node().payload());
    let (events, _) = pair.at_server(&[bad, frame(1, frame_type::REQUEST, 3, &fragment(1, b"q"))].concat());
    assert!(matches!(events[..], [ServerEvent::Closed(_)]), "{events:?}");
}

/// also on a closed stream, where all other frames are ignored.
#[test]
fn on_a_closed_stream_all_frames_are_ignored_that_have_a_size_of_theirs() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.server.end(stream, ErrorCode::CANCEL);
    pair.exchange();
    assert!(pair.client.form(channel).is_none());
    for kind in frame_type::ALL {
        let (events, frames) = pair.at_server(&frame(1, kind, 3, &good(kind)));
        assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None), "{kind:#x}");
        let (events, frames) = pair.at_client(&frame(1, kind, 3, &good(kind)));
        assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None), "{kind:#x}");
    }
    let error = ReportedError::Connection(ErrorCode::FRAME_SIZE_ERROR);
    assert_eq!(ReportedError::by(&pair.at_server(&frame(1, frame_type::CANCEL, 0, &[0; 7])).1), error);
    assert_eq!(ReportedError::by(&pair.at_client(&frame(1, frame_type::NODE, 0, &[0; 5])).1), error);
}

/// Fragments received and not handled when their session is cancelled here.
#[test]
fn fragments_that_wait_to_be_looked_at_count_when_their_session_ends() {
    let mut pair = Pair::framed();
    for round in 0..40u32 {
        let (channel, stream) = pair.open();
        pair.large_call(channel, 1, 60_000);
        let bytes = pair.client.transmit().to_bytes();
        pair.client.transmitted(bytes.len());
        pair.server.receive_buffer().extend_from_slice(&bytes);
        pair.server.handle_filled(NOW);
        pair.server.end(stream, ErrorCode::CANCEL);
        pair.exchange();
        assert!(pair.client.form(channel).is_none(), "round {round}");
    }
    let (channel, _) = pair.open();
    pair.large_call(channel, 1, 900_000);
    assert_eq!(pair.take_requests(), [(1, 900_000)], "2.4 MB would be more than all of the connection's credit");
}

/// After a session ends, frames on the open half of its stream are those of a closed session, at either end.
#[test]
fn frames_that_cross_an_end_stream_are_ignored() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.server.end(stream, ErrorCode::NO_ERROR);
    let (events, frames) = pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(1, b"q")));
    assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
    pair.client.close(channel, ErrorCode::NO_ERROR);
    let (events, frames) = pair.at_client(&frame(1, frame_type::EVENT, 3, &fragment(1, b"event")));
    assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
}

/// A session with call 5 answered, 6 open and complete, 7 open and incomplete; 8 is the newest, and cancelled.
fn with_calls() -> (Pair, crate::carriage::ChannelId) {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.call(channel, 5, b"q");
    pair.call(channel, 6, b"q");
    pair.large_call(channel, 7, 100_000);
    pair.call(channel, 8, b"q");
    pair.exchange();
    pair.server.respond(stream, 5, "a".into(), true);
    pair.server.end_call(stream, 8, ErrorCode::CANCEL, false);
    pair.server.release_fragment(stream, 7, 1_000);
    pair.exchange();
    pair.to_server.clear();
    (pair, channel)
}

/// R-26; skipped ids are those of closed calls.
#[test]
fn frames_for_closed_calls_are_ignored() {
    for call in [5, 8, 1, 0xffff_fff0] {
        for (kind, payload) in [
            (frame_type::REQUEST, fragment(call, b"more")),
            (frame_type::CREDIT, numbers(call, 9)),
            (frame_type::CANCEL, numbers(call, 8)),
        ] {
            let (mut pair, _) = with_calls();
            let (events, frames) = pair.at_server(&frame(1, kind, 0, &payload));
            assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None), "{kind:#x} for {call}");
            if kind != frame_type::REQUEST {
                let (events, frames) = pair.at_client(&frame(1, kind, 0, &payload));
                assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None), "{kind:#x} for {call}");
            }
        }
    }
}

///
#[test]
fn frames_for_calls_that_never_were_end_the_session() {
    let error = ReportedError::Stream(HOT_ROD_UNKNOWN_CALL);
    for (kind, payload, to_server) in [
        (frame_type::REQUEST, fragment(9, b"more"), true),
        (frame_type::REQUEST, fragment(0, b"more"), true),
        (frame_type::CREDIT, numbers(9, 9), true),
        (frame_type::CANCEL, numbers(9, 8), true),
        (frame_type::CANCEL, numbers(0, 8), true),
        (frame_type::CREDIT, numbers(9, 9), false),
        (frame_type::CREDIT, numbers(0, 9), false),
        (frame_type::CANCEL, numbers(9, 8), false),
        (frame_type::RESPONSE, fragment(9, b"a"), false),
        (frame_type::RESPONSE, fragment(0, b"a"), false),
        // RESPONSE needs an open call.
        (frame_type::RESPONSE, fragment(5, b"a"), false),
        (frame_type::RESPONSE, fragment(8, b"a"), false),
    ] {
        let (mut pair, _) = with_calls();
        let bytes = frame(1, kind, if kind == frame_type::RESPONSE { 3 } else { 0 }, &payload);
        let frames = if to_server { pair.at_server(&bytes).1 } else { pair.at_client(&bytes).1 };
        assert_eq!(ReportedError::by(&frames), error, "{kind:#x} {payload:?}");
    }
    let (mut pair, _) = with_calls();
    assert_eq!(
        ReportedError::by(&pair.at_server(&frame(1, frame_type::CREDIT, 0, &numbers(0, 9))).1),
        ReportedError::None
    );
    // Without any call there are no closed ones.
    let mut pair = Pair::framed();
    pair.open();
    assert_eq!(ReportedError::by(&pair.at_client(&frame(1, frame_type::CANCEL, 0, &numbers(1, 8))).1), error);
}

///
#[test]
fn fragments_out_of_their_order_end_the_session() {
    let error = ReportedError::Stream(HOT_ROD_MESSAGE_ERROR);
    let (mut pair, _) = with_calls();
    let behind_fin = frame(1, frame_type::REQUEST, 0, &fragment(6, b"more"));
    assert_eq!(ReportedError::by(&pair.at_server(&behind_fin).1), error, "a REQUEST behind its FIN");
    let response = |flags, call| frame(1, frame_type::RESPONSE, flags, &fragment(call, b"a"));
    for (what, answers) in [
        ("the first without FIRST", vec![response(0, 6)]),
        ("the first and last without FIRST", vec![response(1, 6)]),
        ("a second FIRST", vec![response(2, 6), response(2, 6)]),
        ("a whole one behind FIRST", vec![response(2, 6), response(3, 6)]),
    ] {
        let (mut pair, _) = with_calls();
        assert_eq!(ReportedError::by(&pair.at_client(&answers.concat()).1), error, "{what}");
        // The same for a cancelled call.
        let (mut pair, channel) = with_calls();
        pair.client.cancel(channel, 6);
        assert_eq!(ReportedError::by(&pair.at_client(&answers.concat()).1), error, "{what}");
    }
    let (mut pair, _) = with_calls();
    let (events, frames) = pair.at_client(&[response(2, 6), response(2, 7), response(0, 6), response(1, 6)].concat());
    assert!(matches!(&events[..], [ClientEvent::Message { message, .. }] if message == "aaa"), "{events:?}");
    assert_eq!(ReportedError::by(&frames), ReportedError::None);
}

///
#[test]
fn a_request_that_is_answered_before_its_end_is_sent_no_further() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.large_call(channel, 1, 500_000);
    pair.exchange();
    pair.to_server.clear();
    let answer = frame(1, frame_type::RESPONSE, 3, &fragment(1, b"early"));
    let (events, _) = pair.at_client(&answer);
    let [ClientEvent::Dequeued { message: 1, bytes, end: None, .. }, ClientEvent::Message { message, .. }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*bytes, &message[..]), (500_000 - 65_536, &b"early"[..]));
    // Credit for the call sends nothing.
    let (events, frames) = pair.at_client(&frame(1, frame_type::CREDIT, 0, &numbers(1, 100_000)));
    assert_eq!((events, super::pair::hot_rod(&frames)), (vec![], vec![]));
    // The endpoint agrees: the fragments in flight are those of a closed call.
    let (events, frames) = {
        pair.server.respond(stream, 1, "early".into(), true);
        pair.at_server(&frame(1, frame_type::REQUEST, 0, &fragment(1, b"")))
    };
    assert_eq!((events, ReportedError::by(&frames)), (vec![], ReportedError::None));
}

/// The request of a call that the endpoint cancels is not sent further, and leaves the queue.
#[test]
fn a_request_that_the_endpoint_gives_up_is_sent_no_further() {
    let mut pair = Pair::framed();
    let (channel, _) = pair.open();
    pair.large_call(channel, 1, 500_000);
    pair.exchange();
    let (events, _) = pair.at_client(&frame(1, frame_type::CANCEL, 0, &numbers(1, 8)));
    let [ClientEvent::Dequeued { bytes, .. }, ClientEvent::CallEnded { .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*bytes, 500_000 - 65_536);
}

///
#[test]
fn increments_that_can_t_be_end_the_session_also_for_closed_calls() {
    let error = ReportedError::Stream(HOT_ROD_CREDIT_ERROR);
    for (call, increment) in [(6, 0), (6, 1 << 31), (5, 0), (5, u32::MAX), (6, i32::MAX as u32 - 65_535), (9, 0)] {
        let (mut pair, _) = with_calls();
        let bytes = frame(1, frame_type::CREDIT, 0, &numbers(call, increment));
        assert_eq!(ReportedError::by(&pair.at_server(&bytes).1), error, "{increment} for {call}");
    }
    for (call, increment) in [(7, 0), (7, 1 << 31), (7, i32::MAX as u32), (5, 0)] {
        let (mut pair, _) = with_calls();
        // The credit is used up, or more than half of it.
        let bytes = frame(1, frame_type::CREDIT, 0, &numbers(call, increment));
        let twice = [bytes.clone(), bytes].concat();
        assert_eq!(ReportedError::by(&pair.at_client(&twice).1), error, "{increment} for {call}");
    }
    let (mut pair, _) = with_calls();
    let largest = frame(1, frame_type::CREDIT, 0, &numbers(6, i32::MAX as u32 - 65_536));
    assert_eq!(ReportedError::by(&pair.at_server(&largest).1), ReportedError::None);
}

///
#[test]
fn a_node_without_a_name_and_a_topology_that_is_none_end_the_session() {
    let node = |name: &[u8], host: &[u8]| {
        let (name_length, host_length) = ([name.len() as u8], [host.len() as u8]);
        [&[1, 2][..], &name_length, name, &host_length, host, &[0, 80]].concat()
    };
    let topology = |cache: &[u8], topology: &[u8]| [&(cache.len() as u16).to_be_bytes()[..], cache, topology].concat();
    // One member "a" at port 1, function 3, one segment of that owner.
    let good = [1, 1, 1, b'a', 0, 1, 3, 1, 1, 0];
    for (kind, payload, told) in [
        (frame_type::NODE, node(b"a", b""), ReportedError::None),
        (frame_type::NODE, node(b"", b"host"), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (frame_type::NODE, node(&[0xff], b"host"), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (frame_type::NODE, node(b"a", &[0xc0, 0x80]), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (frame_type::TOPOLOGY, topology(b"c", &good), ReportedError::None),
        (frame_type::TOPOLOGY, topology(b"", &good), ReportedError::None),
        (frame_type::TOPOLOGY, topology(&[0xff], &good), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (frame_type::TOPOLOGY, topology(b"c", &good[..9]), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (
            frame_type::TOPOLOGY,
            topology(b"c", &[&good[..], &[0]].concat()),
            ReportedError::Stream(HOT_ROD_MESSAGE_ERROR),
        ),
        (frame_type::TOPOLOGY, topology(b"c", &[]), ReportedError::Stream(HOT_ROD_MESSAGE_ERROR)),
        (frame_type::TOPOLOGY, vec![0, 5, b'c'], ReportedError::Connection(ErrorCode::FRAME_SIZE_ERROR)),
    ] {
        let mut pair = Pair::framed();
        pair.open();
        assert_eq!(ReportedError::by(&pair.at_client(&frame(1, kind, 0, &payload)).1), told, "{kind:#x} {payload:?}");
    }
}

/// The largest value of a setting is valid: R-3 has its own test, and this its ids.
#[test]
fn the_settings_are_those_of_the_registry() {
    let ids = [
        setting::HOT_ROD,
        setting::INITIAL_CREDIT,
        setting::MAX_MESSAGE_SIZE,
        setting::MAX_CALLS,
        setting::CONNECTION_CREDIT,
        setting::LANE_THRESHOLD,
    ];
    assert_eq!(ids, [0xf000, 0xf001, 0xf002, 0xf003, 0xf004, 0xf005]);
}
