//! Codecs of keys and values, against an embedded node.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hotrod_embedded::ClusterOptions;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::codec::{
    Codec, CodecError, Encode, Json, JsonProblem, Octets, ProtoStream, Protobuf, Raw, Scalar, Text,
};
use hotrod_tokio::core::protostream::Kind;
use hotrod_tokio::core::session::Applied;
use hotrod_tokio::core::wire::{Expiration, Flags, ListenerOptions, MediaType};
use hotrod_tokio::{Cache, Client, Error, ListenerEvent, NearCacheOptions, Part};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    price: u64,
}

fn item(name: &str, price: u64) -> Item {
    Item { name: name.into(), price }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "bytes", tag = "2")]
    picture: Bytes,
}

impl prost::Name for Message {
    const PACKAGE: &'static str = "shop";
    const NAME: &'static str = "Item";
}

/// The same fields under another name.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    name: String,
}

impl prost::Name for Order {
    const PACKAGE: &'static str = "shop";
    const NAME: &'static str = "Order";
}

async fn node() -> (Embedded, Client) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut cluster = ClusterOptions::default();
    cluster.caches.push("items:key-type=text/plain,value-type=application/json".parse().unwrap());
    let node = Embedded::start(EmbeddedOptions { cluster, listen, ..EmbeddedOptions::default() }).await.unwrap();
    let client = Client::connect(&format!("hotrod://{}", node.addresses()[0])).await.unwrap();
    (node, client)
}

/// Stores a value in a cache without declared encoding, and reads it again; returns the stored bytes.
async fn round_trip<V: Encode<T>, T>(client: &Client, codec: V, value: T) -> (Bytes, V::Value) {
    let plain = client.cache("local");
    let cache = plain.with_codecs(Text, codec);
    cache.put("round trip", value).await.unwrap();
    let stored = plain.get("round trip").await.unwrap().unwrap();
    (stored, cache.get("round trip").await.unwrap().unwrap())
}

#[tokio::test]
async fn bytes_and_texts() {
    let (node, client) = node().await;
    assert_eq!(round_trip(&client, Raw, "raw").await, ("raw".into(), "raw".into()));
    assert_eq!(round_trip(&client, Octets, vec![0, 255]).await, (vec![0, 255].into(), vec![0, 255].into()));
    for text in ["plain", "", "é", "𝄞 \u{10ffff}", "a\0b"] {
        assert_eq!(round_trip(&client, Text, text).await, (text.into(), text.into()));
        assert_eq!(round_trip(&client, Text, text.to_string()).await.1, text);
        assert_eq!(round_trip(&client, Text, &text.to_string()).await.1, text);
    }
    node.stop().await;
}

/// The same in a cache of JSON, which does not convert its values to bytes: returns the text.
async fn json_round_trip<V: Encode<T>, T>(client: &Client, codec: V, value: T) -> (String, V::Value) {
    let cache = client.cache("items").with_codecs(Text, codec);
    cache.put("round trip", value).await.unwrap();
    let stored = client.cache("items").with_codecs(Text, Text).get("round trip").await.unwrap().unwrap();
    (stored, cache.get("round trip").await.unwrap().unwrap())
}

#[tokio::test]
async fn objects_as_json() {
    let (node, client) = node().await;
    let lamp = item("lämp 𝄞", u64::MAX);
    let (stored, read) = json_round_trip(&client, Json::<Item>::new(), &lamp).await;
    assert_eq!((&*stored, &read), ("{\"name\":\"lämp 𝄞\",\"price\":18446744073709551615}", &lamp));
    assert_eq!(json_round_trip(&client, Json::<Item>::new(), lamp.clone()).await.1, lamp);
    assert_eq!(json_round_trip(&client, Json::<i64>::new(), i64::MIN).await.1, i64::MIN);
    assert_eq!(json_round_trip(&client, Json::<Option<String>>::new(), None).await.1, None);
    node.stop().await;
}

async fn scalars<T: Scalar + Clone + PartialEq + Debug>(client: &Client, values: &[T]) {
    for value in values {
        assert_eq!(round_trip(client, ProtoStream::<T>::new(), value.clone()).await.1, *value);
        assert_eq!(round_trip(client, ProtoStream::<T>::new(), value).await.1, *value);
    }
}

