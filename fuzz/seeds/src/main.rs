//! Writes what the fuzzers begin with into `fuzz/corpus/TARGET/`: the seeds of `hotrod_core::fuzzing`, and the golden
//! vectors of `spec/vectors/*.json` that are a target's. Files that are there already stay.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use hotrod_core::fuzzing::{
    Seed, answer_seed, event_seed, hpack_seed, http2_seed, reply_seed, request_seed, seeds,
};
use hotrod_core::wire::{Intelligence, Operation, Version};
use serde::Deserialize;

/// What of a golden vector matters here (spec/vectors/README.md).
#[derive(Deserialize)]
struct Vector {
    name: String,
    role: String,
    version: String,
    operation: String,
    intelligence: u8,
    hex: String,
}

/// What of a head matters here.
#[derive(Deserialize)]
struct Head {
    name: String,
    role: String,
    text: Option<String>,
    hex: Option<String>,
}

/// The examples of RFC 7541.
#[derive(Deserialize)]
struct Examples {
    sequences: Vec<Sequence>,
}

/// The blocks of a connection.
#[derive(Deserialize)]
struct Sequence {
    name: String,
    blocks: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    hex: String,
}

/// An HTTP/2 frame.
#[derive(Deserialize)]
struct Frame {
    hex: String,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = seeds();
    let own = all.len();
    for path in json_files(&fuzz.join("../spec/vectors"))? {
        let seeds = match path.file_name().and_then(OsStr::to_str) {
            Some("hpack-rfc7541.json") => hpack_seeds(&path),
            Some("http2-frames.json") => http2_seeds(&path),
            Some("http1-heads.json") => head_seeds(&path),
            // Conversations, and no messages.
            Some("hotrod-over-http.json") => Ok(Vec::new()),
            _ => hot_rod_seeds(&path),
        };
        all.extend(seeds.map_err(|error| format!("{}: {error}", path.display()))?);
    }
    for seed in &all {
        let folder = fuzz.join("corpus").join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{}", seed.name)), &seed.bytes)?;
    }
    println!("{} seeds, {} of them vectors", all.len(), all.len() - own);
    Ok(())
}

fn hpack_seeds(path: &Path) -> Result<Vec<Seed>> {
    let examples: Examples = serde_json::from_slice(&fs::read(path)?)?;
    let seed = |sequence: &Sequence| {
        let blocks = sequence.blocks.iter().map(|block| bytes_of(&block.hex)).collect::<Result<Vec<_>>>()?;
        Ok(Seed { target: "hpack", name: format!("rfc7541-{}", sequence.name), bytes: hpack_seed(&blocks) })
    };
    examples.sequences.iter().map(seed).collect()
}

/// Each frame, to both roles.
fn http2_seeds(path: &Path) -> Result<Vec<Seed>> {
    let frames: Vec<Frame> = serde_json::from_slice(&fs::read(path)?)?;
    let mut seeds = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let bytes = http2_seed(&bytes_of(&frame.hex)?);
        let of = |target| Seed { target, name: format!("vector-{index}"), bytes: bytes.clone() };
        seeds.extend([of("http2_client"), of("http2_server")]);
    }
    Ok(seeds)
}

fn hot_rod_seeds(path: &Path) -> Result<Vec<Seed>> {
    let vectors: Vec<Vector> = serde_json::from_slice(&fs::read(path)?)?;
    vectors.iter().map(|vector| seed_of(vector).map_err(|error| format!("{}: {error}", vector.name).into())).collect()
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn seed_of(vector: &Vector) -> Result<Seed> {
    let bytes = bytes_of(&vector.hex)?;
    let version: Version = vector.version.parse()?;
    let row = Operation::table().iter().find(|row| row.name == vector.operation);
    let operation = row.ok_or("no such operation")?.operation;
    let intelligence = Intelligence::from_byte(vector.intelligence).ok_or("no such intelligence")?;
    let (target, bytes) = match vector.role.as_str() {
        "request" => ("request", request_seed(&bytes)),
        "reply" => ("reply", reply_seed(operation, version, intelligence, &bytes)),
        "event" => ("event", event_seed(&bytes)),
        role => return Err(format!("no such role: {role}").into()),
    };
    let name = format!("vector-{}-{}", vector.name.replace(['/', ' '], "-"), vector.version);
    Ok(Seed { target, name, bytes })
}

fn head_seeds(path: &Path) -> Result<Vec<Seed>> {
    let heads: Vec<Head> = serde_json::from_slice(&fs::read(path)?)?;
    let seed = |(index, head): (usize, &Head)| {
        seed_of_head(index, head).map_err(|error| format!("{}: {error}", head.name).into())
    };
    heads.iter().enumerate().map(seed).collect()
}

fn seed_of_head(index: usize, head: &Head) -> Result<Seed> {
    let bytes = match (&head.text, &head.hex) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(hex)) => bytes_of(hex)?,
        _ => return Err("either text or hex".into()),
    };
    let (target, bytes) = match head.role.as_str() {
        "request" => ("http1_server", request_seed(&bytes)),
        "upgrade answer" => ("http1_client", answer_seed(false, &bytes)),
        "connect answer" => ("http1_client", answer_seed(true, &bytes)),
        role => return Err(format!("no such role: {role}").into()),
    };
    // Names of heads are no names of files.
    Ok(Seed { target, name: format!("head-{index}"), bytes })
}

fn bytes_of(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
