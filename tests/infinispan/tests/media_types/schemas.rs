//! Schemas of Protocol Buffers: errors are errors, and JSON becomes a message.

use std::fs;

use bytes::Bytes;
use hotrod_core::protostream::{TypeName, Value, encode};
use hotrod_core::session::Applied;
use hotrod_core::wire::MediaType;
use hotrod_tokio::codec::{Codec, CodecError, Encode, Raw};
use hotrod_tokio::{Client, Error};
use infinispan_harness::{Cluster, Metrics};

use super::KEYS;

const LINE: &str = r#"syntax = "proto3"; package shop; message Line { string item = 1; }"#;
const ORDER: &str =
    r#"syntax = "proto3"; import "line.proto"; package shop; message Order { repeated Line lines = 1; }"#;
const BROKEN: &str = "syntax = \"proto3\";\npackage shop;\nmessage Broken { strin item = 1; }";

/// A line in JSON, around its item.
const BEFORE: &str = r#"{"_type":"shop.Line","item":""#;
const AFTER: &str = r#""}"#;

pub(super) async fn have_errors(client: &Client) -> Result<(), String> {
    checked(client).await.map_err(|error| format!("schemas: {error}"))
}

/// JSON keys of a ProtoStream cache, whose stored form the application gives.
pub(super) async fn route_by_storage_keys(cluster: &Cluster, client: &Client) -> Result<(), String> {
    let lines = client.cache("in-protostream").with_codecs(Lines, Raw);
    let hits = || Metrics::of(&cluster.endpoints()).unwrap().hits("in-protostream");
    let (before, counters) = (hits(), client.counters());
    for n in 0..KEYS {
        let item = format!("routed {n}");
        lines.put(&*item, "value").await.map_err(|error| error.to_string())?;
        if lines.get(&*item).await.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("{item} is not found"));
        }
    }
    let (hits, now) = (hits().since(before), client.counters());
    let sent = 2 * KEYS as u64;
    if (hits.primary, hits.total(), now.unrouted - counters.unrouted) != (sent, sent, 0) {
        return Err(format!("by storage keys: {hits:?} of {sent}"));
    }
    Ok(())
}

/// Keys that are JSON objects here, and messages in the server.
#[derive(Clone)]
struct Lines;

impl Codec for Lines {
    type Value = Bytes;

    fn media_type(&self) -> MediaType {
        MediaType::JSON
    }

    fn decode(&self, bytes: Bytes) -> Result<Bytes, CodecError> {
        Ok(bytes)
    }

    fn storage_key(&self, encoded: &Bytes) -> Option<Bytes> {
        let item = std::str::from_utf8(encoded).ok()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        let fields = [&[0x0a, item.len() as u8], item.as_bytes()].concat();
        encode(&Value::Message { of: TypeName::Name("shop.Line"), bytes: &fields }).ok().map(Bytes::from)
    }
}

impl Encode<&str> for Lines {
    fn encode(&self, item: &str) -> Result<Bytes, CodecError> {
        Ok([BEFORE, item, AFTER].concat().into())
    }
}

async fn checked(client: &Client) -> Result<(), Error> {
    let schemas = client.schemas();
    schemas.register([("order.proto", ORDER), ("line.proto", LINE)]).await?;
    assert_eq!(schemas.names().await?, ["line.proto", "order.proto"]);
    assert_eq!(schemas.get("line.proto").await?.as_deref(), Some(LINE));

    let renamed = LINE.replace("Line", "Row");
    let Err(Error::Schemas { errors }) = schemas.register([("line.proto", renamed)]).await else { panic!("accepted") };
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["order.proto"], "the one that imports it has the error");
    schemas.register([("line.proto", LINE)]).await?;
    assert!(schemas.errors().await?.is_empty());

    let error = schemas.register([("broken.proto", BROKEN)]).await.expect_err("it has an error");
    assert!(error.to_string().starts_with("schemas have errors: broken.proto: "), "{error}");
    assert_eq!(error.applied(), Applied::Unknown);
    assert!(schemas.remove("broken.proto").await? && !schemas.remove("broken.proto").await?);
    let error = schemas.register([("line", LINE)]).await.expect_err("no such name");
    assert_eq!(error.to_string(), r#"schema "line": the name of a schema ends with .proto"#);
    json_is_a_message(client).await?;
    from_files(client).await
}

async fn from_files(client: &Client) -> Result<(), Error> {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("shop").join("line.proto");
    fs::create_dir(root.path().join("shop")).unwrap();
    fs::write(&file, LINE.replace("shop", "of_files")).unwrap();
    let schemas = client.schemas();
    schemas.register_files([&file], Some(root.path())).await?;
    assert_eq!(schemas.names().await?, ["line.proto", "order.proto", "shop/line.proto"]);
    schemas.remove("shop/line.proto").await?;
    let other = tempfile::tempdir().unwrap();
    let error = schemas.register_files([&file], Some(other.path())).await.expect_err("not in root");
    assert!(error.to_string().contains(" is not in root "), "{error}");
    let error = schemas.register_files([root.path().join("none.proto")], None).await.expect_err("no file");
    assert!(matches!(error, Error::SchemaFile { .. }), "{error}");
    Ok(())
}

/// Keys of this cache are ProtoStream: one that is a JSON object becomes the message of its type.
async fn json_is_a_message(client: &Client) -> Result<(), Error> {
    let by_json = client.cache("in-protostream").with_media_types(MediaType::JSON, MediaType::Unspecified);
    by_json.put(r#"{"_type":"shop.Line","item":"lamp"}"#, "value").await?;
    let message = Value::Message { of: TypeName::Name("shop.Line"), bytes: b"\x0a\x04lamp" };
    let by_message = client.cache("in-protostream").with_media_types(MediaType::PROTOSTREAM, MediaType::Unspecified);
    assert_eq!(by_message.get(encode(&message).unwrap()).await?.as_deref(), Some(&b"value"[..]));
    Ok(())
}
