//! The Rust client of tests/interoperability: reads what another client wrote, Java's or the npm package `infinispan`, then writes
//! what that reads.
//!
//! `interoperability URI vectors.json PEER [NUMBER of the type of orders]`, or `interoperability URI media_types.json PEER --media-types`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::SystemTime;

use bytes::Bytes;
use hotrod_core::protostream::{Limits, decode, encode};
use hotrod_core::wire::MediaType;
use hotrod_tokio::codec::{Codec, CodecError, Encode, Json, ProtoStream, Protobuf, Scalar, Text};
use hotrod_tokio::{Cache, Client};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, PartialEq, prost::Message)]
struct Line {
    #[prost(string, tag = "1")]
    item: String,
    #[prost(int64, tag = "2")]
    count: i64,
}

/// The class of an application, as tests/interoperability/java/src/main/java/shop declares it.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(int32, tag = "1")]
    number: i32,
    #[prost(string, tag = "2")]
    customer: String,
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(message, tag = "4")]
    first: Option<Line>,
    #[prost(message, repeated, tag = "5")]
    lines: Vec<Line>,
    #[prost(btree_map = "string, string", tag = "6")]
    labels: BTreeMap<String, String>,
    #[prost(double, tag = "7")]
    price: f64,
    #[prost(bytes, tag = "8")]
    signature: Vec<u8>,
    #[prost(int64, tag = "9")]
    paid_at: i64,
}

impl prost::Name for Order {
    const NAME: &'static str = "Order";
    const PACKAGE: &'static str = "shop";
}

fn order(language: &str) -> Order {
    let line = |item: &str, count| Line { item: item.into(), count };
    Order {
        number: i32::MIN,
        customer: format!("{language} \u{1f600}"),
        status: 2,
        first: Some(line("a", i64::MAX)),
        lines: [line("b\0", 1), line("\u{4f60}", -1)].to_vec(),
        labels: BTreeMap::from([("k".into(), "v".into())]),
        price: -0.5,
        signature: [0, 1, 0xff].to_vec(),
        paid_at: i64::MIN,
    }
}

const TEXT: ProtoStream<String> = ProtoStream::new();

/// Finds the entry by the key of a vector, and its value; then stores both anew.
async fn exchange<T>(cache: &Cache, peer: &str, n: usize, stored: &[u8]) -> Result<()>
where
    T: Scalar + PartialEq + std::fmt::Debug + Clone,
    ProtoStream<T>: Encode<T> + Codec<Value = T>,
{
    let values = ProtoStream::<T>::new();
    let value = values.decode(stored.to_vec().into())?;
    let by_value = cache.with_codecs(values, TEXT);
    assert_eq!(by_value.get(value.clone()).await?, Some(format!("{peer} {n}")), "the entry with the key of vector {n}");
    let of_values = cache.with_codecs(TEXT, values);
    let read = of_values.get(format!("{peer} value {n}")).await?.ok_or("no value")?;
    assert_eq!(Encode::<T>::encode(&values, read)?, stored, "the value of vector {n}");
    by_value.put(value.clone(), format!("rust {n}")).await?;
    of_values.put(format!("rust value {n}"), value).await?;
    Ok(())
}

/// The same for a value without a Rust type of its own: by core's values.
async fn exchange_bytes(cache: &Cache, peer: &str, n: usize, stored: &[u8]) -> Result<()> {
    let stored = encode(&decode(stored, &Limits::default())?)?;
    let cache = cache.with_media_types(MediaType::PROTOSTREAM, MediaType::PROTOSTREAM);
    let text = |text: String| Encode::<String>::encode(&TEXT, text);
    assert_eq!(
        cache.get(stored.clone()).await?,
        Some(text(format!("{peer} {n}"))?),
        "the entry with the key of vector {n}"
    );
    assert_eq!(
        cache.get(text(format!("{peer} value {n}"))?).await?.as_deref(),
        Some(&stored[..]),
        "the value of vector {n}"
    );
    cache.put(stored.clone(), text(format!("rust {n}"))?).await?;
    cache.put(text(format!("rust value {n}"))?, stored).await?;
    Ok(())
}

