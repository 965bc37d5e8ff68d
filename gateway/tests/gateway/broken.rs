//! What can't go on, and what everybody is told of it.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::carriage::registry::{
    HOT_ROD_MESSAGE_ERROR, HOT_ROD_NOT_AUTHENTICATED, HOT_ROD_TOO_LARGE, HOT_ROD_UPSTREAM_GONE, setting,
};
use hotrod_core::wire::{AuthResponse, Body, Operation, Request, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cancel::{Stand, cancelled, stand};
use crate::common::{Played, node, series, sidecar};
use crate::peer::{FIN, FIRST, FRAMES, Heard, LITTLE_CREDIT, Peer, WHOLE, get, hot_rod, put};

/// Flags, and octets.
type Fragments<'a> = Vec<(u8, &'a [u8])>;

/// what the frames of a call make is one request, or the session ends, and nothing of it is executed.
#[tokio::test]
async fn frames_that_are_not_one_request_end_the_session() {
    let whole = put(7, 20_000);
    let (head, tail) = whole.split_at(16_000);
    let two: Vec<u8> = [get(7), get(8)].concat();
    let frames: [(&str, Fragments<'_>); 8] = [
        ("no Hot Rod", vec![(WHOLE, b"GET / HTTP/1.1\r\n\r\n")]),
        ("an answer", vec![(WHOLE, &[0xa1, 1, 0x18, 0, 0])]),
        ("nothing", vec![(WHOLE, b"")]),
        ("two in one frame", vec![(WHOLE, &two)]),
        ("one that is cut", vec![(WHOLE, &two[..5])]),
        ("one that is cut, in two frames", vec![(FIRST, head), (FIN, &tail[1..])]),
        ("one octet too many with FIN", vec![(FIRST, head), (0, tail), (FIN, &[0])]),
        ("one octet too many before FIN", vec![(FIRST, head), (0, &[tail, &[0]].concat().leak()[..])]),
    ];
    for (what, fragments) in frames {
        let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, .. } = stand(&[FRAMES]).await;
        for (flags, fragment) in fragments {
            peer.request(stream, 2, flags, fragment).await;
        }
        let mut told = Vec::new();
        loop {
            match peer.next_but_credit().await {
                Heard::Reset { stream: ended, code } => {
                    assert_eq!((ended, code), (stream, HOT_ROD_MESSAGE_ERROR), "{what}");
                    break;
                }
                heard => told.push(heard),
            }
        }
        // The one that the member has may have been applied; nothing else was.
        assert!(told.contains(&cancelled(stream, 1, HOT_ROD_UPSTREAM_GONE, true)), "{what}: {told:?}");
        assert!(told.iter().all(|heard| !matches!(heard, Heard::Cancel { call: 2, may_have_been_applied: true, .. })));
        assert!(member.request().await.is_none(), "{what}: the member has got a request");
        // The link is as good as before.
        peer.open().await;
    }
}

/// a reply could be read by the grammar of the other request.
#[tokio::test]
async fn a_message_id_that_is_in_flight_ends_the_session() {
    let Stand { gateway, played: _played, mut peer, stream, mut member, .. } = stand(&[FRAMES]).await;
    peer.request(stream, 2, WHOLE, &put(1, 20)).await;
    let mut told = Vec::new();
    loop {
        match peer.next_but_credit().await {
            Heard::Reset { stream: ended, code } => {
                assert_eq!((ended, code), (stream, HOT_ROD_MESSAGE_ERROR));
                break;
            }
            heard => told.push(heard),
        }
    }
    assert!(told.contains(&cancelled(stream, 1, HOT_ROD_UPSTREAM_GONE, true)), "{told:?}");
    assert!(told.contains(&cancelled(stream, 2, HOT_ROD_UPSTREAM_GONE, false)), "{told:?}");
    assert!(member.request().await.is_none(), "the second request is not forwarded");
    assert_eq!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"duplicate_id\"}").await, Some(1));
}

