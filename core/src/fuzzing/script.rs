//! Scripts for a session, encoded by an input.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::BufMut;

use super::input::Input;
use super::model::Model;
use super::{sample_requests, samples};
use crate::sasl::{Credentials, Mechanism};
use crate::session::{Authentication, Call, Config, OperationId, ServerSession, Session, VersionChoice};
use crate::time::Instant;
use crate::wire::{
    Body, Limits, Operation, Reply, ReplyContext, Request, RequestHeader, RequestOptions, Status, Version,
};

/// Above the unsent bytes of any script.
const NO_LIMIT: usize = 1 << 30;

/// A session, its server, and the bytes in transit to the session.
pub(super) struct World<'a> {
    input: Input<'a>,
    session: Session,
    server: ServerSession,
    /// Requests that the server has read and not replied to.
    requests: VecDeque<(RequestHeader, Request)>,
    /// Bytes sent by the server and not yet received.
    in_transit: VecDeque<u8>,
    now: Instant,
    max_in_flight: usize,
    /// Whether the server's bytes arrive one at a time.
    bytewise: bool,
    pub(super) model: Model,
}

impl<'a> World<'a> {
    pub(super) fn new(data: &'a [u8], bytewise: bool) -> Self {
        let mut input = Input::new(data);
        let config = config(&mut input);
        let now = Instant::from_micros(1_000_000);
        Self {
            max_in_flight: config.max_in_flight,
            session: Session::new(config, [7; 32], now),
            input,
            server: ServerSession::new(Limits::default(), NO_LIMIT),
            requests: VecDeque::new(),
            in_transit: VecDeque::new(),
            now,
            bytewise,
            model: Model::default(),
        }
    }

    /// Runs all steps of the input, then ends the session.
    pub(super) fn run(mut self) -> Model {
        let end = self.input.byte();
        while !self.input.is_empty() {
            self.step();
            Model::check(&self.session);
            // The handshake may have two requests in flight, whatever the limit.
            assert!(self.session.in_flight() <= self.max_in_flight.max(2), "more in flight than allowed");
        }
        self.end(end);
        self.model.check_end(&self.session);
        self.model
    }

    fn step(&mut self) {
        match self.input.byte() % 16 {
            SUBMIT => self.submit(),
            CANCEL => self.cancel(),
            TRANSMIT => {
                let count = self.input.size();
                self.transmit(count);
            }
            TRANSMIT_ALL => self.transmit(usize::MAX),
            ANSWER => self.answer(),
            ANSWER_OLDEST => self.answer_oldest(),
            EVENT => self.send_event(),
            RAW => {
                let count = self.input.size();
                let bytes = self.input.slice(count);
                self.in_transit.extend(bytes);
            }
            CORRUPT => self.corrupt(),
            RECEIVE => {
                let count = self.input.size();
                self.receive(count);
            }
            RECEIVE_ALL => self.receive(usize::MAX),
            WAIT => self.wait(),
            TIMEOUT => self.until_timeout(),
            POLL => {
                self.poll_one();
            }
            POLL_ALL => self.poll_all(),
            _ => self.rarely(),
        }
    }

    fn submit(&mut self) {
        let operation = samples::operation(&mut self.input);
        let version = self.session.version();
        let request = sample_requests::request(operation, version, &mut self.input);
        let timeout = match self.input.byte() {
            0 => None,
            milliseconds => Some(Duration::from_millis(u64::from(milliseconds) - 1)),
        };
        let options = RequestOptions::default();
        let call = Call { timeout, ..Call::new(&request, &options) };
        let submitted = self.session.submit(self.now, call);
        self.model.submitted(operation, submitted, &self.session);
    }

    fn cancel(&mut self) {
        // Ids ascend from 1: a small number is probably valid.
        let id = OperationId(self.input.byte().into());
        if self.session.cancel(id) {
            self.model.cancelled(id);
        }
    }

