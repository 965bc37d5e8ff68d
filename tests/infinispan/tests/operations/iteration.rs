use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::wire::{Body, IterationBatch, Operation, Request, RequestOptions, Status, Version};

use crate::conversation::{Conversation, immortal};

const ENTRIES: usize = 25;

pub async fn conversation(c: &Conversation) {
    if !c.has(Operation::IterationStart) {
        return;
    }
    let options = RequestOptions::cache("bulk-iteration");
    c.ask_with(&options, Request::Clear {}).await;
    let entries: BTreeMap<Bytes, Bytes> =
        (0..ENTRIES).map(|n| (c.key(&format!("k{n}")), Bytes::from(format!("v{n}")))).collect();
    for (key, value) in &entries {
        let put = Request::Put { key: key.clone(), expiration: immortal(), value: value.clone() };
        c.speaker.execute(&options, &put, None).await.unwrap();
    }
    c.recorder.take();
    for metadata in [false, true] {
        let (found, with_metadata) = iterate(c, None, metadata).await;
        assert_eq!(found, entries);
        let told = if metadata && c.version >= Version::V2_5 { ENTRIES } else { 0 };
        assert_eq!(with_metadata, told, "metadata in {}", c.version);
    }
    // Every other byte of the segment mask.
    let half: Bytes = (0..32).map(|n| if n % 2 == 0 { 0xff } else { 0 }).collect::<Vec<u8>>().into();
    let (some, _) = iterate(c, Some(half), false).await;
    assert!(some.len() < ENTRIES);
    let unknown = Request::IterationNext { iteration_id: "no such iteration".into() };
    let reply = c.ask_with(&options, unknown).await;
    assert_eq!(reply.status, Status::INVALID_ITERATION);
    assert_eq!(reply.body, Body::Iteration(IterationBatch::default()));
    let unknown = Request::IterationEnd { iteration_id: "no such iteration".into() };
    let reply = c.ask_with(&options, unknown).await;
    assert_eq!((reply.status, reply.body), (Status::INVALID_ITERATION, Body::Nothing));
}

async fn iterate(c: &Conversation, segments: Option<Bytes>, include_metadata: bool) -> (BTreeMap<Bytes, Bytes>, usize) {
    let options = RequestOptions::cache("bulk-iteration");
    let start = Request::IterationStart { segments, filter_converter: None, batch_size: 10, include_metadata };
    let Body::IterationId(iteration_id) = c.ask_with(&options, start).await.body else { panic!() };
    let (mut found, mut with_metadata) = (BTreeMap::new(), 0);
    loop {
        let next = Request::IterationNext { iteration_id: iteration_id.clone() };
        let Body::Iteration(batch) = c.ask_with(&options, next).await.body else { panic!() };
        if batch.entries.is_empty() {
            break;
        }
        for mut entry in batch.entries {
            with_metadata += usize::from(entry.metadata.is_some());
            assert_eq!(entry.values.len(), 1);
            let before = found.insert(entry.key, entry.values.remove(0));
            assert_eq!(before, None, "an entry came twice");
        }
    }
    let end = Request::IterationEnd { iteration_id };
    assert_eq!(c.ask_with(&options, end).await.status, Status::SUCCESS);
    (found, with_metadata)
}
