//! Sides that do not take what is sent to them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{LONG, Played, metric, sidecar, until};

/// As `--buffer` says.
const BUFFER: u64 = 16 << 10;
const SESSIONS: usize = 8;
/// What a connection and its session are counted with, beside what they hold.
const SESSION: u64 = 32 << 10;
/// More than all socket buffers of the system between two ends hold.
const MUCH: usize = 64 << 20;

/// GET of "k" in the default cache, version 2.0: enough to be taken for Hot Rod.
const REQUEST: [u8; 10] = [0xa0, 5, 20, 0x03, 0, 0, 1, 0, 1, b'k'];

/// A message of this beginning whose last field is a value that makes it `MUCH` bytes long.
fn with_length(beginning: &[u8]) -> Vec<u8> {
    let length = MUCH - beginning.len() - 4;
    let vint = (0..4).map(|group| (length >> (7 * group)) as u8 & 0x7f | if group < 3 { 0x80 } else { 0 });
    let value = (0..length).map(|n| (n / 251) as u8);
    beginning.iter().copied().chain(vint).chain(value).collect()
}

/// Writes until nothing is taken for a while; answers how much was.
async fn fill(stream: &mut TcpStream, pattern: &[u8]) -> usize {
    let mut sent = 0;
    while sent < MUCH {
        let rest = &pattern[sent..(sent + (64 << 10)).min(MUCH)];
        match timeout(Duration::from_millis(500), stream.write(rest)).await {
            Ok(written) => sent += written.unwrap(),
            Err(_) => break,
        }
    }
    sent
}

#[tokio::test]
async fn clients_that_do_not_read_hold_up_their_member_and_cost_no_more_than_their_buffers() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--buffer", "16KiB"]).await;
    // The reply to it.
    let pattern = with_length(&[0xa1, 5, 0x04, 0, 0]);
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let mut client = TcpStream::connect(gateway.address()).await.unwrap();
        client.write_all(&REQUEST).await.unwrap();
        let (mut member, _, _) = played.next().await;
        let sent = fill(&mut member.stream, &pattern).await;
        assert!(sent < MUCH, "the member was not held up");
        sessions.push((client, member, sent));
    }
    let held = metric(&gateway, "hotrod_gateway_buffered_bytes").await;
    assert!(held > 0 && held <= (SESSION + 2 * BUFFER) * SESSIONS as u64, "{held}");
    for (mut client, member, sent) in sessions {
        drop(member);
        let mut received = Vec::new();
        timeout(LONG, client.read_to_end(&mut received)).await.unwrap().unwrap();
        assert!(received == pattern[..sent], "{} of {sent} bytes, all in order", received.len());
    }
    until("nothing is held", || async { metric(&gateway, "hotrod_gateway_buffered_bytes").await == 0 }).await;
}

#[tokio::test]
async fn a_member_that_does_not_read_holds_up_its_client() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &["--buffer", "16KiB", "--max-request", "128MiB"]).await;
    let mut client = TcpStream::connect(gateway.address()).await.unwrap();
    client.write_all(&REQUEST).await.unwrap();
    let (mut member, _, _) = played.next().await;
    // PUT of "k" with the defaults of expiration of 2.0.
    let pattern = with_length(&[0xa0, 6, 20, 0x01, 0, 0, 1, 0, 1, b'k', 0, 0]);
    let sent = fill(&mut client, &pattern).await;
    assert!(sent < MUCH, "the client was not held up");
    let held = metric(&gateway, "hotrod_gateway_buffered_bytes").await;
    assert!(held > 0 && held <= SESSION + 2 * BUFFER, "{held}");
    drop(client);
    let mut received = Vec::new();
    timeout(LONG, member.stream.read_to_end(&mut received)).await.unwrap().unwrap();
    assert!(received == pattern[..sent], "{} of {sent} bytes, all in order", received.len());
}
