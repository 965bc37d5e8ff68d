//! Events of a [`ClientLink`](super::ClientLink).

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use super::client::ChannelId;
use super::error::LinkEnd;
use super::frame::Node;
use crate::http1::Fields;
use crate::http2::ErrorCode;
use crate::wire::Topology;

/// Event of a client's HTTP/2 link.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The endpoint accepted a session.
    Opened {
        /// The session.
        channel: ChannelId,
        /// Header fields of the response.
        fields: Fields,
    },
    /// A session ended or was refused. Its last event.
    Ended {
        /// The session.
        channel: ChannelId,
        /// Reason.
        end: LinkEnd,
    },
    /// Received bytes of a session without frames; call [`release_bytes`](super::ClientLink::release_bytes) after consuming
    /// them.
    Bytes {
        /// The session.
        channel: ChannelId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A whole message from the server: a response or an event.
    Message {
        /// The session.
        channel: ChannelId,
        /// The message.
        message: Bytes,
    },
    /// The endpoint cancelled a call.
    CallEnded {
        /// The session.
        channel: ChannelId,
        /// Message id of the call.
        message: u64,
        /// Reason.
        code: ErrorCode,
        /// Whether the member may have executed the call.
        may_have_been_applied: bool,
    },
    /// Bytes of a request left the send queue: a fragment was written, or the rest was dropped because its call is
    /// closed.
    Dequeued {
        /// The session.
        channel: ChannelId,
        /// Message id of the request.
        message: u64,
        /// Number of bytes.
        bytes: usize,
        /// End of the message in the link's output, in bytes since its start; `None` unless this is the last fragment.
        end: Option<u64>,
    },
    /// Flow control allows a session without frames to send again.
    Writable {
        /// The session.
        channel: ChannelId,
    },
    /// The member at the other end of a session.
    Node {
        /// The session.
        channel: ChannelId,
        /// The member.
        node: Node,
    },
    /// A new topology of a cache.
    Topology {
        /// The session that received it.
        channel: ChannelId,
        /// The cache's name.
        cache: String,
        /// The cache's members and owners.
        topology: Box<Topology>,
    },
    /// The endpoint is draining: begin no new calls there.
    Draining {
        /// The session; `None` for the whole link.
        channel: Option<ChannelId>,
        /// Grace period in milliseconds, if the endpoint sent one.
        grace_ms: Option<u32>,
    },
    /// The link and all its sessions ended. The last event.
    Closed(LinkEnd),
}

impl ClientEvent {
    /// Returns the session of the event; `None` for an event of the whole link.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Opened { channel, .. }
            | Self::Ended { channel, .. }
            | Self::Bytes { channel, .. }
            | Self::Message { channel, .. }
            | Self::CallEnded { channel, .. }
            | Self::Dequeued { channel, .. }
            | Self::Writable { channel }
            | Self::Node { channel, .. }
            | Self::Topology { channel, .. } => Some(*channel),
            Self::Draining { channel, .. } => *channel,
            Self::Closed(_) => None,
        }
    }
}
