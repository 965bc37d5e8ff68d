//! Limits on frames that carry no work, which peers that work never reach.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::pair::{NOW, Pair, ReportedError, client_config, fragment, frame, node, numbers};
use crate::carriage::registry::{HOT_ROD_TOO_MANY_CALLS, frame_type};
use crate::carriage::{ClientConfig, ClientEvent, FrameBudgets, Offer, ServerEvent};
use crate::http2::{Budget, ErrorCode, StreamId};

/// Budgets of ten tokens and one per second for every kind, with a limit of ten open calls.
fn strict() -> Pair {
    let ten = Budget { burst: 10, per_second: 1 };
    let budgets = FrameBudgets { empty: ten, cancelled: ten, refused: ten, credits: ten, notices: ten, ignored: ten };
    let config = ClientConfig { budgets, ..client_config(Some(Offer::default())) };
    let offer = Offer { max_calls: 10, ..Offer::default() };
    let mut pair = Pair::with_budgets(config, Some(offer), budgets);
    pair.open();
    pair
}

const CALM: ReportedError = ReportedError::Connection(ErrorCode::ENHANCE_YOUR_CALM);

/// Checks that ten frames made by `flood` are accepted and the eleventh ends the link. Returns the events before it.
fn is_stopped_at_the_server(mut pair: Pair, flood: impl Fn(u32) -> Vec<u8>) -> Vec<ServerEvent> {
    let mut all = Vec::new();
    for n in 0..10 {
        let (events, frames) = pair.at_server(&flood(n));
        assert_eq!(ReportedError::by(&frames), ReportedError::None, "after {}", n + 1);
        for event in events {
            if let ServerEvent::Cancelled { stream, call, code } = event {
                pair.server.end_call(stream, call, code, false);
            }
            all.push(event);
        }
    }
    assert_eq!(ReportedError::by(&pair.at_server(&flood(10)).1), CALM);
    all
}

fn is_stopped_at_the_client(mut pair: Pair, flood: impl Fn(u32) -> Vec<u8>) {
    for n in 0..10 {
        assert_eq!(ReportedError::by(&pair.at_client(&flood(n)).1), ReportedError::None, "after {}", n + 1);
    }
    assert_eq!(ReportedError::by(&pair.at_client(&flood(10)).1), CALM);
}

#[test]
fn a_flood_of_fragments_without_octets_is_stopped() {
    let mut pair = strict();
    pair.at_server(&frame(1, frame_type::REQUEST, 0x32, &fragment(1, b"")));
    is_stopped_at_the_server(pair, |_| frame(1, frame_type::REQUEST, 0, &fragment(1, b"")));
    for kind in [frame_type::RESPONSE, frame_type::EVENT] {
        let mut pair = strict();
        let channel = pair.client_channel();
        pair.call(channel, 1, b"q");
        pair.at_client(&frame(1, kind, 2, &fragment(1, b"")));
        is_stopped_at_the_client(pair, |_| frame(1, kind, 0, &fragment(1, b"")));
    }
}

#[test]
fn a_flood_of_calls_that_are_given_up_at_once_is_stopped() {
    let both = |n: u32| {
        let request = frame(1, frame_type::REQUEST, 0x33, &fragment(n + 1, b"q"));
        [request, frame(1, frame_type::CANCEL, 0, &numbers(n + 1, 8))].concat()
    };
    let events = is_stopped_at_the_server(strict(), both);
    assert_eq!(events.len(), 20, "each was requested and cancelled");
}

/// Cancelled calls do not count if they have waited for long, or if as many are answered.
#[test]
fn calls_may_be_given_up_that_have_waited_or_for_others_that_are_answered() {
    let mut pair = strict();
    let stream = StreamId::new(1);
    for call in 1..=100u32 {
        let answered = frame(1, frame_type::REQUEST, 0x33, &fragment(2 * call, b"q"));
        let given_up = frame(1, frame_type::REQUEST, 0x33, &fragment(2 * call + 1, b"q"));
        pair.at_server(&[answered, given_up].concat());
        pair.server.respond(stream, 2 * call, "a".into(), true);
        let (events, frames) = pair.at_server(&frame(1, frame_type::CANCEL, 0, &numbers(2 * call + 1, 8)));
        assert!(
            matches!(events[..], [ServerEvent::Cancelled { .. }]) && ReportedError::by(&frames) == ReportedError::None
        );
        pair.server.end_call(stream, 2 * call + 1, ErrorCode::CANCEL, true);
    }
    let mut pair = strict();
    for call in 1..=50u32 {
        pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(call, b"q")));
        // The bucket is refilled only to its capacity: one second adds one token.
        pair.server.handle_timeout(NOW + Duration::from_secs(call.into()));
        pair.server.receive_buffer().extend_from_slice(&frame(1, frame_type::CANCEL, 0, &numbers(call, 8)));
        pair.server.handle_filled(NOW + Duration::from_secs(call.into()));
        let event = pair.server.poll_event();
        assert!(matches!(event, Some(ServerEvent::Cancelled { .. })), "{event:?}");
        pair.server.end_call(stream, call, ErrorCode::CANCEL, true);
    }
}

#[test]
fn a_flood_of_calls_above_the_limit_is_stopped() {
    let mut pair = strict();
    for call in 1..=10 {
        pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(call, b"q")));
    }
    is_stopped_at_the_server(pair, |n| frame(1, frame_type::REQUEST, 0x33, &fragment(n + 11, b"q")));
}

#[test]
fn a_flood_of_credit_is_stopped() {
    for stream in [0, 1] {
        let credit = |_| frame(stream, frame_type::CREDIT, 0, &numbers(0, 1));
        is_stopped_at_the_server(strict(), credit);
    }
    is_stopped_at_the_client(strict(), |_| frame(0, frame_type::CREDIT, 0, &numbers(0, 1)));
    let mut pair = strict();
    let channel = pair.client_channel();
    pair.call(channel, 1, b"q");
    is_stopped_at_the_client(pair, |_| frame(1, frame_type::CREDIT, 0, &numbers(1, 1)));
}

