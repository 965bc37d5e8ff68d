//! How much one link, one source, and all sources together can hold with the default options, before and after authentication:
//! each row of "Limits" in gateway/README.md, filled until the gateway refuses. `make gateway-load` runs these; each prints a
//! line of JSON.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotrod_embedded::host::Embedded;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsConnector, rustls};

use crate::common::{Files, Played, answers, ask_at, connect_from, until};
use crate::inside::Inner;
use crate::memory::patient_node;
use crate::peer::{FIRST, FRAMES, Heard, Peer, get, put};
use crate::program::{Program, QUIET};

/// Addresses of the sources, each with what the limits leave to one.
const SOURCES: [&str; 4] = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
/// A source that holds nothing.
const BYSTANDER: &str = "127.0.0.100";
/// Default of `max-tunnels`.
const MAX_TUNNELS: usize = 100;
/// Bytes that the gateway counts.
const HELD: &str = "hotrod_gateway_buffered_bytes";
/// Bound on the links of a test that meets no refusal.
const MOST_LINKS: usize = 12_000;
/// Longer than any deadline of the default options but the idle timeout.
const DEADLINES: Duration = Duration::from_secs(120);

/// A way to hold something at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Connections that send nothing.
    Silent,
    /// TLS connections whose ClientHello of 60 KiB does not end.
    ClientHello,
    /// TLS connections that send nothing after the handshake.
    Tls,
    /// HTTP/1.1 heads of 15 KiB that do not end.
    HttpHead,
    /// HTTP/2 connections without a session.
    Http2,
    /// Raw connections with 60 KiB of a first request that does not end.
    FirstRequest,
    /// Raw sessions, each with a PING.
    Raw,
    /// HTTP/2 connections, each with as many sessions in frames as it gets.
    Frames,
    /// HTTP/2 connections, each with one session in frames and requests of 60 KiB that do not end.
    Calls,
    /// TLS connections with raw sessions that do not read their answers.
    TlsReaders,
}

impl Load {
    fn is_tls(self) -> bool {
        matches!(self, Self::ClientHello | Self::Tls | Self::TlsReaders)
    }

    /// Links between two looks at the gateway.
    fn step(self) -> usize {
        match self {
            Self::Silent | Self::HttpHead | Self::Http2 | Self::Raw => 50,
            Self::ClientHello | Self::Tls | Self::FirstRequest | Self::Calls | Self::TlsReaders => 5,
            Self::Frames => 1,
        }
    }
}

/// Closes its connection when dropped.
type Open = Box<dyn Send>;

/// A gateway with the default options, and what its clients have open.
struct Filled {
    load: Load,
    program: Program,
    files: Files,
    open: Vec<Open>,
    /// Resident bytes before the first client.
    before: u64,
}

impl Filled {
    async fn start(load: Load, upstream: SocketAddr) -> Self {
        let files = Files::new();
        let (certificate, key) = (files.at("server.pem"), files.at("server.key"));
        let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--allow-plain"];
        let program = Program::start(upstream, if load.is_tls() { &tls } else { &[] }, &QUIET);
        until("the member is known", || async { ask_at(program.admin, "GET /readyz HTTP/1.1").await.0 == 200 }).await;
        let before = program.resident();
        Self { load, program, files, open: Vec::new(), before }
    }

    /// Opens one more link; `None` where it is refused.
    async fn open(&self, source: &str) -> Option<Open> {
        let address = self.program.address;
        let mut stream = connect_from(source, address).await;
        match self.load {
            Load::Silent => {}
            Load::ClientHello => stream.write_all(&client_hello()).await.ok()?,
            Load::Tls => return Some(Box::new(handshake(stream, &self.files).await?)),
            Load::HttpHead => {
                let field = format!("x: {}\r\n", "x".repeat(1019));
                let head = format!("GET / HTTP/1.1\r\nHost: h\r\n{}", field.repeat(15));
                stream.write_all(head.as_bytes()).await.ok()?;
            }
            Load::Http2 => return Some(Box::new(Peer::over_if_served(stream, &[]).await?)),
            Load::FirstRequest => stream.write_all(&put(1, 100_000)[..60 << 10]).await.ok()?,
            Load::Raw => {
                if !answers(&mut stream).await {
                    return None;
                }
            }
            Load::Frames => {
                let mut peer = Peer::over_if_served(stream, &[FRAMES]).await?;
                for _ in 0..MAX_TUNNELS {
                    if is_accepted(&mut peer).await.is_none() {
                        break;
                    }
                }
                return Some(Box::new(peer));
            }
            Load::Calls => {
                let mut peer = Peer::over_if_served(stream, &[FRAMES]).await?;
                let session = is_accepted(&mut peer).await?;
                for call in 1..=4 {
                    for (number, fragment) in put(1, 100_000)[..60_000].chunks(15_000).enumerate() {
                        let flags = if number == 0 { FIRST } else { 0 };
                        peer.request(session, call, flags, fragment).await;
                    }
                }
                return Some(Box::new(peer));
            }
            Load::TlsReaders => {
                let socket = TcpSocket::new_v4().ok()?;
                socket.set_recv_buffer_size(4096).ok()?;
                let mut stream = handshake(socket.connect(address).await.ok()?, &self.files).await?;
                for id in 1..=8 {
                    stream.write_all(&get(id)).await.ok()?;
                }
                return Some(Box::new(stream));
            }
        }
        Some(Box::new(stream))
    }

