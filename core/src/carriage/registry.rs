//! Registered values of Hot Rod over HTTP (spec/hotrod-over-http.md, "Registries").

use core::fmt;

use crate::http2::ErrorCode;

/// Supported revision of the frames.
pub const REVISION: u32 = 1;

/// The `:protocol` of Extended CONNECT (RFC 8441), the token of `Upgrade`, and the ALPN id of Hot Rod without HTTP.
pub const PROTOCOL: &str = "hotrod";

/// Header field of a request: the requested member, by name or advertised address. In a response: the member's name.
pub const NODE_FIELD: &str = "hot-rod-node";

/// Header field of a response: the member's address in topologies.
pub const ADDRESS_FIELD: &str = "hot-rod-address";

/// Header field: the protocol inside a tunnel, `hotrod` (the default) or `h2`.
pub const INSIDE_FIELD: &str = "hot-rod-inside";

/// SETTINGS parameters of Hot Rod over HTTP/2.
pub mod setting {
    /// Revision of the frames; 0, the default, stands for no support.
    pub const HOT_ROD: u16 = 0xf000;
    /// Initial credit of a call, or of a session's events, in bytes. Default 65,536.
    pub const INITIAL_CREDIT: u16 = 0xf001;
    /// Size of the largest accepted message, in bytes. Default 2^31-1.
    pub const MAX_MESSAGE_SIZE: u16 = 0xf002;
    /// Limit of a session's calls in flight. Default 1,000.
    pub const MAX_CALLS: u16 = 0xf003;
    /// Initial credit of all calls of the link together, in bytes. Default 1,048,576.
    pub const CONNECTION_CREDIT: u16 = 0xf004;
    /// Size in bytes above which messages should use a second session to the same member; 0, the default, for no limit.
    pub const LANE_THRESHOLD: u16 = 0xf005;
}

/// Types of the frames.
pub mod frame_type {
    /// A fragment of a request.
    pub const REQUEST: u8 = 0xf0;
    /// A fragment of a response.
    pub const RESPONSE: u8 = 0xf1;
    /// A fragment of an event.
    pub const EVENT: u8 = 0xf2;
    /// Flow-control credit for fragments.
    pub const CREDIT: u8 = 0xf3;
    /// The end of a call before its response.
    pub const CANCEL: u8 = 0xf4;
    /// The identity of the member.
    pub const NODE: u8 = 0xf5;
    /// A new topology of a cache.
    pub const TOPOLOGY: u8 = 0xf6;
    /// The announcement that the session or link will end.
    pub const DRAIN: u8 = 0xf7;

    /// All frame types.
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
    /// In CANCEL: the member may have executed the call.
    pub const MAY_HAVE_BEEN_APPLIED: u8 = 0x01;
}

/// Default urgency of a call.
pub const DEFAULT_URGENCY: u8 = 3;

/// A message is malformed or not allowed at this point.
pub const HOT_ROD_MESSAGE_ERROR: ErrorCode = ErrorCode(0xf000_0000);
/// A message is larger than its receiver accepts.
pub const HOT_ROD_TOO_LARGE: ErrorCode = ErrorCode(0xf000_0001);
/// Sent bytes exceed the credit, or an increment of credit is invalid.
pub const HOT_ROD_CREDIT_ERROR: ErrorCode = ErrorCode(0xf000_0002);
/// A frame names a call that was never opened.
pub const HOT_ROD_UNKNOWN_CALL: ErrorCode = ErrorCode(0xf000_0003);
/// The member refused the credentials.
pub const HOT_ROD_NOT_AUTHENTICATED: ErrorCode = ErrorCode(0xf000_0004);
/// The connection between endpoint and member was lost or could not be established.
pub const HOT_ROD_UPSTREAM_GONE: ErrorCode = ErrorCode(0xf000_0005);
/// The endpoint or the member is shutting down.
pub const HOT_ROD_DRAINING: ErrorCode = ErrorCode(0xf000_0006);
/// More calls are in flight than the endpoint accepts.
pub const HOT_ROD_TOO_MANY_CALLS: ErrorCode = ErrorCode(0xf000_0007);

/// Displays an error code with its meaning.
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
