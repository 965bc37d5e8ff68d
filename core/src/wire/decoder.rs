//! Incremental decoders: bytes in any chunks to messages.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::fields::Context;
use super::incoming::{Incoming, MessageHead, Payload, read_message_head};
use super::operation::{Operation, Request};
use super::reader::{Read, Reader};
use super::receive_buffer::ReceiveBuffer;
use super::reply::{Reply, ReplyContext};
use super::request::{self, RequestFault, RequestHeader};
use super::topology::{self, Topology};
use super::{Limits, Problem, Violation};

/// Decodes a server's stream of replies and events.
///
/// Feed bytes with [`receive`](Self::receive), in chunks of any size, and take messages from [`poll`](Self::poll).
/// Total work is linear in the bytes received, for any chunking. Nothing is decoded after a [`Violation`]: a Hot Rod
/// message has no outer length, so the next message can't be found.
pub struct ReplyDecoder {
    buffer: ReceiveBuffer,
    /// Head of a message whose body is incomplete.
    head: Option<ReplyHead>,
    failed: bool,
}

struct ReplyHead {
    head: MessageHead,
    topology: Option<Box<Topology>>,
}

impl ReplyHead {
    #[inline]
    fn read(in_flight: impl Fn(u64) -> Option<ReplyContext>, reader: &mut Reader<'_>) -> Read<Self> {
        let head = read_message_head(in_flight, reader)?;
        let topology = topology::read(head.intelligence(), reader)?;
        Ok(Self { head, topology })
    }
}

impl ReplyDecoder {
    /// Creates a decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ReceiveBuffer::new(limits), head: None, failed: false }
    }

    /// Copies `bytes` into the receive buffer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// Receives one whole message without copying it.
    pub(crate) fn receive_message(&mut self, message: Bytes) {
        self.buffer.receive_message(message);
    }

    /// Violation for a message whose end differs from the end of its frame.
    pub(crate) fn incomplete(&self) -> Violation {
        let problem =
            Problem::Unexpected { value: self.buffer.len() as u64, expected: "a message that ends with its call" };
        Violation { offset: self.buffer.received(), field: "message", problem }
    }

    /// Receive buffer with spare capacity, for reading without a copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.buffer.buffer_for_read()
    }

    /// Number of buffered bytes that belong to no returned message.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Number of bytes received so far.
    pub fn received(&self) -> u64 {
        self.buffer.received()
    }

    /// Decodes the next message; `None` if more bytes are needed.
    ///
    /// `in_flight` returns the context of the request with a message id. A reply with an unknown id is a violation,
    /// unless it is an error: a server that could not read a request's id replies with id 0.
    pub fn poll(&mut self, in_flight: impl Fn(u64) -> Option<ReplyContext>) -> Option<Result<Incoming, Violation>> {
        if self.failed {
            return None;
        }
        let kept = &mut self.head;
        let message = self.buffer.next(|reader| {
            let head = match kept.take() {
                Some(head) => head,
                None => ReplyHead::read(&in_flight, reader)?,
            };
            let rest_at = reader.position();
            match head.head.read_payload(reader) {
                Ok(Payload::Body(body)) => {
                    let ReplyHead { head: MessageHead { message_id, status, .. }, topology } = head;
                    Ok(Incoming::Reply(Reply { message_id, status, topology, body }))
                }
                Ok(Payload::Event(event)) => Ok(Incoming::Event(event)),
                Ok(Payload::CounterEvent(event)) => Ok(Incoming::CounterEvent(event)),
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

/// Decodes a client's stream of requests; the counterpart of [`ReplyDecoder`].
pub struct RequestDecoder {
    buffer: ReceiveBuffer,
    /// Header of a request whose fields are incomplete.
    head: Option<(RequestHeader, Operation)>,
    failed: bool,
    /// Whether the last fault is a byte that begins no request.
    is_at_stray_byte: bool,
}

impl RequestDecoder {
    /// Creates a decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { buffer: ReceiveBuffer::new(limits), head: None, failed: false, is_at_stray_byte: false }
    }

    /// Copies `bytes` into the receive buffer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.receive(bytes);
    }

    /// Receive buffer with spare capacity, for reading without a copy.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.buffer.buffer_for_read()
    }

    /// Number of buffered bytes that belong to no returned request.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Decodes the next request; `None` if more bytes are needed, and always after a fault.
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
        self.is_at_stray_byte = message.as_ref().err().is_some_and(|fault| fault.stray_byte().is_some());
        Some(message)
    }

    /// Skips the byte in place of a request's magic by which the last [`poll`](Self::poll) failed, and decodes on.
    /// Returns false after any other fault.
    ///
    /// An Infinispan server does the same, and clients depend on it: npm's append a byte to some requests.
    pub fn skip_stray_byte(&mut self) -> bool {
        let skips = core::mem::take(&mut self.is_at_stray_byte);
        if skips {
            self.buffer.skip_byte();
            self.failed = false;
        }
        skips
    }
}