    /// Whether a client of this source is served that sends a PING.
    async fn is_served(&self, source: &str) -> bool {
        answers(&mut connect_from(source, self.program.address).await).await
    }

    /// Opens links from a source until the gateway refuses it a session, or there are `most`.
    async fn fill(&mut self, source: &str, most: usize) {
        let mut stalled = 0;
        while self.open.len() < most && stalled < 2 {
            let before = self.program.metric(HELD).await;
            for _ in 0..self.load.step() {
                // The gateway does not read a link while there is no memory.
                if let Ok(link) = timeout(Duration::from_secs(2), self.open(source)).await {
                    self.open.extend(link);
                }
            }
            if !self.is_served(source).await {
                return;
            }
            // Less may be left than a link needs.
            stalled = if self.program.metric(HELD).await > before { 0 } else { stalled + 1 };
        }
    }

    /// What is held now.
    async fn figures(&self) -> Value {
        json!({
            "links": self.open.len(),
            "connections": self.sum("hotrod_gateway_connections_open").await,
            "sessions": self.sum("hotrod_gateway_sessions_open").await,
            "held.bytes": self.program.metric(HELD).await,
            "grown.resident.bytes": self.program.resident().saturating_sub(self.before),
        })
    }

    async fn sum(&self, name: &str) -> u64 {
        self.series(name).await.values().sum()
    }

    /// The series of a metric that are not zero, by their label.
    async fn series(&self, name: &str) -> BTreeMap<String, u64> {
        let (_, text) = ask_at(self.program.admin, "GET /metrics HTTP/1.1").await;
        let series = text.lines().filter_map(|line| {
            let (label, value) = line.strip_prefix(name)?.strip_prefix('{')?.split_once("} ")?;
            let label = label.split('"').nth(1)?.to_string();
            Some((label, value.parse().ok()?))
        });
        series.filter(|(_, value)| *value > 0).collect()
    }

    /// Refusals, and connections that ended before their protocol was known, by reason.
    async fn reasons(&self) -> Value {
        json!({
            "refusals": self.series("hotrod_gateway_refusals_total").await,
            "handshake.failures": self.series("hotrod_gateway_handshake_failures_total").await,
        })
    }

