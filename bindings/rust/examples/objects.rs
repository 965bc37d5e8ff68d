//! Objects as values: text keys, and JSON by serde.

use hotrod_tokio::codec::{Json, Text};
use hotrod_tokio::{Cache, Client};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Item {
    name: String,
    price: u64,
}

#[tokio::main]
async fn main() -> Result<(), hotrod_tokio::Error> {
    let uri = std::env::args().nth(1).unwrap_or("hotrod://127.0.0.1:11222".into());
    let client = Client::connect(&uri).await?;
    let items: Cache<Text, Json<Item>> = client.cache("dist").with_codecs(Text, Json::new());

    items.put("42", &Item { name: "lamp".into(), price: 1999 }).await?;
    items.put("43", &Item { name: "chair".into(), price: 8900 }).await?;
    if let Some(item) = items.get("42").await? {
        println!("{} costs {}", item.name, item.price);
    }

    let mut total = 0;
    let mut all = items.iterate(1000)?;
    while let Some(entry) = all.next().await? {
        total += entry.values.iter().map(|item| item.price).sum::<u64>();
    }
    println!("together {total}");
    client.close().await;
    Ok(())
}
