//! Credit, and violations of it.

use alloc::vec;

use bytes::Bytes;

use super::pair::{Pair, client_config};
use crate::carriage::registry::{HOT_ROD_CREDIT_ERROR, HOT_ROD_UNKNOWN_CALL, frame_type};
use crate::carriage::{ClientEvent, Offer, ServerEvent};

#[test]
fn no_more_comes_than_there_is_credit_for() {
    let offer = Offer { initial_credit: 40_000, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), usize::MAX);
    let (channel, _) = pair.open();
    pair.large_call(channel, 1, 1 << 20);
    pair.exchange();
    let came: usize = pair
        .to_server
        .iter()
        .map(|event| match event {
            ServerEvent::Request { fragment, .. } => fragment.bytes.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(came, 40_000);
}

#[test]
fn events_wait_for_a_client_that_takes_none() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.client.pause(channel, true);
    for _ in 0..100 {
        pair.server.event(stream, Bytes::from(vec![7; 10_000]), true, true);
    }
    pair.exchange();
    let came = pair.messages().len();
    assert!((6..=7).contains(&came), "{came}");
    // Responses still arrive.
    pair.call(channel, 1, b"q");
    pair.exchange();
    pair.server.respond(stream, 1, Bytes::from_static(b"a"), true);
    pair.exchange();
    assert_eq!(pair.messages(), [Bytes::from_static(b"a")]);
    pair.client.pause(channel, false);
    pair.exchange();
    assert_eq!(pair.messages().len(), 100 - came);
}

#[test]
fn fragments_beyond_the_credit_end_the_session() {
    let offer = Offer { initial_credit: 100, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(Offer::default())), Some(offer), usize::MAX);
    pair.open();
    pair.forge_to_server(1, frame_type::REQUEST, 2, &[&[0, 0, 0, 1][..], &[0; 101]].concat());
    assert!(
        matches!(pair.to_server[..], [ServerEvent::Ended { code: HOT_ROD_CREDIT_ERROR, .. }]),
        "{:?}",
        pair.to_server
    );
    assert!(matches!(&pair.to_client[..], [ClientEvent::Ended { .. }]));
}

#[test]
fn credit_of_nothing_ends_the_session_and_of_the_connection_the_link() {
    let mut pair = Pair::framed();
    let (channel, _) = pair.open();
    pair.call(channel, 1, b"q");
    pair.exchange();
    pair.to_server.clear();
    pair.forge_to_server(1, frame_type::CREDIT, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    assert!(matches!(pair.to_server[..], [ServerEvent::Ended { code: HOT_ROD_CREDIT_ERROR, .. }]));
    pair.forge_to_server(0, frame_type::CREDIT, 0, &[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
    assert!(matches!(pair.to_client.last(), Some(ClientEvent::Closed(_))), "{:?}", pair.to_client);
}

#[test]
fn a_call_that_never_was_ends_the_session() {
    for (kind, payload) in [
        (frame_type::CREDIT, vec![0, 0, 0, 9, 0, 0, 0, 1]),
        (frame_type::CANCEL, vec![0, 0, 0, 9, 0, 0, 0, 8]),
        (frame_type::REQUEST, vec![0, 0, 0, 9, 1]),
    ] {
        let mut pair = Pair::framed();
        pair.open();
        pair.forge_to_server(1, kind, 0, &payload);
        let ended = matches!(pair.to_server[..], [ServerEvent::Ended { code: HOT_ROD_UNKNOWN_CALL, .. }]);
        assert!(ended, "{kind:#x}: {:?}", pair.to_server);
    }
}

#[test]
fn a_frame_of_a_wrong_size_ends_the_link() {
    for (kind, payload) in [(frame_type::REQUEST, vec![0, 0, 1]), (frame_type::CREDIT, vec![0; 9])] {
        let mut pair = Pair::framed();
        pair.open();
        pair.forge_to_server(1, kind, 3, &payload);
        assert!(matches!(pair.to_client.last(), Some(ClientEvent::Closed(_))), "{:?}", pair.to_client);
    }
}

#[test]
fn a_session_s_frame_on_stream_0_ends_the_link() {
    let mut pair = Pair::framed();
    pair.open();
    pair.forge_to_server(0, frame_type::REQUEST, 3, &[0, 0, 0, 1, 1]);
    assert!(matches!(pair.to_client.last(), Some(ClientEvent::Closed(_))), "{:?}", pair.to_client);
}
