//! Feeds arbitrary bytes to the HTTP/1.1 exchanges.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::input::Input;
use super::pieces::{Decoder, Pieces, decode_both_ways};
use crate::http1::{
    ClientEvent, ClientExchange, Fields, Kind, Limits, Request, Response, ServerEvent, ServerExchange, Trailing,
};

/// Small limits that an input can reach, or the default ones.
fn limits(small: bool) -> Limits {
    if small {
        Limits { line: 64, fields: 4, head: 256, interim: 2, content: 32, requests: 4 }
    } else {
        Limits::default()
    }
}

/// A server that accepts every tunnel and responds to all other requests.
struct Served {
    exchange: ServerExchange,
    /// Bytes of the tunnel, once it is established.
    tunnel: Option<BytesMut>,
}

impl Decoder for Served {
    type Message = (ServerEvent, Vec<u8>);

    fn receive(&mut self, bytes: &[u8]) {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.extend_from_slice(bytes),
            None => self.exchange.handle_received(bytes),
        }
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.tunnel.as_mut().unwrap_or_else(|| self.exchange.receive_buffer())
    }

    fn poll(&mut self) -> Option<Self::Message> {
        self.exchange.handle_filled();
        let event = self.exchange.poll_event()?;
        match &event {
            ServerEvent::Request(request) if request.kind == Kind::Ordinary => {
                self.exchange.respond(&Response::text(404, "nothing here"), false).expect("an answer");
            }
            ServerEvent::Request(_) => {
                let trailing = self.exchange.accept(&Fields::new()).expect("a tunnel");
                self.tunnel = Some(trailing[..].into());
            }
            ServerEvent::Failed(_) => assert!(self.exchange.closes()),
        }
        let response = self.exchange.transmit().to_bytes().to_vec();
        self.exchange.transmitted(response.len());
        Some((event, response))
    }

    fn buffered(&self) -> usize {
        self.tunnel.as_ref().map_or(0, BytesMut::len)
    }

    fn is_last((event, _): &Self::Message) -> bool {
        matches!(event, ServerEvent::Failed(_))
    }
}

/// Feeds a client's bytes to a server.
///
/// Asserts that chunking makes no difference, that the limit of requests holds, and that the first request is what a
/// naive reader finds, who knows only that lines end with CR LF.
pub fn http1_server(data: &[u8]) {
    let mut input = Input::new(data);
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let new = || Served { exchange: ServerExchange::new(limits.clone()), tunnel: None };
    let bytes = input.rest();
    let messages = decode_both_ways(new, bytes, &pieces);
    assert!(messages.len() <= limits.requests, "more than there may be");
    if let Some((ServerEvent::Request(request), response)) = messages.first() {
        is_what_anyone_sees(request, bytes, &limits);
        let status: &[u8] = match request.kind {
            Kind::Upgrade { .. } => b"HTTP/1.1 101 ",
            Kind::Connect { .. } => b"HTTP/1.1 200 ",
            Kind::Ordinary => b"HTTP/1.1 404 ",
        };
        assert!(response.starts_with(status));
    }
}

fn is_what_anyone_sees(request: &Request, bytes: &[u8], limits: &Limits) {
    // One character per byte.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let head = text.strip_prefix("\r\n").unwrap_or(&text);
    let (head, _) = head.split_once("\r\n\r\n").expect("the end of a head");
    assert!(head.len() < limits.head);
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    assert!(matches!(first[..], [method, _, "HTTP/1.0" | "HTTP/1.1"] if method == request.method), "{first:?}");
    let read = |bytes: &[u8]| -> String { bytes.iter().map(|byte| char::from(*byte)).collect() };
    let mut fields = request.fields.iter();
    for line in lines {
        assert!(line.len() <= limits.line && !line.contains(['\r', '\n', '\0']), "{line:?}");
        let (name, value) = line.split_once(':').expect("a colon");
        let (seen_name, seen_value) = fields.next().expect("a field for each line");
        assert_eq!(read(seen_name), name.to_ascii_lowercase());
        assert_eq!(read(seen_value), value.trim_matches([' ', '\t']));
    }
    assert!(fields.next().is_none() && request.fields.len() <= limits.fields);
    assert!(request.fields.all("content-length").count() <= 1);
    let both = request.fields.get("content-length").is_some() && request.fields.get("transfer-encoding").is_some();
    assert!(!both, "two readers would see two messages");
}

/// A client, and the bytes of its tunnel once it is established.
struct Client {
    exchange: ClientExchange,
    tunnel: Option<BytesMut>,
}

impl Client {
    fn new(by_connect: bool, trailing: Trailing, limits: &Limits) -> Self {
        let fields = Fields::new();
        let exchange = if by_connect {
            ClientExchange::connect("a:1", &fields, trailing, limits.clone())
        } else {
            ClientExchange::upgrade("a", "/", &fields, limits.clone())
        };
        Self { exchange: exchange.expect("a request"), tunnel: None }
    }
}

impl Decoder for Client {
    type Message = ClientEvent;

    fn receive(&mut self, bytes: &[u8]) {
        match &mut self.tunnel {
            Some(tunnel) => tunnel.extend_from_slice(bytes),
            None => self.exchange.handle_received(bytes),
        }
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.tunnel.as_mut().unwrap_or_else(|| self.exchange.receive_buffer())
    }

    fn poll(&mut self) -> Option<ClientEvent> {
        self.exchange.handle_filled();
        let mut event = self.exchange.poll_event()?;
        if let ClientEvent::Accepted(accepted) = &mut event {
            self.tunnel = Some(core::mem::take(&mut accepted.trailing)[..].into());
        }
        Some(event)
    }

    fn buffered(&self) -> usize {
        self.tunnel.as_ref().map_or(0, BytesMut::len)
    }

    fn is_last(event: &ClientEvent) -> bool {
        !matches!(event, ClientEvent::Accepted(_))
    }
}

/// Feeds a server's bytes to a client that has requested a tunnel.
///
/// Asserts that chunking makes no difference, that there is one event, and that only valid responses establish a
/// tunnel.
pub fn http1_client(data: &[u8]) {
    let mut input = Input::new(data);
    let by_connect = input.flag();
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let bytes = input.rest();
    let events = decode_both_ways(|| Client::new(by_connect, Trailing::Tunnelled, &limits), bytes, &pieces);
    assert!(events.len() <= 1, "{events:?}");
    match events.first() {
        Some(ClientEvent::Accepted(accepted)) if by_connect => assert!((200..300).contains(&accepted.status)),
        Some(ClientEvent::Accepted(accepted)) => {
            assert!(accepted.status == 101 && accepted.fields.has("upgrade", "hotrod"));
        }
        Some(ClientEvent::Refused(refused)) => {
            assert!(refused.status >= 200 && !(by_connect && refused.status < 300));
            refused.retry_after();
        }
        Some(ClientEvent::Failed(_)) | None => {}
    }
    bytes_may_be_refused(by_connect, &limits, bytes, events.first());
}

/// Asserts that [`Trailing::Refused`] differs only where bytes follow the response.
fn bytes_may_be_refused(by_connect: bool, limits: &Limits, bytes: &[u8], tunnelled: Option<&ClientEvent>) {
    let mut strict = Client::new(by_connect, Trailing::Refused, limits);
    strict.receive(bytes);
    let event = strict.poll();
    if event.as_ref() != tunnelled {
        let refused = matches!(event, Some(ClientEvent::Failed(crate::http1::Violation::TrailingData(1..))));
        assert!(by_connect && refused && matches!(tunnelled, Some(ClientEvent::Accepted(_))), "{event:?}");
    }
}
