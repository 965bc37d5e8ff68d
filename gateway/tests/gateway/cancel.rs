//! Three ways in which a call is given up, over real sockets: what the member has of it decides what the client is told, and
//! what it held is free (spec/hotrod-over-http.md, section 9).

use bytes::Bytes;
use hotrod_core::carriage::registry::{HOT_ROD_TOO_MANY_CALLS, HOT_ROD_UPSTREAM_GONE};
use hotrod_core::http2::{ErrorCode, StreamId};
use hotrod_core::wire::{Body, Operation, Request, RequestHeader};
use hotrod_gateway::gateway::Gateway;
use tokio::io::AsyncReadExt;

use crate::common::{Played, PlayedLink, metric, sidecar, until};
use crate::peer::{FIN, FIRST, FRAMES, Heard, LITTLE_CREDIT, Peer, WHOLE, get, put};

pub(crate) struct Stand {
    pub(crate) gateway: Gateway,
    pub(crate) peer: Peer,
    pub(crate) stream: StreamId,
    pub(crate) member: PlayedLink,
    /// Call 1, GET, which the member has and has not answered.
    pub(crate) asked: RequestHeader,
    pub(crate) played: Played,
}

/// A session whose first call has reached its member.
pub(crate) async fn stand(settings: &[(u16, u32)]) -> Stand {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &[]).await;
    let mut peer = Peer::connect(gateway.address(), settings).await;
    let stream = peer.open().await;
    peer.request(stream, 1, WHOLE, &get(1)).await;
    let (member, asked, _) = played.next().await;
    Stand { gateway, peer, stream, member, asked, played }
}

pub(crate) fn cancelled(stream: StreamId, call: u32, code: ErrorCode, may_have_been_applied: bool) -> Heard {
    Heard::Cancel { stream, call, code, may_have_been_applied }
}

/// More than a link with one session and nothing to do is counted with.
const IDLE_LINK: u64 = 128 << 10;

async fn buffered(gateway: &Gateway) -> u64 {
    metric(gateway, "hotrod_gateway_buffered_bytes").await
}

/// the member reads the request before it, so nothing of this one has been forwarded.
#[tokio::test]
async fn a_call_that_is_not_forwarded_is_dropped_and_was_certainly_not_applied() {
    let Stand { gateway, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES]).await;
    member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
    assert!(matches!(peer.next().await, Heard::Response { call: 1, .. }));
    let idle = buffered(&gateway).await;
    let large = put(2, 20_000);
    peer.request(stream, 2, FIRST, &large[..10_000]).await;
    peer.request(stream, 3, WHOLE, &put(3, 16_000)).await;
    // Whole ones go before the rest of 2 only where that has not begun.
    peer.request(stream, 4, FIRST, &put(4, 40_000)[..16_000]).await;
    peer.request(stream, 4, 0, &put(4, 40_000)[16_000..32_000]).await;
    until("4 waits", || async { buffered(&gateway).await >= idle + 24_000 }).await;
    let held = buffered(&gateway).await;
    peer.cancel(stream, 4).await;
    assert_eq!(peer.next_but_credit().await, cancelled(stream, 4, ErrorCode::CANCEL, false));
    until("it is freed", || async { buffered(&gateway).await <= held - 24_000 }).await;
    peer.request(stream, 2, FIN, &large[10_000..]).await;
    // The member gets 2 and 3, and 5 behind them: nothing of 4.
    peer.request(stream, 5, WHOLE, &get(5)).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(member.request().await.expect("the session goes on").0.message_id);
    }
    assert_eq!(ids, [2, 3, 5]);
    until("nothing is held", || async { buffered(&gateway).await < IDLE_LINK }).await;
}

/// the member has it, says nothing, and is not waited for. What it answers later goes to nobody.
#[tokio::test]
async fn a_call_that_is_forwarded_whole_may_have_been_applied_and_its_answer_goes_nowhere() {
    let Stand { gateway, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES]).await;
    peer.cancel(stream, 1).await;
    assert_eq!(peer.next().await, cancelled(stream, 1, ErrorCode::CANCEL, true));
    let swallowed = metric(&gateway, "hotrod_gateway_relayed_bytes_total{direction=\"to_client\"}").await;
    member.answer(&asked, Operation::Get, Body::Value(vec![9; 1 << 20].into())).await;
    until("the answer has come", || async {
        let relayed = "hotrod_gateway_relayed_bytes_total{direction=\"to_client\"}";
        metric(&gateway, relayed).await >= swallowed + (1 << 20)
    })
    .await;
    assert_eq!(peer.before_now().await, []);
    until("nothing is held", || async { buffered(&gateway).await < IDLE_LINK }).await;
    // The session is as good as before.
    peer.request(stream, 2, WHOLE, &get(2)).await;
    let (header, _) = member.request().await.unwrap();
    member.answer(&header, Operation::Get, Body::Value("v".into())).await;
    assert!(matches!(peer.next().await, Heard::Response { call: 2, flags: 3, .. }));
}

