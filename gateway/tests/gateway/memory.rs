//! What clients can have the gateway hold: what it counts, what it refuses, and what the process takes for it.

use std::net::SocketAddr;
use std::time::Duration;

use hotrod_core::carriage::registry::setting;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::common::{LONG, anywhere, ask_at, until};
use crate::peer::{FIRST, FRAMES, Heard, LITTLE_CREDIT, Peer, WHOLE, get, put};
use crate::program::{Program, QUIET};

/// What the process takes without clients, as gateway/README.md says.
const BASE: u64 = 16 << 20;
/// Part by which the process may differ from the formula.
const TOLERANCE: f64 = 0.15;
const MANY: [&str; 10] = [
    "--max-sessions",
    "20000",
    "--max-connections",
    "20000",
    "--max-sessions-per-source",
    "20000",
    "--max-connections-per-source",
    "20000",
    "--max-handshakes-per-source",
    "20000",
];
const HELD: &str = "hotrod_gateway_buffered_bytes";
const REFUSED: &str = "hotrod_gateway_refusals_total{reason=\"memory\"}";

/// A hostile way to hold memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Plain Hot Rod, whose client reads no answer.
    Raw,
    /// The same in a tunnel of HTTP/1.1.
    Upgrade,
    /// The same in tunnels of HTTP/2.
    Tunnels,
    /// Hot Rod frames, whose client gives no credit for answers.
    Answers,
    /// Hot Rod frames, whose requests never end.
    Requests,
}

/// A member without deadlines, with a value of that length at "k".
pub(crate) async fn patient_node(value: usize) -> Embedded {
    let hour = Duration::from_secs(3600);
    let mut options = EmbeddedOptions { listen: anywhere(), ..EmbeddedOptions::default() };
    options.cluster.max_connections = 20_000;
    (options.handshake_timeout, options.send_timeout) = (hour, hour);
    let node = Embedded::start(options).await.unwrap();
    let direct = Client::connect(&format!("hotrod://{}/dist?client_intelligence=basic", node.addresses()[0])).await;
    direct.unwrap().default_cache().put("k", vec![7; value]).await.unwrap();
    node
}

/// What a client has open.
type Open = Box<dyn Send>;

/// A connection of which the system holds little: what is not read waits in the gateway.
async fn connect(address: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_recv_buffer_size(4096).ok()?;
    socket.connect(address).await.ok()
}

/// Opens one more link that holds what it can; `None` where it is refused.
async fn open(way: Way, address: SocketAddr) -> Option<Open> {
    match way {
        Way::Raw => {
            let mut link = connect(address).await?;
            // The answer fills what the system holds, and then the gateway.
            for id in 1..=8 {
                link.write_all(&get(id)).await.ok()?;
            }
            Some(Box::new(link))
        }
        Way::Upgrade => {
            let mut link = connect(address).await?;
            link.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n\r\n")
                .await
                .ok()?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if timeout(LONG, link.read_buf(&mut head)).await.expect("an answer in time").unwrap_or(0) == 0 {
                    return None;
                }
            }
            if !head.starts_with(b"HTTP/1.1 101") {
                return None;
            }
            for id in 1..=8 {
                link.write_all(&get(id)).await.ok()?;
            }
            Some(Box::new(link))
        }
        Way::Tunnels => {
            let mut peer = Peer::over_if_served(connect(address).await?, &[(setting::HOT_ROD, 0)]).await?;
            let mut streams = Vec::new();
            for _ in 0..10 {
                let stream = peer.ask_session(&[]).await;
                if matches!(peer.next_of(stream).await, Heard::Answer { status: 200, .. }) {
                    streams.push(stream);
                }
            }
            // From here on it reads nothing.
            for stream in streams {
                for id in 1..=8 {
                    peer.data(stream, &get(id), false).await;
                }
            }
            Some(Box::new(peer))
        }
        Way::Answers | Way::Requests => {
            let mut peer = Peer::over_if_served(connect(address).await?, &[FRAMES, LITTLE_CREDIT]).await?;
            for _ in 0..10 {
                let stream = peer.ask_session(&[]).await;
                if !matches!(peer.next_of(stream).await, Heard::Answer { status: 200, .. }) {
                    return Some(Box::new(peer));
                }
                if way == Way::Answers {
                    peer.request(stream, 1, WHOLE, &get(1)).await;
                } else {
                    let request = put(1, 100_000);
                    for call in 1..=5 {
                        for (number, fragment) in request[..64_000].chunks(16_000).enumerate() {
                            let flags = if number == 0 { FIRST } else { 0 };
                            peer.request(stream, call, flags, fragment).await;
                        }
                    }
                }
            }
            Some(Box::new(peer))
        }
    }
}

