//! The numbers of Hot Rod over HTTP (spec/hotrod-over-http.md, "Registries").

use core::fmt;

use crate::http2::ErrorCode;

/// The revision of the frames that is spoken here.
pub const REVISION: u32 = 1;

/// The `:protocol` of Extended CONNECT (RFC 8441), the token of `Upgrade`, and the ALPN id of Hot Rod without HTTP.
pub const PROTOCOL: &str = "hotrod";

/// Header field: the member that is asked for, by its name or its advertised address; in an answer, the member's name.
pub const NODE_FIELD: &str = "hot-rod-node";

/// Header field of an answer: the address under which topologies know the member that answers.
pub const ADDRESS_FIELD: &str = "hot-rod-address";

/// Header field: what a tunnel carries, `hotrod` (the default) or `h2`.
pub const INSIDE_FIELD: &str = "hot-rod-inside";

/// Settings that an endpoint of Hot Rod over HTTP/2 announces.
pub mod setting {
    /// The revision of the frames; 0, the default, is none.
    pub const HOT_ROD: u16 = 0xf000;
    /// Octets of fragments that a call, or the events of a session, may send at first. Default 65,536.
    pub const INITIAL_CREDIT: u16 = 0xf001;
    /// Octets of the largest message accepted. Default 2^31-1.
    pub const MAX_MESSAGE_SIZE: u16 = 0xf002;
    /// Calls in flight that a session may have. Default 1,000.
    pub const MAX_CALLS: u16 = 0xf003;
    /// As `INITIAL_CREDIT`, for all calls of the link together. Default 1,048,576.
    pub const CONNECTION_CREDIT: u16 = 0xf004;
    /// Larger messages should go over a second session to the same member; 0, the default: one is enough.
    pub const LANE_THRESHOLD: u16 = 0xf005;
}

/// Types of the frames.
pub mod frame_type {
    /// A fragment of a request.
    pub const REQUEST: u8 = 0xf0;
    /// A fragment of what answers a request.
    pub const RESPONSE: u8 = 0xf1;
    /// A fragment of an event.
    pub const EVENT: u8 = 0xf2;
    /// More octets that may be sent in fragments.
    pub const CREDIT: u8 = 0xf3;
    /// A call is given up.
    pub const CANCEL: u8 = 0xf4;
    /// Which member answers.
    pub const NODE: u8 = 0xf5;
    /// A new view of the cluster.
    pub const TOPOLOGY: u8 = 0xf6;
    /// The end is near: go elsewhere.
    pub const DRAIN: u8 = 0xf7;

    /// All of them.
    pub const ALL: [u8; 8] = [REQUEST, RESPONSE, EVENT, CREDIT, CANCEL, NODE, TOPOLOGY, DRAIN];
}

/// Flags of the frames.
pub mod flag {
    /// The last fragment of a message.
    pub const FIN: u8 = 0x01;
    /// The first fragment of a message.
    pub const FIRST: u8 = 0x02;
    /// Three bits of a call's urgency, 0 the most and 7 the least urgent (the words of RFC 9218).
    pub const URGENCY: u8 = 0x70;
    /// Of CANCEL: the call may have been applied.
    pub const MAY_HAVE_BEEN_APPLIED: u8 = 0x01;
}

/// The urgency of a call that nobody has an opinion of.
pub const USUAL_URGENCY: u8 = 3;

/// A message is malformed, or came where none may come.
pub const HOT_ROD_MESSAGE_ERROR: ErrorCode = ErrorCode(0xf000_0000);
/// A message is larger than its receiver accepts.
pub const HOT_ROD_TOO_LARGE: ErrorCode = ErrorCode(0xf000_0001);
/// More was sent than there was credit for, or credit was given that can't be.
pub const HOT_ROD_CREDIT_ERROR: ErrorCode = ErrorCode(0xf000_0002);
/// A frame names a call that never was.
pub const HOT_ROD_UNKNOWN_CALL: ErrorCode = ErrorCode(0xf000_0003);
/// The member refused the credentials.
pub const HOT_ROD_NOT_AUTHENTICATED: ErrorCode = ErrorCode(0xf000_0004);
/// The connection between endpoint and member is gone, or could not be made.
pub const HOT_ROD_UPSTREAM_GONE: ErrorCode = ErrorCode(0xf000_0005);
/// The endpoint, or the member, stops.
pub const HOT_ROD_DRAINING: ErrorCode = ErrorCode(0xf000_0006);
/// More calls are in flight than the endpoint accepts.
pub const HOT_ROD_TOO_MANY_CALLS: ErrorCode = ErrorCode(0xf000_0007);

/// An error code in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained(pub ErrorCode);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            HOT_ROD_MESSAGE_ERROR => "a message was malformed (HOT_ROD_MESSAGE_ERROR)",
            HOT_ROD_TOO_LARGE => "the message is larger than the endpoint accepts (HOT_ROD_TOO_LARGE)",
            HOT_ROD_CREDIT_ERROR => "credit was violated (HOT_ROD_CREDIT_ERROR)",
            HOT_ROD_UNKNOWN_CALL => "a frame named a call that never was (HOT_ROD_UNKNOWN_CALL)",
            HOT_ROD_NOT_AUTHENTICATED => "the member refused the credentials (HOT_ROD_NOT_AUTHENTICATED)",
            HOT_ROD_UPSTREAM_GONE => "the gateway lost the member (HOT_ROD_UPSTREAM_GONE)",
            HOT_ROD_DRAINING => "the endpoint is draining (HOT_ROD_DRAINING)",
            HOT_ROD_TOO_MANY_CALLS => "too many calls are in flight (HOT_ROD_TOO_MANY_CALLS)",
            other => return write!(f, "{other}"),
        })
    }
}
