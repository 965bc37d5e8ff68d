//! What a server sends, message by message: the head that tells what follows, and what follows.

use alloc::string::String;

use super::event::{self, COUNTER_EVENT, CounterEvent, EntryChange, Event};
use super::reader::{Read, Reader};
use super::reply::{self, Asked, Body, ERROR, Reply};
use super::status::Status;
use super::{Intelligence, Problem};

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

/// What a message begins with, up to its topology.
pub(crate) struct Opening {
    pub(crate) message_id: u64,
    pub(crate) status: Status,
    /// What was asked with the message id; not known for an event, or if the server could not read it.
    pub(crate) asked: Option<Asked>,
    pub(crate) rest: Rest,
}

/// What follows a topology.
#[derive(Clone, Copy)]
pub(crate) enum Rest {
    Answer(Asked),
    Error,
    Event(EntryChange),
    CounterEvent,
}

/// What a rest says.
pub(crate) enum RestRead {
    Body(Body),
    Event(Event),
    CounterEvent(CounterEvent),
}

/// The first thing to be read; `asked` tells what was asked with a message id.
pub(crate) fn read_opening(asked: impl Fn(u64) -> Option<Asked>, reader: &mut Reader<'_>) -> Read<Opening> {
    let magic = reader.byte("magic")?;
    if magic != reply::MAGIC {
        return Err(reader.unexpected("magic", magic.into(), "0xa1, a reply"));
    }
    let id_at = reader.position();
    let message_id = reader.vlong("message id")?;
    let opcode = reader.byte("opcode")?;
    let (rest, asked) = if opcode == COUNTER_EVENT {
        (Rest::CounterEvent, None)
    } else if let Some(change) = EntryChange::from_opcode(opcode) {
        (Rest::Event(change), None)
    } else {
        let asked = asked(message_id);
        (read_kind((message_id, id_at), opcode, asked, reader)?, asked)
    };
    let status = Status(reader.byte("status")?);
    // An operation's own opcode with an error's status: the text of the error follows all the same.
    let rest = if status.is_error() && matches!(rest, Rest::Answer(_)) { Rest::Error } else { rest };
    Ok(Opening { message_id, status, asked, rest })
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

impl Opening {
    /// What it was asked with, which tells the form of the topology.
    pub(crate) fn intelligence(&self) -> Intelligence {
        self.asked.map_or(Intelligence::Basic, |asked| asked.intelligence)
    }

    /// What follows the topology.
    pub(crate) fn read_rest(&self, reader: &mut Reader<'_>) -> Read<RestRead> {
        Ok(match self.rest {
            Rest::Answer(asked) => RestRead::Body(reply::read_body(self.status, asked, reader)?),
            Rest::Error => RestRead::Body(Body::Error(read_error(reader)?)),
            Rest::Event(change) => RestRead::Event(event::read_event(self.message_id, change, reader)?),
            Rest::CounterEvent => RestRead::CounterEvent(event::read_counter_event(reader)?),
        })
    }
}

/// The text of an error: it may be long, and passes a scanner by.
fn read_error(reader: &mut Reader<'_>) -> Read<String> {
    let bytes = reader.array("error message", reader.limits().error_message)?;
    reader.text_of("error message", &bytes)
}