    /// Waits until the gateway has closed every connection; its clients keep their ends open.
    async fn wait_for_deadlines(&self) {
        let closed = async {
            while self.sum("hotrod_gateway_connections_open").await > 0 {
                sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(DEADLINES, closed).await.unwrap_or_else(|_| panic!("{:?}: connections are left", self.load));
    }
}

/// A session in frames, if the gateway grants it.
async fn is_accepted(peer: &mut Peer) -> Option<hotrod_core::http2::StreamId> {
    let stream = peer.ask_session(&[]).await;
    matches!(peer.next_of(stream).await, Heard::Answer { status: 200, .. }).then_some(stream)
}

/// Records of TLS with the first 60 KiB of a ClientHello of 64 KiB (RFC 8446, 4 and 5.1).
fn client_hello() -> Vec<u8> {
    let message = [&[1, 0, 0xff, 0xff][..], &vec![3; 60 << 10]].concat();
    let record = |fragment: &[u8]| [&[22, 3, 1][..], &(fragment.len() as u16).to_be_bytes(), fragment].concat();
    message.chunks(16 << 10).flat_map(record).collect()
}

async fn handshake(stream: TcpStream, files: &Files) -> Option<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(files.at("ca.pem")).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
}

/// A member that wants clients to authenticate, and answers PING.
async fn member_with_mechanisms() -> (SocketAddr, JoinHandle<()>) {
    let played = Played::new().await;
    played.set_mechanisms(&["SCRAM-SHA-512"]);
    let address = played.address();
    let serving = tokio::spawn(async move {
        played.next().await;
    });
    (address, serving)
}

/// Fills a gateway before a member that wants authentication, from one source and then from further ones.
async fn before_authentication(load: Load) {
    let (member, serving) = member_with_mechanisms().await;
    let mut filled = Filled::start(load, member).await;
    let first = filled.open(SOURCES[0]).await;
    filled.open.extend(first);
    let link = filled.figures().await;
    filled.fill(SOURCES[0], MOST_LINKS).await;
    let source = filled.figures().await;
    let are_others_served = filled.is_served(BYSTANDER).await;
    for further in &SOURCES[1..] {
        filled.fill(further, MOST_LINKS).await;
    }
    let (all, refused) = (filled.figures().await, filled.reasons().await);
    filled.wait_for_deadlines().await;
    let ended = filled.reasons().await;
    println!(
        "{}",
        json!({ "gateway.limits.before": { "load": format!("{load:?}"), "link": link, "source": source,
            "others.served": are_others_served, "all": all, "refused": refused, "ended": ended } })
    );
    assert!(are_others_served, "{load:?}: one source takes all there is: {source}");
    serving.abort();
}

/// Fills a gateway before a member that wants no authentication.
async fn after_authentication(load: Load, most: usize) {
    let node: Embedded = patient_node(1_000_000).await;
    let mut filled = Filled::start(load, node.addresses()[0]).await;
    let first = filled.open(SOURCES[0]).await;
    filled.open.extend(first);
    let link = filled.figures().await;
    filled.fill(SOURCES[0], most).await;
    let source = filled.figures().await;
    let are_others_served = filled.is_served(BYSTANDER).await;
    for further in &SOURCES[1..] {
        filled.fill(further, most).await;
    }
    let (all, refused) = (filled.figures().await, filled.reasons().await);
    println!(
        "{}",
        json!({ "gateway.limits.after": { "load": format!("{load:?}"), "link": link, "source": source,
            "others.served": are_others_served, "all": all, "refused": refused } })
    );
    assert!(are_others_served, "{load:?}: one source takes all there is: {source}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "thousands of connections: make gateway-load"]
async fn before_authentication_one_source_leaves_room_for_others() {
    for load in [
        Load::Silent,
        Load::ClientHello,
        Load::Tls,
        Load::HttpHead,
        Load::Http2,
        Load::FirstRequest,
        Load::Raw,
        Load::Frames,
        Load::Calls,
    ] {
        before_authentication(load).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "thousands of sessions: make gateway-load"]
async fn after_authentication_one_source_leaves_room_for_others() {
    for load in [Load::Silent, Load::Frames] {
        after_authentication(load, MOST_LINKS).await;
    }
    // Linear in the links, and each takes megabytes of the system's socket buffers: a part of them shows the constant.
    after_authentication(Load::TlsReaders, 100).await;
}

/// Memory for each remembered source that has no connection any more.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "20,000 sources: make gateway-load"]
async fn remembered_sources_cost_little() {
    const COUNT: u64 = 19_000;
    let (member, serving) = member_with_mechanisms().await;
    let filled = Filled::start(Load::Silent, member).await;
    let connect = |number: u64| {
        let address = format!("127.1.{}.{}", number / 250, number % 250 + 1);
        async move { drop(connect_from(&address, filled.program.address).await) }
    };
    // What the first connections take of the allocator is no part of it.
    for number in 0..500 {
        connect(number).await;
    }
    let before = filled.program.resident();
    for number in 500..COUNT {
        connect(number).await;
    }
    until("all are closed", || async { filled.sum("hotrod_gateway_connections_open").await == 0 }).await;
    let grown = filled.program.resident().saturating_sub(before);
    println!(
        "{}",
        json!({ "gateway.limits.sources": { "sources": COUNT - 500, "grown.resident.bytes": grown,
            "each.bytes": grown / (COUNT - 500) } })
    );
    assert!(grown / (COUNT - 500) < 1 << 10, "{grown}");
    serving.abort();
}

/// Memory for each HTTP/2 link in a tunnel over HTTP/2, after requests and answers have filled both of its pipes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "500 inner links: make gateway-load"]
async fn inner_links_cost_what_they_count() {
    const LINKS: usize = 5;
    const INNER: usize = 100;
    let node = patient_node(1).await;
    let filled = Filled::start(Load::Http2, node.addresses()[0]).await;
    let mut peers = Vec::new();
    for _ in 0..LINKS {
        let mut peer = Peer::connect(filled.program.address, &[]).await;
        let mut inner = Vec::new();
        for _ in 0..INNER {
            inner.push(Inner::open(&mut peer).await);
        }
        peers.push((peer, inner));
    }
    let idle = filled.figures().await;
    for (peer, inner) in &mut peers {
        for link in inner {
            link.exchange(peer).await;
        }
    }
    let used = filled.figures().await;
    println!("{}", json!({ "gateway.limits.inner": { "links": LINKS * INNER, "idle": idle, "used": used } }));
    let (held, grown) = (&used["held.bytes"], &used["grown.resident.bytes"]);
    assert!(grown.as_u64() <= held.as_u64().map(|held| held * 115 / 100), "{used}");
    node.stop().await;
}
