//! A client and a server, and the bytes in transit.

use bytes::Bytes;
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, Connection, Event, Misuse, StreamId};
use hotrod_core::time::Instant;

/// Extension frame types registered by the endpoints.
pub(crate) const KINDS: [u8; 2] = [0xf0, 0xf5];

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.extension_frames = KINDS.to_vec();
    config.settings.enable_connect_protocol = true;
    config.settings.extensions = vec![(0xf000, 1), (0xf001, 65_536)];
    config
}

pub(crate) fn fields(fields: &[(&'static str, &str)]) -> Vec<Field> {
    fields.iter().map(|(name, value)| Field::new(*name, Bytes::copy_from_slice(value.as_bytes()))).collect()
}

pub(crate) fn get(path: &str) -> Vec<Field> {
    fields(&[(":method", "GET"), (":scheme", "https"), (":authority", "pod"), (":path", path)])
}

pub(crate) fn post(path: &str) -> Vec<Field> {
    fields(&[(":method", "POST"), (":scheme", "https"), (":authority", "pod"), (":path", path)])
}

pub(crate) fn tunnel() -> Vec<Field> {
    fields(&[
        (":method", "CONNECT"),
        (":protocol", "hotrod"),
        (":scheme", "https"),
        (":authority", "pod"),
        (":path", "/"),
    ])
}

pub(crate) fn ok() -> Vec<Field> {
    fields(&[(":status", "200")])
}

pub(crate) fn start() -> Instant {
    Instant::from_micros(1_000_000)
}

/// Takes all unsent bytes of an endpoint.
pub(crate) fn take(from: &mut Connection) -> Bytes {
    let bytes = from.transmit().to_bytes();
    from.transmitted(bytes.len());
    bytes
}

pub(crate) fn events(of: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| of.poll_event()).collect()
}

pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
    pub(crate) now: Instant,
}

impl Pair {
    pub(crate) fn new(client: Config, server: Config) -> Self {
        let now = start();
        Self { client: Connection::client(client, now), server: Connection::server(server, now), now }
    }

    /// A pair after the exchange of SETTINGS.
    pub(crate) fn ready() -> Self {
        Self::ready_with(config(), config())
    }

    pub(crate) fn ready_with(client: Config, server: Config) -> Self {
        let mut pair = Self::new(client, server);
        pair.settle();
        assert_eq!(events(&mut pair.client), [Event::Settings]);
        assert_eq!(events(&mut pair.server), [Event::Settings]);
        pair
    }

    /// Delivers all bytes until none are in transit.
    pub(crate) fn settle(&mut self) {
        loop {
            let (to_server, to_client) = (take(&mut self.client), take(&mut self.server));
            if to_server.is_empty() && to_client.is_empty() {
                return;
            }
            self.server.handle_received(self.now, &to_server);
            self.client.handle_received(self.now, &to_client);
        }
    }

    /// Opens a stream whose request the server has received.
    pub(crate) fn request(&mut self, fields: &[Field], end_stream: bool) -> StreamId {
        let stream = self.client.request(self.now, fields, end_stream).unwrap();
        self.settle();
        let expected = Event::Request { stream, fields: fields.to_vec(), end_stream };
        assert_eq!(self.server_events(), [expected]);
        stream
    }

    /// Opens a tunnel that the server has accepted.
    pub(crate) fn tunnel(&mut self) -> StreamId {
        let stream = self.request(&tunnel(), false);
        self.server.respond(stream, &ok(), false).unwrap();
        self.settle();
        let expected = Event::Response { stream, fields: ok(), end_stream: false };
        assert_eq!(self.client_events(), [expected]);
        stream
    }

    pub(crate) fn client_events(&mut self) -> Vec<Event> {
        events(&mut self.client)
    }

    pub(crate) fn server_events(&mut self) -> Vec<Event> {
        events(&mut self.server)
    }
}

/// Sends as much as is accepted now, and leaves the rest in `data`.
pub(crate) fn send(from: &mut Connection, stream: StreamId, data: &mut Bytes, end_stream: bool) {
    let capacity = from.send_capacity(stream);
    let part = data.split_to(capacity.min(data.len()));
    let is_last = end_stream && data.is_empty();
    match from.send_data(stream, part, is_last) {
        Ok(()) | Err(Misuse::Ended) => {}
        Err(other) => panic!("{other}"),
    }
}