/// neither does a cancel wait for credit, and what is left of the answer is freed.
#[tokio::test]
async fn an_answer_that_waits_for_credit_is_freed_by_a_cancel() {
    for length in [30_000, 1 << 20] {
        let Stand { gateway, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES, LITTLE_CREDIT]).await;
        let answer = async { member.answer(&asked, Operation::Get, Body::Value(vec![9; length].into())).await };
        let client = async {
            assert!(matches!(peer.next().await, Heard::Response { call: 1, flags: 2, .. }));
            peer.cancel(stream, 1).await;
            assert_eq!(peer.next().await, cancelled(stream, 1, ErrorCode::CANCEL, true));
        };
        tokio::join!(answer, client);
        peer.request(stream, 2, WHOLE, &get(2)).await;
        let (header, _) = member.request().await.unwrap();
        member.answer(&header, Operation::Get, Body::Value("v".into())).await;
        assert!(matches!(peer.next().await, Heard::Response { call: 2, flags: 3, .. }), "{length}");
        until("nothing is held", || async { buffered(&gateway).await < IDLE_LINK }).await;
    }
}

/// the member waits for a rest that never comes, so its connection ends, and with it the session.
#[tokio::test]
async fn a_call_that_is_half_forwarded_costs_the_session_and_was_certainly_not_applied() {
    let Stand { gateway, mut peer, stream, mut member, .. } = stand(&[FRAMES]).await;
    let idle = buffered(&gateway).await;
    peer.request(stream, 2, FIRST, &put(2, 20_000)[..10_000]).await;
    let mut received = vec![0; 5_000];
    member.stream.read_exact(&mut received).await.unwrap();
    peer.request(stream, 3, WHOLE, &get(3)).await;
    peer.request(stream, 4, FIRST, &put(4, 20_000)[..16_000]).await;
    until("4 waits", || async { buffered(&gateway).await >= idle + 12_000 }).await;
    peer.cancel(stream, 2).await;
    assert_eq!(peer.next_but_credit().await, cancelled(stream, 2, ErrorCode::CANCEL, false));
    let mut others = vec![peer.next_but_credit().await, peer.next_but_credit().await, peer.next_but_credit().await];
    others.sort_by_key(|heard| format!("{heard:?}"));
    let gone = |call, may| cancelled(stream, call, HOT_ROD_UPSTREAM_GONE, may);
    assert_eq!(others, [gone(1, true), gone(3, false), gone(4, false)]);
    assert_eq!(peer.next_but_credit().await, Heard::Reset { stream, code: HOT_ROD_UPSTREAM_GONE });
    let mut rest = Vec::new();
    member.stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() < 10_000, "nothing behind the half of 2");
    until("nothing is held", || async { buffered(&gateway).await < IDLE_LINK }).await;
    until("no session is left", || async { metric(&gateway, "hotrod_gateway_sessions_open").await == 0 }).await;
}

/// an answer that is swallowed costs the member as much as one that is not.
#[tokio::test]
async fn calls_whose_answer_is_swallowed_count_until_it_has_come() {
    let Stand { gateway: _gateway, mut peer, stream, mut member, asked, .. } = stand(&[FRAMES]).await;
    let most = peer.setting(hotrod_core::carriage::registry::setting::MAX_CALLS).unwrap_or(1_000);
    for call in 2..=most {
        peer.request(stream, call, WHOLE, &get(call.into())).await;
    }
    let mut last = None;
    for _ in 2..=most {
        last = member.request().await;
    }
    assert_eq!(last.unwrap().0.message_id, u64::from(most));
    peer.cancel(stream, 1).await;
    assert_eq!(peer.next().await, cancelled(stream, 1, ErrorCode::CANCEL, true));
    let next = most + 1;
    peer.request(stream, next, WHOLE, &get(next.into())).await;
    assert_eq!(peer.next().await, cancelled(stream, next, HOT_ROD_TOO_MANY_CALLS, false));
    member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
    // Now there is a place again, which shows at the member.
    let mut call = next;
    loop {
        call += 1;
        peer.request(stream, call, WHOLE, &get(call.into())).await;
        if peer.before_now().await.is_empty() {
            break;
        }
    }
    let (header, request) = member.request().await.unwrap();
    assert_eq!((header.message_id, request), (call.into(), Request::Get { key: Bytes::from_static(b"k") }));
}
