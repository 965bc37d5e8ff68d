//! The client's role.

use alloc::format;
use alloc::string::{String, ToString};

use bytes::{Bytes, BytesMut};

use super::framing::number;
use super::head::ResponseHead;
use super::incoming::{Incoming, Side};
use super::target::{Port, is_authority, is_path};
use super::{Fields, HOTROD, Limits, Misuse, Violation, date, write};
use crate::wire::SendBuffer;

/// What has come of a request for a tunnel; there is one such event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The tunnel is there.
    Accepted(Accepted),
    /// There is no tunnel. The link is to be closed.
    Refused(Refused),
    /// The answer can't be understood. The link is to be closed.
    Failed(Violation),
}

/// A tunnel that was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// 101, or 200 to 299 from CONNECT.
    pub status: u16,
    /// The fields of the answer.
    pub fields: Fields,
    /// What has come behind the answer's head: the first bytes of the tunnel.
    pub trailing: Bytes,
}

/// A tunnel that was not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// 200 to 999; never 2xx to CONNECT.
    pub status: u16,
    /// The server's words; may be empty.
    pub reason: String,
    /// The fields of the answer.
    pub fields: Fields,
}

impl Refused {
    /// The seconds to wait that `Retry-After` asks for (RFC 9110, 10.2.3). A date is taken to be so long after that of
    /// the answer: `None` if the answer has none.
    pub fn retry_after(&self) -> Option<u64> {
        let wanted = self.fields.get("retry-after")?;
        let until = || Some(date::parse(wanted)? - date::parse(self.fields.get("date")?)?);
        number(wanted).or_else(|| Some(until()?.max(0) as u64))
    }
}

/// Whether bytes may follow the head of an answer at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailing {
    /// They are the tunnel's.
    Tunnelled,
    /// Whoever is at the tunnel's other end speaks only when spoken to, as with TLS: so they come from someone else.
    Refused,
}

/// One request for a tunnel and its answer, in the client's role.
///
/// Send what [`transmit`](Self::transmit) holds, feed bytes ([`receive_buffer`](Self::receive_buffer) and
/// [`handle_filled`](Self::handle_filled), or [`handle_received`](Self::handle_received)), and poll for the event. After
/// it everything on the link is the tunnel's.
pub struct ClientExchange {
    limits: Limits,
    incoming: Incoming,
    out: SendBuffer,
    asked: Asked,
    /// Interim responses so far.
    interim: usize,
    lost: bool,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Upgrade,
    Connect(Trailing),
}

impl ClientExchange {
    /// `GET path` with `Upgrade: hotrod` (RFC 9110, 7.8).
    ///
    /// `authority` is `host` or `host:port` and becomes the Host field; `path` is absolute and may have a query. `fields`
    /// come behind those that the exchange writes itself (Host, Connection, Upgrade).
    pub fn upgrade(authority: &str, path: &str, fields: &Fields, limits: Limits) -> Result<Self, Misuse> {
        if !is_authority(authority, Port::MayBe) {
            return Err(Misuse::Authority(authority.to_string()));
        }
        if !is_path(path) {
            return Err(Misuse::Path(path.to_string()));
        }
        let own = [("host", authority), ("connection", "Upgrade"), ("upgrade", HOTROD)];
        Self::ask(&format!("GET {path} HTTP/1.1"), &own, fields, Asked::Upgrade, limits)
    }

    /// `CONNECT authority` (RFC 9110, 9.3.6).
    ///
    /// `authority` is `host:port`, an IPv6 address in brackets. `fields` come behind Host.
    pub fn connect(authority: &str, fields: &Fields, trailing: Trailing, limits: Limits) -> Result<Self, Misuse> {
        if !is_authority(authority, Port::Needed) {
            return Err(Misuse::Authority(authority.to_string()));
        }
        let (line, asked) = (format!("CONNECT {authority} HTTP/1.1"), Asked::Connect(trailing));
        Self::ask(&line, &[("host", authority)], fields, asked, limits)
    }

    fn ask(line: &str, own: &[(&str, &str)], fields: &Fields, asked: Asked, limits: Limits) -> Result<Self, Misuse> {
        fields.not_reserved()?;
        let mut out = SendBuffer::new();
        write::head(&mut out, line, own.iter().copied(), fields);
        let incoming = Incoming::new(Side::Responses);
        Ok(Self { limits, incoming, out, asked, interim: 0, lost: false, is_over: false })
    }

    /// What is to be sent.
    pub fn transmit(&self) -> &SendBuffer {
        &self.out
    }

    /// The host has sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.advance(count);
    }

    /// Where the host puts what it receives; then say [`handle_filled`](Self::handle_filled).
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.incoming.room()
    }

    /// Takes what was put into the [receive buffer](Self::receive_buffer).
    pub fn handle_filled(&mut self) {
        if self.is_over {
            self.incoming.rest();
        }
    }

    /// Takes a copy of bytes that were received.
    pub fn handle_received(&mut self, bytes: &[u8]) {
        self.incoming.receive(bytes);
        self.handle_filled();
    }

    /// The server sends nothing more. What it has sent is read all the same.
    pub fn handle_link_lost(&mut self) {
        self.lost = true;
    }

    /// Whether the host should read from the link: until the event was polled.
    pub fn wants_read(&self) -> bool {
        !self.is_over && !self.lost
    }

    /// The event; `None` until all of it has come, and after it.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        if self.is_over {
            return None;
        }
        match self.next_answer() {
            Ok(None) if self.lost => Some(self.fail(Violation::Truncated)),
            Ok(None) => None,
            Ok(Some(event)) => {
                self.is_over = true;
                Some(event)
            }
            Err(violation) => Some(self.fail(violation)),
        }
    }

    /// Passes over interim responses, which say nothing yet (RFC 9110, 15.2).
    fn next_answer(&mut self) -> Result<Option<ClientEvent>, Violation> {
        while let Some(head) = self.incoming.head(&self.limits)? {
            let head = ResponseHead::parse(head)?;
            if !(100..200).contains(&head.status) || head.status == 101 {
                return self.answer(head).map(Some);
            }
            self.interim += 1;
            if self.interim > self.limits.interim {
                return Err(Violation::TooManyInterim { limit: self.limits.interim });
            }
        }
        Ok(None)
    }

    /// Lengths of content are of no interest: 101 and a 2xx to CONNECT have none, whatever their fields say (RFC 9112,
    /// 6.3), and after anything else nothing is read.
    fn answer(&mut self, head: ResponseHead) -> Result<ClientEvent, Violation> {
        let ResponseHead { status, reason, minor, fields } = head;
        match (self.asked, status) {
            (Asked::Upgrade, 101) => {
                let changes = fields.has("connection", "upgrade") && is_alone(&fields, "upgrade", HOTROD);
                if !changes || minor == 0 {
                    return Err(Violation::WrongProtocol);
                }
            }
            (Asked::Connect(_), 101) => return Err(Violation::WrongProtocol),
            (Asked::Connect(Trailing::Refused), 200..=299) if self.incoming.len() > 0 => {
                return Err(Violation::TrailingData(self.incoming.len()));
            }
            (Asked::Connect(_), 200..=299) => {}
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

/// Sizes only: what is sent and received may hold passwords.
impl core::fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut f = f.debug_struct("ClientExchange");
        f.field("asked", &self.asked).field("out", &self.out).field("is_over", &self.is_over).finish_non_exhaustive()
    }
}

/// Without the tunnel's bytes.
impl core::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut f = f.debug_struct("Accepted");
        f.field("status", &self.status).field("fields", &self.fields).field("trailing", &self.trailing.len()).finish()
    }
}
