//! A blocking session with a server at one protocol version.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::session::{Call, Config, Event, OperationError, Session, VersionChoice};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, CounterEvent, EntryChange, EventData, Flags, Operation, Reply, Request, RequestOptions};
use hotrod_core::wire::{Status, Version};

/// Longest wait for bytes of the server.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session, and the cache of its requests.
pub(crate) struct Peer {
    pub(crate) version: Version,
    pub(crate) options: RequestOptions,
    session: Session,
    socket: TcpStream,
    replies: VecDeque<Result<Reply, OperationError>>,
    entry_events: VecDeque<(EntryChange, Bytes)>,
    counter_events: VecDeque<CounterEvent>,
    /// Prefix of keys and names: the rows of a server share its caches.
    prefix: String,
}

/// Error answer of a server.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) operation: Operation,
    pub(crate) status: Status,
    pub(crate) message: String,
}

impl Peer {
    /// Connects, and performs the handshake.
    pub(crate) fn connect(address: &str, version: Version, prefix: &str) -> Self {
        let socket = TcpStream::connect(address).expect("connected");
        socket.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        socket.set_nodelay(true).expect("no delay");
        let mut config = Config::default();
        config.version = VersionChoice::Exactly(version);
        let mut peer = Self {
            version,
            options: RequestOptions::cache("matrix"),
            session: Session::new(config, [1; 32], Instant::EPOCH),
            socket,
            replies: VecDeque::new(),
            entry_events: VecDeque::new(),
            counter_events: VecDeque::new(),
            prefix: format!("{prefix}-{version}"),
        };
        while !peer.session.is_ready() {
            peer.exchange();
        }
        peer
    }

    /// Sends a request, and waits for its answer.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, Refused> {
        let operation = request.operation();
        let call = Call::new(&request, &self.options);
        self.session.submit(Instant::EPOCH, call).unwrap_or_else(|error| panic!("{operation}: {error}"));
        loop {
            match self.replies.pop_front() {
                Some(Ok(reply)) => return Ok(reply),
                Some(Err(OperationError::Server { status, message, .. })) => {
                    return Err(Refused { operation, status, message });
                }
                Some(Err(error)) => panic!("{operation}: {error}"),
                None => self.exchange(),
            }
        }
    }

    /// Sends a request, and compares status and body of its answer.
    pub(crate) fn expect(&mut self, request: Request, status: Status, body: Body) -> Result<(), Refused> {
        let (what, version) = (format!("{request:?}"), self.version);
        let reply = self.ask(request)?;
        assert_eq!((reply.status, reply.body), (status, body), "{version}: {what}");
        Ok(())
    }

    /// Sends a request that the server answers with an error.
    pub(crate) fn expect_error(&mut self, request: Request, status: Status, part: &str) -> Result<(), Refused> {
        let (what, version) = (format!("{request:?}"), self.version);
        match self.ask(request) {
            Err(refused) if refused.message.contains("not supported by the embedded server") => Err(refused),
            Err(refused) => {
                assert_eq!(refused.status, status, "{version}: {what}: {}", refused.message);
                assert!(refused.message.contains(part), "{version}: {what}: {}", refused.message);
                Ok(())
            }
            Ok(reply) => panic!("{version}: {what}: {reply:?} instead of an error"),
        }
    }

    /// Returns the next event of a cache listener.
    pub(crate) fn entry_event(&mut self) -> (EntryChange, Bytes) {
        loop {
            if let Some(event) = self.entry_events.pop_front() {
                return event;
            }
            self.exchange();
        }
    }

    /// Returns the next event of a counter listener.
    pub(crate) fn counter_event(&mut self) -> CounterEvent {
        loop {
            if let Some(event) = self.counter_events.pop_front() {
                return event;
            }
            self.exchange();
        }
    }

    /// Events of cache listeners that have come and are not taken.
    pub(crate) fn pending_entry_events(&self) -> usize {
        self.entry_events.len()
    }

    /// A key of this row alone.
    pub(crate) fn key(&self, name: &str) -> Bytes {
        self.name(name).into()
    }

    /// A name of this row alone.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    pub(crate) fn use_cache(&mut self, name: &str) {
        self.options = RequestOptions::cache(name);
    }

    /// Sets the flag by which the answer of a write carries the previous value.
    pub(crate) fn force_return_value(&mut self) {
        self.options.flags = Flags::FORCE_RETURN_VALUE;
    }

    fn exchange(&mut self) {
        let out = self.session.transmit().to_bytes();
        self.socket.write_all(&out).expect("sent");
        self.session.transmitted(out.len());
        let mut buffer = [0; 16 << 10];
        let count = self.socket.read(&mut buffer).expect("received");
        assert!(count > 0, "{}: the server closed the connection", self.version);
        self.session.handle_received(Instant::EPOCH, &buffer[..count]);
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Completed { result, .. } => self.replies.push_back(result),
                Event::Entry(event) => {
                    let EventData::Key { key, .. } = event.data else { panic!("{event:?}") };
                    self.entry_events.push_back((event.change, key));
                }
                Event::Counter(event) => self.counter_events.push_back(event),
                Event::Closed(reason) => panic!("{}: {reason}", self.version),
                _ => {}
            }
        }
    }
}
