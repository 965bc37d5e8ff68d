//! Scanner of a server's stream.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::buffer::{Part, ScanBuffer};
use crate::wire::incoming::{MessageHead, PayloadKind, read_message_head};
use crate::wire::reader::{Read, Reader};
use crate::wire::topology;
use crate::wire::{EntryChange, Limits, Operation, ReplyContext, Status, Topology, Violation};

/// Maximum length of a topology, in bytes: more than the default [`Limits::segments`] with two owners each need.
const LONGEST_TOPOLOGY: usize = 4 * 1024 * 1024;

/// Message to which a piece belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// Reply to a request.
    Reply {
        /// Message id of the request; 0 in an error if the server could not read it.
        message_id: u64,
        /// Operation of the request; `None` in an error that belongs to no request in flight.
        operation: Option<Operation>,
        /// Outcome of the operation.
        status: Status,
    },
    /// Event of a cache listener.
    Event {
        /// Message id of the request that registered the listener.
        message_id: u64,
        /// Kind of change.
        change: EntryChange,
    },
    /// Event of a counter listener.
    CounterEvent,
}

/// A contiguous part of one message from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyPiece {
    /// The message; the same in all of its pieces.
    pub kind: MessageKind,
    /// Bytes of the piece, a slice of the receive buffer; never empty.
    pub bytes: Bytes,
    /// Whether the message begins with this piece.
    pub is_first: bool,
    /// Whether the message ends with this piece. A message that is received at once is one piece, first and last.
    pub is_last: bool,
    /// New topology in the message, if any; only in the last piece.
    pub topology: Option<Box<Topology>>,
}

/// Finds the boundaries of a server's messages, for a proxy.
///
/// Feed bytes with [`receive`](Self::receive) or [`receive_buffer`](Self::receive_buffer), in chunks of any size.
/// [`poll`](Self::poll) returns every byte once, in order: a message that is complete as one piece, others in several
/// pieces as they arrive. Total work is linear in the bytes received, for any chunking. Nothing is returned after a
/// [`Violation`]: without an outer length the next message can't be found.
///
/// A value of 64 MiB is forwarded in pieces as large as the host's reads, and a list of a million entries is only
/// counted. The memory of a scanner is at most the sum of: the head of a message (13 bytes of a reply; of a request
/// also a name), an incomplete array of up to 1 KiB or an incomplete name ([`Limits::name`]), an incomplete topology
/// ([`Limits::members`], [`Limits::segments`], 4 MiB), and the spare capacity for the next read (up to 64 KiB).
///
/// The limits are those of the decoders, checked against announced lengths before bytes are forwarded. Texts that may
/// be forwarded unparsed (error messages, and names of optional factories) are not checked to be UTF-8; everything
/// else that a decoder rejects is rejected here too.
pub struct ReplyScanner {
    buffer: ScanBuffer,
    /// Head of a message that has not ended.
    head: Option<Head>,
    failed: bool,
}

struct Head {
    message: MessageHead,
    topology: Option<Box<Topology>>,
    is_topology_read: bool,
}

impl ReplyScanner {
    /// Creates a scanner at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ScanBuffer::new(limits), head: None, failed: false }
    }

    /// Copies `bytes` into the receive buffer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// Receive buffer with spare capacity, for reading without a copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.receive_buffer_for(usize::MAX)
    }

    /// Receive buffer with spare capacity for a read of at most `max` bytes; allocates no more than that, or 4 KiB.
    pub fn receive_buffer_for(&mut self, max: usize) -> &mut BytesMut {
        self.buffer.buffer_for_read(max)
    }

    /// Number of received bytes that are not returned yet.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Memory of the buffers in bytes, spare capacity included.
    pub fn memory(&self) -> usize {
        self.buffer.memory()
    }

    /// Returns the next piece; `None` if more bytes are needed.
    ///
    /// `in_flight` returns the context of the request with a message id, until the last piece of its reply is
    /// returned. A reply with an unknown id is a violation, unless it is an error: a server that could not read a
    /// request's id replies with id 0. Pieces of a message may be returned before a violation in it is found.
    pub fn poll(&mut self, in_flight: impl Fn(u64) -> Option<ReplyContext>) -> Option<Result<ReplyPiece, Violation>> {
        if self.failed {
            return None;
        }
        let part = self.buffer.next(&mut self.head, |head, reader| read(head, &in_flight, reader).map(Ok))?;
        let piece = part.and_then(|part| self.within_topology().map(|()| part)).map(|part| self.piece(part));
        self.failed = piece.is_err();
        piece.transpose()
    }

    fn piece(&mut self, part: Part) -> Option<ReplyPiece> {
        let head = self.head.as_mut()?;
        let kind = head.message.kind();
        let topology = head.topology.take();
        let Part { bytes, is_first, is_last } = part;
        if is_last {
            self.head = None;
        }
        Some(ReplyPiece { kind, bytes, is_first, is_last, topology })
    }

    /// Checks the length of a topology, which is buffered until it is complete.
    fn within_topology(&self) -> Result<(), Violation> {
        if self.head.as_ref().is_none_or(|head| head.is_topology_read) {
            return Ok(());
        }
        self.buffer.within("topology", self.buffer.message_length(), LONGEST_TOPOLOGY)
    }
}

impl MessageHead {
    fn kind(&self) -> MessageKind {
        let message_id = self.message_id;
        match self.payload {
            PayloadKind::Answer(_) | PayloadKind::Error => {
                let operation = self.context.map(|context| context.operation);
                MessageKind::Reply { message_id, operation, status: self.status }
            }
            PayloadKind::Event(change) => MessageKind::Event { message_id, change },
            PayloadKind::CounterEvent => MessageKind::CounterEvent,
        }
    }
}

/// Reads a message from its beginning, or from the end of the part that is already parsed.
fn read(head: &mut Option<Head>, in_flight: impl Fn(u64) -> Option<ReplyContext>, reader: &mut Reader<'_>) -> Read<()> {
    let head = match head {
        Some(head) => head,
        None => head.insert(Head {
            message: read_message_head(in_flight, reader)?,
            topology: None,
            is_topology_read: false,
        }),
    };
    if !head.is_topology_read {
        let at = reader.position();
        let topology = topology::read(head.message.intelligence(), reader);
        head.topology = topology.map_err(|stop| reader.keep_before(at, stop))?;
        head.is_topology_read = true;
    }
    let at = reader.position();
    reader.skim();
    head.message.read_payload(reader).map(drop).map_err(|stop| reader.keep_before(at, stop))
}
