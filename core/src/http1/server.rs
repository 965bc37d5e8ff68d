//! The server's role.

use alloc::string::ToString;

use bytes::{Bytes, BytesMut};

use super::head::RequestHead;
use super::incoming::{Incoming, Side};
use super::request::{Asked, Tunnelled};
use super::{Answer, Fields, HOTROD, Limits, Misuse, Request, Violation, write};
use crate::wire::SendBuffer;

/// What has come of the client's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// A request: [`accept`](ServerExchange::accept) or [`answer`](ServerExchange::answer) it.
    Request(Request),
    /// The last event: nothing more can be understood. What [`transmit`](ServerExchange::transmit) holds says so to the
    /// client; then the link is to be closed.
    Failed(Violation),
}

/// The requests of one link, in the server's role: ordinary ones one after the other, up to one for a tunnel.
///
/// ```text
///         ┌────────── content skipped ◀──────────┐
///         ▼                                      │ answer
///   waiting for a head ──poll_event──▶ request ──┤
///         │ violation                            │ accept ──▶ tunnel
///         └─────────▶ closing ◀──────────────────┘ answer, and close
/// ```
///
/// Feed bytes ([`receive_buffer`](Self::receive_buffer) and [`handle_filled`](Self::handle_filled), or
/// [`handle_received`](Self::handle_received)), poll events, answer, and take bytes ([`transmit`](Self::transmit)). One
/// request is out at a time: none is read before the last one's answer is sent, so poll also after
/// [`transmitted`](Self::transmitted).
pub struct ServerExchange {
    limits: Limits,
    incoming: Incoming,
    out: SendBuffer,
    state: State,
    /// Requests so far.
    requests: usize,
    lost: bool,
}

enum State {
    /// So much content of the last request is to be skipped before the next head.
    Head { content: u64 },
    /// The host has to answer.
    Asked(Asked),
    /// The bytes belong to the tunnel.
    Tunnel,
    /// To be closed.
    Closing,
}

impl ServerExchange {
    /// At the beginning of a link.
    pub fn new(limits: Limits) -> Self {
        let (incoming, out) = (Incoming::new(Side::Requests), SendBuffer::new());
        Self { limits, incoming, out, state: State::Head { content: 0 }, requests: 0, lost: false }
    }

