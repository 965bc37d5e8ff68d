//! Header blocks: those of many encoders through our decoder, their fields through our encoder and back through two
//! decoders, and how long that takes beside the crate loona-hpack.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hotrod_core::http2::hpack::{DEFAULT_TABLE_SIZE, Decoder, Encoder, Field};

use crate::stories::{self, Case, Story};

/// Larger than any list of the cases.
const MAX_LIST: usize = 1 << 20;

/// What an implementation's folder has.
#[derive(Default)]
struct Count {
    decoded: usize,
    encoded: usize,
    /// Bytes of the implementation's blocks, and of ours for the same fields.
    theirs: usize,
    ours: usize,
}

/// Runs all stories in a folder, prints what there was, and answers how many blocks were decoded.
pub fn run(folder: &Path) -> Result<usize, String> {
    let stories = stories::read(folder)?;
    if stories.is_empty() {
        return Ok(0);
    }
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for story in &stories {
        let parent = story.path.parent().and_then(Path::file_name).unwrap_or_default();
        let count = counts.entry(parent.to_string_lossy().into_owned()).or_default();
        decode(story, count)?;
        encode(story, count)?;
    }
    let total = print(&counts);
    times(&stories, &total)?;
    Ok(total.decoded)
}

fn failed(story: &Story, number: usize, what: &str) -> String {
    format!("{}: case {number}: {what}", story.path.display())
}

/// What the wire says is what the case says.
fn decode(story: &Story, count: &mut Count) -> Result<(), String> {
    let mut decoder = Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST);
    for (number, case) in story.cases.iter().enumerate() {
        let Some(wire) = &case.wire else { continue };
        if let Some(size) = case.table_size {
            decoder.set_max_table_size(size);
        }
        let fields = decoder.decode(wire).map_err(|error| failed(story, number, &error.to_string()))?;
        if !same(&fields, &case.fields) {
            return Err(failed(story, number, &format!("decoded as {fields:?}, and not {:?}", case.fields)));
        }
        count.decoded += 1;
        count.theirs += wire.len();
    }
    Ok(())
}

/// What we encode both decoders understand.
fn encode(story: &Story, count: &mut Count) -> Result<(), String> {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST));
    let mut oracle = loona_hpack::Decoder::new();
    for (number, case) in story.cases.iter().enumerate() {
        if let Some(size) = case.table_size {
            encoder.set_max_table_size(size);
            decoder.set_max_table_size(size);
        }
        let mut block = BytesMut::new();
        encoder.encode(&case.fields, &mut block);
        let ours = decoder.decode(&block).map_err(|error| failed(story, number, &error.to_string()))?;
        let theirs =
            oracle.decode(&block).map_err(|error| failed(story, number, &format!("loona-hpack: {error:?}")))?;
        let theirs: Vec<_> = theirs.into_iter().map(|(name, value)| Field::new(name, value)).collect();
        if !same(&ours, &case.fields) || !same(&theirs, &case.fields) {
            return Err(failed(story, number, &format!("encoded, decoded as {ours:?} and {theirs:?}")));
        }
        count.encoded += 1;
        count.ours += block.len();
    }
    Ok(())
}

/// Not whether they are sensitive, which the cases don't tell.
fn same(some: &[Field], others: &[Field]) -> bool {
    let pairs =
        |fields: &[Field]| fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect::<Vec<_>>();
    pairs(some) == pairs(others)
}

fn print(counts: &BTreeMap<String, Count>) -> Count {
    let mut total = Count::default();
    println!("{:<32}{:>9}{:>9}{:>12}{:>12}", "header blocks of", "decoded", "encoded", "bytes", "ours");
    for (name, count) in counts {
        println!("{name:<32}{:>9}{:>9}{:>12}{:>12}", count.decoded, count.encoded, count.theirs, count.ours);
        total.decoded += count.decoded;
        total.encoded += count.encoded;
        total.theirs += count.theirs;
        total.ours += count.ours;
    }
    println!("{:<32}{:>9}{:>9}{:>12}{:>12}", "all", total.decoded, total.encoded, total.theirs, total.ours);
    total
}

/// Everything decoded and encoded once more, by us and by loona-hpack, without comparing.
fn times(stories: &[Story], total: &Count) -> Result<(), String> {
    let megabytes = total.theirs as f64 / 1e6;
    let row = |name: &str, decode: Duration, encode: Duration| {
        let rate = megabytes / decode.as_secs_f64();
        println!("{name:<32}{:>8.0} ms{rate:>8.1} MB/s{:>8.0} ms", millis(decode), millis(encode));
    };
    println!("\n{:<32}{:>11}{:>13}{:>11}", "time of all blocks", "decode", "", "encode");
    let decode = timed(stories, |story| {
        let mut decoder = Decoder::new(DEFAULT_TABLE_SIZE, MAX_LIST);
        wires(story).try_for_each(|(case, wire)| {
            case.table_size.into_iter().for_each(|size| decoder.set_max_table_size(size));
            decoder.decode(wire).map(drop).map_err(|error| error.to_string())
        })
    })?;
    let encode = timed(stories, |story| {
        let (mut encoder, mut out) = (Encoder::new(), BytesMut::new());
        story.cases.iter().for_each(|case| {
            case.table_size.into_iter().for_each(|size| encoder.set_max_table_size(size));
            encoder.encode(&case.fields, &mut out);
            out.clear();
        });
        Ok(())
    })?;
    row("hotrod-core", decode, encode);
    let decode = timed(stories, |story| {
        let mut decoder = loona_hpack::Decoder::new();
        wires(story).try_for_each(|(_, wire)| decoder.decode(wire).map(drop).map_err(|error| format!("{error:?}")))
    })?;
    let encode = timed(stories, |story| {
        let mut encoder = loona_hpack::Encoder::new();
        for case in &story.cases {
            drop(encoder.encode(case.fields.iter().map(|field| (&field.name[..], &field.value[..]))));
        }
        Ok(())
    })?;
    row("loona-hpack (no Huffman encoder)", decode, encode);
    Ok(())
}

fn wires(story: &Story) -> impl Iterator<Item = (&Case, &[u8])> {
    story.cases.iter().filter_map(|case| Some((case, case.wire.as_deref()?)))
}

fn timed(stories: &[Story], work: impl Fn(&Story) -> Result<(), String>) -> Result<Duration, String> {
    let started = Instant::now();
    stories.iter().try_for_each(work)?;
    Ok(started.elapsed())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
