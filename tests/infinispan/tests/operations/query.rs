use bytes::Bytes;
use hotrod_core::wire::{Body, MediaType, Request, RequestOptions, Status, Version};

use crate::conversation::{Conversation, immortal};

pub async fn conversation(c: &Conversation) {
    if c.version < Version::V2_8 {
        // Without media types the schema can't be given as text.
        return;
    }
    let text = MediaType::TEXT;
    let mut schemas = RequestOptions::cache("___protobuf_metadata");
    schemas.key_type = text.clone();
    schemas.value_type = text;
    let schema = "/* @Indexed */ message Person { optional string name = 1; }";
    let put = Request::Put { key: "person.proto".into(), expiration: immortal(), value: schema.into() };
    // At 2.8 the server marks what it stores as objects (gotcha 20).
    let stored = if c.version < Version::V2_9 { Status::SUCCESS_OBJECT_STORAGE } else { Status::SUCCESS };
    assert_eq!(c.ask_with(&schemas, put).await.status, stored);

    let mut people = RequestOptions::cache("proto");
    people.key_type = MediaType::PROTOSTREAM;
    people.value_type = MediaType::PROTOSTREAM;
    // QueryRequest { queryString = 1, local = 6 }; servers up to 14 want the second as well.
    let ickle = "FROM Person";
    let query = Bytes::from([&[0x0a, ickle.len() as u8][..], ickle.as_bytes(), &[0x30, 0]].concat());
    let Body::Value(_) = c.ask_with(&people, Request::Query { query }).await.body else { panic!() };
    let nonsense = Bytes::from_static(b"\x0a\x04FROM");
    let (status, message) = c.refused(&people, Request::Query { query: nonsense }).await;
    assert_eq!(status, Status::SERVER_ERROR, "{message}");
}
