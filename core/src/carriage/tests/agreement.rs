//! Negotiation of frames by SETTINGS, and session requests.

use alloc::vec::Vec;

use super::pair::{NOW, Pair, answer, client_config, node, request};
use crate::carriage::{ClientEvent, Form, LinkEnd, Offer, ServerEvent, SessionRequest};
use crate::http2::ErrorCode;

#[test]
fn frames_are_used_where_both_settings_announce_them() {
    for (client, server, form) in [
        (Some(Offer::default()), Some(Offer::default()), Form::Frames),
        (None, Some(Offer::default()), Form::Bytes),
        (Some(Offer::default()), None, Form::Bytes),
        (None, None, Form::Bytes),
    ] {
        let mut pair = Pair::new(client_config(client), server, 7);
        let (channel, stream) = pair.open();
        assert_eq!((pair.client.form(channel), pair.server.form(stream)), (Some(form), Some(form)));
    }
}

#[test]
fn a_session_is_asked_for_once_the_settings_have_come_and_names_its_member() {
    let mut pair = Pair::framed();
    let wanted = SessionRequest { node: Some("10.0.0.7:11222".into()), ..request() };
    let channel = pair.client.open(NOW, 0, wanted);
    assert_eq!(pair.client.form(channel), None);
    pair.exchange();
    let Some(ServerEvent::SessionRequested { stream, request: received }) = pair.to_server.pop() else {
        panic!("{:?}", pair.to_server)
    };
    assert_eq!((received.node.as_deref(), received.target, received.is_foreign), (Some("10.0.0.7:11222"), None, false));
    pair.server.accept(stream, &node());
    pair.exchange();
    let opened = ClientEvent::Opened { channel, fields: answer("pod-1") };
    assert_eq!(pair.to_client, [opened, ClientEvent::Node { channel, node: node() }]);
}

#[test]
fn a_refusal_says_why_and_when_to_try_again() {
    let mut pair = Pair::framed();
    let channel = pair.client.open(NOW, 0, request());
    pair.exchange();
    let stream = pair.requested();
    pair.server.refuse(stream, 503, Some(7));
    pair.exchange();
    let [ClientEvent::Ended { channel: ended, end: LinkEnd::Refused(refusal) }] = &pair.to_client[..] else {
        panic!("{:?}", pair.to_client)
    };
    assert_eq!((*ended, refusal.status, refusal.retry_after), (channel, 503, Some(7)));
    assert!(pair.client.is_empty() && pair.server.sessions() == 0);
}

#[test]
fn who_wants_frames_alone_is_told_that_there_are_none() {
    let config = crate::carriage::ClientConfig { only_frames: true, ..client_config(Some(Offer::default())) };
    let mut pair = Pair::new(config, None, 100);
    pair.client.open(NOW, 0, request());
    pair.exchange();
    assert!(pair.to_client.contains(&ClientEvent::Closed(LinkEnd::NoFrames)), "{:?}", pair.to_client);
}