    /// Where the host puts what it receives; then say [`handle_filled`](Self::handle_filled).
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.incoming.room()
    }

    /// Takes what was put into the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self) {
        if self.closes() {
            self.incoming.rest();
        }
    }

    /// Takes a copy of bytes that were received.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.incoming.receive(bytes);
        self.handle_filled();
    }

    /// The client sends nothing more. What it has sent is read all the same.
    pub fn handle_link_lost(&mut self) {
        self.lost = true;
    }

    /// The host's time for a request is over: if one is waited for, the client is told so (408; RFC 9110, 15.5.9), and
    /// the link is to be closed. Between requests nothing is said. Answers what [`poll_event`](Self::poll_event) would.
    pub fn handle_timeout(&mut self) -> Option<ServerEvent> {
        let State::Head { content } = self.state else { return None };
        if content == 0 && self.incoming.len() == 0 && self.requests > 0 {
            self.state = State::Closing;
            return None;
        }
        Some(self.fail(Violation::TimedOut))
    }

    /// Whether the host should read from the link. Not while a request waits for its answer.
    pub fn wants_read(&self) -> bool {
        matches!(self.state, State::Head { .. }) && self.out.is_empty() && !self.lost
    }

    /// The next event; `None` until more bytes have come or gone out, or a request was answered.
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
        let (request, asked) = Request::of(RequestHead::parse(head)?, self.limits.content)?;
        self.requests += 1;
        self.state = State::Asked(asked);
        Ok(Some(request))
    }

    /// Gives the tunnel that was asked for: 101 with `Upgrade: hotrod` (RFC 9110, 7.8), or 200 without content (RFC
    /// 9110, 9.3.6), and the fields given.
    ///
    /// Returns what has come behind the request's head: the first bytes of the tunnel. The exchange is over: when what
    /// [`transmit`](Self::transmit) holds is sent, everything else on the link is the tunnel's.
    pub fn accept(&mut self, fields: &Fields) -> Result<Bytes, Misuse> {
        let State::Asked(asked) = &self.state else { return Err(Misuse::NothingAsked) };
        let tunnel = asked.tunnel.ok_or(Misuse::NoTunnelAsked)?;
        fields.not_reserved()?;
        match tunnel {
            Tunnelled::Upgrade => {
                let own = [("connection", "Upgrade"), ("upgrade", HOTROD)];
                write::head(&mut self.out, &write::status_line(101), own, fields);
            }
            Tunnelled::Connect => write::head(&mut self.out, &write::status_line(200), [], fields),
        }
        self.state = State::Tunnel;
        Ok(self.incoming.rest())
    }

    /// Answers a request, or refuses a tunnel with a status of 300 to 599.
    ///
    /// The link [closes](Self::closes) behind it if `close` says so, if the client wants it, if the content of the request
    /// is not to be skipped, at the limit of requests, and whenever a tunnel was refused: what the client may have sent
    /// into it must not be taken for requests.
    pub fn answer(&mut self, answer: &Answer, close: bool) -> Result<(), Misuse> {
        let State::Asked(asked) = self.state else { return Err(Misuse::NothingAsked) };
        let least = if asked.tunnel.is_some() { 300 } else { 200 };
        if !(least..600).contains(&answer.status) {
            return Err(Misuse::Status(answer.status));
        }
        answer.fields.not_reserved()?;
        let close = close || asked.tunnel.is_some() || self.requests >= self.limits.requests;
        let next_behind = asked.next_behind.filter(|_| !close);
        self.write(answer, asked.is_head, next_behind.is_none());
        match next_behind {
            Some(content) => self.state = State::Head { content },
            None => self.close(),
        }
        Ok(())
    }

    /// Whether the link is to be closed when what [`transmit`](Self::transmit) holds is sent. Until the client closes it
    /// too, or the host's patience ends, more may be read and is dropped: closed with bytes unread, a link may lose the
    /// answer (RFC 9112, 9.6).
    pub fn closes(&self) -> bool {
        matches!(self.state, State::Closing)
    }

    /// Bytes of memory that the client has the exchange take.
    pub fn memory(&self) -> usize {
        self.incoming.memory() + self.out.len()
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// Nothing more can come, which is no fault between two requests.
    fn end(&mut self) -> Option<ServerEvent> {
        let between = matches!(self.state, State::Head { content: 0 }) && self.incoming.len() == 0;
        self.close();
        (!between).then_some(ServerEvent::Failed(Violation::Truncated))
    }

    fn fail(&mut self, violation: Violation) -> ServerEvent {
        self.write(&Answer::text(violation.status(), violation.to_string()), false, true);
        self.close();
        ServerEvent::Failed(violation)
    }

    fn close(&mut self) {
        self.state = State::Closing;
        self.incoming.rest();
    }

    fn write(&mut self, answer: &Answer, is_head: bool, close: bool) {
        let (status, content) = (answer.status, &answer.content);
        // These have no content, and 204 not even a length of it (RFC 9110, 8.6 and 15.4.5).
        let may_have_content = !matches!(status, 204 | 304);
        let length = content.len().to_string();
        // One who is told to upgrade is told to what (RFC 9110, 15.5.22).
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
        write::head(&mut self.out, &write::status_line(status), own.into_iter().flatten(), &answer.fields);
        if may_have_content && !is_head {
            self.out.put_raw(content);
        }
    }
}

/// Sizes only: what was received may hold passwords.
impl core::fmt::Debug for ServerExchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match self.state {
            State::Head { .. } => "waiting for a request",
            State::Asked(_) => "asked",
            State::Tunnel => "tunnel",
            State::Closing => "closing",
        };
        f.debug_struct("ServerExchange").field("state", &state).field("out", &self.out).finish_non_exhaustive()
    }
}
