//! What a client sends, in pieces.

use bytes::{Bytes, BytesMut};

use super::buffer::{Part, ScanBuffer};
use crate::wire::fields::Context;
use crate::wire::reader::{Read, Reader, Stop};
use crate::wire::request::{read_head, read_options};
use crate::wire::resume::Resume;
use crate::wire::{Asked, Flags, Limits, Request, RequestFault, RequestHead};

/// Some bytes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPiece {
    /// The id of the request.
    pub message_id: u64,
    /// What is asked.
    pub asked: Asked,
    /// The whole head: with the first piece only.
    pub head: Option<RequestHead>,
    /// The bytes, as received and not copied; never empty.
    pub bytes: Bytes,
    /// Whether the request begins here.
    pub is_first: bool,
    /// Whether the request ends here. One that was received in one piece comes in one, which is first and last.
    pub is_last: bool,
}

/// Finds the requests in what a client sends; see [`ReplyScanner`](super::ReplyScanner).
pub struct RequestScanner {
    buffer: ScanBuffer,
    /// The head of a request that has not ended.
    head: Option<Head>,
    failed: bool,
}

struct Head {
    message_id: u64,
    asked: Asked,
    flags: Flags,
    /// Until the first piece has come out.
    whole: Option<RequestHead>,
}

impl RequestScanner {
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
        self.buffer.room(usize::MAX)
    }

    /// Bytes received that have not come out.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory that the buffers take, the room for the next read included.
    pub fn memory(&self) -> usize {
        self.buffer.memory()
    }

    /// Message id and operation of the request of which not all has come out: after a fault, of the one that has it, as far as
    /// its head could be read.
    pub fn unfinished(&self) -> Option<(u64, Asked)> {
        self.head.as_ref().map(|head| (head.message_id, head.asked))
    }

    /// The next piece, or `None` until more bytes have come, and for ever after a fault.
    pub fn poll(&mut self) -> Option<Result<RequestPiece, RequestFault>> {
        if self.failed {
            return None;
        }
        let piece = self.buffer.next(&mut self.head, read)?.map(|part| self.piece(part));
        self.failed = piece.is_err();
        piece.transpose()
    }

    fn piece(&mut self, part: Part) -> Option<RequestPiece> {
        let Head { message_id, asked, whole, .. } = self.head.as_mut()?;
        let Part { bytes, is_first, is_last } = part;
        let piece =
            RequestPiece { message_id: *message_id, asked: *asked, head: whole.take(), bytes, is_first, is_last };
        if is_last {
            self.head = None;
        }
        Some(piece)
    }
}

impl Head {
    fn of(head: RequestHead) -> Self {
        let RequestHead { message_id, asked, flags, .. } = head;
        Self { message_id, asked, flags, whole: Some(head) }
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
    let (operation, version) = (head.asked.operation, head.asked.version);
    let context = Context { version, flags: head.flags };
    let at = reader.position();
    reader.skim();
    let rest = reader.then(
        |reader| read_options(version, reader).map(drop),
        |reader, ()| Request::read(operation, context, reader).map(drop),
    );
    rest.map(|_| Ok(())).map_err(|stop| reader.keep_before(at, stop))
}

/// The head and the length of the request that `bytes` begin with; `None` if they end before it does.
///
/// For who has to know that they are exactly one request, and has them all. Nothing of them is copied but the name of the
/// cache.
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

/// The head of the request that `bytes` begin with; `None` if they end before its head does.
///
/// For who has the bytes of one request and their number from elsewhere. Only the name of the cache is copied.
pub fn peek_request_head(bytes: &Bytes, limits: &Limits) -> Result<Option<RequestHead>, RequestFault> {
    let mut resume = Resume::default();
    match read_head(&mut Reader::new(bytes, &[], 0, limits, &mut resume)) {
        Ok(head) => head.map(Some),
        Err(Stop::Incomplete(_)) => Ok(None),
        Err(Stop::Violation(violation)) => Err(violation.into()),
    }
}
