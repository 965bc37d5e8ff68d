//! The client's role of an exchange.

use alloc::format;
use alloc::string::{String, ToString};

use bytes::{Bytes, BytesMut};

use super::framing::number;
use super::head::ResponseHead;
use super::incoming::{Incoming, Side};
use super::target::{Port, is_authority, is_path};
use super::{Fields, HOTROD, Limits, Misuse, Violation, date, write};
use crate::send_buffer::SendBuffer;

/// Result of a request for a tunnel; an exchange has one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The tunnel is established.
    Accepted(Accepted),
    /// The server refused the tunnel. Close the link.
    Refused(Refused),
    /// The response is invalid. Close the link.
    Failed(Violation),
}

/// Response that established a tunnel.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Status of the response: 101 to an upgrade, 200 to 299 to CONNECT.
    pub status: u16,
    /// Header fields of the response.
    pub fields: Fields,
    /// Bytes received behind the head: the first bytes of the tunnel.
    pub trailing: Bytes,
}

/// Response that refused a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Status of the response: 200 to 999, never 2xx to CONNECT.
    pub status: u16,
    /// Reason phrase; may be empty.
    pub reason: String,
    /// Header fields of the response.
    pub fields: Fields,
}

impl Refused {
    /// Delay of `Retry-After`, in seconds (RFC 9110, 10.2.3). A date is taken relative to the response's `Date`, and
    /// `None` is returned without one.
    pub fn retry_after(&self) -> Option<u64> {
        let value = self.fields.get("retry-after")?;
        let delay = || Some(date::parse(value)? - date::parse(self.fields.get("date")?)?);
        number(value).or_else(|| Some(delay()?.max(0) as u64))
    }
}

/// Treatment of bytes directly behind the head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailing {
    /// The bytes belong to the tunnel.
    Tunnelled,
    /// The bytes are a violation: the protocol in the tunnel waits for the client first, as TLS does, so they come
    /// from another peer.
    Refused,
}

/// One request for a tunnel and its response, in the client's role.
///
/// Send the bytes of [`transmit`](Self::transmit), feed received bytes with [`receive_buffer`](Self::receive_buffer)
/// and [`handle_filled`](Self::handle_filled), or with [`handle_received`](Self::handle_received), and poll the event.
/// After the event, all bytes on the link belong to the tunnel.
pub struct ClientExchange {
    limits: Limits,
    incoming: Incoming,
    out: SendBuffer,
    request: TunnelRequest,
    /// Number of interim responses so far.
    interim: usize,
    lost: bool,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TunnelRequest {
    Upgrade,
    Connect(Trailing),
}

impl ClientExchange {
    /// Requests `GET path` with `Upgrade: hotrod` (RFC 9110, 7.8).
    ///
    /// `authority` is `host` or `host:port` and becomes the Host field; `path` is absolute and may have a query.
    /// `fields` follow the fields that the exchange writes (Host, Connection, Upgrade).
    pub fn upgrade(authority: &str, path: &str, fields: &Fields, limits: Limits) -> Result<Self, Misuse> {
        if !is_authority(authority, Port::Optional) {
            return Err(Misuse::Authority(authority.to_string()));
        }
        if !is_path(path) {
            return Err(Misuse::Path(path.to_string()));
        }
        let own = [("host", authority), ("connection", "Upgrade"), ("upgrade", HOTROD)];
        Self::new(&format!("GET {path} HTTP/1.1"), &own, fields, TunnelRequest::Upgrade, limits)
    }

    /// Requests `CONNECT authority` (RFC 9110, 9.3.6).
    ///
    /// `authority` is `host:port`, an IPv6 address in brackets. `fields` follow Host.
    pub fn connect(authority: &str, fields: &Fields, trailing: Trailing, limits: Limits) -> Result<Self, Misuse> {
        if !is_authority(authority, Port::Required) {
            return Err(Misuse::Authority(authority.to_string()));
        }
        let (line, request) = (format!("CONNECT {authority} HTTP/1.1"), TunnelRequest::Connect(trailing));
        Self::new(&line, &[("host", authority)], fields, request, limits)
    }

