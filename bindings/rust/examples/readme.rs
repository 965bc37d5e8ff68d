//! The program of the README.

use hotrod_tokio::{Client, Versioned, core::wire::Expiration};

#[tokio::main]
async fn main() -> Result<(), hotrod_tokio::Error> {
    let uri = std::env::args().nth(1).unwrap_or("hotrod://127.0.0.1:11222".into());
    let client = Client::connect(&uri).await?;
    let cache = client.cache("dist");
    cache.put("greeting", "hello").await?;
    let entry = cache.get_with_metadata("greeting").await?.expect("just written");
    let version = entry.metadata.version;
    let outcome = cache.replace_if_unmodified("greeting", version, "hello, world", Expiration::DEFAULT).await?;
    assert_eq!(outcome, Versioned::Done);
    println!("done");
    client.close().await;
    Ok(())
}
