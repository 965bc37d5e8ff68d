//! Objects as keys and values: JSON by serde, Rust's own types, and messages of Protocol Buffers by prost.
//!
//! The caches `items` and `orders` are configured as in docs/keys-and-values.md.

use hotrod_tokio::codec::{Json, ProtoStream, Protobuf, Text};
use hotrod_tokio::{Cache, Client, Error};
use serde::{Deserialize, Serialize};

const SCHEMA: &str = r#"syntax = "proto3";
package shop;
message Order {
  string item = 1;
  int32 price = 2;
}
"#;

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    price: u64,
}

/// An application has this type from `prost_build`, with `enable_type_names`.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    item: String,
    #[prost(int32, tag = "2")]
    price: i32,
}

impl prost::Name for Order {
    const PACKAGE: &'static str = "shop";
    const NAME: &'static str = "Order";
}

async fn json_values(client: &Client) -> Result<(), Error> {
    let items: Cache<Text, Json<Item>> = client.cache("items").with_codecs(Text, Json::new());
    items.put("42", &Item { name: "lamp".into(), price: 1999 }).await?;
    items.put("43", &Item { name: "chair".into(), price: 8900 }).await?;
    if let Some(lamp) = items.get("42").await? {
        println!("{} costs {}", lamp.name, lamp.price);
    }

    let mut total = 0;
    let mut all = items.iterate(1000)?;
    while let Some(entry) = all.next().await? {
        total += entry.values.iter().map(|item| item.price).sum::<u64>();
    }
    println!("together {total}");
    Ok(())
}

async fn scalars(client: &Client) -> Result<(), Error> {
    let numbers = client.cache("orders").with_codecs(Text, ProtoStream::<i32>::new());
    numbers.put("last", 7).await?; // Java: orders.put("last", 7)
    if let Some(last) = numbers.get("last").await? {
        println!("last order: {last}");
    }
    Ok(())
}

async fn messages(client: &Client) -> Result<(), Error> {
    client.schemas().register([("shop.proto", SCHEMA)]).await?;
    let key = ProtoStream::<i32>::new();
    let orders = client.cache("orders").with_codecs(key, Protobuf::<Order>::new());
    orders.put(7, &Order { item: "lamp".into(), price: 1999 }).await?; // Java: orders.put(7, new Order("lamp", 1999))
    if let Some(order) = orders.get(7).await? {
        println!("order 7: {} for {}", order.item, order.price);
    }

    // The server has the schema, so it converts the message.
    let as_json = client.cache("orders").with_codecs(key, Json::<serde_json::Value>::new());
    if let Some(order) = as_json.get(7).await? {
        println!("{order}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let uri = std::env::args().nth(1).unwrap_or("hotrod://127.0.0.1:11222".into());
    let client = Client::connect(&uri).await?;
    json_values(&client).await?;
    scalars(&client).await?;
    messages(&client).await?;
    client.close().await;
    Ok(())
}
