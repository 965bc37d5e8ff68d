//! Commands on one entry.

use bytes::Bytes;
use hotrod_tokio::core::wire::{Expiration, Flags, Previous};
use hotrod_tokio::{Cache, Conditional, Versioned};
use serde_json::{Map, Value, json};

use super::expiration;
use crate::arguments::Write;
use crate::failure::Failure;
use crate::output::{Outcome, insert_bytes, print, print_bytes};

pub(super) async fn get(cache: &Cache, key: &str, raw: bool, json: bool) -> Result<Outcome, Failure> {
    let value = cache.get(key.to_string()).await?;
    match &value {
        Some(value) if json => {
            let mut object = Map::from_iter([("key".into(), json!(key))]);
            insert_bytes(&mut object, "value", value);
            print(true, "", &Value::Object(object))?;
        }
        Some(value) => print_bytes(value, !raw)?,
        None => not_found(key, json)?,
    }
    Ok(Outcome::of(value.is_some()))
}

fn not_found(key: &str, json: bool) -> Result<(), Failure> {
    if json {
        return Ok(print(true, "", &json!({"key": key, "value": null}))?);
    }
    eprintln!("hotrod: no entry with key {key:?}");
    Ok(())
}

pub(super) async fn get_meta(cache: &Cache, key: &str, json: bool) -> Result<Outcome, Failure> {
    let Some(entry) = cache.get_with_metadata(key.to_string()).await? else {
        not_found(key, json)?;
        return Ok(Outcome::No);
    };
    let metadata = entry.metadata;
    let mut object = Map::from_iter([("key".into(), json!(key))]);
    insert_bytes(&mut object, "value", &entry.value);
    object.insert("version".into(), json!(metadata.version));
    for (name, since, left) in
        [("lifespan", "created", metadata.lifespan), ("max_idle", "last_used", metadata.max_idle)]
    {
        object.insert(format!("{name}_seconds"), json!(left.map(|left| left.seconds)));
        object.insert(format!("{since}_ms"), json!(left.map(|left| left.since)));
    }
    let lifetime = |left: Option<hotrod_tokio::core::wire::LifetimeLeft>| {
        left.map_or_else(|| "never".to_string(), |left| format!("{} s", left.seconds))
    };
    let lines = format!(
        "value      {}\nversion    {}\nlifespan   {}\nmax idle   {}",
        String::from_utf8_lossy(&entry.value),
        metadata.version,
        lifetime(metadata.lifespan),
        lifetime(metadata.max_idle),
    );
    print(json, &lines, &Value::Object(object))?;
    Ok(Outcome::Done)
}

fn with_previous(cache: &Cache, write: &Write) -> Cache {
    if !write.previous {
        return cache.clone();
    }
    let mut options = cache.options().clone();
    options.flags = Flags::FORCE_RETURN_VALUE;
    cache.with_options(options)
}

pub(super) async fn put(cache: &Cache, write: &Write, value: Bytes, json: bool) -> Result<Outcome, Failure> {
    let cache = with_previous(cache, write);
    let previous = cache.put_for(write.key.clone(), value, expiration(&write.lifetimes)).await?;
    tell(write, &Conditional { executed: true, previous }, "", json)
}

pub(super) async fn put_if_absent(cache: &Cache, write: &Write, value: Bytes, json: bool) -> Result<Outcome, Failure> {
    let cache = with_previous(cache, write);
    let outcome = cache.put_if_absent(write.key.clone(), value, expiration(&write.lifetimes)).await?;
    tell(write, &outcome, "there is an entry already", json)
}

pub(super) async fn replace(cache: &Cache, write: &Write, value: Bytes, json: bool) -> Result<Outcome, Failure> {
    let cache = with_previous(cache, write);
    let outcome = cache.replace(write.key.clone(), value, expiration(&write.lifetimes)).await?;
    tell(write, &outcome, "there is no entry", json)
}

fn tell(write: &Write, outcome: &Conditional, why_not: &str, json: bool) -> Result<Outcome, Failure> {
    if json {
        let mut object =
            Map::from_iter([("key".into(), json!(write.key)), ("executed".into(), json!(outcome.executed))]);
        if write.previous {
            match &outcome.previous {
                Some(Previous { value, .. }) => insert_bytes(&mut object, "previous", value),
                None => drop(object.insert("previous".into(), Value::Null)),
            }
        }
        print(true, "", &Value::Object(object))?;
    } else {
        if let Some(previous) = &outcome.previous {
            print_bytes(&previous.value, true)?;
        }
        if !outcome.executed {
            eprintln!("hotrod: {:?} was not written: {why_not}", write.key);
        }
    }
    Ok(Outcome::of(outcome.executed))
}

pub(super) async fn cas(
    cache: &Cache,
    key: &str,
    version: u64,
    value: Bytes,
    expiration: Expiration,
    json: bool,
) -> Result<Outcome, Failure> {
    let outcome = cache.replace_if_unmodified(key.to_string(), version, value, expiration).await?;
    let name = match outcome {
        Versioned::Done => "done",
        Versioned::Modified => "modified",
        Versioned::Missing => "missing",
    };
    if json {
        print(true, "", &json!({"key": key, "executed": outcome == Versioned::Done, "outcome": name}))?;
    } else if outcome == Versioned::Modified {
        eprintln!("hotrod: {key:?} was not written: it has another version by now");
    } else if outcome == Versioned::Missing {
        eprintln!("hotrod: {key:?} was not written: there is no entry");
    }
    Ok(Outcome::of(outcome == Versioned::Done))
}

pub(super) async fn remove(cache: &Cache, key: &str, json: bool) -> Result<Outcome, Failure> {
    let outcome = cache.remove(key.to_string()).await?;
    if json {
        print(true, "", &json!({"key": key, "executed": outcome.executed}))?;
    } else if !outcome.executed {
        not_found(key, false)?;
    }
    Ok(Outcome::of(outcome.executed))
}

pub(super) async fn contains(cache: &Cache, key: &str, json: bool) -> Result<Outcome, Failure> {
    let found = cache.contains_key(key.to_string()).await?;
    print(json, if found { "yes" } else { "no" }, &json!({"key": key, "found": found}))?;
    Ok(Outcome::of(found))
}
