//! What the tests have in common.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotrod_core::session::ServerSession;
use hotrod_core::wire;
use hotrod_core::wire::{
    Body, Hash, Limits, Member, Operation, Reply, Request, RequestHeader, SegmentOwners, Status, Topology, Version,
};
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_gateway::config::{Config, Invocation, Mode};
use hotrod_gateway::gateway::Gateway;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Longer than anything takes here.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What these arguments mean.
pub(crate) fn config(arguments: &[&str]) -> Config {
    let all = ["hotrod-gateway"].iter().chain(arguments);
    match Invocation::load(all).unwrap_or_else(|error| panic!("{error}")).mode {
        Mode::Gateway(config) => *config,
        Mode::Embedded(..) => panic!("{arguments:?} is no gateway"),
    }
}

/// A sidecar of the server at that address, with an admin port.
pub(crate) async fn sidecar(upstream: SocketAddr, more: &[&str]) -> Gateway {
    let upstream = upstream.to_string();
    let mut arguments = vec!["--upstream", &upstream, "--node-name", "node-0"];
    arguments.extend(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    if !more.contains(&"--topology-cache") {
        arguments.extend(["--topology-cache", "dist"]);
    }
    arguments.extend(more);
    Gateway::start(config(&arguments)).await.unwrap()
}

pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub(crate) async fn node(members: usize) -> Embedded {
    Embedded::start(EmbeddedOptions { members, listen: anywhere(), ..EmbeddedOptions::default() }).await.unwrap()
}

/// A connection from another source: each address of 127.0.0.0/8 is one.
pub(crate) async fn connect_from(source: &str, gateway: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    socket.connect(gateway).await.unwrap()
}

/// PING of the default cache, version 2.0, and its answer.
pub(crate) const PING: [u8; 8] = [0xa0, 1, 20, 0x17, 0, 0, 1, 0];
const PONG: [u8; 5] = [0xa1, 1, 0x18, 0, 0];

/// Whether PING is answered with success.
pub(crate) async fn answers(stream: &mut TcpStream) -> bool {
    let mut answer = [0; PONG.len()];
    // Who is closed at once shows when it is read.
    let _ = stream.write_all(&PING).await;
    let read = timeout(LONG, stream.read_exact(&mut answer)).await.expect("an answer or an end in time");
    read.is_ok() && answer == PONG
}

/// Reads to the end, which comes by itself.
pub(crate) async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    // A reset is an end as well.
    let _ = timeout(LONG, stream.read_to_end(&mut received)).await.expect("an end in time");
    received
}

/// How often something was refused for that reason.
pub(crate) async fn refusals(gateway: &Gateway, reason: &str) -> u64 {
    series(gateway, &format!("hotrod_gateway_refusals_total{{reason=\"{reason}\"}}")).await.unwrap_or(0)
}

/// Asks until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waited = timeout(LONG, async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: not after {LONG:?}"));
}

/// Status and body of what the admin port answers.
pub(crate) async fn ask(gateway: &Gateway, path: &str) -> (u16, String) {
    ask_at(gateway.admin_address().unwrap(), &format!("GET {path} HTTP/1.1")).await
}

pub(crate) async fn ask_at(address: SocketAddr, line: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line}\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.into())
}

/// What /readyz says.
pub(crate) async fn readiness(gateway: &Gateway) -> (u16, serde_json::Value) {
    let (status, body) = ask(gateway, "/readyz").await;
    (status, serde_json::from_str(&body).unwrap())
}

/// The sum of all series of a metric.
pub(crate) async fn metric(gateway: &Gateway, name: &str) -> u64 {
    let (_, text) = ask(gateway, "/metrics").await;
    let values = text.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let is_it = series == name || series.starts_with(&format!("{name}{{"));
        is_it.then(|| value.parse::<u64>().unwrap())
    });
    values.sum()
}

/// The value of one series.
pub(crate) async fn series(gateway: &Gateway, series: &str) -> Option<u64> {
    let (_, text) = ask(gateway, "/metrics").await;
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")))?;
    Some(value.parse().unwrap())
}

/// A server that the test plays: accepts one connection after the other.
pub(crate) struct Played {
    listener: TcpListener,
    /// What AUTH_MECH_LIST is answered with.
    mechanisms: Arc<Mutex<Vec<String>>>,
    /// What PING in the cache "dist" is answered with, to who does not have it.
    topology: Arc<Mutex<Option<Topology>>>,
    /// Connections on which another thing was asked than PING and AUTH_MECH_LIST.
    asked: (mpsc::Sender<Asked>, tokio::sync::Mutex<mpsc::Receiver<Asked>>),
}

type Asked = (PlayedLink, RequestHeader, Request);

/// A client's connection at such a server.
pub(crate) struct PlayedLink {
    pub(crate) stream: TcpStream,
    session: ServerSession,
}

