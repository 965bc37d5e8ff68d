//! From bytes in any pieces to messages.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::fields::Context;
use super::incoming::{Incoming, Opening, RestRead, read_opening};
use super::operation::{Operation, Request};
use super::reader::{Read, Reader};
use super::receive_buffer::ReceiveBuffer;
use super::reply::{Asked, Reply};
use super::request::{self, RequestFault, RequestHeader};
use super::topology::{self, Topology};
use super::{Limits, Problem, Violation};

/// Decodes what a server sends.
///
/// Bytes go in with [`receive`](Self::receive) in any pieces, messages come out of [`poll`](Self::poll). The work done
/// is linear in the bytes received, however they are cut. After a [`Violation`] nothing more comes out: without an
/// outer length there is no next message to find.
pub struct ReplyDecoder {
    buffer: ReceiveBuffer,
    /// The head of a message whose rest isn't all here.
    head: Option<ReplyHead>,
    failed: bool,
}

struct ReplyHead {
    opening: Opening,
    topology: Option<Box<Topology>>,
}

impl ReplyHead {
    #[inline]
    fn read(asked: impl Fn(u64) -> Option<Asked>, reader: &mut Reader<'_>) -> Read<Self> {
        let opening = read_opening(asked, reader)?;
        let topology = topology::read(opening.intelligence(), reader)?;
        Ok(Self { opening, topology })
    }
}

impl ReplyDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ReceiveBuffer::new(limits), head: None, failed: false }
    }

    /// Takes a copy of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// Takes a whole message as it is.
    pub(crate) fn receive_message(&mut self, message: Bytes) {
        self.buffer.receive_message(message);
    }

    /// What is wrong with a message that does not end where its carriage says so.
    pub(crate) fn incomplete(&self) -> Violation {
        let problem =
            Problem::Unexpected { value: self.buffer.len() as u64, expected: "a message that ends with its call" };
        Violation { offset: self.buffer.received(), field: "message", problem }
    }

    /// The receive buffer, with room for a read: a host that reads straight into it saves the copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.buffer.room()
    }

    /// Bytes received that are not part of a message returned.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes ever received.
    pub fn received(&self) -> u64 {
        self.buffer.received()
    }

    /// The next message, or `None` until more bytes have come.
    ///
    /// `asked` tells what was asked with a message id. A reply with an id that it doesn't know ends the stream with a
    /// violation, unless it is an error: a server that could not read a request's id answers with 0.
    pub fn poll(&mut self, asked: impl Fn(u64) -> Option<Asked>) -> Option<Result<Incoming, Violation>> {
        if self.failed {
            return None;
        }
        let kept = &mut self.head;
        let message = self.buffer.next(|reader| {
            let head = match kept.take() {
                Some(head) => head,
                None => ReplyHead::read(&asked, reader)?,
            };
            let rest_at = reader.position();
            match head.opening.read_rest(reader) {
                Ok(RestRead::Body(body)) => {
                    let ReplyHead { opening: Opening { message_id, status, .. }, topology } = head;
                    Ok(Incoming::Reply(Reply { message_id, status, topology, body }))
                }
                Ok(RestRead::Event(event)) => Ok(Incoming::Event(event)),
                Ok(RestRead::CounterEvent(event)) => Ok(Incoming::CounterEvent(event)),
                Err(stop) => {
                    *kept = Some(head);
                    Err(reader.keep_before(rest_at, stop))
                }
            }
        });
        self.failed = matches!(message, Some(Err(_)));
        message
    }
}

/// Decodes what a client sends; see [`ReplyDecoder`].
pub struct RequestDecoder {
    buffer: ReceiveBuffer,
    /// The header of a request whose fields aren't all here.
    head: Option<(RequestHeader, Operation)>,
    failed: bool,
}

impl RequestDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ReceiveBuffer::new(limits), head: None, failed: false }
    }

    /// Takes a copy of `bytes`.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// The receive buffer, with room for a read: a host that reads straight into it saves the copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.buffer.room()
    }

    /// Bytes received that are not part of a request returned.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next request, or `None` until more bytes have come, and for ever after a fault.
    pub fn poll(&mut self) -> Option<Result<(RequestHeader, Request), RequestFault>> {
        if self.failed {
            return None;
        }
        let kept = &mut self.head;
        let message = self.buffer.next(|reader| {
            let head = match kept.take() {
                Some(head) => head,
                None => match request::read_header(reader)? {
                    Ok(head) => head,
                    Err(fault) => return Ok(Err(fault)),
                },
            };
            let (header, operation) = &head;
            let context = Context { version: header.version, flags: header.options.flags };
            let fields_at = reader.position();
            match Request::read(*operation, context, reader) {
                Ok(request) => Ok(Ok((head.0, request))),
                Err(stop) => {
                    *kept = Some(head);
                    Err(reader.keep_before(fields_at, stop))
                }
            }
        })?;
        let message = message.unwrap_or_else(|violation| Err(RequestFault::Violation(violation)));
        self.failed = message.is_err();
        Some(message)
    }
}
