//! A member whose listeners a test watches.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use bytes::Bytes;

use super::world::{Far, ping};
use crate::session::ServerSession;
use crate::wire::{
    Body, CounterEvent, CounterState, EntryChange, Event, EventData, Limits, Metadata, Operation, Reply, Request,
    RequestHeader, Status,
};

/// State that all members of a test share.
#[derive(Default)]
pub(super) struct Known {
    /// Entries of the cache, which a listener hears of before it is registered.
    pub(super) entries: u64,
    /// Whether registrations are answered: a server answers when the application has taken all of the state.
    pub(super) is_silent: bool,
    /// Whether the cache was removed.
    pub(super) is_gone: bool,
    /// The answer to GET_WITH_METADATA; `None` if there is no such key.
    pub(super) value: Option<(Metadata, Bytes)>,
    /// Value of the counter; `None` if it is not defined.
    pub(super) counter: Option<i64>,
    /// Listeners that are to hear of a change of `key`.
    pub(super) notified: Vec<Bytes>,
    /// Registrations that were executed.
    pub(super) registered: Vec<Bytes>,
    /// Removals that were executed.
    pub(super) removed: Vec<Bytes>,
    /// Requests that were executed.
    pub(super) executed: Vec<Operation>,
}

pub(super) struct Listened {
    member: ServerSession,
    known: Rc<RefCell<Known>>,
    /// Registrations without an answer.
    open: Vec<(RequestHeader, Operation)>,
    /// Its registrations.
    own: Vec<(RequestHeader, Bytes)>,
}

impl Far {
    pub(super) fn listened(known: &Rc<RefCell<Known>>) -> Self {
        let member = ServerSession::new(Limits::default(), 64 << 20);
        Self::Listened(Box::new(Listened { member, known: known.clone(), open: Vec::new(), own: Vec::new() }))
    }
}

impl Listened {
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Bytes {
        self.member.handle_received(bytes);
        while let Some((header, request)) = self.member.poll_request() {
            self.execute(header, &request);
        }
        self.take_bytes()
    }

    /// The bytes that it has to say.
    pub(super) fn take_bytes(&mut self) -> Bytes {
        if !self.known.borrow().is_silent {
            for (header, operation) in core::mem::take(&mut self.open) {
                self.reply(&header, operation, Status::SUCCESS, Body::Nothing);
            }
        }
        for (header, listener_id) in self.own.clone() {
            if self.known.borrow_mut().notified.extract_if(.., |id| *id == listener_id).next().is_some() {
                self.tell(&header, &listener_id, EntryChange::Modified, "key".into());
            }
        }
        let said = self.member.transmit().to_bytes();
        self.member.transmitted(said.len());
        said
    }

    fn execute(&mut self, header: RequestHeader, request: &Request) {
        let known = self.known.clone();
        let operation = request.operation();
        known.borrow_mut().executed.push(operation);
        let names_cache = header.options.cache == "c" && !matches!(request, Request::CounterAddListener { .. });
        if names_cache && known.borrow().is_gone {
            let text = "org.infinispan.server.hotrod.CacheNotFoundException: Cache with name 'c' not found";
            return self.reply(&header, operation, Status::PARSE_ERROR, Body::Error(text.into()));
        }
        let entries = known.borrow().entries;
        match request {
            Request::Ping {} => self.reply(&header, operation, Status::SUCCESS, ping()),
            Request::AddClientListener { listener_id, options } => {
                known.borrow_mut().registered.push(listener_id.clone());
                let state = if options.include_current_state { entries } else { 0 };
                (0..state)
                    .for_each(|n| self.tell(&header, listener_id, EntryChange::Created, format!("key {n}").into()));
                self.own.push((header.clone(), listener_id.clone()));
                self.open.push((header, operation));
            }
            Request::CounterAddListener { .. } if known.borrow().counter.is_none() => {
                self.reply(&header, operation, Status::KEY_DOES_NOT_EXIST, Body::Nothing);
            }
            Request::CounterGet { .. } => match known.borrow().counter {
                Some(value) => self.reply(&header, operation, Status::SUCCESS, Body::CounterValue(value)),
                None => self.reply(&header, operation, Status::KEY_DOES_NOT_EXIST, Body::Nothing),
            },
            Request::CounterAddListener { counter, listener_id } => {
                known.borrow_mut().registered.push(listener_id.clone());
                for n in 0..entries as i64 {
                    let (counter, listener_id) = (counter.clone(), listener_id.clone());
                    let (old_state, new_state) = (CounterState::Valid, CounterState::Valid);
                    let (old_value, new_value) = (n, n + 1);
                    let event = CounterEvent { counter, listener_id, old_value, old_state, new_value, new_state };
                    self.member.counter_event(&event);
                }
                self.open.push((header, operation));
            }
            Request::RemoveClientListener { listener_id } | Request::CounterRemoveListener { listener_id, .. } => {
                known.borrow_mut().removed.push(listener_id.clone());
                self.reply(&header, operation, Status::SUCCESS, Body::Nothing);
            }
            Request::GetWithMetadata { .. } => match known.borrow().value.clone() {
                Some((metadata, value)) => {
                    let body = Body::ValueWithMetadata { metadata: Box::new(metadata), value };
                    self.reply(&header, operation, Status::SUCCESS, body);
                }
                None => self.reply(&header, operation, Status::KEY_DOES_NOT_EXIST, Body::Nothing),
            },
            _ => self.reply(&header, operation, Status::SUCCESS, Body::Size(0)),
        }
    }

    /// Reports an entry to a listener.
    fn tell(&mut self, header: &RequestHeader, listener_id: &Bytes, change: EntryChange, key: Bytes) {
        let version = key.strip_prefix(b"key ").map_or(0, |n| core::str::from_utf8(n).unwrap().parse().unwrap());
        let data = EventData::Key { key, version: Some(version) };
        let (message_id, listener_id) = (header.message_id, listener_id.clone());
        self.member.event(&Event { message_id, listener_id, retried: false, change, data });
    }

    fn reply(&mut self, header: &RequestHeader, operation: Operation, status: Status, body: Body) {
        let reply = Reply { message_id: header.message_id, status, topology: None, body };
        self.member.reply(header, operation, &reply);
    }
}