#[tokio::test]
async fn scalars_as_java_stores_them() {
    let (node, client) = node().await;
    scalars(&client, &[false, true]).await;
    scalars(&client, &[i8::MIN, -1, i8::MAX]).await;
    scalars(&client, &[i16::MIN, -1, i16::MAX]).await;
    scalars(&client, &[i32::MIN, -1, 0, i32::MAX]).await;
    scalars(&client, &[i64::MIN, -1, 0, i64::MAX]).await;
    scalars(&client, &[0, u32::MAX]).await;
    scalars(&client, &[0, u64::MAX]).await;
    scalars(&client, &[0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::NEG_INFINITY]).await;
    scalars(&client, &[0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY]).await;
    scalars(&client, &[String::new(), "𝄞".into()]).await;
    scalars(&client, &[Vec::new(), vec![0, 255]]).await;
    scalars(&client, &[Bytes::new(), Bytes::from_static(b"\0\xff")]).await;
    let second = Duration::from_secs(1);
    let around_1970 = [UNIX_EPOCH, UNIX_EPOCH - second, UNIX_EPOCH - second / 2, UNIX_EPOCH + second / 3];
    scalars(&client, &around_1970).await;
    scalars(&client, &[SystemTime::now()]).await;
    assert!(round_trip(&client, ProtoStream::<f64>::new(), f64::NAN).await.1.is_nan());
    assert!(round_trip(&client, ProtoStream::<f32>::new(), f32::NAN).await.1.is_nan());
    // The key that Java's client writes for "k", of the documentation of hotrod_core::protostream.
    assert_eq!(round_trip(&client, ProtoStream::<String>::new(), "k").await, (b"\x4a\x01k"[..].into(), "k".into()));
    assert_eq!(round_trip(&client, ProtoStream::<Vec<u8>>::new(), &b"k"[..]).await.1, b"k");
    assert_eq!(round_trip(&client, ProtoStream::<Bytes>::new(), &b"k"[..]).await.1, "k");
    node.stop().await;
}

#[tokio::test]
async fn messages_of_protocol_buffers() {
    let (node, client) = node().await;
    let message = Message { name: "lamp".into(), picture: Bytes::from_static(b"\x89PNG") };
    let by_name = Protobuf::<Message>::new();
    let (named, read) = round_trip(&client, by_name, &message).await;
    assert_eq!(read, message);
    assert!(named.windows(9).any(|bytes| bytes == b"shop.Item"), "its full name is stored");
    let by_id = by_name.with_type_id(1_000_042);
    let (numbered, read) = round_trip(&client, by_id, message.clone()).await;
    assert_eq!(read, message);
    assert!(!numbered.windows(9).any(|bytes| bytes == b"shop.Item"), "its type id is stored");
    assert_eq!(by_id.decode(named).unwrap(), message, "by its name too");
    assert_eq!(round_trip(&client, by_name, Message::default()).await.1, Message::default());
    node.stop().await;
}

#[tokio::test]
async fn media_types_are_declared() {
    let (node, client) = node().await;
    let cache = client.cache("local");
    assert_eq!(cache.options().key_type, MediaType::Unspecified);
    let text = cache.with_codecs(Text, Json::<Item>::new());
    assert_eq!(text.options().key_type.to_string(), "text/plain;charset=UTF-8");
    assert_eq!(text.options().value_type, MediaType::JSON);
    let octets = text.with_codecs(Octets, Protobuf::<Message>::new());
    assert_eq!(octets.options().key_type, MediaType::OCTET_STREAM);
    assert_eq!(octets.options().value_type, MediaType::PROTOSTREAM);
    assert_eq!(octets.with_codecs(Raw, Raw).options(), cache.options());
    let flagged = text.with_flags(Flags::FORCE_RETURN_VALUE);
    assert_eq!(flagged.with_codecs(Octets, Octets).options().flags, Flags::FORCE_RETURN_VALUE);
    node.stop().await;
}

