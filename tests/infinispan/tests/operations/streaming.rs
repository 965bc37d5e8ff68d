use bytes::Bytes;
use hotrod_core::wire::{Body, Operation, Request, Status, Version};

use crate::conversation::{Conversation, immortal};

/// `entry_version` of a streamed write.
const PUT: u64 = 0;
const PUT_IF_ABSENT: u64 = u64::MAX;

pub async fn conversation(c: &Conversation) {
    if c.has(Operation::PutStream) {
        first_generation(c).await;
    }
    if c.has(Operation::StartPutStream) {
        second_generation(c).await;
    }
}

async fn first_generation(c: &Conversation) {
    let key = c.key("stream");
    let put = |entry_version, chunks: &[&'static str]| Request::PutStream {
        key: key.clone(),
        expiration: immortal(),
        entry_version,
        chunks: chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect(),
    };
    if c.version >= Version::V4_1 {
        // Servers can't read it, and a gateway does not forward it: the client does not send it.
        let error = c.not_sent(put(PUT, &["chunk"])).await;
        assert!(error.contains("no longer has PUT_STREAM"), "{error}");
        assert_eq!(c.get(&key).await, None, "the client goes on");
        c.put(&key, "streamed").await;
        let get = Request::GetStream { key: key.clone(), offset: 0 };
        let Body::ValueWithMetadata { value, .. } = c.ask(get).await.body else { panic!() };
        assert_eq!(value, "streamed");
        return;
    }
    assert_eq!(c.ask(put(PUT_IF_ABSENT, &["in ", "three ", "chunks"])).await.status, Status::SUCCESS);
    assert_eq!(c.ask(put(PUT_IF_ABSENT, &["again"])).await.status, Status::NOT_EXECUTED);
    let get = Request::GetStream { key: key.clone(), offset: 0 };
    let Body::ValueWithMetadata { metadata, value } = c.ask(get).await.body else { panic!() };
    assert_eq!(value, "in three chunks");
    assert_eq!(c.ask(put(metadata.version, &["replaced"])).await.status, Status::SUCCESS);
    assert_eq!(c.ask(put(metadata.version, &["too late"])).await.status, Status::NOT_EXECUTED);
    assert_eq!(c.ask(put(PUT, &["put"])).await.status, Status::SUCCESS);
    assert_eq!(c.get(&key).await.as_deref(), Some(&b"put"[..]));
    let missing = Request::GetStream { key: c.key("missing"), offset: 0 };
    assert_eq!(c.ask(missing).await.status, Status::KEY_DOES_NOT_EXIST);
}

/// The replies' opcodes are one below the requests' (gotcha 19).
async fn second_generation(c: &Conversation) {
    let key = c.key("stream 4.1");
    let start = Request::StartPutStream { key: key.clone(), expiration: immortal(), entry_version: PUT };
    let Body::PutStreamId(stream_id) = c.ask(start).await.body else { panic!() };
    for (chunk, last) in [("in ", false), ("three ", false), ("chunks", true)] {
        let next = Request::NextPutStream { stream_id, last, chunk: chunk.into() };
        assert_eq!(c.ask(next).await.status, Status::SUCCESS);
    }
    assert_eq!(c.get(&key).await.as_deref(), Some(&b"in three chunks"[..]));
    let start = Request::StartGetStream { key: key.clone(), chunk_length: 6 };
    let Body::StreamStart { stream_id, mut complete, chunk, .. } = c.ask(start.clone()).await.body else { panic!() };
    let mut value = chunk.to_vec();
    while !complete {
        let Body::StreamChunk { complete: last, chunk, .. } = c.ask(Request::NextGetStream { stream_id }).await.body
        else {
            panic!()
        };
        value.extend_from_slice(&chunk);
        complete = last;
    }
    assert_eq!(value, b"in three chunks");
    let Body::StreamStart { stream_id, .. } = c.ask(start).await.body else { panic!() };
    assert_eq!(c.ask(Request::EndGetStream { stream_id }).await.status, Status::SUCCESS);
    let start = Request::StartPutStream { key: key.clone(), expiration: immortal(), entry_version: PUT };
    let Body::PutStreamId(stream_id) = c.ask(start).await.body else { panic!() };
    assert_eq!(c.ask(Request::EndPutStream { stream_id }).await.status, Status::SUCCESS);
    let missing = Request::StartGetStream { key: c.key("missing"), chunk_length: 6 };
    assert_eq!(c.ask(missing).await.status, Status::KEY_DOES_NOT_EXIST);
    let (status, message) = c.refused(&c.options, Request::NextGetStream { stream_id: 1_234_567 }).await;
    assert!(status.is_error(), "{message}");
}
