//! Values that are read and written in chunks.

use bytes::Bytes;
use hotrod_core::wire::{Body, Expiration, Request, Status};

use super::single::{has, put_to, version_of};
use super::{Checked, Peer, Refused};

/// Entry versions by which a stream is a PUT or a PUT_IF_ABSENT.
const PUT: u64 = 0;
const PUT_IF_ABSENT: u64 = u64::MAX;
/// A stream that there is not.
const UNKNOWN: i32 = 1_234_567;

pub(super) fn get_stream(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let get = || Request::GetStream { key: key.clone(), offset: 0 };
    peer.expect(get(), Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "value")?;
    let Body::ValueWithMetadata { value, .. } = peer.ask(get())?.body else { panic!() };
    assert_eq!(value, "value");
    Ok(())
}

pub(super) fn put_stream(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let put = |entry_version, chunks: &[&'static str]| Request::PutStream {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        entry_version,
        chunks: chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect(),
    };
    peer.expect(put(PUT_IF_ABSENT, &["in ", "two chunks"]), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("in two chunks"))?;
    peer.expect(put(PUT_IF_ABSENT, &["no"]), Status::NOT_EXECUTED, Body::Nothing)?;
    let version = version_of(peer, &key)?;
    peer.expect(put(version, &["replaced"]), Status::SUCCESS, Body::Nothing)?;
    peer.expect(put(version, &["no"]), Status::NOT_EXECUTED, Body::Nothing)?;
    peer.expect(put(PUT, &["put"]), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("put"))
}

fn start(peer: &mut Peer, key: &Bytes) -> Result<(i32, bool, Bytes), Refused> {
    let reply = peer.ask(Request::StartGetStream { key: key.clone(), chunk_length: 4 })?;
    let Body::StreamStart { stream_id, complete, chunk, .. } = reply.body else { panic!("{reply:?}") };
    Ok((stream_id, complete, chunk))
}

pub(super) fn start_get(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let missing = Request::StartGetStream { key: key.clone(), chunk_length: 4 };
    peer.expect(missing, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    put_to(peer, &key, "in chunks")?;
    let (id, complete, chunk) = start(peer, &key)?;
    assert_eq!((complete, chunk), (false, "in c".into()));
    for (expected, last) in [("hunk", false), ("s", true)] {
        let reply = peer.ask(Request::NextGetStream { stream_id: id })?;
        let Body::StreamChunk { stream_id, complete, chunk } = reply.body else { panic!("{reply:?}") };
        assert_eq!((stream_id, complete, chunk), (id, last, expected.into()));
    }
    Ok(())
}

pub(super) fn next_get(peer: &mut Peer) -> Checked {
    peer.expect_error(Request::NextGetStream { stream_id: UNKNOWN }, Status::PARSE_ERROR, "1234567")
}

pub(super) fn end_get(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    put_to(peer, &key, "in chunks")?;
    let (stream_id, ..) = start(peer, &key)?;
    peer.expect(Request::EndGetStream { stream_id }, Status::SUCCESS, Body::Nothing)?;
    peer.expect_error(Request::NextGetStream { stream_id }, Status::PARSE_ERROR, "is not present")?;
    peer.expect(Request::EndGetStream { stream_id: UNKNOWN }, Status::SUCCESS, Body::Nothing)
}

fn begin(peer: &mut Peer, key: &Bytes, entry_version: u64) -> Result<i32, Refused> {
    let start = Request::StartPutStream { key: key.clone(), expiration: Expiration::DEFAULT, entry_version };
    let Body::PutStreamId(id) = peer.ask(start)?.body else { panic!() };
    Ok(id)
}

fn chunk(stream_id: i32, chunk: &'static str, last: bool) -> Request {
    Request::NextPutStream { stream_id, last, chunk: chunk.into() }
}

pub(super) fn start_put(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let id = begin(peer, &key, PUT)?;
    peer.expect(chunk(id, "in ", false), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, None)?;
    peer.expect(chunk(id, "chunks", true), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("in chunks"))?;
    let id = begin(peer, &key, PUT_IF_ABSENT)?;
    peer.expect(chunk(id, "no", true), Status::NOT_EXECUTED, Body::Nothing)?;
    let version = version_of(peer, &key)?;
    let id = begin(peer, &key, version)?;
    peer.expect(chunk(id, "replaced", true), Status::SUCCESS, Body::Nothing)?;
    let id = begin(peer, &key, version)?;
    peer.expect(chunk(id, "no", true), Status::NOT_EXECUTED, Body::Nothing)?;
    has(peer, &key, Some("replaced"))
}

pub(super) fn next_put(peer: &mut Peer) -> Checked {
    peer.expect_error(chunk(UNKNOWN, "v", true), Status::PARSE_ERROR, "1234567")?;
    // A chunk without bytes is refused, the last one too, and the stream stays open.
    let key = peer.key("k");
    let id = begin(peer, &key, PUT)?;
    for last in [false, true] {
        let error = "RequestParsingException: Retained chunk requires a chunk length greater than 0";
        peer.expect_error(chunk(id, "", last), Status::PARSE_ERROR, error)?;
    }
    peer.expect(chunk(id, "v", true), Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("v"))
}

pub(super) fn end_put(peer: &mut Peer) -> Checked {
    let key = peer.key("k");
    let stream_id = begin(peer, &key, PUT)?;
    peer.expect(chunk(stream_id, "v", false), Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::EndPutStream { stream_id }, Status::SUCCESS, Body::Nothing)?;
    peer.expect_error(chunk(stream_id, "v", true), Status::PARSE_ERROR, "is not present")?;
    has(peer, &key, None)
}