/// A request above the limit costs its call, if nothing of it has been forwarded.
#[tokio::test]
async fn a_request_above_the_limit_ends_its_call_and_the_session_goes_on() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--max-request", "64KiB"]).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let stream = peer.open().await;
    assert_eq!(peer.setting(setting::MAX_MESSAGE_SIZE), Some(64 << 10));
    let large = put(1, 100_000);
    peer.request(stream, 1, FIRST, &large[..16_000]).await;
    assert_eq!(peer.next_but_credit().await, cancelled(stream, 1, HOT_ROD_TOO_LARGE, false));
    peer.request(stream, 2, WHOLE, &get(2)).await;
    let (_, header, _) = played.next().await;
    assert_eq!(header.message_id, 2);
}

/// what is well formed and can't be carried costs its call alone.
#[tokio::test]
async fn an_unknown_operation_or_version_is_cancelled_and_the_session_goes_on() {
    let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, .. } = stand(&[FRAMES]).await;
    let unknown = [0xa0, 2, 41, 0x7e, 4, b'd', b'i', b's', b't', 0, 3, 0, 0, 0];
    let old = [0xa0, 3, 13, 0x03, 0, 0, 1, 0, 0, 1, b'k'];
    peer.request(stream, 2, WHOLE, &unknown).await;
    assert_eq!(peer.next().await, cancelled(stream, 2, HOT_ROD_MESSAGE_ERROR, false));
    peer.request(stream, 3, WHOLE, &old).await;
    assert_eq!(peer.next().await, cancelled(stream, 3, HOT_ROD_MESSAGE_ERROR, false));
    peer.request(stream, 4, WHOLE, &get(4)).await;
    assert_eq!(member.request().await.unwrap().0.message_id, 4);
}

/// R-20, towards the client: a call has one answer, whatever the member says.
#[tokio::test]
async fn a_member_that_answers_twice_is_not_passed_on() {
    let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES]).await;
    member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
    member.answer(&asked, Operation::Get, Body::Value("w".into())).await;
    assert!(matches!(peer.next().await, Heard::Response { call: 1, flags: 3, .. }));
    assert_eq!(peer.next().await, Heard::Reset { stream, code: HOT_ROD_UPSTREAM_GONE });
}

/// at once, also where the client has no credit for what the member has sent and nothing more is read from it.
#[tokio::test]
async fn the_loss_of_a_member_is_told_at_once_and_of_every_call_what_became_of_it() {
    for is_reset in [false, true] {
        let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, asked, .. } =
            stand(&[FRAMES, LITTLE_CREDIT]).await;
        peer.request(stream, 2, WHOLE, &get(2)).await;
        member.request().await.unwrap();
        peer.request(stream, 3, FIRST, &put(3, 20_000)[..10_000]).await;
        member.stream.read_exact(&mut [0; 5_000]).await.unwrap();
        peer.request(stream, 4, WHOLE, &get(4)).await;
        // More than the gateway reads ahead. What comes behind a full window of TCP nobody can see but a reset.
        let length = if is_reset { 300_000 } else { 90_000 };
        member.answer(&asked, Operation::Get, Body::Value(vec![9; length].into())).await;
        assert!(matches!(peer.next_but_credit().await, Heard::Response { call: 1, flags: 2, .. }));
        let mut kept = None;
        if is_reset {
            socket2::SockRef::from(&member.stream).set_linger(Some(Duration::ZERO)).unwrap();
            drop(member);
        } else {
            member.stream.shutdown().await.unwrap();
            // To close it with the half of 3 unread would reset it.
            kept = Some(member);
        }
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(peer.next_but_credit().await);
        }
        told.sort_by_key(|heard| format!("{heard:?}"));
        let gone = |call, may| cancelled(stream, call, HOT_ROD_UPSTREAM_GONE, may);
        assert_eq!(told, [gone(1, true), gone(2, true), gone(3, false), gone(4, false)], "{is_reset}");
        assert_eq!(peer.next_but_credit().await, Heard::Reset { stream, code: HOT_ROD_UPSTREAM_GONE });
        drop(kept);
    }
}