/// Fills a gateway with that much memory, and compares what it counts with what the process takes.
async fn fill(way: Way, memory: &str, bytes: u64) {
    // Raw and in tunnels the system's buffers take some MB before the gateway holds anything.
    let node = patient_node(if way == Way::Answers { 200_000 } else { 1_000_000 }).await;
    let program = Program::start(node.addresses()[0], &[&MANY[..], &["--max-memory", memory]].concat(), &QUIET);
    until("the member is known", || async { ask_at(program.admin, "GET /readyz HTTP/1.1").await.0 == 200 }).await;
    let before = program.resident();
    let mut links = Vec::new();
    let mut is_full = false;
    while !is_full && program.metric(REFUSED).await == 0 && program.metric(HELD).await < bytes / 100 * 95 {
        assert!(links.len() < 10_000, "{way:?}: {}", program.metric(HELD).await);
        for _ in 0..4 {
            // A link that is read no more is as full as the gateway.
            match timeout(Duration::from_secs(1), open(way, program.address)).await {
                Ok(link) => links.extend(link),
                Err(_) => is_full = true,
            }
        }
    }
    let (held, resident) = (program.metric(HELD).await, program.resident());
    println!(
        "{}",
        json!({ "gateway.memory": { "way": format!("{way:?}"), "max-memory": memory, "links": links.len(),
            "before.bytes": before, "held.bytes": held, "resident.bytes": resident } })
    );
    assert!(held <= bytes + (2 << 20), "{way:?}: {held} are held");
    assert!(before <= BASE, "{way:?}: {before} before");
    let most = (BASE + bytes) as f64 * (1.0 + TOLERANCE);
    assert!((resident as f64) <= most, "{way:?}: {resident} of {most}");
    let expected = (before + held) as f64;
    let difference = (resident as f64 - expected).abs() / expected;
    assert!(difference <= TOLERANCE, "{way:?}: {resident} are taken, {expected} expected: {difference}");
    drop(links);
    until("nothing is held", || async { program.metric(HELD).await == 0 }).await;
    // And it serves as ever.
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", program.address);
    Client::connect(&uri).await.unwrap().default_cache().get("k").await.unwrap().unwrap();
    node.stop().await;
}

#[test]
fn the_readme_has_the_formula_that_is_checked_here() {
    let formula = format!("{} × ({} MiB + `max-memory`)", 1.0 + TOLERANCE, BASE >> 20);
    assert!(include_str!("../../README.md").contains(&formula), "{formula}");
}

/// The same as `load_every_carriage_fills_the_default_and_no_more`, small enough for every run: in frames, where the system's
/// buffers hold little. Raw sessions that fill 32 MiB take 2 GB of them, and then the system resets connections of other tests.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_gateway_takes_what_the_formula_says() {
    for way in [Way::Answers, Way::Requests] {
        fill(way, "32MiB", 32 << 20).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "fills 192 MiB five times: make gateway-load"]
async fn load_every_carriage_fills_the_default_and_no_more() {
    for way in [Way::Raw, Way::Upgrade, Way::Tunnels, Way::Answers, Way::Requests] {
        fill(way, "192MiB", 192 << 20).await;
    }
}

/// 10,000 names of caches on one connection: the request ends the session where its name is longer than Infinispan allows,
/// and names that are not are not kept.
#[tokio::test]
async fn names_of_caches_are_not_kept() {
    let node = patient_node(1).await;
    let program = Program::start(node.addresses()[0], &[], &QUIET);
    until("the member is known", || async { ask_at(program.admin, "GET /readyz HTTP/1.1").await.0 == 200 }).await;
    let mut link = TcpStream::connect(program.address).await.unwrap();
    // PING, version 2.0, of a cache whose name has 256 bytes.
    link.write_all(&[0xa0, 1, 20, 0x17, 0x80, 2]).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(LONG, link.read_to_end(&mut answer)).await.expect("it ends");
    let mut link = TcpStream::connect(program.address).await.unwrap();
    let (mut reader, mut writer) = link.split();
    let sending = async {
        for id in 1..=127u8 {
            let mut ping = vec![0xa0, id, 20, 0x17, 0xff, 1];
            ping.extend([id; 255]);
            ping.extend([0, 1, 0]);
            writer.write_all(&ping).await.unwrap();
        }
    };
    let receiving = async {
        let mut answers = vec![0; 127 * 5];
        timeout(LONG, reader.read_exact(&mut answers)).await.unwrap().unwrap();
    };
    tokio::join!(sending, receiving);
    let held = program.metric(HELD).await;
    assert!((1..64 << 10).contains(&held), "{held}");
    node.stop().await;
}
