//! Messages from a server: the head determines the kind of the payload.

use alloc::string::String;

use super::event::{self, COUNTER_EVENT, CounterEvent, EntryChange, Event};
use super::reader::{Read, Reader};
use super::reply::{self, Body, ERROR, Reply, ReplyContext};
use super::status::Status;
use super::{Intelligence, Problem};

/// A message from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Reply to a request.
    Reply(Reply),
    /// Event of a cache listener.
    Event(Event),
    /// Event of a counter listener.
    CounterEvent(CounterEvent),
}

/// Head of a message, up to its topology.
pub(crate) struct MessageHead {
    pub(crate) message_id: u64,
    pub(crate) status: Status,
    /// Context of the request; `None` for an event, and for an error with an unknown message id.
    pub(crate) context: Option<ReplyContext>,
    pub(crate) payload: PayloadKind,
}

/// Kind of payload behind the topology.
#[derive(Clone, Copy)]
pub(crate) enum PayloadKind {
    Answer(ReplyContext),
    Error,
    Event(EntryChange),
    CounterEvent,
}

/// Payload of a message.
pub(crate) enum Payload {
    Body(Body),
    Event(Event),
    CounterEvent(CounterEvent),
}

/// Reads the head of a message; `in_flight` returns the context of the request with a message id.
pub(crate) fn read_message_head(
    in_flight: impl Fn(u64) -> Option<ReplyContext>,
    reader: &mut Reader<'_>,
) -> Read<MessageHead> {
    let magic = reader.byte("magic")?;
    if magic != reply::MAGIC {
        return Err(reader.unexpected("magic", magic.into(), "0xa1, a reply"));
    }
    let id_at = reader.position();
    let message_id = reader.vlong("message id")?;
    let opcode = reader.byte("opcode")?;
    let (payload, context) = if opcode == COUNTER_EVENT {
        (PayloadKind::CounterEvent, None)
    } else if let Some(change) = EntryChange::from_opcode(opcode) {
        (PayloadKind::Event(change), None)
    } else {
        let context = in_flight(message_id);
        (payload_kind((message_id, id_at), opcode, context, reader)?, context)
    };
    let status = Status(reader.byte("status")?);
    // An error status may come with the operation's own opcode; the payload is an error message all the same.
    let payload =
        if status.is_error() && matches!(payload, PayloadKind::Answer(_)) { PayloadKind::Error } else { payload };
    Ok(MessageHead { message_id, status, context, payload })
}

fn payload_kind(
    (message_id, id_at): (u64, usize),
    opcode: u8,
    context: Option<ReplyContext>,
    reader: &Reader<'_>,
) -> Read<PayloadKind> {
    match context {
        _ if opcode == ERROR => Ok(PayloadKind::Error),
        Some(context) if context.operation.row().reply_opcode == opcode => Ok(PayloadKind::Answer(context)),
        Some(_) => Err(reader.unexpected("opcode", opcode.into(), "the opcode of the answer to this message id")),
        None => {
            let problem = Problem::Unexpected { value: message_id, expected: "the id of a request in flight" };
            Err(reader.violation_at(id_at, "message id", problem))
        }
    }
}

impl MessageHead {
    /// Intelligence of the request, which determines the form of the topology.
    pub(crate) fn intelligence(&self) -> Intelligence {
        self.context.map_or(Intelligence::Basic, |context| context.intelligence)
    }

    /// Reads the payload behind the topology.
    pub(crate) fn read_payload(&self, reader: &mut Reader<'_>) -> Read<Payload> {
        Ok(match self.payload {
            PayloadKind::Answer(context) => Payload::Body(reply::read_body(self.status, context, reader)?),
            PayloadKind::Error => Payload::Body(Body::Error(read_error(reader)?)),
            PayloadKind::Event(change) => Payload::Event(event::read_event(self.message_id, change, reader)?),
            PayloadKind::CounterEvent => Payload::CounterEvent(event::read_counter_event(reader)?),
        })
    }
}

/// Reads an error message. A scanner skips long ones.
fn read_error(reader: &mut Reader<'_>) -> Read<String> {
    let bytes = reader.array("error message", reader.limits().error_message)?;
    reader.text_of("error message", &bytes)
}
