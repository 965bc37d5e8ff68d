//! From bytes in any pieces to messages.

use alloc::boxed::Box;

use bytes::{Bytes, BytesMut};

use super::event::{self, COUNTER_EVENT, CounterEvent, EntryChange, Event};
use super::fields::Context;
use super::operation::Request;
use super::reader::{Read, Reader};
use super::receive_buffer::ReceiveBuffer;
use super::reply::{self, Asked, Body, ERROR, Reply};
use super::request::{self, Head, RequestHeader, Unusable};
use super::status::Status;
use super::topology::{self, Topology};
use super::{Intelligence, Limits, Problem, Violation};

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The answer to a request.
    Reply(Reply),
    /// An event of a cache listener.
    Event(Event),
    /// An event of a counter listener.
    CounterEvent(CounterEvent),
}

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
    message_id: u64,
    status: Status,
    topology: Option<Box<Topology>>,
    rest: Rest,
}

/// What follows a head.
#[derive(Clone, Copy)]
enum Rest {
    Answer(Asked),
    Error,
    Event(EntryChange),
    CounterEvent,
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
                None => read_head(&asked, reader)?,
            };
            let rest_at = reader.position();
            match read_rest(&head, reader) {
                Ok(RestRead::Body(body)) => {
                    let ReplyHead { message_id, status, topology, .. } = head;
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

enum RestRead {
    Body(Body),
    Event(Event),
    CounterEvent(CounterEvent),
}

fn read_head(asked: impl Fn(u64) -> Option<Asked>, reader: &mut Reader<'_>) -> Read<ReplyHead> {
    let magic = reader.byte("magic")?;
    if magic != reply::MAGIC {
        return Err(reader.unexpected("magic", magic.into(), "0xa1, a reply"));
    }
    let id_at = reader.position();
    let message_id = reader.vlong("message id")?;
    let opcode = reader.byte("opcode")?;
    let (rest, intelligence) = if opcode == COUNTER_EVENT {
        (Rest::CounterEvent, None)
    } else if let Some(change) = EntryChange::from_opcode(opcode) {
        (Rest::Event(change), None)
    } else {
        let asked = asked(message_id);
        (read_kind((message_id, id_at), opcode, asked, reader)?, asked.map(|asked| asked.intelligence))
    };
    let status = Status(reader.byte("status")?);
    let topology = topology::read(intelligence.unwrap_or(Intelligence::Basic), reader)?;
    // An operation's own opcode with an error's status: the text of the error follows all the same.
    let rest = if status.is_error() && matches!(rest, Rest::Answer(_)) { Rest::Error } else { rest };
    Ok(ReplyHead { message_id, status, topology: topology.map(Box::new), rest })
}

fn read_kind((message_id, id_at): (u64, usize), opcode: u8, asked: Option<Asked>, reader: &Reader<'_>) -> Read<Rest> {
    match asked {
        _ if opcode == ERROR => Ok(Rest::Error),
        Some(asked) if asked.operation.row().reply_opcode == opcode => Ok(Rest::Answer(asked)),
        Some(_) => Err(reader.unexpected("opcode", opcode.into(), "the opcode of the answer to this message id")),
        None => {
            let problem = Problem::Unexpected { value: message_id, expected: "the id of a request in flight" };
            Err(reader.violation_at(id_at, "message id", problem))
        }
    }
}

fn read_rest(head: &ReplyHead, reader: &mut Reader<'_>) -> Read<RestRead> {
    Ok(match head.rest {
        Rest::Answer(asked) => RestRead::Body(reply::read_body(head.status, asked, reader)?),
        Rest::Error => RestRead::Body(Body::Error(reader.text("error message", reader.limits().error_message)?)),
        Rest::Event(change) => RestRead::Event(event::read_event(head.message_id, change, reader)?),
        Rest::CounterEvent => RestRead::CounterEvent(event::read_counter_event(reader)?),
    })
}

/// Why no further request can be read from a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The client broke the grammar or a limit.
    #[error("{0}")]
    Violation(Violation),
    /// A version before 2.0.
    #[error("protocol version byte {version} is older than 2.0")]
    UnknownVersion {
        /// The id of the request.
        message_id: u64,
        /// The version's byte.
        version: u8,
    },
    /// No operation has this opcode.
    #[error("no operation has opcode {opcode:#04x}")]
    UnknownOperation {
        /// The id of the request.
        message_id: u64,
        /// The opcode.
        opcode: u8,
    },
}

/// Decodes what a client sends; see [`ReplyDecoder`].
pub struct RequestDecoder {
    buffer: ReceiveBuffer,
    head: Option<Head>,
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
                None => match request::read_head(reader)? {
                    Ok(head) => head,
                    Err(unusable) => return Ok(Err(unusable)),
                },
            };
            let context = Context { version: head.header.version, flags: head.header.options.flags };
            let fields_at = reader.position();
            match Request::read(head.operation, context, reader) {
                Ok(request) => Ok(Ok((head.header, request))),
                Err(stop) => {
                    *kept = Some(head);
                    Err(reader.keep_before(fields_at, stop))
                }
            }
        })?;
        let message = match message {
            Ok(Ok(request)) => Ok(request),
            Ok(Err((message_id, Unusable::Version(version)))) => {
                Err(RequestFault::UnknownVersion { message_id, version })
            }
            Ok(Err((message_id, Unusable::Operation(opcode)))) => {
                Err(RequestFault::UnknownOperation { message_id, opcode })
            }
            Err(violation) => Err(RequestFault::Violation(violation)),
        };
        self.failed = message.is_err();
        Some(message)
    }
}