/// Keys and values of ProtoStream.
async fn exchange_protostream(cache: &Cache, peer: &str, vectors: &[Value]) -> Result<()> {
    for (n, vector) in vectors.iter().enumerate() {
        let hex = vector["bytes"].as_str().ok_or("no bytes")?;
        let stored = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
        let stored = stored.collect::<std::result::Result<Vec<_>, _>>()?;
        match vector["java"].as_str().ok_or("no type")? {
            "string" => exchange::<String>(cache, peer, n, &stored).await?,
            "int" => exchange::<i32>(cache, peer, n, &stored).await?,
            "long" => exchange::<i64>(cache, peer, n, &stored).await?,
            "double" => exchange::<f64>(cache, peer, n, &stored).await?,
            "float" => exchange::<f32>(cache, peer, n, &stored).await?,
            "boolean" => exchange::<bool>(cache, peer, n, &stored).await?,
            "byte[]" => exchange::<Vec<u8>>(cache, peer, n, &stored).await?,
            "short" => exchange::<i16>(cache, peer, n, &stored).await?,
            "byte" => exchange::<i8>(cache, peer, n, &stored).await?,
            "Instant" if ProtoStream::<SystemTime>::new().decode(stored.clone().into()).is_ok() => {
                exchange::<SystemTime>(cache, peer, n, &stored).await?;
            }
            _ => exchange_bytes(cache, peer, n, &stored).await?,
        }
    }
    Ok(())
}

/// Orders, as keys and as values.
async fn exchange_orders(cache: &Cache, peer: &str, number: Option<u32>) -> Result<()> {
    let codec = number.map_or_else(Protobuf::<Order>::new, |number| Protobuf::new().with_type_id(number));
    let orders = cache.with_codecs(TEXT, codec);
    assert_eq!(orders.get(format!("{peer} order")).await?, Some(order(peer)));
    let by_order = cache.with_codecs(codec, TEXT);
    // The npm client writes the number of a type behind the message, Java's before it: another key.
    let expected = number.is_none().then(|| format!("{peer} order"));
    assert_eq!(by_order.get(order(peer)).await?, expected, "the peer's order as a key");
    by_order.put(order("rust"), "rust order").await?;
    orders.put("rust order", order("rust")).await?;
    Ok(())
}

/// Texts by [`Text`], or JSON by [`Json`].
#[derive(Clone, Copy)]
enum TextOrJson {
    Text,
    Json,
}

impl TextOrJson {
    fn of(media_type: &Value) -> Result<Self> {
        match media_type.as_str() {
            Some("text/plain") => Ok(Self::Text),
            Some("application/json") => Ok(Self::Json),
            _ => Err(format!("{media_type} is neither text nor JSON").into()),
        }
    }
}

impl Codec for TextOrJson {
    type Value = Value;

    fn media_type(&self) -> MediaType {
        match self {
            Self::Text => Text.media_type(),
            Self::Json => Json::<Value>::new().media_type(),
        }
    }

    fn decode(&self, bytes: Bytes) -> std::result::Result<Value, CodecError> {
        match self {
            Self::Text => Text.decode(bytes).map(Value::from),
            Self::Json => Json::new().decode(bytes),
        }
    }
}

impl Encode<&Value> for TextOrJson {
    fn encode(&self, value: &Value) -> std::result::Result<Bytes, CodecError> {
        match self {
            Self::Text => Text.encode(value.as_str().ok_or_else(|| CodecError::other("no text"))?),
            Self::Json => Json::new().encode(value),
        }
    }
}

/// Text and JSON, on caches that store what media_types.json says.
async fn exchange_media_types(client: &Client, peer: &str, modes: &[Value]) -> Result<()> {
    let list = |mode: &Value, name: &str| mode[name].as_array().cloned().ok_or("no list");
    for mode in modes {
        let name = mode["cache"].as_str().ok_or("no name")?;
        let cache = client.cache(name).with_codecs(TextOrJson::of(&mode["key"])?, TextOrJson::of(&mode["value"])?);
        for (n, key) in list(mode, "keys")?.iter().enumerate() {
            assert_eq!(cache.get(key).await?, Some(format!("{peer} {n}").into()), "{name}, key {n}");
            cache.put(key, &Value::from(format!("rust {n}"))).await?;
        }
        for (n, value) in list(mode, "values")?.iter().enumerate() {
            let found = cache.get(&Value::from(format!("{peer} value {n}"))).await?;
            assert_eq!(found.as_ref(), Some(value), "{name}, value {n}");
            cache.put(&Value::from(format!("rust value {n}")), value).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [uri, file, peer, option @ ..] = &arguments[..] else { return Err("expected: URI FILE PEER".into()) };
    let described: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let client = Client::connect(uri).await?;
    let cache = client.default_cache();
    match option {
        [option] if option == "--media-types" => exchange_media_types(&client, peer, &described).await?,
        [number] => {
            exchange_protostream(&cache, peer, &described).await?;
            exchange_orders(&cache, peer, Some(number.parse()?)).await?;
        }
        _ => {
            exchange_protostream(&cache, peer, &described).await?;
            exchange_orders(&cache, peer, None).await?;
        }
    }
    client.close().await;
    Ok(())
}