impl Played {
    pub(crate) async fn new() -> Self {
        let (sender, asked) = mpsc::channel(16);
        let listener = TcpListener::bind(anywhere()).await.unwrap();
        Self { listener, mechanisms: Arc::default(), topology: Arc::default(), asked: (sender, asked.into()) }
    }

    /// Offers these SASL mechanisms from now on.
    pub(crate) fn set_mechanisms(&self, mechanisms: &[&str]) {
        *self.mechanisms.lock().unwrap() = mechanisms.iter().map(ToString::to_string).collect();
    }

    /// From now on the view of "dist" is that one, with these members.
    pub(crate) fn set_topology(&self, id: u32, members: &[Member]) {
        let hash = Hash { function: 0, segments: 0, owners: SegmentOwners::default() };
        let topology = Topology { id, members: members.to_vec(), hash: Some(hash) };
        *self.topology.lock().unwrap() = Some(topology);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection on which something else is asked than PING and AUTH_MECH_LIST; those that only ask that are
    /// answered meanwhile: they are the gateway's own.
    pub(crate) async fn next(&self) -> Asked {
        let mut asked = self.asked.1.lock().await;
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let session = ServerSession::new(Limits::default(), 1 << 20);
                    let mut link = PlayedLink { stream: accepted.unwrap().0, session };
                    let (sender, topology) = (self.asked.0.clone(), self.topology.clone());
                    let mechanisms = self.mechanisms.clone();
                    tokio::spawn(async move {
                        while let Some((header, request)) = link.request().await {
                            if request.operation() == Operation::AuthMechList {
                                let names = Body::Names(mechanisms.lock().unwrap().clone());
                                link.answer(&header, Operation::AuthMechList, names).await;
                                continue;
                            }
                            if request.operation() != Operation::Ping {
                                let _ = sender.send((link, header, request)).await;
                                break;
                            }
                            let topology = topology.lock().unwrap().clone();
                            let is_new = |topology: &Topology| {
                                header.options.cache == "dist" && header.topology_id != topology.id
                            };
                            let topology = topology.filter(is_new).map(Box::new);
                            link.reply(&header, Operation::Ping, Status::SUCCESS, pong(), topology).await;
                        }
                    });
                }
                Some(found) = asked.recv() => return found,
            }
        }
    }
}

fn pong() -> Body {
    let ping = wire::Ping {
        key_type: wire::MediaType::Unspecified,
        value_type: wire::MediaType::Unspecified,
        server_version: Some(Version::V3_1.to_byte()),
        operations: Vec::new(),
    };
    Body::Ping(Box::new(ping))
}

impl PlayedLink {
    pub(crate) async fn request(&mut self) -> Option<(RequestHeader, Request)> {
        loop {
            if let Some(request) = self.session.poll_request() {
                return Some(request);
            }
            if self.stream.read_buf(self.session.receive_buffer()).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(crate) async fn answer(&mut self, header: &RequestHeader, operation: Operation, body: Body) {
        self.reply(header, operation, Status::SUCCESS, body, None).await;
    }

    pub(crate) async fn reply(
        &mut self,
        header: &RequestHeader,
        operation: Operation,
        status: Status,
        body: Body,
        topology: Option<Box<Topology>>,
    ) {
        let reply = Reply { message_id: header.message_id, status, topology, body };
        self.session.reply(header, operation, &reply);
        let bytes = self.session.transmit().to_bytes();
        // A gateway that is gone has no need of it.
        let _ = self.stream.write_all(&bytes).await;
        self.session.transmitted(bytes.len());
    }
}

/// An authority of its own, and certificates of it.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Writes its certificate.
    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, &self.pem).unwrap();
    }

    /// Writes a certificate for a name, and its key.
    pub(crate) fn certify(&self, name: &str, certificate: &Path, key: &Path) {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        std::fs::write(certificate, params.signed_by(&pair, &self.issuer).unwrap().pem()).unwrap();
        write_secret(key, &pair.serialize_pem());
    }
}

/// A folder with files of an authority: ca.pem, other-ca.pem, server.pem, server.key, client.pem, client.key.
pub(crate) struct Files {
    folder: tempfile::TempDir,
    pub(crate) authority: Authority,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new("ca") };
        files.authority.write(files.at("ca.pem").as_ref());
        Authority::new("other ca").write(files.at("other-ca.pem").as_ref());
        files.certify("server", "localhost");
        files.certify("client", "client");
        files
    }

    pub(crate) fn certify(&self, file: &str, name: &str) {
        let (certificate, key) = (self.at(&format!("{file}.pem")), self.at(&format!("{file}.key")));
        self.authority.certify(name, certificate.as_ref(), key.as_ref());
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().into()
    }

    /// Writes a file that nobody else may read.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.at(name);
        write_secret(path.as_ref(), content);
        path
    }

    /// Changes who may do what with a file.
    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn write_secret(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
