//! The example of the README: needs a server at 127.0.0.1:11222, such as `hotrod-gateway --embedded`.

use hotrod_tokio::{Client, Versioned, core::wire::Expiration};

#[tokio::main]
async fn main() -> Result<(), hotrod_tokio::Error> {
    let client = Client::connect("hotrod://127.0.0.1:11222").await?;
    let cache = client.cache("dist");
    cache.put("greeting", "hello").await?;
    let entry = cache.get_with_metadata("greeting").await?.expect("just written");
    let outcome =
        cache.replace_if_unmodified("greeting", "hello, world", entry.metadata.version, Expiration::DEFAULT).await?;
    assert_eq!(outcome, Versioned::Done);
    Ok(())
}
