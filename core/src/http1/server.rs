//! The server's role of an exchange.

use alloc::string::ToString;

use bytes::{Bytes, BytesMut};

use super::head::RequestHead;
use super::incoming::{Incoming, Side};
use super::request::{PendingRequest, TunnelKind};
use super::{Fields, HOTROD, Limits, Misuse, Request, Response, Violation, write};
use crate::send_buffer::SendBuffer;

/// Event of a server exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A request: [`accept`](ServerExchange::accept) it or [`respond`](ServerExchange::respond) to it.
    Request(Request),
    /// Last event: the client's bytes are invalid. Send the response in [`transmit`](ServerExchange::transmit), then
    /// close the link.
    Failed(Violation),
}

/// Requests of one link, in the server's role: ordinary requests one after the other, up to one for a tunnel.
///
/// ```text
///         ┌────────── content skipped ◀──────────┐
///         ▼                                      │ respond
///   waiting for a head ──poll_event──▶ request ──┤
///         │ violation                            │ accept ──▶ tunnel
///         └─────────▶ closing ◀──────────────────┘ respond, and close
/// ```
///
/// Feed bytes with [`receive_buffer`](Self::receive_buffer) and [`handle_filled`](Self::handle_filled), or with
/// [`handle_received`](Self::handle_received), poll events, respond, and send the bytes of
/// [`transmit`](Self::transmit). One request is pending at a time: the next one is read only after the last response
/// was sent, so poll after [`transmitted`](Self::transmitted) too.
pub struct ServerExchange {
    limits: Limits,
    incoming: Incoming,
    out: SendBuffer,
    state: State,
    /// Number of requests so far.
    requests: usize,
    lost: bool,
}

enum State {
    /// Skips `content` bytes of the last request, then reads the next head.
    Head { content: u64 },
    /// Awaits the host's response.
    Pending(PendingRequest),
    /// All bytes belong to the tunnel.
    Tunnel,
    /// The link is to be closed.
    Closing,
}

impl ServerExchange {
    /// Creates an exchange at the beginning of a link.
    pub fn new(limits: Limits) -> Self {
        let (incoming, out) = (Incoming::new(Side::Requests), SendBuffer::new());
        Self { limits, incoming, out, state: State::Head { content: 0 }, requests: 0, lost: false }
    }