#[test]
fn a_flood_of_node_or_drain_is_stopped() {
    is_stopped_at_the_client(strict(), |_| frame(1, frame_type::NODE, 0, &node().payload()));
    is_stopped_at_the_client(strict(), |n| frame(n % 2, frame_type::DRAIN, 0, &[0; 4]));
}

#[test]
fn a_flood_of_what_is_ignored_is_stopped() {
    let mut pair = strict();
    let channel = pair.client_channel();
    pair.call(channel, 5, b"q");
    pair.exchange();
    pair.server.end_call(StreamId::new(1), 5, ErrorCode::CANCEL, false);
    pair.exchange();
    is_stopped_at_the_server(pair, |_| frame(1, frame_type::REQUEST, 0, &fragment(5, b"late")));
    let mut pair = strict();
    let channel = pair.client_channel();
    pair.call(channel, 5, b"q");
    is_stopped_at_the_client(pair, |_| frame(1, frame_type::CANCEL, 0, &numbers(4, 8)));
    // The same on a closed stream.
    let closed = || {
        let mut pair = strict();
        pair.server.end(StreamId::new(1), ErrorCode::CANCEL);
        pair.exchange();
        pair
    };
    is_stopped_at_the_server(closed(), |_| frame(1, frame_type::REQUEST, 3, &fragment(5, b"late")));
    is_stopped_at_the_client(closed(), |_| frame(1, frame_type::EVENT, 3, &fragment(5, b"late")));
}

/// Half a million calls of a fast client with default budgets and no time passing: small ones, large ones, with credit
/// in the smallest increments, some cancelled and some refused.
#[test]
fn a_client_that_works_never_has_too_many() {
    let offer = Offer { initial_credit: 128, connection_credit: 100_000, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(offer)), Some(offer), usize::MAX);
    let (channel, stream) = pair.open();
    let mut answered = 0;
    let mut message = 0;
    for _ in 0..600 {
        for _ in 0..800 {
            message += 1;
            pair.call(channel, message, b"small");
        }
        message += 1;
        pair.large_call(channel, message, 2_000);
        // A hedged call: another response was faster.
        pair.client.cancel(channel, message - 5);
        pair.exchange();
        while !pair.to_server.is_empty() {
            for event in core::mem::take(&mut pair.to_server) {
                serve(&mut pair, stream, event);
            }
            pair.exchange();
        }
        answered += pair.messages().len();
    }
    assert!(answered > 470_000, "{answered}");
    assert!(pair.server.form(stream).is_some() && pair.client.form(channel).is_some());
}

/// Consumes a request in the smallest pieces, and responds when it is complete.
fn serve(pair: &mut Pair, stream: StreamId, event: ServerEvent) {
    match event {
        ServerEvent::Request { fragment, .. } if fragment.is_whole() => {
            let size = if fragment.call % 800 == 0 { 20_000 } else { 10 };
            pair.server.respond(stream, fragment.call, Bytes::from(vec![1; size]), true);
        }
        ServerEvent::Request { fragment, .. } => {
            for _ in 0..fragment.bytes.len() {
                pair.server.release_fragment(stream, fragment.call, 1);
            }
            if fragment.is_last {
                pair.server.respond(stream, fragment.call, "done".into(), true);
            }
        }
        ServerEvent::Cancelled { call, code, .. } => pair.server.end_call(stream, call, code, true),
        other => panic!("{other:?}"),
    }
}

/// Cancelling all calls of a session at once, and frames in flight to a session that ends, are no violation.
#[test]
fn giving_everything_up_once_is_no_flood() {
    let mut pair = Pair::framed();
    let sessions: Vec<_> = (0..8).map(|_| pair.open()).collect();
    for (channel, _) in &sessions {
        for message in 1..=1_000 {
            pair.call(*channel, message, b"q");
        }
        for message in 1..=1_000 {
            pair.client.cancel(*channel, message);
        }
    }
    pair.exchange();
    let given_up = pair.to_server.iter().filter(|event| matches!(event, ServerEvent::Cancelled { .. })).count();
    assert_eq!(given_up, 8_000);
    for (_, stream) in &sessions {
        pair.server.end(*stream, ErrorCode::CANCEL);
    }
    pair.exchange();
    let is_over = |event: &ClientEvent| matches!(event, ClientEvent::Closed(_));
    assert!(!pair.to_client.iter().any(is_over), "{:?}", pair.to_client.last());
    // Calls of a session that has already ended.
    let mut pair = Pair::framed();
    for _ in 0..20 {
        let (channel, stream) = pair.open();
        pair.server.end(stream, ErrorCode::CANCEL);
        for message in 1..=1_000 {
            pair.call(channel, message, b"q");
        }
        pair.exchange();
    }
    assert!(!pair.to_client.iter().any(is_over), "{:?}", pair.to_client.last());
}

/// The refusal is sent before the link ends.
#[test]
fn a_call_above_the_limit_is_answered_as_long_as_it_is_no_flood() {
    let mut pair = strict();
    for call in 1..=10 {
        pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(call, b"q")));
    }
    let (_, frames) = pair.at_server(&frame(1, frame_type::REQUEST, 0x33, &fragment(11, b"q")));
    let [(kind, 0, payload)] = &super::pair::hot_rod(&frames)[..] else { panic!("{frames:?}") };
    assert_eq!((*kind, &payload[4..]), (frame_type::CANCEL, &HOT_ROD_TOO_MANY_CALLS.0.to_be_bytes()[..]));
}