/// it is the credentials only if the member has not thought better of it.
#[tokio::test]
async fn a_member_that_closes_after_it_has_refused_the_credentials_has_done_so_for_them() {
    for (is_accepted_later, code) in [(false, HOT_ROD_NOT_AUTHENTICATED), (true, HOT_ROD_UPSTREAM_GONE)] {
        let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, asked, .. } =
            stand(&[FRAMES]).await;
        member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
        assert!(matches!(peer.next().await, Heard::Response { .. }));
        for call in 2..=if is_accepted_later { 3 } else { 2 } {
            let auth = Request::Auth { mechanism: "PLAIN".into(), response: AuthResponse(Bytes::from_static(b"x")) };
            peer.request(stream, call, WHOLE, &hot_rod(call.into(), &auth)).await;
            let (header, _) = member.request().await.unwrap();
            if call == 2 {
                let body = Body::Error("no".into());
                member.reply(&header, Operation::Auth, Status::SERVER_ERROR, body, None).await;
            } else {
                let body = Body::Challenge { complete: true, challenge: Bytes::new() };
                member.answer(&header, Operation::Auth, body).await;
            }
            assert!(matches!(peer.next().await, Heard::Response { .. }));
        }
        drop(member);
        assert_eq!(peer.next().await, Heard::Reset { stream, code });
    }
}

/// what one session waits for holds up no other.
#[tokio::test]
async fn each_session_has_a_connection_of_its_own_with_the_member() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &[]).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let (one, two) = (peer.open().await, peer.open().await);
    peer.request(one, 1, WHOLE, &get(1)).await;
    let (first, asked, _) = played.next().await;
    peer.request(two, 1, WHOLE, &get(1)).await;
    let (mut second, asked_too, _) = played.next().await;
    assert_ne!(first.stream.peer_addr().unwrap(), second.stream.peer_addr().unwrap());
    second.answer(&asked_too, Operation::Get, Body::Value("two".into())).await;
    let heard = peer.next().await;
    assert!(matches!(heard, Heard::Response { stream, call: 1, .. } if stream == two), "{heard:?}");
    let mut first = first;
    first.answer(&asked, Operation::Get, Body::Value("one".into())).await;
    let heard = peer.next().await;
    assert!(matches!(heard, Heard::Response { stream, call: 1, .. } if stream == one), "{heard:?}");
}

/// an end in one direction is none of what was asked before it.
#[tokio::test]
async fn what_was_asked_before_the_end_is_answered_and_then_the_session_ends() {
    let Stand { gateway: _gateway, played: _played, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES]).await;
    // Nothing of it goes on, so the connection with the member is not at risk.
    peer.request(stream, 2, FIRST, &[]).await;
    peer.data(stream, b"", true).await;
    let clear = cancelled(stream, 2, hotrod_core::http2::ErrorCode::CANCEL, false);
    assert_eq!(peer.next_but_credit().await, clear);
    assert_eq!(peer.before_now().await, [], "1 is not answered");
    member.answer(&asked, Operation::Get, Body::Value(vec![9; 50_000].into())).await;
    let mut length = 0;
    loop {
        match peer.next_but_credit().await {
            Heard::Response { call: 1, bytes, .. } => length += bytes.len(),
            Heard::Data { is_last: true, bytes, .. } if bytes.is_empty() => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(length > 50_000);
    assert!(member.request().await.is_none(), "the connection with the member is over as well");
}

/// nothing is forwarded behind a request that can't be read.
#[tokio::test]
async fn external_does_not_pass_behind_an_operation_that_nobody_knows() {
    let node = node(1).await;
    let gateway = sidecar(node.addresses()[0], &[]).await;
    let mut client = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    let mut sent = vec![0xa0, 1, 31, 0xee, 0, 0, 1, 0];
    sent.extend([0xa0, 2, 20, 0x23, 0, 0, 1, 0, 8]);
    sent.extend_from_slice(b"EXTERNAL\0");
    client.write_all(&sent).await.unwrap();
    let mut answer = Vec::new();
    let read = client.read_to_end(&mut answer);
    let _ = tokio::time::timeout(crate::common::LONG, read).await.expect("it ends");
    assert_eq!(series(&gateway, "hotrod_gateway_refusals_total{reason=\"unreadable_request\"}").await, Some(1));
    node.stop().await;
}
