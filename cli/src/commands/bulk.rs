//! Commands on many entries, from a file.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use hotrod_tokio::Cache;
use hotrod_tokio::core::wire::Expiration;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Outcome, insert_bytes, print, print_bytes};

/// An entry as a line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    value: String,
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        fs::read(file).map(|content| bytes = content)
    };
    result.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    Ok(bytes)
}

fn lines(bytes: &Bytes) -> impl Iterator<Item = (usize, Bytes)> {
    let line = |line: &[u8]| bytes.slice_ref(line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(line).collect();
    (1..).zip(lines).filter(|(_, line)| !line.is_empty())
}

/// Parses all entries of a file, or returns the invalid line.
pub(super) fn read_entries(file: &Path) -> Result<Vec<(Bytes, Bytes)>, Failure> {
    let bytes = Bytes::from(read(file)?);
    let wrong = |number: usize, problem: &str| Failure::Usage(format!("{}:{number}: {problem}", file.display()));
    lines(&bytes)
        .map(|(number, line)| {
            if line.starts_with(b"{") {
                let Line { key, value } =
                    serde_json::from_slice(&line).map_err(|error| wrong(number, &error.to_string()))?;
                return Ok((key.into(), value.into()));
            }
            let tab = line.iter().position(|byte| *byte == b'\t');
            let tab = tab.ok_or_else(|| wrong(number, "neither key<TAB>value nor a JSON object"))?;
            Ok((line.slice(..tab), line.slice(tab + 1..)))
        })
        .collect()
}

/// Reads all keys of a file.
pub(super) fn read_keys(file: &Path) -> Result<Vec<Bytes>, Failure> {
    Ok(lines(&Bytes::from(read(file)?)).map(|(_, line)| line).collect())
}

/// A progress bar on a terminal; hidden elsewhere.
fn progress(total: usize, what: &'static str, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} eta {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_style(style).with_message(what)
}

pub(super) async fn put_all(
    cache: &Cache,
    entries: Vec<(Bytes, Bytes)>,
    batch: usize,
    expiration: Expiration,
    json: bool,
) -> Result<Outcome, Failure> {
    let total = entries.len();
    let bar = progress(total, "storing", json);
    for chunk in entries.chunks(batch) {
        if let Err(error) = cache.put_all(chunk.to_vec(), expiration).await {
            let stored = bar.position();
            bar.abandon();
            let so_far =
                format!("the first {stored} of {total} entries are stored, of the next {} some may be: ", chunk.len());
            return Err(Failure::Other(so_far + &error.to_string()));
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    print(json, &format!("{total} entries stored"), &json!({ "stored": total }))?;
    Ok(Outcome::Done)
}

pub(super) async fn get_all(cache: &Cache, keys: Vec<Bytes>, batch: usize, json: bool) -> Result<Outcome, Failure> {
    let wanted: HashSet<_> = keys.iter().cloned().collect();
    let bar = progress(keys.len(), "reading", json);
    let mut found = Vec::new();
    for chunk in keys.chunks(batch) {
        found.extend(cache.get_all(chunk.to_vec()).await?);
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    if json {
        let entries: Vec<_> = found.iter().map(|(key, value)| entry(key, value)).collect();
        print(true, "", &json!({"entries": entries, "missing": wanted.len().saturating_sub(found.len())}))?;
    } else {
        for (key, value) in &found {
            print_bytes(&[&key[..], b"\t", value].concat(), true)?;
        }
    }
    let missing = wanted.len().saturating_sub(found.len());
    if missing > 0 && !json {
        eprintln!("hotrod: {missing} of {} keys have no entry", wanted.len());
    }
    Ok(Outcome::of(missing == 0))
}

fn entry(key: &[u8], value: &[u8]) -> Value {
    let mut object = Map::new();
    insert_bytes(&mut object, "key", key);
    insert_bytes(&mut object, "value", value);
    Value::Object(object)
}
