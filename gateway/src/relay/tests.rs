//! Relays between two streams whose other ends belong to the test.

use std::time::Duration;

use super::timing::{HALF_CLOSED, LAST_REQUESTS};
use super::*;
use crate::budget::{Budget, SHED_AFTER};
use crate::deadlines::Overdue;
use crate::drain::DrainSwitch;
use crate::monitor::SessionFault;
use crate::samples::{get, put, value};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

const IDLE: Duration = Duration::from_secs(3600);
const TIMES: Times = Times { handshake: IDLE, authentication: IDLE, idle: IDLE, min_rate: 1024 };

struct Played {
    client: DuplexStream,
    member: DuplexStream,
    switch: DrainSwitch,
    metrics: Metrics,
    relayed: JoinHandle<Relayed>,
}

/// A relay between two streams whose other ends are the test's, each with little room.
fn play(first: Bytes) -> Played {
    let metrics = Metrics::new();
    let budget = Budget::new(1 << 30, 1.0, metrics.held()).link();
    play_within(first, metrics, budget)
}

/// The same, with the budget of the client's link.
fn play_within(first: Bytes, metrics: Metrics, budget: LinkBudget) -> Played {
    let (client, mut left) = duplex(16);
    let (member, mut right) = duplex(16);
    let (switch, drain) = DrainSwitch::new();
    let counting = metrics.clone();
    let relayed = tokio::spawn(async move {
        let config = RelayConfig {
            buffer: 100,
            times: TIMES,
            wants_authentication: Box::new(|| false),
            metrics: &counting,
            budget: &budget,
            drain,
            hint: Box::new(|_| {}),
        };
        let mut opening = Opening::new(1 << 20);
        opening.receive(&first).unwrap();
        relay(&mut left, &mut right, opening, config).await
    });
    Played { client, member, switch, metrics, relayed }
}

async fn read(stream: &mut DuplexStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test(start_paused = true)]
async fn every_byte_arrives_in_order_and_is_counted() {
    let (first, question, answer) = (get(1), put(2, 10_000), value(1, 10_000));
    let (up, down) = (first.len() + question.len(), answer.len());
    let played = play(first.clone());
    let (mut client, mut member, relayed, metrics) = (played.client, played.member, played.relayed, played.metrics);
    let (expected, reply) = ([first, question.clone()].concat(), answer.clone());
    let answering = tokio::spawn(async move {
        assert_eq!(read(&mut member, expected.len()).await, expected);
        member.write_all(&reply).await.unwrap();
        member
    });
    client.write_all(&question).await.unwrap();
    assert_eq!(read(&mut client, answer.len()).await, answer);
    client.shutdown().await.unwrap();
    let mut member = answering.await.unwrap();
    assert_eq!(member.read(&mut [0; 1]).await.unwrap(), 0, "the end is passed on");
    drop(member);
    let Relayed { to_member, to_client, end } = relayed.await.unwrap();
    assert_eq!((to_member, to_client), (up as u64, down as u64));
    assert!(matches!(end, End::Client), "{end}");
    let counted = [format!("to_member\"}} {up}"), format!("to_client\"}} {down}")];
    for line in counted.into_iter().chain(["hotrod_gateway_buffered_bytes 0".into()]) {
        assert!(metrics.text().contains(&line), "{line} in {}", metrics.text());
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_held_than_the_limit() {
    let played = play(Bytes::new());
    let (mut client, relayed) = (played.client, played.relayed);
    let (request, mut sent) = (put(1, 10_000), 0);
    let sending = async {
        while sent < request.len() {
            sent += client.write(&request[sent..]).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), sending).await.is_err(), "all of it was taken");
    // The room on this side, the buffer, and the other end's room.
    assert!(sent <= 16 + 100 + 16, "{sent}");
    relayed.abort();
}

#[tokio::test(start_paused = true)]
async fn a_quiet_session_ends_after_its_time() {
    let played = play(get(1));
    let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
    let begun = Instant::now();
    tokio::time::sleep(IDLE / 2).await;
    let answer = value(1, 3);
    member.write_all(&answer).await.unwrap();
    assert_eq!(read(&mut client, answer.len()).await, answer);
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Overdue(Overdue::Idle)), "{end}");
    assert_eq!(begun.elapsed(), IDLE / 2 + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_session_of_which_a_side_has_ended_is_not_waited_for_long() {
    let played = play(get(1));
    let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
    assert_eq!(read(&mut member, get(1).len()).await, get(1));
    member.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    let begun = Instant::now();
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Member), "{end}");
    assert_eq!(begun.elapsed(), HALF_CLOSED);
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_an_answer_and_for_nothing_else() {
    let played = play(get(1));
    let (mut client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
    assert_eq!(read(&mut member, get(1).len()).await, get(1));
    switch.advance(Phase::Draining);
    tokio::time::sleep(IDLE / 2).await;
    assert!(!relayed.is_finished());
    let answer = value(1, 3);
    member.write_all(&answer).await.unwrap();
    assert_eq!(read(&mut client, answer.len()).await, answer);
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "it ends at once");
    drop(client);
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Drained), "{end}");
}