    fn transmit(&mut self, max: usize) {
        let out = self.session.transmit();
        assert_eq!(out.len(), out.segments().map(<[u8]>::len).sum::<usize>());
        assert_eq!(out.is_empty(), out.first().is_empty());
        let bytes = out.to_bytes();
        let count = max.min(bytes.len());
        self.session.transmitted(count);
        self.server.handle_received(&bytes[..count]);
        while let Some((header, request)) = self.server.poll_request() {
            self.model.arrived(header.message_id);
            self.requests.push_back((header, request));
        }
        assert_eq!(self.server.fault(), None, "the session writes what its own decoder can't read");
    }

    /// Sends an arbitrary reply to any request.
    fn answer(&mut self) {
        let index = self.input.below(self.requests.len());
        let Some((header, request)) = self.requests.remove(index) else { return };
        let status = self.input.pick(&STATUSES);
        self.reply(&header, request.operation(), status);
    }

    /// Sends a successful reply to the oldest request.
    fn answer_oldest(&mut self) {
        let Some((header, request)) = self.requests.pop_front() else { return };
        self.reply(&header, request.operation(), Status::SUCCESS);
    }

    fn reply(&mut self, header: &RequestHeader, operation: Operation, status: Status) {
        let context = ReplyContext { operation, version: header.version, intelligence: header.intelligence };
        let topology = samples::topology(header.intelligence, &mut self.input).map(Box::new);
        let body = samples::body(status, context, &mut self.input);
        self.server.reply(header, operation, &Reply { message_id: header.message_id, status, topology, body });
        self.send();
    }

    fn send_event(&mut self) {
        if self.input.flag() {
            let event = samples::counter_event(&mut self.input);
            self.server.counter_event(&event);
        } else {
            let event = samples::event(&mut self.input);
            self.server.event(&event);
        }
        self.send();
    }

    /// Moves the server's output into transit.
    fn send(&mut self) {
        let bytes = self.server.transmit().to_bytes();
        self.server.transmitted(bytes.len());
        self.in_transit.extend(bytes);
    }

    fn corrupt(&mut self) {
        let index = self.input.below(self.in_transit.len());
        let change = self.input.byte();
        if let Some(byte) = self.in_transit.get_mut(index) {
            *byte ^= change;
        }
    }

    fn receive(&mut self, max: usize) {
        let in_place = self.input.flag();
        let count = max.min(self.in_transit.len());
        let bytes: Vec<u8> = self.in_transit.drain(..count).collect();
        for piece in bytes.chunks(if self.bytewise { 1 } else { NO_LIMIT }) {
            if in_place {
                self.session.receive_buffer().put_slice(piece);
                self.session.handle_filled(self.now);
            } else {
                self.session.handle_received(self.now, piece);
            }
        }
    }

    fn wait(&mut self) {
        self.now = self.now + Duration::from_millis(self.input.size() as u64);
        if self.input.flag() {
            self.handle_timeout();
        }
    }

    fn until_timeout(&mut self) {
        if let Some(deadline) = self.session.poll_timeout() {
            self.now = self.now.max(deadline);
        }
        self.handle_timeout();
    }

    /// Asserts that a host which calls at the deadline gets a later deadline.
    fn handle_timeout(&mut self) {
        self.session.handle_timeout(self.now);
        let next = self.session.poll_timeout();
        assert!(
            next.is_none_or(|deadline| deadline > self.now),
            "a deadline that stays: {:?}",
            self.session.timeout_reason()
        );
    }

    fn poll_one(&mut self) -> bool {
        let event = self.session.poll_event();
        let is_some = event.is_some();
        if let Some(event) = event {
            self.model.happened(event);
        }
        is_some
    }

    fn poll_all(&mut self) {
        while self.poll_one() {}
    }

    fn rarely(&mut self) {
        match self.input.byte() {
            0..8 => self.session.close(),
            8..16 => self.session.abort(),
            16..24 => self.session.handle_link_lost("lost"),
            24..64 => self.send_invalid_reply(),
            64..96 => self.session.handle_filled(self.now),
            _ => self.handle_timeout(),
        }
    }

