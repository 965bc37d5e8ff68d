//! What a server sends, in pieces.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::buffer::{Part, ScanBuffer};
use crate::wire::incoming::{Opening, Rest, read_opening};
use crate::wire::reader::{Read, Reader};
use crate::wire::topology;
use crate::wire::{Asked, EntryChange, Limits, Operation, Status, Topology, Violation};

/// The longest topology, in bytes: more than [`Limits::segments`] of two owners each need by default.
const LONGEST_TOPOLOGY: usize = 4 * 1024 * 1024;

/// What message a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// The answer to a request.
    Reply {
        /// The id of the request; 0 in an error if the server could not read it.
        message_id: u64,
        /// What was asked; `None` in an error that answers no request in flight.
        operation: Option<Operation>,
        /// How it went.
        status: Status,
    },
    /// An event of a cache listener.
    Event {
        /// The id of the request that added the listener.
        message_id: u64,
        /// What happened to the entry.
        change: EntryChange,
    },
    /// An event of a counter listener.
    CounterEvent,
}

/// Some bytes of one message of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyPiece {
    /// What message it is; the same in all of its pieces.
    pub kind: MessageKind,
    /// The bytes, as received and not copied; never empty.
    pub bytes: Bytes,
    /// Whether the message begins here.
    pub is_first: bool,
    /// Whether the message ends here. A message that was received in one piece comes in one, which is first and last.
    pub is_last: bool,
    /// The new view of the cluster in the message, if it has one: with the piece that ends it.
    pub topology: Option<Box<Topology>>,
}

/// Finds where messages begin and end in what a server sends, for who passes them on: a gateway.
///
/// Bytes go in with [`receive`](Self::receive) or [`receive_buffer`](Self::receive_buffer) in any pieces, and every one
/// comes out of [`poll`](Self::poll) once, in order: a message in one piece if it was all there, else in several as they
/// come. The work done is linear in the bytes received, however they are cut. After a [`Violation`] nothing more comes
/// out: without an outer length there is no next message to find.
///
/// A value of 64 MiB passes in pieces as large as the reads of the host, and a list of a million entries leaves nothing
/// behind but their number. What is kept at a time is at most the sum of: the head of a message (13 bytes of a reply, of
/// a request a name more), an array of up to 1 KiB or a name ([`Limits::name`]) of which the last bytes are missing, a
/// topology that is being received ([`Limits::members`], [`Limits::segments`], 4 MiB), and the room for the next read
/// (up to 64 KiB).
///
/// The limits are those of the decoders, and are held against what is announced before it is passed on. Texts that may
/// pass by unseen (of errors, and names of factories that are optional) are not checked to be UTF-8; everything else
/// that a decoder refuses is refused here.
pub struct ReplyScanner {
    buffer: ScanBuffer,
    /// The head of a message that has not ended.
    head: Option<Head>,
    failed: bool,
}

struct Head {
    opening: Opening,
    topology: Option<Box<Topology>>,
    is_topology_read: bool,
}

impl ReplyScanner {
    /// A scanner at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ScanBuffer::new(limits), head: None, failed: false }
    }

    /// Takes a copy of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// The receive buffer, with room for a read: a host that reads straight into it saves the copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.receive_buffer_for(usize::MAX)
    }

    /// The receive buffer, with room for a read of at most `most` bytes: no more than that, or 4 KiB, is allocated for it.
    pub fn receive_buffer_for(&mut self, most: usize) -> &mut BytesMut {
        self.buffer.room(most)
    }

    /// Bytes received that have not come out.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory that the buffers take, the room for the next read included.
    pub fn memory(&self) -> usize {
        self.buffer.memory()
    }

    /// The next piece, or `None` until more bytes have come.
    ///
    /// `asked` tells what was asked with a message id: until the last piece of its reply has come out. A reply with an
    /// id that it doesn't know ends the stream with a violation, unless it is an error: a server that could not read a
    /// request's id answers with 0. Of the message that breaks the grammar some pieces may have come out before.
    pub fn poll(&mut self, asked: impl Fn(u64) -> Option<Asked>) -> Option<Result<ReplyPiece, Violation>> {
        if self.failed {
            return None;
        }
        let part = self.buffer.next(&mut self.head, |head, reader| read(head, &asked, reader).map(Ok))?;
        let piece = part.and_then(|part| self.within_topology().map(|()| part)).map(|part| self.piece(part));
        self.failed = piece.is_err();
        piece.transpose()
    }

    fn piece(&mut self, part: Part) -> Option<ReplyPiece> {
        let head = self.head.as_mut()?;
        let kind = head.opening.kind();
        let topology = head.topology.take();
        let Part { bytes, is_first, is_last } = part;
        if is_last {
            self.head = None;
        }
        Some(ReplyPiece { kind, bytes, is_first, is_last, topology })
    }

    /// A topology is kept until it is whole, so its length has a limit of its own.
    fn within_topology(&self) -> Result<(), Violation> {
        if self.head.as_ref().is_none_or(|head| head.is_topology_read) {
            return Ok(());
        }
        self.buffer.within("topology", self.buffer.message_length(), LONGEST_TOPOLOGY)
    }
}

impl Opening {
    fn kind(&self) -> MessageKind {
        let message_id = self.message_id;
        match self.rest {
            Rest::Answer(_) | Rest::Error => {
                let operation = self.asked.map(|asked| asked.operation);
                MessageKind::Reply { message_id, operation, status: self.status }
            }
            Rest::Event(change) => MessageKind::Event { message_id, change },
            Rest::CounterEvent => MessageKind::CounterEvent,
        }
    }
}

/// Reads a message from its beginning, or from the end of what is known of it.
fn read(head: &mut Option<Head>, asked: impl Fn(u64) -> Option<Asked>, reader: &mut Reader<'_>) -> Read<()> {
    let head = match head {
        Some(head) => head,
        None => head.insert(Head { opening: read_opening(asked, reader)?, topology: None, is_topology_read: false }),
    };
    if !head.is_topology_read {
        let at = reader.position();
        let topology = topology::read(head.opening.intelligence(), reader);
        head.topology = topology.map_err(|stop| reader.keep_before(at, stop))?;
        head.is_topology_read = true;
    }
    let at = reader.position();
    reader.skim();
    head.opening.read_rest(reader).map(drop).map_err(|stop| reader.keep_before(at, stop))
}