    /// Receive buffer; call [`handle_filled`](Self::handle_filled) after reading into it.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.incoming.buffer_for_read()
    }

    /// Handles the bytes read into the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self) {
        if self.closes() {
            self.incoming.rest();
        }
    }

    /// Copies and handles received bytes.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.incoming.receive(bytes);
        self.handle_filled();
    }

    /// Reports the end of the client's bytes. Bytes received before are still handled.
    pub fn handle_link_lost(&mut self) {
        self.lost = true;
    }

    /// Reports that the host's timeout for a request expired. An incomplete request gets a 408 response (RFC 9110,
    /// 15.5.9) and the link is to be closed; between requests the link closes without a response. Returns the event as
    /// [`poll_event`](Self::poll_event) does.
    pub fn handle_timeout(&mut self) -> Option<ServerEvent> {
        let State::Head { content } = self.state else { return None };
        if content == 0 && self.incoming.len() == 0 && self.requests > 0 {
            self.state = State::Closing;
            return None;
        }
        Some(self.fail(Violation::TimedOut))
    }

    /// Whether the host should read from the link; false while a request awaits its response.
    pub fn wants_read(&self) -> bool {
        matches!(self.state, State::Head { .. }) && self.out.is_empty() && !self.lost
    }

    /// Returns the next event; `None` until more bytes are received or sent, or a response is given.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        let State::Head { content } = &mut self.state else { return None };
        *content = self.incoming.skip(*content);
        if !self.out.is_empty() {
            return None;
        }
        if *content == 0 {
            match self.next_request() {
                Ok(None) => {}
                Ok(Some(request)) => return Some(ServerEvent::Request(request)),
                Err(violation) => return Some(self.fail(violation)),
            }
        }
        if self.lost { self.end() } else { None }
    }

    fn next_request(&mut self) -> Result<Option<Request>, Violation> {
        let Some(head) = self.incoming.head(&self.limits)? else { return Ok(None) };
        let (request, pending) = Request::of(RequestHead::parse(head)?, self.limits.content)?;
        self.requests += 1;
        self.state = State::Pending(pending);
        Ok(Some(request))
    }

    /// Accepts the requested tunnel: writes 101 with `Upgrade: hotrod` (RFC 9110, 7.8) or 200 without content (RFC
    /// 9110, 9.3.6), with `fields`.
    ///
    /// Returns the bytes received behind the request's head: the first bytes of the tunnel. The exchange is over: once
    /// the bytes of [`transmit`](Self::transmit) are sent, all others on the link belong to the tunnel.
    pub fn accept(&mut self, fields: &Fields) -> Result<Bytes, Misuse> {
        let State::Pending(pending) = &self.state else { return Err(Misuse::NoRequest) };
        let tunnel = pending.tunnel.ok_or(Misuse::NotATunnelRequest)?;
        fields.not_reserved()?;
        match tunnel {
            TunnelKind::Upgrade => {
                let own = [("connection", "Upgrade"), ("upgrade", HOTROD)];
                write::head(&mut self.out, &write::status_line(101), own, fields);
            }
            TunnelKind::Connect => write::head(&mut self.out, &write::status_line(200), [], fields),
        }
        self.state = State::Tunnel;
        Ok(self.incoming.rest())
    }

    /// Responds to a request, or refuses a tunnel with a status of 300 to 599.
    ///
    /// The link [closes](Self::closes) afterwards if `close` is set, if the client requested it, if the request's
    /// content can't be skipped, at the limit of requests, and after a refused tunnel: the bytes that the client may
    /// have sent into the tunnel must not be read as requests.
    pub fn respond(&mut self, response: &Response, close: bool) -> Result<(), Misuse> {
        let State::Pending(pending) = self.state else { return Err(Misuse::NoRequest) };
        let lowest = if pending.tunnel.is_some() { 300 } else { 200 };
        if !(lowest..600).contains(&response.status) {
            return Err(Misuse::Status(response.status));
        }
        response.fields.not_reserved()?;
        let close = close || pending.tunnel.is_some() || self.requests >= self.limits.requests;
        let content_to_skip = pending.content_to_skip.filter(|_| !close);
        self.write(response, pending.is_head, content_to_skip.is_none());
        match content_to_skip {
            Some(content) => self.state = State::Head { content },
            None => self.close(),
        }
        Ok(())
    }

    /// Whether to close the link once the bytes of [`transmit`](Self::transmit) are sent. Until the client closes the
    /// link too, or a timeout of the host, the host may read and drop more bytes: closing with unread bytes may lose
    /// the response (RFC 9112, 9.6).
    pub fn closes(&self) -> bool {
        matches!(self.state, State::Closing)
    }

    /// Memory in bytes that the exchange holds for the client.
    pub fn memory(&self) -> usize {
        self.incoming.memory() + self.out.len()
    }

    /// Bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// Handles the end of the client's bytes, which is no violation between two requests.
    fn end(&mut self) -> Option<ServerEvent> {
        let between = matches!(self.state, State::Head { content: 0 }) && self.incoming.len() == 0;
        self.close();
        (!between).then_some(ServerEvent::Failed(Violation::Truncated))
    }

    fn fail(&mut self, violation: Violation) -> ServerEvent {
        self.write(&Response::text(violation.status(), violation.to_string()), false, true);
        self.close();
        ServerEvent::Failed(violation)
    }

    fn close(&mut self) {
        self.state = State::Closing;
        self.incoming.rest();
    }

    fn write(&mut self, response: &Response, is_head: bool, close: bool) {
        let (status, content) = (response.status, &response.content);
        // 204 and 304 have no content, and 204 has no Content-Length (RFC 9110, 8.6 and 15.4.5).
        let may_have_content = !matches!(status, 204 | 304);
        let length = content.len().to_string();
        // A 426 response names the protocol to upgrade to (RFC 9110, 15.5.22).
        let upgrades = status == 426;
        let connection = match (close, upgrades) {
            (true, true) => Some("close, Upgrade"),
            (true, false) => Some("close"),
            (false, true) => Some("Upgrade"),
            (false, false) => None,
        };
        let own = [
            connection.map(|options| ("connection", options)),
            upgrades.then_some(("upgrade", HOTROD)),
            may_have_content.then_some(("content-length", length.as_str())),
        ];
        write::head(&mut self.out, &write::status_line(status), own.into_iter().flatten(), &response.fields);
        if may_have_content && !is_head {
            self.out.put_raw(content);
        }
    }
}

/// Shows sizes only: the bytes may hold passwords.
impl core::fmt::Debug for ServerExchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match self.state {
            State::Head { .. } => "waiting for a request",
            State::Pending(_) => "request pending",
            State::Tunnel => "tunnel",
            State::Closing => "closing",
        };
        f.debug_struct("ServerExchange").field("state", &state).field("out", &self.out).finish_non_exhaustive()
    }
}
