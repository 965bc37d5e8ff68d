use bytes::Bytes;
use hotrod_core::wire::{Interests, ListenerOptions, Operation, Request, RequestOptions, Status, Version};
use hotrod_tokio::{Client, NearCacheOptions};

use crate::conversation::{Conversation, immortal};
use crate::counters::heard;
use crate::speaker::Speaker;

pub async fn conversation(c: &Conversation) {
    let key = c.key("heard");
    let listener_id = c.key("listener");
    let add = Request::AddClientListener { listener_id: listener_id.clone(), options: ListenerOptions::default() };
    assert_eq!(c.ask(add).await.status, Status::SUCCESS);
    c.put(&key, "created").await;
    heard(c, 1).await;
    c.put(&key, "modified").await;
    heard(c, 2).await;
    c.ask(Request::Remove { key: key.clone() }).await;
    heard(c, 3).await;
    let remove = |listener_id: Bytes| Request::RemoveClientListener { listener_id };
    assert_eq!(c.ask(remove(listener_id.clone())).await.status, Status::SUCCESS);
    assert_eq!(c.ask(remove(listener_id)).await.status, Status::NOT_EXECUTED);
    current_state(c).await;
    if c.version >= Version::V2_6 {
        interests(c).await;
    }
    if c.has(Operation::AddBloomFilterListener) {
        bloom_filter(c).await;
    }
}

/// Events of the entries that are there already may come before the answer.
async fn current_state(c: &Conversation) {
    let options = RequestOptions::cache("listened");
    c.ask_with(&options, Request::Clear {}).await;
    let key = c.key("there already");
    c.ask_with(&options, Request::Put { key, expiration: immortal(), value: "v".into() }).await;
    let before = c.speaker.events();
    let listener_id = c.key("state listener");
    let with_state = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
    let add = Request::AddClientListener { listener_id: listener_id.clone(), options: with_state };
    assert_eq!(c.ask_with(&options, add).await.status, Status::SUCCESS);
    heard(c, before + 1).await;
    c.ask_with(&options, Request::RemoveClientListener { listener_id }).await;
}

async fn interests(c: &Conversation) {
    // A cache of its own: in another one entries are removed by other tests at the same time.
    let cache = RequestOptions::cache("listened");
    let key = c.key("interesting");
    let before = c.speaker.events();
    let listener_id = c.key("removal listener");
    let options = ListenerOptions { interests: Interests::REMOVED, ..ListenerOptions::default() };
    let add = Request::AddClientListener { listener_id: listener_id.clone(), options };
    assert_eq!(c.ask_with(&cache, add).await.status, Status::SUCCESS);
    let put = Request::Put { key: key.clone(), expiration: immortal(), value: "not told".into() };
    c.ask_with(&cache, put).await;
    c.ask_with(&cache, Request::Remove { key }).await;
    heard(c, before + 1).await;
    c.ask_with(&cache, Request::RemoveClientListener { listener_id }).await;
    assert_eq!(c.speaker.events(), before + 1);
}

async fn bloom_filter(c: &Conversation) {
    if let Speaker::Client(whole) = &c.speaker {
        return near_cache(c, &whole.client).await;
    }
    let listener_id = c.key("near cache");
    let add = Request::AddBloomFilterListener { listener_id: listener_id.clone(), bloom_bits: 1024 };
    assert_eq!(c.ask(add).await.status, Status::SUCCESS);
    let filter = Bytes::from(vec![0xff; 128]);
    assert_eq!(c.ask(Request::UpdateBloomFilter { bloom_filter: filter }).await.status, Status::SUCCESS);
    assert_eq!(c.ask(Request::RemoveClientListener { listener_id }).await.status, Status::SUCCESS);
}

/// What a whole client does with a bloom filter: the listener and the filter belong to one session, which it chooses.
async fn near_cache(c: &Conversation, client: &Client) {
    let cache = client.cache("local");
    let key = c.key("near");
    cache.put(key.clone(), "v").await.unwrap();
    let mut options = NearCacheOptions::default();
    options.bloom_filter = true;
    cache.enable_near_cache(options).unwrap();
    for _ in 0..500 {
        assert_eq!(cache.get(key.clone()).await.unwrap().unwrap(), "v");
        if client.counters().near_hits > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(client.counters().near_hits > 0, "{:?}", client.counters());
    c.ask(Request::Put { key: key.clone(), expiration: immortal(), value: "w".into() }).await;
    assert_eq!(cache.get(key).await.unwrap().unwrap(), "w");
    cache.disable_near_cache();
}
