//! A scripted server, based on the server role of the wire.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::sasl::ChannelBinding;
use hotrod_core::session::{Call, Config, Event, OperationId, ServerSession, Session, TimeoutReason, VersionChoice};
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Body, Limits, Operation, Ping, Reply, Request, RequestHeader, RequestOptions, SendBuffer, Status, Version,
};

/// A client session and its server.
pub struct Pair {
    pub client: Session,
    pub server: ServerSession,
    /// Requests received and not replied to.
    pub requests: VecDeque<(RequestHeader, Request)>,
    pub now: Instant,
    /// Channel bindings of the server.
    pub bindings: Vec<ChannelBinding>,
    /// First response of an exchange.
    pub first_response: Vec<u8>,
    /// SCRAM iterations requested by the server.
    pub iterations: u32,
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Pair {
    pub fn new(config: Config) -> Self {
        let now = Instant::from_micros(1_000_000);
        let client = Session::new(config, [7; 32], now);
        Self {
            client,
            server: ServerSession::new(Limits::default(), 1 << 20),
            requests: VecDeque::new(),
            now,
            bindings: Vec::new(),
            first_response: Vec::new(),
            iterations: 4096,
        }
    }

    /// A ready session with the newest version.
    pub fn ready() -> Self {
        Self::ready_with(Config::default())
    }

    pub fn ready_with(config: Config) -> Self {
        let mut pair = Self::new(config);
        pair.flush();
        pair.answer_ping(Version::V4_1.to_byte());
        assert!(matches!(pair.event(), Some(Event::Ready(_))));
        pair
    }

    /// A session with exactly this version.
    pub fn speaking(version: Version) -> Self {
        let mut config = Config::default();
        config.version = VersionChoice::Exactly(version);
        Self::ready_with(config)
    }

    pub fn later(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.client.handle_timeout(self.now);
    }

    /// Lets the client compute the next slice of a derivation. Returns whether there was one.
    pub fn derive(&mut self) -> bool {
        let Some((due, TimeoutReason::Derivation)) = self.client.timeout_reason() else { return false };
        assert!(due.since(self.now) <= Duration::from_micros(1), "at once");
        assert!(self.client.transmit().is_empty() && self.event().is_none(), "nothing to say before its end");
        self.now = self.now.max(due);
        self.client.handle_timeout(self.now);
        true
    }

    /// Delivers the client's unsent bytes to the server.
    pub fn flush(&mut self) {
        let bytes = self.client.transmit().to_bytes();
        self.client.transmitted(bytes.len());
        self.server.handle_received(&bytes);
        while let Some(request) = self.server.poll_request() {
            self.requests.push_back(request);
        }
    }

    /// Oldest request without a reply.
    pub fn next_request(&mut self) -> (RequestHeader, Request) {
        self.requests.pop_front().expect("a request")
    }

    pub fn answer_ping(&mut self, server_version: u8) {
        let (header, request) = self.next_request();
        assert_eq!(request, Request::Ping {});
        let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
        let ping = Ping { server_version: Some(server_version), operations, ..Ping::default() };
        self.answer(&header, Operation::Ping, Status::SUCCESS, Body::Ping(Box::new(ping)));
    }

    pub fn answer(&mut self, header: &RequestHeader, operation: Operation, status: Status, body: Body) {
        let reply = Reply { message_id: header.message_id, status, topology: None, body };
        self.server.reply(header, operation, &reply);
        self.deliver();
    }

    /// Delivers the server's unsent bytes to the client.
    pub fn deliver(&mut self) {
        let bytes = self.server.transmit().to_bytes();
        self.server.transmitted(bytes.len());
        self.client.handle_received(self.now, &bytes);
    }

    /// Delivers bytes as if the server had sent them.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.client.handle_received(self.now, bytes);
    }

    pub fn event(&mut self) -> Option<Event> {
        self.client.poll_event()
    }

    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    pub fn submit(&mut self, request: &Request) -> OperationId {
        self.client.submit(self.now, Call::new(request, &RequestOptions::cache("dist"))).unwrap()
    }

    pub fn submit_get(&mut self, key: &'static str) -> OperationId {
        self.submit(&Request::Get { key: Bytes::from_static(key.as_bytes()) })
    }

    /// Replies to the oldest request, a GET, with its key as the value.
    pub fn answer_get(&mut self) {
        let (header, request) = self.next_request();
        self.answer_this_get(&header, &request);
    }

    pub fn answer_this_get(&mut self, header: &RequestHeader, request: &Request) {
        let Request::Get { key } = request else { panic!("{request:?}") };
        self.answer(header, Operation::Get, Status::SUCCESS, Body::Value(key.clone()));
    }

    /// Bytes sent by the server and not delivered.
    pub fn undelivered(&mut self) -> Bytes {
        let out: &SendBuffer = self.server.transmit();
        let bytes = out.to_bytes();
        self.server.transmitted(bytes.len());
        bytes
    }
}

/// Value of a completed GET.
pub fn value(event: Option<Event>) -> (OperationId, Bytes) {
    match event {
        Some(Event::Completed { id, result: Ok(Reply { body: Body::Value(value), .. }), .. }) => (id, value),
        other => panic!("expected a value, got {other:?}"),
    }
}
