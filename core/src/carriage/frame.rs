//! Payloads of Hot Rod frames.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::{Buf, Bytes};
use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16, be_u32};

use super::registry::{flag, frame_type};
use crate::http2::ErrorCode;
use crate::wire::{Limits, Member, SendBuffer, Topology, decode_topology, encode_topology};

/// Bytes before the fragment in REQUEST, RESPONSE and EVENT.
pub(super) const CALL_ID: usize = 4;

/// A parsed Hot Rod frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// REQUEST.
    Request(Fragment),
    /// RESPONSE.
    Response(Fragment),
    /// EVENT.
    Event(Fragment),
    /// CREDIT.
    Credit {
        /// The call; 0 on stream 0 for the connection, on other streams for the session's events.
        call: u32,
        /// Increment in bytes.
        increment: u32,
    },
    /// CANCEL.
    Cancel {
        /// The call.
        call: u32,
        /// Error code.
        code: ErrorCode,
        /// Whether the member may have executed the call.
        may_have_been_applied: bool,
    },
    /// NODE.
    Node(Node),
    /// TOPOLOGY.
    Topology {
        /// Name of the cache.
        cache: String,
        /// The cache's members and owners.
        topology: Box<Topology>,
    },
    /// DRAIN.
    Drain {
        /// Grace period in milliseconds.
        grace_ms: u32,
    },
}

/// A fragment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Id of the call, or number of the event.
    pub call: u32,
    /// FIRST: the fragment begins its message.
    pub is_first: bool,
    /// FIN: the fragment ends its message.
    pub is_last: bool,
    /// Urgency of a request, 0 (most urgent) to 7; only in its first fragment.
    pub urgency: u8,
    /// Bytes of the message.
    pub bytes: Bytes,
}

/// Identity of the member at the other end of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Kind of endpoint.
    pub mode: Mode,
    /// Source of the endpoint's topology.
    pub knowledge: Knowledge,
    /// Name of the member, 1 to 255 bytes of UTF-8.
    pub name: String,
    /// Host of the member's address in topologies; empty, with port 0, while unknown.
    pub host: String,
    /// Port of the member's address in topologies.
    pub port: u16,
}

/// Kind of endpoint in NODE; unknown values are preserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mode(pub u8);

impl Mode {
    /// A member that supports frames itself.
    pub const NATIVE: Self = Self(0);
    /// A gateway of one member.
    pub const SIDECAR: Self = Self(1);
    /// A gateway of all members.
    pub const FRONT: Self = Self(2);
}

/// Source of an endpoint's topology in NODE; unknown values are preserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Knowledge(pub u8);

impl Knowledge {
    /// The endpoint has no topology.
    pub const NONE: Self = Self(0);
    /// Replies to clients; gateways no longer send this value (spec, R-104).
    pub const FROM_REPLIES: Self = Self(1);
    /// The endpoint's own connection.
    pub const OWN_CONNECTION: Self = Self(2);
}

/// Reason why a payload can't be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Size that the frame's fields can't have: FRAME_SIZE_ERROR.
    Size,
    /// Invalid value of a field: HOT_ROD_MESSAGE_ERROR.
    Value,
}

impl Frame {
    /// Parses a payload; `None` for a type that is not Hot Rod's.
    pub(super) fn parse(kind: u8, flags: u8, payload: Bytes, limits: &Limits) -> Option<Result<Self, Malformed>> {
        Some(match kind {
            frame_type::REQUEST => Fragment::parse(flags, payload).map(Self::Request),
            frame_type::RESPONSE => Fragment::parse(flags, payload).map(Self::Response),
            frame_type::EVENT => Fragment::parse(flags, payload).map(Self::Event),
            frame_type::CREDIT => {
                whole(&payload, two_numbers).map(|(call, increment)| Self::Credit { call, increment })
            }
            frame_type::CANCEL => whole(&payload, two_numbers).map(|(call, code)| Self::Cancel {
                call,
                code: ErrorCode(code),
                may_have_been_applied: flags & flag::MAY_HAVE_BEEN_APPLIED != 0,
            }),
            frame_type::NODE => whole(&payload, node).and_then(|node| node.ok_or(Malformed::Value)).map(Self::Node),
            frame_type::TOPOLOGY => parse_topology(&payload, limits),
            frame_type::DRAIN => whole(&payload, be_u32).map(|grace_ms| Self::Drain { grace_ms }),
            _ => return None,
        })
    }
}

