//! What many cost the program: too long for every run, so `make gateway-load` makes them. Each prints its figures as a line
//! of JSON.

use std::time::Duration;

use hotrod_core::carriage::registry::setting;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{anywhere, until};
use crate::peer::{FRAMES, Heard, LITTLE_CREDIT, Peer, WHOLE, get};
use crate::program::{Program, QUIET};

const LINKS: usize = 100;
/// As many as a link may have by default.
const SESSIONS_OF_A_LINK: usize = 100;
const SESSIONS: usize = LINKS * SESSIONS_OF_A_LINK;

const MANY: [&str; 12] = [
    "--max-sessions",
    "11000",
    "--max-connections",
    "11000",
    "--max-sessions-per-source",
    "11000",
    "--max-connections-per-source",
    "11000",
    "--max-handshakes-per-source",
    "11000",
    "--max-memory",
    "1GiB",
];

/// A member that takes them all, however long they say nothing and take nothing.
async fn patient_node() -> Embedded {
    let hour = Duration::from_secs(3600);
    let mut options = EmbeddedOptions { listen: anywhere(), ..EmbeddedOptions::default() };
    options.cluster.max_connections = 2 * SESSIONS;
    (options.handshake_timeout, options.send_timeout) = (hour, hour);
    Embedded::start(options).await.unwrap()
}

/// 10,000 sessions in frames on 100 real links, each with an answer of 100 kB for which its client gives no credit. A
/// session may hold `--buffer` of it, and what is read of one member at a time; the rest waits with the member.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "10,000 sessions: make gateway-load"]
async fn slow_readers_do_not_grow_the_gateway_past_its_limits() {
    const BUFFER: usize = 16 << 10;
    let node = patient_node().await;
    let member = node.addresses()[0];
    let direct = Client::connect(&format!("hotrod://{member}/dist?client_intelligence=basic")).await.unwrap();
    direct.default_cache().put("k", vec![7; 100_000]).await.unwrap();
    let program = Program::start(member, &[&MANY[..], &["--buffer", "16KiB"]].concat(), &QUIET);
    let mut peers = Vec::new();
    for _ in 0..LINKS {
        let mut peer = Peer::connect(program.address, &[FRAMES, LITTLE_CREDIT]).await;
        let mut streams = Vec::new();
        for _ in 0..SESSIONS_OF_A_LINK {
            streams.push(peer.open().await);
        }
        peers.push((peer, streams));
    }
    let before = program.resident();
    for (peer, streams) in &mut peers {
        for stream in streams {
            peer.request(*stream, 1, WHOLE, &get(1)).await;
        }
        // From here on it reads nothing.
        let heard = peer.next_but_credit().await;
        assert!(matches!(heard, Heard::Response { call: 1, .. } | Heard::Node { .. }), "{heard:?}");
    }
    let buffered = "hotrod_gateway_buffered_bytes";
    until("all hold what they may", || async { program.metric(buffered).await >= (SESSIONS * (BUFFER - 64)) as u64 })
        .await;
    let (held, grown) = (program.metric(buffered).await, program.resident() - before);
    println!(
        "{}",
        json!({ "gateway.slow_readers": { "sessions": SESSIONS, "links": LINKS, "buffer.bytes": BUFFER,
            "held.bytes": held, "grown.resident.bytes": grown, "resident.bytes": before + grown } })
    );
    // The buffer of each session, what it is counted with, a read of its member, and what a link may not have taken.
    assert!(held <= (SESSIONS * (BUFFER + (8 << 10) + (16 << 10)) + LINKS * (512 << 10)) as u64, "{held}");
    // What holds them takes room as well: half as much at most.
    assert!(grown <= (SESSIONS * BUFFER * 3 / 2) as u64, "{grown}");
    // A client that reads is served as ever.
    let uri = format!("hotrod://{}/dist?client_intelligence=basic&carriage=frames", program.address);
    let client = Client::connect(&uri).await.unwrap();
    assert_eq!(client.default_cache().get("k").await.unwrap().unwrap().len(), 100_000);
    drop(peers);
    // What is left is the client that reads.
    until("the readers' memory is given back", || async { program.metric(buffered).await < 1 << 20 }).await;
    node.stop().await;
}

/// PING of the default cache, message 1, version 2.0, and its answer.
const PING: [u8; 8] = [0xa0, 1, 20, 0x17, 0, 0, 1, 0];
const PONG: [u8; 5] = [0xa1, 1, 0x18, 0, 0];

/// Memory of the gateway for each tunnel that has carried a request and waits for the next: of HTTP/2, 100 to a link, and of
/// HTTP/1.1, each with a link of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "10,000 tunnels: make gateway-load"]
async fn idle_tunnels_cost_little() {
    let node = patient_node().await;
    let program = Program::start(node.addresses()[0], &MANY, &QUIET);
    let before = program.resident();
    let mut peers = Vec::new();
    for _ in 0..LINKS {
        let mut peer = Peer::connect(program.address, &[(setting::HOT_ROD, 0)]).await;
        for _ in 0..SESSIONS_OF_A_LINK {
            let stream = peer.ask_session(&[]).await;
            let heard = peer.next_of(stream).await;
            assert!(matches!(heard, Heard::Answer { status: 200, .. }), "{heard:?}");
            peer.data(stream, &PING, false).await;
            let heard = peer.next_of(stream).await;
            assert!(matches!(&heard, Heard::Data { bytes, .. } if bytes[..] == PONG), "{heard:?}");
        }
        peers.push(peer);
    }
    let http2 = (program.resident() - before) / SESSIONS as u64;
    drop((peers, program));

    // Each takes two file descriptors of the gateway, and two here.
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = (most.saturating_sub(1_000) / 2).min(SESSIONS as u64);
    let program = Program::start(node.addresses()[0], &MANY, &QUIET);
    let before = program.resident();
    let mut links = Vec::new();
    for _ in 0..count {
        let mut link = TcpStream::connect(program.address).await.unwrap();
        link.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n\r\n").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(link.read_buf(&mut head).await.unwrap(), 0);
        }
        link.write_all(&PING).await.unwrap();
        let mut answer = [0; PONG.len()];
        link.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, PONG);
        links.push(link);
    }
    let upgrade = (program.resident() - before) / count;
    println!(
        "{}",
        json!({ "gateway.idle_tunnel.bytes": http2, "gateway.idle_tunnel.tunnels": SESSIONS,
            "gateway.idle_tunnel.upgrade.bytes": upgrade, "gateway.idle_tunnel.upgrade.tunnels": count })
    );
    assert!(http2 < 32 << 10 && upgrade < 32 << 10, "{http2}, {upgrade}");
    node.stop().await;
}