#[test]
fn one_link_carries_many_sessions() {
    let mut pair = Pair::framed();
    let sessions: alloc::vec::Vec<_> = (0..20).map(|_| pair.open()).collect();
    for (message, (channel, _)) in sessions.iter().enumerate() {
        pair.call(*channel, message as u64 + 1, &[message as u8]);
    }
    pair.exchange();
    let came: alloc::vec::Vec<_> = pair
        .to_server
        .iter()
        .map(|event| match event {
            ServerEvent::Request { stream, fragment } => (*stream, fragment.bytes[0]),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted: alloc::vec::Vec<_> =
        sessions.iter().enumerate().map(|(index, (_, stream))| (*stream, index as u8)).collect();
    assert_eq!(came, wanted);
}

#[test]
fn a_session_ends_in_good_order_from_either_side() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.client.close(channel, ErrorCode::NO_ERROR);
    pair.exchange();
    assert_eq!(pair.to_server, [ServerEvent::Finished { stream }]);
    pair.server.end(stream, ErrorCode::NO_ERROR);
    pair.exchange();
    let (channel, stream) = pair.open();
    pair.server.end(stream, ErrorCode::NO_ERROR);
    pair.exchange();
    assert_eq!(pair.to_client, [ClientEvent::Ended { channel, end: LinkEnd::Finished }]);
}

#[test]
fn an_endpoint_that_drains_says_so_before_it_goes() {
    let mut pair = Pair::framed();
    pair.open();
    pair.server.drain(NOW, 5_000);
    pair.exchange();
    let draining = |grace_ms| ClientEvent::Draining { channel: None, grace_ms };
    assert_eq!(pair.to_client[..2], [draining(Some(5_000)), draining(None)]);
}

#[test]
fn without_frames_bytes_travel_both_ways_under_flow_control() {
    let mut pair = Pair::new(client_config(None), None, 1000);
    let (channel, stream) = pair.open();
    let value = alloc::vec![9u8; 3 << 20];
    let mut out = crate::wire::SendBuffer::new();
    out.put_slice(&value);
    let mut received = 0;
    while received < value.len() {
        pair.client.send_bytes(channel, &mut out);
        pair.exchange();
        let before = received;
        for event in core::mem::take(&mut pair.to_server) {
            if let ServerEvent::Bytes { bytes, .. } = event {
                received += bytes.len();
                pair.server.release_bytes(stream, bytes.len());
            }
        }
        assert!(received > before || !out.is_empty());
    }
    pair.server.send_bytes(stream, bytes::Bytes::from_static(b"answer"));
    pair.exchange();
    let answer = ClientEvent::Bytes { channel, bytes: bytes::Bytes::from_static(b"answer") };
    assert!(pair.to_client.contains(&answer));
}

/// An end without frames ignores all settings of a peer with frames.
#[test]
fn an_impossible_credit_is_nothing_to_who_speaks_no_frames() {
    let impossible = Offer { initial_credit: 1 << 31, ..Offer::default() };
    let mut pair = Pair::new(client_config(Some(impossible)), None, 100);
    let (channel, _) = pair.open();
    assert_eq!(pair.client.form(channel), Some(Form::Bytes));
    let mut pair = Pair::new(client_config(None), Some(impossible), 100);
    let (channel, _) = pair.open();
    assert_eq!(pair.client.form(channel), Some(Form::Bytes));
    let mut pair = Pair::new(client_config(Some(impossible)), Some(Offer::default()), 100);
    pair.client.open(NOW, 0, request());
    pair.exchange();
    assert!(pair.to_client.iter().any(|event| matches!(event, ClientEvent::Closed(_))), "both speak them");
}

/// Encodes a SETTINGS frame with one parameter.
fn settings_frame(id: u16, value: u32) -> Vec<u8> {
    let mut frame = alloc::vec![0, 0, 6, 4, 0, 0, 0, 0, 0];
    frame.extend(id.to_be_bytes());
    frame.extend(value.to_be_bytes());
    frame
}

/// Negotiated settings can't change.
#[test]
fn a_setting_of_hot_rods_that_changes_ends_the_link() {
    for (id, value, is_end) in
        [(0xf001, 65_536, false), (0xf001, 65_535, true), (0xf000, 0, true), (0x04, 70_000, false)]
    {
        let frame = settings_frame(id, value);
        let mut pair = Pair::framed();
        pair.open();
        // Only one end receives the frame: the other would not expect its acknowledgement.
        pair.server.receive_buffer().extend_from_slice(&frame);
        pair.server.handle_filled(NOW);
        let closed =
            core::iter::from_fn(|| pair.server.poll_event()).any(|event| matches!(event, ServerEvent::Closed(_)));
        assert_eq!(closed, is_end, "{id:#x} = {value} from the client");
        pair.client.receive_buffer().extend_from_slice(&frame);
        pair.client.handle_filled(NOW);
        let mut events = core::iter::from_fn(|| pair.client.poll_event(NOW));
        assert_eq!(
            events.any(|event| matches!(event, ClientEvent::Closed(_))),
            is_end,
            "{id:#x} = {value} from the endpoint"
        );
    }
}