/// Requests without a pause end the drain all the same: after a while none is read, and those in flight are answered.
#[tokio::test(start_paused = true)]
async fn draining_reads_no_request_after_a_while() {
    let played = play(get(1));
    let (mut client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
    assert_eq!(read(&mut member, get(1).len()).await, get(1));
    switch.advance(Phase::Draining);
    tokio::time::sleep(LAST_REQUESTS / 2).await;
    client.write_all(&get(2)).await.unwrap();
    assert_eq!(read(&mut member, get(2).len()).await, get(2));
    tokio::time::sleep(LAST_REQUESTS).await;
    client.write_all(&get(3)).await.unwrap();
    let answers = [value(2, 3), value(1, 3)].concat();
    member.write_all(&answers).await.unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, answers);
    drop(client);
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Drained), "{end}");
    let mut forwarded = Vec::new();
    member.read_to_end(&mut forwarded).await.unwrap();
    assert!(forwarded.is_empty(), "the third was not read");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_waited_for_and_cut_off_in_the_end() {
    let played = play(get(1));
    let (client, mut member, switch, relayed) = (played.client, played.member, played.switch, played.relayed);
    // The client does not read.
    member.write_all(&value(1, 20)).await.unwrap();
    switch.advance(Phase::Draining);
    tokio::time::sleep(IDLE / 2).await;
    assert!(!relayed.is_finished());
    switch.advance(Phase::Closing);
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Cut), "{end}");
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_fails_is_named() {
    let played = play(get(1));
    let (client, mut member, relayed) = (played.client, played.member, played.relayed);
    drop(client);
    // The client's end is passed on; what it does not take any more ends the session.
    let _ = member.write_all(&value(1, 1000)).await;
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::ClientFailed(_)), "{end}");
}

/// The client reads why, and the member none of what follows.
#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read_ends_the_session_with_its_error() {
    let played = play(get(1));
    let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
    assert_eq!(read(&mut member, get(1).len()).await, get(1));
    client.write_all(&get(1)).await.unwrap();
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Fault(SessionFault::DuplicateId(1))), "{end}");
    assert_eq!(read(&mut client, 2).await, [0xa1, 1]);
    let mut rest = Vec::new();
    member.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [0; 0], "the second request is not forwarded");
    assert!(played.metrics.text().contains("refusals_total{reason=\"duplicate_id\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_client_reads_nothing_is_closed_while_memory_is_used_up() {
    let metrics = Metrics::new();
    let budget = Budget::new(1 << 20, 1.0, metrics.held()).link();
    budget.admit();
    let _others = budget.reserve(budget.limit() - 1).ok().unwrap();
    let played = play_within(get(1), metrics, budget);
    let (mut client, mut member, relayed) = (played.client, played.member, played.relayed);
    assert_eq!(read(&mut member, get(1).len()).await, get(1));
    let replying = tokio::spawn(async move {
        // Not written whole.
        let _ = member.write_all(&value(1, 10_000)).await;
    });
    tokio::time::sleep(SHED_AFTER / 2).await;
    assert!(!relayed.is_finished());
    // The link is polled, and finds that there is no memory.
    read(&mut client, 1).await;
    let begun = Instant::now();
    let end = relayed.await.unwrap().end;
    assert!(matches!(end, End::Shed), "{end}");
    assert_eq!(begun.elapsed(), SHED_AFTER);
    replying.await.unwrap();
}
