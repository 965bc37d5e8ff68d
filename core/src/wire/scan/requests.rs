//! Scanner of a client's stream.

use bytes::{Bytes, BytesMut};

use super::buffer::{Part, ScanBuffer};
use crate::wire::fields::Context;
use crate::wire::reader::{Read, Reader, Stop};
use crate::wire::request::{read_head, read_options};
use crate::wire::resume::Resume;
use crate::wire::{Flags, Limits, ReplyContext, Request, RequestFault, RequestHead};

/// A contiguous part of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPiece {
    /// Message id of the request.
    pub message_id: u64,
    /// Context of the reply.
    pub context: ReplyContext,
    /// Head of the request; only in the first piece.
    pub head: Option<RequestHead>,
    /// Bytes of the piece, a slice of the receive buffer; never empty.
    pub bytes: Bytes,
    /// Whether the request begins with this piece.
    pub is_first: bool,
    /// Whether the request ends with this piece. A request that is received at once is one piece, first and last.
    pub is_last: bool,
}

/// Finds the boundaries of a client's requests; the counterpart of [`ReplyScanner`](super::ReplyScanner).
pub struct RequestScanner {
    buffer: ScanBuffer,
    /// Head of a request that has not ended.
    head: Option<Head>,
    failed: bool,
}

struct Head {
    message_id: u64,
    context: ReplyContext,
    flags: Flags,
    /// Full head, until the first piece is returned.
    whole: Option<RequestHead>,
}

impl RequestScanner {
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
        self.buffer.buffer_for_read(usize::MAX)
    }

    /// Number of received bytes that are not returned yet.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Memory of the buffers in bytes, spare capacity included.
    pub fn memory(&self) -> usize {
        self.buffer.memory()
    }

    /// Message id and reply context of the unfinished request; after a fault, of the faulty request, if its head could
    /// be read.
    pub fn unfinished(&self) -> Option<(u64, ReplyContext)> {
        self.head.as_ref().map(|head| (head.message_id, head.context))
    }

    /// Returns the next piece; `None` if more bytes are needed, and always after a fault.
    pub fn poll(&mut self) -> Option<Result<RequestPiece, RequestFault>> {
        if self.failed {
            return None;
        }
        let piece = self.buffer.next(&mut self.head, read)?.map(|part| self.piece(part));
        self.failed = piece.is_err();
        piece.transpose()
    }

    fn piece(&mut self, part: Part) -> Option<RequestPiece> {
        let Head { message_id, context, whole, .. } = self.head.as_mut()?;
        let Part { bytes, is_first, is_last } = part;
        let piece =
            RequestPiece { message_id: *message_id, context: *context, head: whole.take(), bytes, is_first, is_last };
        if is_last {
            self.head = None;
        }
        Some(piece)
    }
}

impl Head {
    fn of(head: RequestHead) -> Self {
        let RequestHead { message_id, context, flags, .. } = head;
        Self { message_id, context, flags, whole: Some(head) }
    }
}

/// Reads a request from its beginning, or from the end of its head.
fn read(head: &mut Option<Head>, reader: &mut Reader<'_>) -> Read<Result<(), RequestFault>> {
    let head = match head {
        Some(head) => head,
        None => match read_head(reader)? {
            Ok(read) => head.insert(Head::of(read)),
            Err(fault) => return Ok(Err(fault)),
        },
    };
    let (operation, version) = (head.context.operation, head.context.version);
    let context = Context { version, flags: head.flags };
    let at = reader.position();
    reader.skim();
    let rest = reader.then(
        |reader| read_options(version, reader).map(drop),
        |reader, ()| Request::read(operation, context, reader).map(drop),
    );
    rest.map(|_| Ok(())).map_err(|stop| reader.keep_before(at, stop))
}

/// Head and length of the request at the beginning of `bytes`; `None` if the request is incomplete.
///
/// Use it to check that bytes are exactly one complete request. Copies only the name of the cache.
pub fn measure_request(bytes: &Bytes, limits: &Limits) -> Result<Option<(RequestHead, usize)>, RequestFault> {
    let mut resume = Resume::default();
    let mut reader = Reader::new(bytes, &[], 0, limits, &mut resume);
    let mut head = None;
    match read(&mut head, &mut reader) {
        Ok(read) => read?,
        Err(Stop::Incomplete(_)) => return Ok(None),
        Err(Stop::Violation(violation)) => return Err(violation.into()),
    }
    let length = reader.position();
    Ok(head.and_then(|head| head.whole).map(|head| (head, length)))
}

/// Head of the request at the beginning of `bytes`; `None` if the head is incomplete.
///
/// Use it where the length of the request is known by other means. Copies only the name of the cache.
pub fn peek_request_head(bytes: &Bytes, limits: &Limits) -> Result<Option<RequestHead>, RequestFault> {
    let mut resume = Resume::default();
    match read_head(&mut Reader::new(bytes, &[], 0, limits, &mut resume)) {
        Ok(head) => head.map(Some),
        Err(Stop::Incomplete(_)) => Ok(None),
        Err(Stop::Violation(violation)) => Err(violation.into()),
    }
}