fn decode_problem<V: Codec>(codec: &V, stored: &'static [u8]) -> CodecError
where
    V::Value: Debug,
{
    codec.decode(Bytes::from_static(stored)).unwrap_err()
}

#[test]
fn what_a_codec_can_not_decode() {
    assert!(matches!(decode_problem(&Text, b"ab\xff"), CodecError::NotUtf8 { valid_up_to: 2 }));
    let json = |stored| match decode_problem(&Json::<Item>::new(), stored) {
        CodecError::Json { problem, .. } => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(json(b"{\"name\":\"secret"), JsonProblem::Truncated);
    assert_eq!(json(b"{secret}"), JsonProblem::Syntax);
    assert_eq!(json(b"{\"name\":\"a\",\"price\":\"secret\"}"), JsonProblem::Type);
    assert_eq!(json(b""), JsonProblem::Truncated);

    let long = ProtoStream::<i64>::new().encode(7).unwrap();
    let error = ProtoStream::<i32>::new().decode(long).unwrap_err();
    assert!(matches!(error, CodecError::Kind { expected: Kind::Int32, found: Kind::Int64 }), "{error:?}");
    assert_eq!(error.to_string(), "the value is of the kind int64, not int32");
    assert!(matches!(decode_problem(&ProtoStream::<bool>::new(), b"\xff"), CodecError::ProtoStream(_)));
    assert!(matches!(decode_problem(&ProtoStream::<bool>::new(), b""), CodecError::ProtoStream(_)));
}

#[test]
fn messages_of_another_type_are_refused() {
    let order = Protobuf::<Order>::new();
    let message = || Message { name: "secret".into(), picture: Bytes::new() };
    let named = Protobuf::<Message>::new().encode(message()).unwrap();
    let numbered = Protobuf::<Message>::new().with_type_id(9).encode(message()).unwrap();
    let text = |codec: Protobuf<Order>, stored: &Bytes| codec.decode(stored.clone()).unwrap_err().to_string();
    assert_eq!(text(order, &named), "the message is of the type shop.Item, not shop.Order");
    assert_eq!(text(order, &numbered), "the message is of the type with id 9, not shop.Order");
    assert_eq!(text(order.with_type_id(8), &numbered), "the message is of the type with id 9, not with id 8");
    let scalar = ProtoStream::<String>::new().encode("secret").unwrap();
    assert_eq!(text(order, &scalar), "the value is of the kind string, not message");
    assert!(matches!(
        order.with_type_id(u32::MAX).encode(Order::default()).unwrap_err(),
        CodecError::NotProtoStream(_)
    ));
}

#[tokio::test]
async fn a_value_that_can_not_be_decoded() {
    let (node, client) = node().await;
    let plain = client.cache("local");
    plain.put("a key", r#"{"name":"secret","price":"secret"}"#).await.unwrap();
    let cache = plain.with_codecs(Text, Json::<Item>::new());
    let error = cache.get("a key").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cache \"local\": can't decode the value of a key of 5 bytes (application/json): the JSON is not of the \
         expected type, at line 1 column 33"
    );
    assert!(!format!("{error:?}{:?}", error.source()).contains("secret"));
    assert!(error.source().unwrap().downcast_ref::<CodecError>().is_some());
    assert_eq!(error.applied(), Applied::Unknown);
    let Error::Decode { cache: name, part, key_length, media_type, .. } = error else { panic!("{error:?}") };
    assert_eq!((&*name, part, key_length, &*media_type), ("local", Part::Value, Some(5), &MediaType::JSON));

    let failed = |error: Error| matches!(error, Error::Decode { part: Part::Value, key_length: Some(5), .. });
    assert!(failed(cache.get_with_metadata("a key").await.unwrap_err()));
    assert!(failed(cache.get_with_version("a key").await.unwrap_err()));
    assert!(failed(cache.get_all(vec!["a key"]).await.unwrap_err()));
    assert!(failed(cache.bulk_get(0).await.unwrap_err()));
    let returning = cache.with_flags(Flags::FORCE_RETURN_VALUE);
    assert!(failed(returning.remove("a key").await.unwrap_err()));
    assert_eq!(plain.size().await.unwrap(), 0, "it was executed");
    node.stop().await;
}

#[tokio::test]
async fn a_key_that_can_not_be_decoded() {
    let (node, client) = node().await;
    let plain = client.cache("local");
    plain.put(&b"\xff\xfe"[..], "v").await.unwrap();
    let cache = plain.with_codecs(Text, Text);
    let failed = |error: Error| matches!(error, Error::Decode { part: Part::Key, key_length: Some(2), .. });
    assert!(failed(cache.bulk_get_keys(0).await.unwrap_err()));
    assert!(failed(cache.bulk_get(0).await.unwrap_err()));
    assert!(failed(cache.iterate(10).unwrap().next().await.unwrap_err()));
    node.stop().await;
}

/// Its keys are no texts, which JSON needs.
type Unserializable = BTreeMap<Vec<u8>, String>;

#[tokio::test]
async fn a_value_that_can_not_be_encoded_sends_nothing() {
    let (node, client) = node().await;
    let cache = client.cache("items").with_codecs(Text, Json::<Unserializable>::new());
    cache.put("k", &Unserializable::new()).await.unwrap();
    let sent = client.counters().operations;
    let value = Unserializable::from([(b"secret".to_vec(), "secret".into())]);
    let error = cache.put("key", &value).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cache \"items\": can't encode the value of a key of 3 bytes (application/json): it can't be serialized as \
         JSON"
    );
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!(error.applied(), Applied::No);
    let failed = |error: Error| matches!(error, Error::Encode { part: Part::Value, key_length: Some(3), .. });
    let entries = vec![("k", Unserializable::new()), ("key", value.clone())];
    assert!(failed(cache.put_all(entries, Expiration::DEFAULT).await.unwrap_err()));
    assert!(failed(cache.put_if_absent("key", &value, Expiration::DEFAULT).await.unwrap_err()));
    let by_key = client.cache("items").with_codecs(Json::<Unserializable>::new(), Text);
    let error = by_key.get(&value).await.unwrap_err();
    assert!(matches!(error, Error::Encode { part: Part::Key, key_length: None, .. }), "{error:?}");
    assert_eq!(client.counters().operations, sent);
    node.stop().await;
}

#[tokio::test]
async fn conditions_return_decoded_values() {
    let (node, client) = node().await;
    let cache = client.cache("items").with_codecs(ProtoStream::<i32>::new(), Json::<Item>::new());
    let returning = cache.with_flags(Flags::FORCE_RETURN_VALUE);
    let (one, two) = (item("one", 1), item("two", 2));
    assert!(cache.put_if_absent(1, &one, Expiration::DEFAULT).await.unwrap().executed);
    let refused = returning.put_if_absent(1, &two, Expiration::DEFAULT).await.unwrap();
    assert!(!refused.executed);
    assert_eq!(refused.previous.unwrap().value, one);
    assert_eq!(returning.put(1, &two).await.unwrap().unwrap().value, one);
    let entry = cache.get_with_metadata(1).await.unwrap().unwrap();
    assert_eq!(entry.value, two);
    let version = entry.metadata.version;
    assert_eq!(cache.get_with_version(1).await.unwrap(), Some((two.clone(), version)));
    assert!(cache.replace_if_unmodified(1, version, &one, Expiration::DEFAULT).await.unwrap().executed());
    assert_eq!(returning.remove(1).await.unwrap().previous.unwrap().value, one);
    assert_eq!(cache.get(1).await.unwrap(), None);
    node.stop().await;
}

#[tokio::test]
async fn many_entries() {
    let (node, client) = node().await;
    let cache = client.cache("local").with_codecs(Text, ProtoStream::<i64>::new());
    let entries: HashMap<String, i64> = (0..100).map(|n| (format!("key {n}"), n)).collect();
    cache.put_all(entries.clone().into_iter().collect(), Expiration::DEFAULT).await.unwrap();
    let found = cache.get_all(entries.keys().collect()).await.unwrap();
    assert_eq!(found.into_iter().collect::<HashMap<_, _>>(), entries);
    assert_eq!(cache.bulk_get(0).await.unwrap().into_iter().collect::<HashMap<_, _>>(), entries);
    assert!(cache.bulk_get_keys(0).await.unwrap().iter().all(|key| entries.contains_key(key)));
    let mut iteration = cache.iterate(7).unwrap();
    let mut iterated = HashMap::new();
    while let Some(entry) = iteration.next().await.unwrap() {
        assert!(iterated.insert(entry.key, entry.values[0]).is_none());
    }
    assert_eq!(iterated, entries);
    node.stop().await;
}

#[tokio::test]
async fn an_iteration_continues_after_an_entry_that_can_not_be_decoded() {
    let (node, client) = node().await;
    let plain = client.cache("local");
    for (key, value) in [("a", &b"1"[..]), ("b", b"\xff"), ("c", b"3")] {
        plain.put(key, value).await.unwrap();
    }
    let mut iteration = plain.with_codecs(Text, Text).iterate(2).unwrap();
    let (mut good, mut bad) = (Vec::new(), 0);
    loop {
        match iteration.next().await {
            Ok(Some(entry)) => good.push(entry.key),
            Ok(None) => break,
            Err(Error::Decode { part: Part::Value, key_length: Some(1), .. }) => bad += 1,
            Err(error) => panic!("{error}"),
        }
    }
    good.sort();
    assert_eq!((good, bad), (vec!["a".into(), "c".into()], 1));
    node.stop().await;
}

#[tokio::test]
async fn multimaps() {
    let (node, client) = node().await;
    let map = client.multimap("local", false).with_codecs(Text, ProtoStream::<i32>::new());
    map.put("k", 1).await.unwrap();
    map.put("k", 2).await.unwrap();
    let mut values = map.get("k").await.unwrap();
    values.sort_unstable();
    assert_eq!(values, [1, 2]);
    assert!(map.contains_entry("k", 1).await.unwrap());
    assert!(map.contains_value(2).await.unwrap());
    let (_, values) = map.get_with_metadata("k").await.unwrap().unwrap();
    assert_eq!(values.len(), 2);
    node.stop().await;
}

#[tokio::test]
async fn near_caches_hold_encoded_entries() {
    let (node, client) = node().await;
    let cache: Cache<Text, Json<Item>> = client.cache("items").with_codecs(Text, Json::new());
    cache.enable_near_cache(NearCacheOptions::default()).unwrap();
    let lamp = item("lamp", 1);
    cache.put("lamp", &lamp).await.unwrap();
    let hits = || client.counters().near_hits;
    while hits() == 0 {
        assert_eq!(cache.get("lamp").await.unwrap(), Some(lamp.clone()));
    }
    assert_eq!(cache.clone().get("lamp".to_string()).await.unwrap(), Some(lamp));
    node.stop().await;
}

#[tokio::test]
async fn listeners_decode_keys() {
    let (node, client) = node().await;
    let cache = client.cache("local").with_codecs(ProtoStream::<i64>::new(), Text);
    let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
    cache.put(i64::MIN, "v").await.unwrap();
    let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!("no entry") };
    assert_eq!(listener.key_of(&event).unwrap(), Some(i64::MIN));
    let plain = client.cache("local");
    plain.put("secret", "v").await.unwrap();
    let Some(ListenerEvent::Entry(event)) = listener.next().await else { panic!("no entry") };
    let error = listener.key_of(&event).unwrap_err();
    assert!(matches!(error, Error::Decode { part: Part::Key, key_length: Some(6), .. }), "{error:?}");
    node.stop().await;
}

/// A codec of an application.
#[derive(Clone)]
struct Even;

impl Codec for Even {
    type Value = u8;

    fn media_type(&self) -> MediaType {
        MediaType::OCTET_STREAM
    }

    fn decode(&self, bytes: Bytes) -> Result<u8, CodecError> {
        bytes.first().copied().ok_or_else(|| CodecError::other("no byte"))
    }
}

impl Encode<u8> for Even {
    fn encode(&self, value: u8) -> Result<Bytes, CodecError> {
        if value.is_multiple_of(2) { Ok(vec![value].into()) } else { Err(CodecError::other("an odd number")) }
    }
}

#[tokio::test]
async fn a_codec_of_an_application() {
    let (node, client) = node().await;
    let cache = client.cache("local").with_codecs(Even, Even);
    // Its futures are Send: they run in any task.
    let task = tokio::spawn(async move {
        cache.put(2, 4).await.unwrap();
        assert_eq!(cache.get(2).await.unwrap(), Some(4));
        cache.put(1, 2).await.unwrap_err().to_string()
    });
    assert_eq!(task.await.unwrap(), "cache \"local\": can't encode the key (application/octet-stream): an odd number");
    node.stop().await;
}
