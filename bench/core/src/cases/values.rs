//! GETs of large values that come in pieces: the cost of a KiB must not grow with the value.

use std::hint::black_box;

use bytes::BufMut;
use hotrod_core::session::{Call, Session};
use hotrod_core::wire::{Request, RequestOptions};

use super::session::{KEY, NOW, complete, put_reply_start, ready};
use super::{Case, Unit};

const KIB: usize = 1024;
const MIB: usize = KIB * KIB;

pub fn cases() -> Vec<Case> {
    vec![
        value("copy.value1m.chunk65536", MIB, Some(10), || copied(MIB, 65_536)),
        value("copy.value64m.chunk65536", 64 * MIB, Some(2), || copied(64 * MIB, 65_536)),
        value("session.value1m.chunk1", MIB, Some(2), || chunked(MIB, 1)),
        value("session.value1m.chunk1460", MIB, Some(10), || chunked(MIB, 1460)),
        value("session.value1m.chunk65536", MIB, Some(10), || chunked(MIB, 65_536)),
        value("session.value1m.chunk_all", MIB, Some(10), || whole(MIB)),
        value("session.value64m.chunk1", 64 * MIB, None, || chunked(64 * MIB, 1)),
        value("session.value64m.chunk1460", 64 * MIB, Some(2), || chunked(64 * MIB, 1460)),
        value("session.value64m.chunk65536", 64 * MIB, Some(2), || chunked(64 * MIB, 65_536)),
        value("session.value64m.chunk_all", 64 * MIB, Some(2), || whole(64 * MIB)),
    ]
}

/// Told per KiB, so that sizes can be compared.
fn value(name: &'static str, size: usize, simulated: Option<u64>, prepare: fn() -> Box<dyn FnMut()>) -> Case {
    let unit = Unit { name: "KiB", suffix: "_per_kib", count: (size / KIB) as u64 };
    Case { unit, simulated, counts_first: true, ..Case::new(name, prepare) }
}

/// No session, only the copies: what caches and memory make of a larger value.
fn copied(size: usize, chunk: usize) -> Box<dyn FnMut()> {
    let bytes = vec![7; chunk];
    let mut buffer = Vec::with_capacity(size);
    Box::new(move || {
        buffer.clear();
        (0..size / chunk).for_each(|_| buffer.put_slice(black_box(&bytes)));
        black_box(&buffer);
    })
}

/// In chunks of one size, read into the session's buffer. They come from the same place again and again, as from a
/// socket.
fn chunked(size: usize, chunk: usize) -> Box<dyn FnMut()> {
    let bytes = vec![7; chunk];
    get(size, move |session| {
        let mut left = size;
        while left > 0 {
            let count = left.min(chunk);
            read(session, &bytes[..count]);
            left -= count;
        }
    })
}

/// In one piece, which the session copies.
fn whole(size: usize) -> Box<dyn FnMut()> {
    let bytes = vec![7; size];
    get(size, move |session| session.handle_received(NOW, &bytes))
}

/// A GET; `receive` brings the bytes of its value.
fn get(size: usize, receive: impl Fn(&mut Session) + 'static) -> Box<dyn FnMut()> {
    let mut session = ready();
    let (request, options) = (Request::Get { key: KEY }, RequestOptions::cache("people"));
    Box::new(move || {
        let id = session.submit(NOW, Call::new(&request, &options)).expect("accepted").0;
        session.transmitted(session.transmit().len());
        put_reply_start(id, size, session.receive_buffer());
        session.handle_filled(NOW);
        receive(&mut session);
        complete(&mut session, size);
    })
}

/// A host never reads more than there is room for: what does not fit is read next.
fn read(session: &mut Session, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let buffer = session.receive_buffer();
        let count = bytes.len().min(buffer.capacity() - buffer.len());
        buffer.put_slice(&bytes[..count]);
        session.handle_filled(NOW);
        bytes = &bytes[count..];
    }
}
