use bytes::Bytes;
use hotrod_core::wire::{Body, MediaType, Operation, Request, RequestOptions, Status, Version};

use crate::conversation::Conversation;
use crate::speaker::Speaker;

pub async fn conversation(c: &Conversation) {
    ping(c).await;
    statistics(c).await;
    topology(c).await;
    unknown_cache(c).await;
    if c.has(Operation::Exec) {
        tasks(c).await;
    }
    if c.version >= Version::V2_8 {
        media_types(c).await;
    }
    if c.version >= Version::V4_0 {
        other_parameters(c).await;
    }
}

async fn ping(c: &Conversation) {
    let Body::Ping(ping) = c.ask(Request::Ping {}).await.body else { panic!() };
    assert_eq!(ping.server_version.is_some(), c.version >= Version::V3_0);
    if c.version < Version::V3_0 {
        return;
    }
    // None of the server's operations is missing in our table, and for the newest server none is too many.
    for opcode in &ping.operations {
        let known = u8::try_from(*opcode).ok().and_then(Operation::from_request_opcode);
        assert!(known.is_some(), "the server knows opcode {opcode:#06x}, the table doesn't");
    }
    if ping.server_version == Some(Version::LATEST.to_byte()) {
        assert_eq!(ping.operations.len(), Operation::table().len());
    }
}

async fn statistics(c: &Conversation) {
    let Body::Statistics(statistics) = c.ask(Request::Stats {}).await.body else { panic!() };
    assert!(statistics.iter().any(|(name, _)| name == "currentNumberOfEntries"), "{statistics:?}");
}

/// A clustered cache tells its topology to who has another one; PING without a cache never does.
async fn topology(c: &Conversation) {
    let reply = c.ask_with(&RequestOptions::cache("dist"), Request::Ping {}).await;
    if let Speaker::Client(whole) = &c.speaker {
        // The client keeps what it is told to itself. One that does not route is told nothing.
        if let Some(view) = whole.client.view(&whole.client.cache("dist")) {
            assert_eq!((view.members().len(), view.segments()), (1, 256));
        }
        return;
    }
    let topology = reply.topology.expect("a topology");
    assert_eq!(topology.members.len(), 1);
    let hash = topology.hash.expect("segment owners");
    assert_eq!((hash.function, hash.segments, hash.owners.len()), (3, 256, 256));
    assert!((0..256).all(|segment| hash.owners.of(segment) == [0]));
    assert_eq!(c.ask_with(&RequestOptions::default(), Request::Ping {}).await.topology, None);
}

async fn unknown_cache(c: &Conversation) {
    let nowhere = RequestOptions::cache("no such cache");
    let (status, message) = c.refused(&nowhere, Request::Get { key: c.key("k") }).await;
    assert_eq!(status, Status::PARSE_ERROR);
    assert!(message.contains("no such cache"), "{message}");
    // The session goes on.
    assert_eq!(c.get(&c.key("still there?")).await, None);
}

async fn tasks(c: &Conversation) {
    let mut options = RequestOptions::default();
    options.key_type = MediaType::TEXT;
    options.value_type = MediaType::TEXT;
    let names = Request::Exec { task: "@@cache@names".into(), parameters: Vec::new() };
    let Body::Value(names) = c.ask_with(&options, names).await.body else { panic!() };
    assert!(String::from_utf8_lossy(&names).contains("dist"), "{names:?}");
    let parameters = vec![("no".into(), Bytes::from("value"))];
    let (status, _) = c.refused(&options, Request::Exec { task: "no such task".into(), parameters }).await;
    assert!(status.is_error());
}

async fn media_types(c: &Conversation) {
    let mut options = RequestOptions::cache("text");
    options.key_type = MediaType::TEXT;
    options.value_type = MediaType::JSON;
    let key = c.key("media");
    let put = Request::Put { key: key.clone(), expiration: crate::conversation::immortal(), value: "{\"a\":1}".into() };
    assert_eq!(c.ask_with(&options, put).await.status, Status::SUCCESS);
    let Body::Value(value) = c.ask_with(&options, Request::Get { key }).await.body else { panic!() };
    assert_eq!(value, "{\"a\":1}");
}

async fn other_parameters(c: &Conversation) {
    let traceparent = Bytes::from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let mut options = c.options.clone();
    options.other_parameters = vec![("traceparent".into(), traceparent)];
    assert_eq!(c.ask_with(&options, Request::Ping {}).await.status, Status::SUCCESS);
}
