//! The Hot Rod grammar: encoders and decoders for every operation of versions 2.0 to 4.1, in both roles.
//!
//! [`write_request`], [`write_reply`], [`write_event`] and [`write_counter_event`] write a message into a
//! [`SendBuffer`]. A [`ReplyDecoder`] or a [`RequestDecoder`] reads messages from bytes in chunks of any size. Keys
//! and values are returned as [`Bytes`](bytes::Bytes): slices of the receive buffer, not copies. (A small value that
//! is kept for long keeps that buffer alive; copy the value if that matters.)
//!
//! A proxy that only forwards messages finds their boundaries with a [`ReplyScanner`] or a [`RequestScanner`], which
//! buffer no message.
//!
//! [`Operation::table`] is the only definition of the operations. This module has no connections, time or members; see
//! [`session`](crate::session) for those.
//!
//! # Example
//!
//! A client writes a request, a server decodes it and replies, and the client decodes the reply.
//!
//! ```
//! use hotrod_core::wire::*;
//!
//! let envelope = Envelope {
//!     message_id: 7,
//!     version: Version::V4_1,
//!     intelligence: Intelligence::Basic,
//!     topology_id: 0,
//! };
//! let mut sent = SendBuffer::new();
//! write_request(envelope, &RequestOptions::cache("dist"), &Request::Get { key: "k".into() }, &mut sent);
//!
//! // The server receives the request one byte at a time; it is complete with its last byte.
//! let mut requests = RequestDecoder::new(Limits::default());
//! let bytes = sent.to_bytes();
//! for byte in &bytes[..bytes.len() - 1] {
//!     requests.receive(&[*byte]);
//!     assert!(requests.poll().is_none());
//! }
//! requests.receive(&bytes[bytes.len() - 1..]);
//! let (header, request) = requests.poll().expect("the request is complete")?;
//! assert_eq!(header.options.cache, "dist");
//! assert_eq!(request, Request::Get { key: "k".into() });
//!
//! // Operation, version and intelligence of the request determine the form of its reply.
//! let context = ReplyContext { operation: Operation::Get, version: header.version, intelligence: header.intelligence };
//! let reply = Reply {
//!     message_id: header.message_id,
//!     status: Status::SUCCESS,
//!     topology: None,
//!     body: Body::Value("v".into()),
//! };
//! let mut answered = SendBuffer::new();
//! write_reply(&reply, context, &mut answered);
//!
//! let mut replies = ReplyDecoder::new(Limits::default());
//! replies.receive(&answered.to_bytes());
//! let message = replies.poll(|id| (id == 7).then_some(context)).expect("the reply is complete")?;
//! assert_eq!(message, Incoming::Reply(reply));
//!
//! // A broken stream is reported with the position and the field, and ends the decoder.
//! replies.receive(b"\xa0");
//! let violation = replies.poll(|_| None).expect("a violation").unwrap_err();
//! assert_eq!(violation.field, "magic");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arguments;
mod decoder;
mod event;
mod expiration;
mod fields;
mod flags;
mod incoming;
mod limits;
mod media_type;
mod metadata;
mod operation;
mod oversize;
pub(crate) mod primitives;
mod reader;
mod receive_buffer;
mod reply;
mod reply_lists;
mod request;
mod resume;
mod scan;
mod send_fields;
mod status;
mod topology;
mod types;
mod version;
mod violation;

pub use crate::send_buffer::SendBuffer;
pub use arguments::{Argument, ArgumentKind, Arguments};
pub use decoder::{ReplyDecoder, RequestDecoder};
pub use event::{CounterEvent, CounterState, EntryChange, Event, EventData, write_counter_event, write_event};
pub use expiration::{Expiration, Lifetime, TimeUnit};
pub use flags::{Flags, Intelligence};
pub use incoming::Incoming;
pub use limits::Limits;
pub use media_type::{MediaType, NotAMediaType, Parameters};
pub use metadata::{LifetimeLeft, Metadata};
pub use operation::{
    AnswerSize, Effect, FieldInfo, ListenerEffect, NearCacheEffect, Offer, Operation, Outcome, ReplyShape, Request,
    Routing, Row, TransactionStep, Versions,
};
pub use oversize::Oversize;
pub use reply::{Body, IterationBatch, IterationEntry, Ping, Previous, Reply, ReplyContext, write_reply};
pub(crate) use request::MAGIC as REQUEST_MAGIC;
pub use request::{Envelope, RequestFault, RequestHead, RequestHeader, RequestOptions, write_request};
pub use scan::{
    MessageKind, ReplyPiece, ReplyScanner, RequestPiece, RequestScanner, measure_request, peek_request_head,
};
pub use status::Status;
pub use topology::{Hash, Member, SegmentOwners, Topology};
pub(crate) use topology::{decode as decode_topology, encode as encode_topology};
pub use types::{
    AuthResponse, Change, CounterConfiguration, CounterKind, Factory, Interests, ListenerOptions, Modification, Seen,
    Xid,
};
pub use version::{UnknownVersion, Version};
pub use violation::{Problem, Violation};
