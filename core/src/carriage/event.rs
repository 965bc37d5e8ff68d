//! What a [`ClientLink`](super::ClientLink) tells.

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use super::client::ChannelId;
use super::error::LinkEnd;
use super::frame::Node;
use crate::http1::Fields;
use crate::http2::ErrorCode;
use crate::wire::Topology;

/// What happened on a client's HTTP/2 link.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientEvent {
    /// The endpoint has accepted a session.
    Opened {
        /// Which.
        channel: ChannelId,
        /// The fields of its answer.
        fields: Fields,
    },
    /// A session is over, or was not accepted. Nothing more is said of it.
    Ended {
        /// Which.
        channel: ChannelId,
        /// Why.
        end: LinkEnd,
    },
    /// Bytes of a session without frames; say [`bytes_taken`](super::ClientLink::bytes_taken).
    Bytes {
        /// Which session.
        channel: ChannelId,
        /// They.
        bytes: Bytes,
    },
    /// A whole message from the server: an answer, or an event.
    Message {
        /// Which session.
        channel: ChannelId,
        /// It.
        message: Bytes,
    },
    /// The endpoint gave a call up.
    CallEnded {
        /// Which session.
        channel: ChannelId,
        /// The id of the call's message.
        message: u64,
        /// Why.
        code: ErrorCode,
        /// Whether the member may have applied it.
        may_have_been_applied: bool,
    },
    /// A fragment of a request has been written.
    Went {
        /// Which session.
        channel: ChannelId,
        /// The id of the request.
        message: u64,
        /// Octets of the fragment.
        octets: usize,
        /// With the last one: where it ends in what the link sends.
        end: Option<u64>,
    },
    /// A session without frames can send again.
    Writable {
        /// Which.
        channel: ChannelId,
    },
    /// The member at the other end of a session.
    Node {
        /// Which session.
        channel: ChannelId,
        /// Who.
        node: Node,
    },
    /// A new view of the cluster.
    Topology {
        /// By which session.
        channel: ChannelId,
        /// Of which cache.
        cache: String,
        /// The view.
        topology: Box<Topology>,
    },
    /// The endpoint will end: no new calls there.
    Draining {
        /// The session; `None` for the whole link.
        channel: Option<ChannelId>,
        /// Time left, in milliseconds, if the endpoint says it.
        grace_ms: Option<u32>,
    },
    /// The link is over, and every session with it. The last event.
    Closed(LinkEnd),
}

impl ClientEvent {
    /// The session of the event; `None` for an event of the whole link.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Opened { channel, .. }
            | Self::Ended { channel, .. }
            | Self::Bytes { channel, .. }
            | Self::Message { channel, .. }
            | Self::CallEnded { channel, .. }
            | Self::Went { channel, .. }
            | Self::Writable { channel }
            | Self::Node { channel, .. }
            | Self::Topology { channel, .. } => Some(*channel),
            Self::Draining { channel, .. } => *channel,
            Self::Closed(_) => None,
        }
    }
}
