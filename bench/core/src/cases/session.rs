//! Whole sessions: submitted, sent, received and completed as a host does it.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use hotrod_core::session::{Call, Config, Event, ServerSession, Session};
use hotrod_core::time::Instant;
use hotrod_core::wire::{Body, Limits, Operation, Ping, Reply, Request, RequestOptions, Status, Version};

use super::{Case, Unit};

pub(super) const NOW: Instant = Instant::from_micros(1_000_000);
pub(super) const KEY: Bytes = Bytes::from_static(b"sixteen-byte-key");
const IN_FLIGHT: usize = 64;

pub fn cases() -> Vec<Case> {
    let pipelined = Unit { name: "op", suffix: "", count: IN_FLIGHT as u64 };
    vec![
        Case::new("session.get64", || round_trips(1, 64)),
        Case {
            unit: pipelined,
            simulated: Some(50),
            ..Case::new("session.get64_pipelined", || round_trips(IN_FLIGHT, 64))
        },
    ]
}

/// GETs of small values, so many in flight together.
fn round_trips(in_flight: usize, size: usize) -> Box<dyn FnMut()> {
    let mut session = ready();
    let (request, options) = (Request::Get { key: KEY }, RequestOptions::cache("people"));
    let value = vec![7; size];
    let mut ids = Vec::with_capacity(in_flight);
    Box::new(move || {
        ids.clear();
        for _ in 0..in_flight {
            ids.push(session.submit(NOW, Call::new(black_box(&request), &options)).expect("accepted").0);
        }
        session.transmitted(black_box(session.transmit()).len());
        for id in &ids {
            let buffer = session.receive_buffer();
            put_reply_start(*id, size, buffer);
            buffer.extend_from_slice(&value);
        }
        session.handle_filled(NOW);
        for _ in 0..in_flight {
            complete(&mut session, size);
        }
    })
}

/// Takes the answer, a value of that size.
pub(super) fn complete(session: &mut Session, size: usize) {
    match session.poll_event() {
        Some(Event::Completed { result: Ok(Reply { body: Body::Value(value), .. }), .. }) => {
            assert_eq!(black_box(value).len(), size);
        }
        other => panic!("{other:?}"),
    }
}

/// All of a GET's reply before the bytes of its value.
pub(super) fn put_reply_start(id: u64, size: usize, out: &mut BytesMut) {
    out.extend_from_slice(&[0xa1]);
    put_variable(id, out);
    out.extend_from_slice(&[0x04, 0x00, 0x00]);
    put_variable(size as u64, out);
}

fn put_variable(mut number: u64, out: &mut BytesMut) {
    while number >= 0x80 {
        out.extend_from_slice(&[number as u8 | 0x80]);
        number >>= 7;
    }
    out.extend_from_slice(&[number as u8]);
}

/// A session after its handshake.
pub(super) fn ready() -> Session {
    let mut session = Session::new(Config::default(), [7; 32], NOW);
    let mut server = ServerSession::new(Limits::default(), 1 << 20);
    server.handle_received(&session.transmit().to_bytes());
    session.transmitted(session.transmit().len());
    let (header, _) = server.poll_request().expect("a PING");
    let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
    let ping = Ping { server_version: Some(Version::LATEST.to_byte()), operations, ..Ping::default() };
    let reply = Reply {
        message_id: header.message_id,
        status: Status::SUCCESS,
        topology: None,
        body: Body::Ping(Box::new(ping)),
    };
    server.reply(&header, Operation::Ping, &reply);
    session.handle_received(NOW, &server.transmit().to_bytes());
    assert!(matches!(session.poll_event(), Some(Event::Ready(_))), "ready after its handshake");
    session
}
