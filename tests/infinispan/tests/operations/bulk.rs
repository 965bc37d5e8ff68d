use bytes::Bytes;
use hotrod_core::wire::{Body, Operation, Request, RequestOptions, Status};

use crate::conversation::{Conversation, immortal};

pub async fn conversation(c: &Conversation) {
    let options = RequestOptions::cache("bulk");
    assert_eq!(c.ask_with(&options, Request::Clear {}).await.status, Status::SUCCESS);
    assert_eq!(c.ask_with(&options, Request::Size {}).await.body, Body::Size(0));
    let mut entries: Vec<(Bytes, Bytes)> =
        (0..5).map(|n| (c.key(&format!("k{n}")), Bytes::from(format!("v{n}")))).collect();
    entries.sort();
    if c.has(Operation::PutAll) {
        let put_all = Request::PutAll { expiration: immortal(), entries: entries.clone() };
        assert_eq!(c.ask_with(&options, put_all).await.status, Status::SUCCESS);
    } else {
        for (key, value) in &entries {
            let put = Request::Put { key: key.clone(), expiration: immortal(), value: value.clone() };
            c.ask_with(&options, put).await;
        }
    }
    assert_eq!(c.ask_with(&options, Request::Size {}).await.body, Body::Size(5));
    let keys: Vec<Bytes> = entries.iter().map(|(key, _)| key.clone()).collect();
    if c.has(Operation::GetAll) {
        let wanted = keys.iter().cloned().chain([c.key("missing")]).collect();
        let found = c.ask_with(&options, Request::GetAll { keys: wanted }).await.body;
        assert_eq!(sorted_entries(found), entries);
    }
    let found = c.ask_with(&options, Request::BulkGet { count: 0 }).await.body;
    assert_eq!(sorted_entries(found), entries);
    let Body::Entries(two) = c.ask_with(&options, Request::BulkGet { count: 2 }).await.body else { panic!() };
    assert_eq!(two.len(), 2);
    let Body::Keys(mut found) = c.ask_with(&options, Request::BulkGetKeys { scope: 0 }).await.body else { panic!() };
    found.sort();
    assert_eq!(found, keys);
    c.ask_with(&options, Request::Clear {}).await;
    let nothing = c.ask_with(&options, Request::BulkGet { count: 0 }).await.body;
    assert_eq!(nothing, Body::Entries(Vec::new()));
}

fn sorted_entries(body: Body) -> Vec<(Bytes, Bytes)> {
    let Body::Entries(mut entries) = body else { panic!("{body:?}") };
    entries.sort();
    entries
}
