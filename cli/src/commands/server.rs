//! Commands on a whole cache, or on the server.

use std::time::Instant;

use bytes::Bytes;
use hotrod_tokio::Cache;
use hotrod_tokio::core::wire::{Body, MediaType, Request, RequestOptions};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Outcome, print};

pub(super) async fn ping(cache: &Cache, json: bool) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let (member, reply) = cache.execute_on(None, Request::Ping {}).await;
    let elapsed = started.elapsed();
    let Body::Ping(ping) = reply?.body else {
        return Err(Failure::Other("the server answered PING with something else".into()));
    };
    let client = cache.client();
    let answered = client.members().into_iter().find(|info| Some(info.id) == member);
    let server = answered.map_or_else(|| "the server".into(), |info| info.address.to_string());
    let version =
        member.and_then(|member| client.session_of(member)).map_or_else(String::new, |ready| ready.version.to_string());
    let newest = ping.server_version.map(|byte| format!("{}.{}", byte / 10, byte % 10));
    let line = format!(
        "{} answered in {:.2} ms: protocol {version}, server knows up to {}, {} operations, keys {}, values {}",
        server,
        elapsed.as_secs_f64() * 1e3,
        newest.as_deref().unwrap_or("(not told)"),
        ping.operations.len(),
        ping.key_type,
        ping.value_type,
    );
    let value = json!({
        "server": server,
        "milliseconds": elapsed.as_secs_f64() * 1e3,
        "version": version,
        "server_version": newest,
        "operations": ping.operations.len(),
        "key_type": ping.key_type.name(),
        "value_type": ping.value_type.name(),
    });
    print(json, &line, &value)?;
    Ok(Outcome::Done)
}

pub(super) async fn size(cache: &Cache, json: bool) -> Result<Outcome, Failure> {
    let size = cache.size().await?;
    print(json, &size.to_string(), &json!({ "size": size }))?;
    Ok(Outcome::Done)
}

pub(super) async fn clear(cache: &Cache, json: bool) -> Result<Outcome, Failure> {
    cache.clear().await?;
    if json {
        print(true, "", &json!({"executed": true}))?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn stats(cache: &Cache, json: bool) -> Result<Outcome, Failure> {
    let statistics = cache.stats().await?;
    let width = statistics.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<_> = statistics.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect();
    let number = |text: &String| text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
    let object: Map<_, _> = statistics.iter().map(|(name, value)| (name.clone(), number(value))).collect();
    print(json, &lines.join("\n"), &Value::Object(object))?;
    Ok(Outcome::Done)
}

pub(super) async fn caches(cache: &Cache, json: bool) -> Result<Outcome, Failure> {
    let mut options = RequestOptions::default();
    options.key_type = MediaType::TEXT;
    options.value_type = MediaType::TEXT;
    // A built-in server task, which returns a JSON array.
    let admin = cache.with_options(options);
    let answer: Bytes = admin.exec("@@cache@names", Vec::new()).await?;
    let names: Vec<String> = serde_json::from_slice(&answer)
        .map_err(|error| Failure::Other(format!("the server's list of caches is not JSON: {error}")))?;
    print(json, &names.join("\n"), &json!(names))?;
    Ok(Outcome::Done)
}