    /// Answers a request with another operation's reply, or with an error of message id 0.
    fn send_invalid_reply(&mut self) {
        let header = self.requests.front().map(|(header, _)| header.clone());
        let operation = samples::operation(&mut self.input);
        match header {
            Some(header) if self.input.flag() => self.reply(&header, operation, Status::SUCCESS),
            Some(header) => {
                let body = Body::Error("?".into());
                let reply = Reply { message_id: 0, status: Status::PARSE_ERROR, topology: None, body };
                self.server.reply(&header, operation, &reply);
                self.send();
            }
            None => {}
        }
    }

    fn end(&mut self, how: u8) {
        match how % 3 {
            0 => self.session.abort(),
            1 => self.session.handle_link_lost("lost"),
            _ => {
                self.session.close();
                // Time alone must end the session.
                for _ in 0..=self.session.in_flight() {
                    self.until_timeout();
                }
                assert!(self.session.is_closed(), "closing never ends");
            }
        }
        self.poll_all();
        assert_eq!(self.session.poll_event(), None, "an event after none");
    }
}

// Steps of a script, for hand-written ones.
pub(super) const SUBMIT: u8 = 0;
pub(super) const CANCEL: u8 = 1;
pub(super) const TRANSMIT: u8 = 2;
pub(super) const TRANSMIT_ALL: u8 = 3;
pub(super) const ANSWER: u8 = 4;
pub(super) const ANSWER_OLDEST: u8 = 5;
pub(super) const EVENT: u8 = 6;
pub(super) const RAW: u8 = 7;
pub(super) const CORRUPT: u8 = 8;
pub(super) const RECEIVE: u8 = 9;
pub(super) const RECEIVE_ALL: u8 = 10;
pub(super) const WAIT: u8 = 11;
pub(super) const TIMEOUT: u8 = 12;
pub(super) const POLL: u8 = 13;
pub(super) const POLL_ALL: u8 = 14;
pub(super) const RARELY: u8 = 15;

const STATUSES: [Status; 8] = [
    Status::SUCCESS,
    Status::NOT_EXECUTED,
    Status::KEY_DOES_NOT_EXIST,
    Status::SUCCESS_WITH_PREVIOUS,
    Status::NOT_EXECUTED_WITH_PREVIOUS,
    Status::INVALID_ITERATION,
    Status::SERVER_ERROR,
    Status::UNKNOWN_VERSION,
];

/// Limits low enough to be reached.
fn config(input: &mut Input<'_>) -> Config {
    let version = match input.byte() {
        0 => VersionChoice::Newest,
        other => VersionChoice::Exactly(Version::ALL[usize::from(other) % Version::ALL.len()]),
    };
    Config {
        version,
        intelligence: samples::intelligence(input),
        authentication: authentication(input),
        handshake_timeout: Duration::from_secs(5),
        operation_timeout: Duration::from_secs(1),
        stall_timeout: Duration::from_secs(3),
        max_in_flight: input.pick(&[64, 4, 1]),
        max_send_bytes: input.pick(&[1 << 20, 10_000, 1]),
        max_events: input.pick(&[4096, 8, 1]),
        limits: Limits::default(),
    }
}

/// Mechanisms whose proofs an input can produce.
fn authentication(input: &mut Input<'_>) -> Option<Authentication> {
    let (credentials, mechanism) = match input.byte() {
        1 => (Credentials::certificate(), None),
        2 => (Credentials::certificate(), Some(Mechanism::External)),
        3 => (Credentials::password("user", "pencil"), Some(Mechanism::Plain)),
        4 => (Credentials::token("token"), None),
        5 => (Credentials::password("user", "pencil"), None),
        _ => return None,
    };
    Some(Authentication { mechanism, ..Authentication::new(Arc::new(credentials), true) })
}
