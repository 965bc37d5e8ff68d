//! Writes what the fuzzers begin with into `fuzz/corpus/TARGET/`: the seeds of `hotrod_core::fuzzing`, and the golden
//! vectors of `spec/vectors/hotrod-*.json` where there are any. Files that are there already stay.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use hotrod_core::fuzzing::{Seed, event_seed, hpack_seed, reply_seed, request_seed, seeds};
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

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = seeds();
    let own = all.len();
    let (hpack, hot_rod): (Vec<_>, Vec<_>) =
        json_files(&fuzz.join("../spec/vectors"))?.into_iter().partition(|path| path.ends_with("hpack-rfc7541.json"));
    for path in hpack {
        let examples: Examples = serde_json::from_slice(&fs::read(&path)?)?;
        for sequence in &examples.sequences {
            let blocks = sequence.blocks.iter().map(|block| bytes_of(&block.hex)).collect::<Result<Vec<_>>>()?;
            let name = format!("rfc7541-{}", sequence.name);
            all.push(Seed { target: "hpack", name, bytes: hpack_seed(&blocks) });
        }
    }
    for path in hot_rod {
        let vectors: Vec<Vector> = serde_json::from_slice(&fs::read(&path)?)?;
        for vector in vectors {
            all.push(seed_of(&vector).map_err(|error| format!("{}: {}: {error}", path.display(), vector.name))?);
        }
    }
    for seed in &all {
        let folder = fuzz.join("corpus").join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{}", seed.name)), &seed.bytes)?;
    }
    println!("{} seeds, {} of them golden vectors", all.len(), all.len() - own);
    Ok(())
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let is_hotrod = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("hotrod-"));
    files.retain(|path| is_hotrod(path) && path.extension().is_some_and(|extension| extension == "json"));
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

fn bytes_of(hex: &str) -> Result<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