    fn new(
        line: &str,
        own: &[(&str, &str)],
        fields: &Fields,
        request: TunnelRequest,
        limits: Limits,
    ) -> Result<Self, Misuse> {
        fields.not_reserved()?;
        let mut out = SendBuffer::new();
        write::head(&mut out, line, own.iter().copied(), fields);
        let incoming = Incoming::new(Side::Responses);
        Ok(Self { limits, incoming, out, request, interim: 0, lost: false, is_over: false })
    }

    /// Bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// Receive buffer; call [`handle_filled`](Self::handle_filled) after reading into it.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.incoming.buffer_for_read()
    }

    /// Handles the bytes read into the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self) {
        if self.is_over {
            self.incoming.rest();
        }
    }

    /// Copies and handles received bytes.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.incoming.receive(bytes);
        self.handle_filled();
    }

    /// Reports the end of the server's bytes. Bytes received before are still handled.
    pub fn handle_link_lost(&mut self) {
        self.lost = true;
    }

    /// Whether the host should read from the link: until the event is polled.
    pub fn wants_read(&self) -> bool {
        !self.is_over && !self.lost
    }

    /// Returns the event; `None` until the response is complete, and after the event.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        if self.is_over {
            return None;
        }
        match self.next_response() {
            Ok(None) if self.lost => Some(self.fail(Violation::Truncated)),
            Ok(None) => None,
            Ok(Some(event)) => {
                self.is_over = true;
                Some(event)
            }
            Err(violation) => Some(self.fail(violation)),
        }
    }

    /// Reads the final response, and skips interim responses (RFC 9110, 15.2).
    fn next_response(&mut self) -> Result<Option<ClientEvent>, Violation> {
        while let Some(head) = self.incoming.head(&self.limits)? {
            let head = ResponseHead::parse(head)?;
            if !(100..200).contains(&head.status) || head.status == 101 {
                return self.handle_response(head).map(Some);
            }
            self.interim += 1;
            if self.interim > self.limits.interim {
                return Err(Violation::TooManyInterim { limit: self.limits.interim });
            }
        }
        Ok(None)
    }

    /// Ignores content lengths: 101 and a 2xx to CONNECT have no content in spite of their fields (RFC 9112, 6.3), and
    /// no bytes are read after any other response.
    fn handle_response(&mut self, head: ResponseHead) -> Result<ClientEvent, Violation> {
        let ResponseHead { status, reason, minor, fields } = head;
        match (self.request, status) {
            (TunnelRequest::Upgrade, 101) => {
                let changes = fields.has("connection", "upgrade") && is_alone(&fields, "upgrade", HOTROD);
                if !changes || minor == 0 {
                    return Err(Violation::WrongProtocol);
                }
            }
            (TunnelRequest::Connect(_), 101) => return Err(Violation::WrongProtocol),
            (TunnelRequest::Connect(Trailing::Refused), 200..=299) if self.incoming.len() > 0 => {
                return Err(Violation::TrailingData(self.incoming.len()));
            }
            (TunnelRequest::Connect(_), 200..=299) => {}
            _ => return Ok(ClientEvent::Refused(Refused { status, reason, fields })),
        }
        Ok(ClientEvent::Accepted(Accepted { status, fields, trailing: self.incoming.rest() }))
    }

    fn fail(&mut self, violation: Violation) -> ClientEvent {
        self.is_over = true;
        self.incoming.rest();
        ClientEvent::Failed(violation)
    }
}

fn is_alone(fields: &Fields, name: &str, member: &str) -> bool {
    fields.list(name).count() == 1 && fields.has(name, member)
}

/// Shows sizes only: the bytes may hold passwords.
impl core::fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut f = f.debug_struct("ClientExchange");
        f.field("request", &self.request)
            .field("out", &self.out)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

/// Omits the tunnel's bytes.
impl core::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut f = f.debug_struct("Accepted");
        f.field("status", &self.status).field("fields", &self.fields).field("trailing", &self.trailing.len()).finish()
    }
}
