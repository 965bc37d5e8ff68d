//! Streams of values, those of 2.6 and those of 4.1.

mod common;

use common::{World, bytes};
use hotrod_core::wire::{Body, Expiration, Intelligence, Request, Status, Version};

fn start_put(world: &mut World, client: usize, key: &str, entry_version: u64) -> i32 {
    let request = Request::StartPutStream { key: bytes(key), expiration: Expiration::DEFAULT, entry_version };
    match world.call(client, "dist", request) {
        (Status::SUCCESS, Body::PutStreamId(id)) => id,
        other => panic!("{other:?}"),
    }
}

fn next_put(world: &mut World, client: usize, stream_id: i32, chunk: &str, last: bool) -> Status {
    world.call(client, "dist", Request::NextPutStream { stream_id, last, chunk: bytes(chunk) }).0
}

#[test]
fn a_value_is_written_and_read_in_chunks() {
    let mut world = World::new(3);
    let client = world.connect(0);
    let id = start_put(&mut world, client, "k", 0);
    assert_eq!(next_put(&mut world, client, id, "abc", false), Status::SUCCESS);
    assert_eq!(world.get(client, "dist", "k"), None);
    assert_eq!(next_put(&mut world, client, id, "defg", true), Status::SUCCESS);
    assert_eq!(world.get(client, "dist", "k").as_deref(), Some("abcdefg"));

    let (_, body) = world.call(client, "dist", Request::StartGetStream { key: bytes("k"), chunk_length: 3 });
    let Body::StreamStart { stream_id, complete, chunk, metadata } = body else { panic!("{body:?}") };
    assert_eq!((complete, chunk), (false, bytes("abc")));
    assert_eq!(metadata.version, world.version(client, "dist", "k"));
    for (expected, last) in [("def", false), ("g", true)] {
        let (_, body) = world.call(client, "dist", Request::NextGetStream { stream_id });
        assert_eq!(body, Body::StreamChunk { stream_id, complete: last, chunk: bytes(expected) });
    }
    assert_eq!(world.call(client, "dist", Request::EndGetStream { stream_id }).0, Status::SUCCESS);
    let (status, message) = world.error(client, "dist", Request::NextGetStream { stream_id });
    assert_eq!(status, Status::PARSE_ERROR);
    assert!(message.contains(&format!("StreamId {stream_id} is not present on the server")), "{message}");
}

#[test]
fn a_streams_version_says_on_what_condition_it_is_stored() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let absent = -1i64 as u64;
    let id = start_put(&mut world, client, "k", absent);
    assert_eq!(next_put(&mut world, client, id, "first", true), Status::SUCCESS);
    let id = start_put(&mut world, client, "k", absent);
    assert_eq!(next_put(&mut world, client, id, "second", true), Status::NOT_EXECUTED);
    let version = world.version(client, "dist", "k");
    let id = start_put(&mut world, client, "k", version);
    assert_eq!(next_put(&mut world, client, id, "third", true), Status::SUCCESS);
    let id = start_put(&mut world, client, "k", version);
    assert_eq!(next_put(&mut world, client, id, "fourth", true), Status::NOT_EXECUTED);
    assert_eq!(world.get(client, "dist", "k").as_deref(), Some("third"));
}

#[test]
fn a_stream_that_ends_early_stores_nothing() {
    let mut world = World::new(1);
    let client = world.connect(0);
    let stream_id = start_put(&mut world, client, "k", 0);
    next_put(&mut world, client, stream_id, "abc", false);
    assert_eq!(world.call(client, "dist", Request::EndPutStream { stream_id }).0, Status::SUCCESS);
    let last = Request::NextPutStream { stream_id, last: true, chunk: bytes("d") };
    assert_eq!(world.error(client, "dist", last).0, Status::PARSE_ERROR);
    assert_eq!(world.get(client, "dist", "k"), None);
    let nothing = Request::StartGetStream { key: bytes("k"), chunk_length: 3 };
    assert_eq!(world.call(client, "dist", nothing).0, Status::KEY_DOES_NOT_EXIST);
}

#[test]
fn the_older_streams_carry_all_chunks_at_once() {
    let mut world = World::new(1);
    let client = world.connect_at(0, Version::V2_6, Intelligence::Basic);
    let (key, expiration, entry_version) = (bytes("k"), Expiration::DEFAULT, 0);
    let chunks = vec![bytes("abc"), bytes("def")];
    let put = Request::PutStream { key: key.clone(), expiration, entry_version, chunks };
    assert_eq!(world.call(client, "dist", put).0, Status::SUCCESS);
    let (_, body) = world.call(client, "dist", Request::GetStream { key, offset: 0 });
    assert!(matches!(body, Body::ValueWithMetadata { value, .. } if value == "abcdef"));
}
