//! The Hot Rod grammar: every operation of versions 2.0 to 4.1, written and read, in the client's role and the server's.
//!
//! A message is written with [`write_request`], [`write_reply`], [`write_event`] or [`write_counter_event`] into a
//! [`SendBuffer`], and read by a [`ReplyDecoder`] or a [`RequestDecoder`], which take bytes in any pieces. Keys and
//! values come out as [`Bytes`](bytes::Bytes): slices of the receive buffer, not copied. (A small value kept for long
//! keeps the buffer around it; copy it if that matters.)
//!
//! Who only passes messages on reads their boundaries with a [`ReplyScanner`] or a [`RequestScanner`], which keep none.
//!
//! [`Operation::table`] is the one place where operations are defined. Nothing here knows of connections, time or
//! other members: see [`session`](crate::session) for that.

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
mod primitives;
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
pub use reply::{Asked, Body, IterationBatch, IterationEntry, Ping, Previous, Reply, write_reply};
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
