//! The node on real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_core::session::{Call, Config, Event, Session};
use hotrod_core::time;
use hotrod_core::wire::{Body, Expiration, Reply, Request, RequestOptions, Status};
use hotrod_embedded::ClusterOptions;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};

/// A blocking client, enough for tests.
struct Client {
    session: Session,
    socket: TcpStream,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut client = Self { session: Session::new(Config::default(), [1; 32], time::Instant::EPOCH), socket };
        while !client.session.is_ready() {
            client.exchange().unwrap();
        }
        while client.session.poll_event().is_some() {}
        client
    }

    fn exchange(&mut self) -> std::io::Result<()> {
        let out = self.session.transmit().to_bytes();
        self.socket.write_all(&out)?;
        self.session.transmitted(out.len());
        let mut buffer = [0; 16 << 10];
        let count = self.socket.read(&mut buffer)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.session.handle_received(time::Instant::EPOCH, &buffer[..count]);
        Ok(())
    }

    fn call(&mut self, request: &Request) -> std::io::Result<Reply> {
        let options = RequestOptions::cache("dist");
        self.session.submit(time::Instant::EPOCH, Call::new(request, &options)).unwrap();
        loop {
            match self.session.poll_event() {
                Some(Event::Completed { result, .. }) => return Ok(result.unwrap()),
                Some(other) => panic!("{other:?}"),
                None => self.exchange()?,
            }
        }
    }
}

fn options(members: usize) -> EmbeddedOptions {
    EmbeddedOptions { members, listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..EmbeddedOptions::default() }
}

fn put(value: Bytes) -> Request {
    Request::Put { key: Bytes::from_static(b"k"), expiration: Expiration::DEFAULT, value }
}

fn get() -> Request {
    Request::Get { key: Bytes::from_static(b"k") }
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn members_serve_come_and_go() {
    let mut node = Embedded::start(options(2)).await.unwrap();
    let addresses = node.addresses();
    let value = Bytes::from(vec![7; 3 << 20]);
    let expected = value.clone();
    let (reply, mut client) = blocking(move || {
        let mut one = Client::connect(addresses[0]);
        let mut two = Client::connect(addresses[1]);
        assert_eq!(one.call(&put(value)).unwrap().status, Status::SUCCESS);
        (two.call(&get()).unwrap(), one)
    })
    .await;
    assert_eq!(reply.body, Body::Value(expected.clone()));
    let told: Vec<_> = reply.topology.unwrap().members.iter().map(|member| member.port).collect();
    assert_eq!(told, node.addresses().iter().map(SocketAddr::port).collect::<Vec<_>>());

    let third = node.add_member().await.unwrap();
    assert_eq!(node.addresses().len(), 3);
    let gone = node.addresses()[0];
    assert!(node.kill_member(0).await);
    assert!(!node.kill_member(0).await);
    blocking(move || {
        assert!(client.call(&get()).is_err(), "its member is gone");
        assert!(TcpStream::connect(gone).is_err(), "and its port");
        let reply = Client::connect(third).call(&get()).unwrap();
        assert_eq!(reply.body, Body::Value(expected), "the entries are not");
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn stopping_ends_connections_and_frees_the_port() {
    let node = Embedded::start(options(1)).await.unwrap();
    let address = node.addresses()[0];
    let mut client = blocking(move || Client::connect(address)).await;
    let begun = Instant::now();
    node.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "nothing was left to send");
    blocking(move || assert!(client.call(&get()).is_err())).await;
    let again = Embedded::start(EmbeddedOptions { listen: address, ..options(1) }).await.unwrap();
    assert_eq!(again.addresses(), [address]);
    let taken = Embedded::start(EmbeddedOptions { listen: address, ..options(1) }).await.err().unwrap();
    assert!(taken.to_string().contains(&format!("can't listen at {address}")), "{taken}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_says_nothing_or_nonsense_is_disconnected() {
    let limits = EmbeddedOptions { handshake_timeout: Duration::from_millis(100), ..options(1) };
    let node = Embedded::start(limits).await.unwrap();
    let address = node.addresses()[0];
    blocking(move || {
        let mut silent = TcpStream::connect(address).unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(silent.read(&mut [0; 10]).unwrap(), 0);
        assert_eq!(said_to(address, b"\0"), b"", "no protocol begins so");
        assert_eq!(said_to(address, b"\x16"), b"", "there is no TLS here");
        let answer = said_to(address, b"GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", answer.escape_ascii());
        // A PING, bytes that are no request, and a request of an unknown operation.
        let ping = [0xa0, 1, 41, 0x17, 0, 0, 1, 0, 0, 0, 0];
        let answer = said_to(address, &[&ping[..], b"?", &[0xa0, 2, 41, 0x45]].concat());
        let at = |refusal: [u8; 4]| answer.windows(4).position(|bytes| bytes == refusal);
        let (bad_magic, unknown) = (at([0xa1, 0, 0x50, 0x81]), at([0xa1, 2, 0x50, 0x82]));
        assert!(bad_magic > Some(0) && unknown > bad_magic, "both, then the end: {}", answer.escape_ascii());
    })
    .await;
    node.stop().await;
}

/// Sends bytes, and returns those received until the node closes the connection.
fn said_to(address: SocketAddr, words: &[u8]) -> Vec<u8> {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.write_all(words).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    answer
}

/// The node stops reading from a client that reads no answers, and serves the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_does_not_read_is_held_back() {
    let cluster = ClusterOptions { max_send_bytes: 64 << 10, ..ClusterOptions::default() };
    let node = Embedded::start(EmbeddedOptions { cluster, ..options(1) }).await.unwrap();
    let address = node.addresses()[0];
    let executed = blocking(move || {
        let mut other = Client::connect(address);
        other.call(&put(Bytes::from(vec![1; 1 << 20]))).unwrap();
        let mut slow = Client::connect(address);
        for _ in 0..100 {
            slow.session.submit(time::Instant::EPOCH, Call::new(&get(), &RequestOptions::cache("dist"))).unwrap();
        }
        slow.socket.write_all(&slow.session.transmit().to_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(other.call(&get()).unwrap().status, Status::SUCCESS);
        slow
    })
    .await;
    let id = node.member_id(0).unwrap();
    let hits = node.with_cluster(|cluster, _| cluster.counts("dist", id).hits);
    assert!(hits < 50, "{hits} of 101 reads were executed though nobody took the answers");
    drop(executed);
    node.stop().await;
}