impl Fragment {
    fn parse(flags: u8, mut payload: Bytes) -> Result<Self, Malformed> {
        if payload.len() < CALL_ID {
            return Err(Malformed::Size);
        }
        Ok(Self {
            call: payload.get_u32(),
            is_first: flags & flag::FIRST != 0,
            is_last: flags & flag::FIN != 0,
            urgency: (flags & flag::URGENCY) >> 4,
            bytes: payload,
        })
    }

    /// Returns whether the fragment is a whole message, which needs no credit.
    pub fn is_whole(&self) -> bool {
        self.is_first && self.is_last
    }

    /// Returns whether the fragment carries no work.
    pub(super) fn is_overhead(&self) -> bool {
        self.bytes.is_empty() && !self.is_first && !self.is_last
    }

    /// Returns the bytes that count against credit.
    pub(super) fn counted(&self) -> usize {
        if self.is_whole() { 0 } else { self.bytes.len() }
    }
}

impl Node {
    /// Returns the member's address in topologies; `None` while unknown.
    pub fn address(&self) -> Option<Member> {
        (!self.host.is_empty() && self.port != 0).then(|| Member { host: self.host.clone(), port: self.port })
    }

    /// Encodes the payload of NODE. Names and hosts are truncated to 255 bytes.
    pub(crate) fn payload(&self) -> Bytes {
        let mut out = SendBuffer::new();
        out.put_u8(self.mode.0);
        out.put_u8(self.knowledge.0);
        for text in [&self.name, &self.host] {
            let fits = |end: &usize| text.is_char_boundary(*end);
            let end = (0..=text.len().min(usize::from(u8::MAX))).rev().find(fits).unwrap_or_default();
            out.put_u8(end as u8);
            out.put_slice(&text.as_bytes()[..end]);
        }
        out.put_u16(self.port);
        out.to_bytes()
    }
}

/// Encodes the payload of TOPOLOGY.
pub(super) fn topology_payload(cache: &str, topology: &Topology) -> Bytes {
    let mut out = SendBuffer::new();
    out.put_u16(cache.len() as u16);
    out.put_slice(cache.as_bytes());
    encode_topology(topology, &mut out);
    out.to_bytes()
}

fn parse_topology(payload: &Bytes, limits: &Limits) -> Result<Frame, Malformed> {
    let (rest, cache) = cache_name(payload).map_err(|_| Malformed::Size)?;
    let cache = core::str::from_utf8(cache).map_err(|_| Malformed::Value)?.into();
    let topology = decode_topology(&payload.slice_ref(rest), limits).ok_or(Malformed::Value)?;
    Ok(Frame::Topology { cache, topology })
}

/// Runs a parser that must consume the whole payload.
fn whole<'a, T>(payload: &'a [u8], parser: impl Fn(&'a [u8]) -> IResult<&'a [u8], T>) -> Result<T, Malformed> {
    match parser(payload) {
        Ok(([], value)) => Ok(value),
        _ => Err(Malformed::Size),
    }
}

fn two_numbers(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let (input, first) = be_u32(input)?;
    let (input, second) = be_u32(input)?;
    Ok((input, (first, second)))
}

fn cache_name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (input, length) = be_u16(input)?;
    take(length)(input)
}

/// Parses NODE; the inner `None` stands for a text that is not UTF-8, or an empty name.
fn node(input: &[u8]) -> IResult<&[u8], Option<Node>> {
    let (input, mode) = be_u8(input)?;
    let (input, knowledge) = be_u8(input)?;
    let (input, length) = be_u8(input)?;
    let (input, name) = take(length)(input)?;
    let (input, length) = be_u8(input)?;
    let (input, host) = take(length)(input)?;
    let (input, port) = be_u16(input)?;
    let name = core::str::from_utf8(name).ok().filter(|name| !name.is_empty());
    let texts = name.zip(core::str::from_utf8(host).ok());
    let node = texts.map(|(name, host)| Node {
        mode: Mode(mode),
        knowledge: Knowledge(knowledge),
        name: name.into(),
        host: host.into(),
        port,
    });
    Ok((input, node))
}
