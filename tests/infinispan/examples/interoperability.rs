//! The Rust client of tests/interoperability: reads what Java wrote, then writes what Java reads.
//! `interoperability URI spec/vectors/protostream.json`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::SystemTime;

use hotrod_core::protostream::{Limits, decode, encode};
use hotrod_core::wire::MediaType;
use hotrod_tokio::codec::{Codec, Encode, ProtoStream, Protobuf, Scalar};
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
async fn exchange<T>(cache: &Cache, n: usize, stored: &[u8]) -> Result<()>
where
    T: Scalar + PartialEq + std::fmt::Debug + Clone,
    ProtoStream<T>: Encode<T> + Codec<Value = T>,
{
    let values = ProtoStream::<T>::new();
    let value = values.decode(stored.to_vec().into())?;
    let by_value = cache.with_codecs(values, TEXT);
    assert_eq!(by_value.get(value.clone()).await?, Some(format!("java {n}")), "the entry with the key of vector {n}");
    let of_values = cache.with_codecs(TEXT, values);
    let read = of_values.get(format!("java value {n}")).await?.ok_or("no value")?;
    assert_eq!(Encode::<T>::encode(&values, read)?, stored, "the value of vector {n}");
    by_value.put(value.clone(), format!("rust {n}")).await?;
    of_values.put(format!("rust value {n}"), value).await?;
    Ok(())
}

/// The same for a value without a Rust type of its own: by core's values.
async fn exchange_bytes(cache: &Cache, n: usize, stored: &[u8]) -> Result<()> {
    let stored = encode(&decode(stored, &Limits::default())?)?;
    let cache = cache.with_media_types(MediaType::PROTOSTREAM, MediaType::PROTOSTREAM);
    let text = |text: String| Encode::<String>::encode(&TEXT, text);
    assert_eq!(
        cache.get(stored.clone()).await?,
        Some(text(format!("java {n}"))?),
        "the entry with the key of vector {n}"
    );
    assert_eq!(
        cache.get(text(format!("java value {n}"))?).await?.as_deref(),
        Some(&stored[..]),
        "the value of vector {n}"
    );
    cache.put(stored.clone(), text(format!("rust {n}"))?).await?;
    cache.put(text(format!("rust value {n}"))?, stored).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let [_, uri, file] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("expected: URI FILE".into()) };
    let vectors: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let client = Client::connect(uri).await?;
    let cache = client.default_cache();
    for (n, vector) in vectors.iter().enumerate() {
        let hex = vector["bytes"].as_str().ok_or("no bytes")?;
        let stored = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
        let stored = stored.collect::<std::result::Result<Vec<_>, _>>()?;
        match vector["java"].as_str().ok_or("no type")? {
            "string" => exchange::<String>(&cache, n, &stored).await?,
            "int" => exchange::<i32>(&cache, n, &stored).await?,
            "long" => exchange::<i64>(&cache, n, &stored).await?,
            "double" => exchange::<f64>(&cache, n, &stored).await?,
            "float" => exchange::<f32>(&cache, n, &stored).await?,
            "boolean" => exchange::<bool>(&cache, n, &stored).await?,
            "byte[]" => exchange::<Vec<u8>>(&cache, n, &stored).await?,
            "short" => exchange::<i16>(&cache, n, &stored).await?,
            "byte" => exchange::<i8>(&cache, n, &stored).await?,
            "Instant" if ProtoStream::<SystemTime>::new().decode(stored.clone().into()).is_ok() => {
                exchange::<SystemTime>(&cache, n, &stored).await?;
            }
            _ => exchange_bytes(&cache, n, &stored).await?,
        }
    }
    let orders = cache.with_codecs(TEXT, Protobuf::<Order>::new());
    assert_eq!(orders.get("java order").await?, Some(order("java")));
    let by_order = cache.with_codecs(Protobuf::<Order>::new(), TEXT);
    assert_eq!(by_order.get(order("java")).await?.as_deref(), Some("java order"), "Java's key has the same bytes");
    by_order.put(order("rust"), "rust order").await?;
    orders.put("rust order", order("rust")).await?;
    client.close().await;
    Ok(())
}
