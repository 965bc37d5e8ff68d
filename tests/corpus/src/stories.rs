//! The stories of http2jp/hpack-test-case: header blocks of one connection each, encoded by some implementation.

use std::fs;
use std::path::{Path, PathBuf};

use hotrod_core::http2::hpack::Field;
use serde_json::Value;

/// The blocks of one direction of a connection.
pub struct Story {
    /// Where it was read from.
    pub path: PathBuf,
    /// Its blocks, in order.
    pub cases: Vec<Case>,
}

/// A header block.
pub struct Case {
    /// SETTINGS_HEADER_TABLE_SIZE, if it has changed just before.
    pub table_size: Option<usize>,
    /// What the implementation made of the fields; the raw data have none.
    pub wire: Option<Vec<u8>>,
    /// What it says.
    pub fields: Vec<Field>,
}

/// All stories in a folder and those below it, in the order of their paths.
pub fn read(folder: &Path) -> Result<Vec<Story>, String> {
    json_files(folder, true)?.into_iter().map(story).collect()
}

/// The JSON files in a folder and those below it that are stories, or those that are not, in the order of their paths.
pub fn json_files(folder: &Path, stories: bool) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    collect(folder, stories, &mut paths)?;
    paths.sort();
    Ok(paths)
}

fn collect(folder: &Path, stories: bool, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, stories, paths)?;
        } else if stem.starts_with("story_") == stories && path.extension().is_some_and(|extension| extension == "json")
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn story(path: PathBuf) -> Result<Story, String> {
    let failed = |what: &str| format!("{}: {what}", path.display());
    let text = fs::read(&path).map_err(|error| failed(&error.to_string()))?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| failed(&error.to_string()))?;
    let cases = json["cases"].as_array().ok_or_else(|| failed("no cases"))?;
    let cases = cases.iter().map(case).collect::<Option<_>>().ok_or_else(|| failed("a case of another form"))?;
    Ok(Story { path, cases })
}

/// `None` if something that is there has another form.
fn case(json: &Value) -> Option<Case> {
    let table_size = match json.get("header_table_size") {
        None | Some(Value::Null) => None,
        Some(size) => Some(size.as_u64()? as usize),
    };
    let wire = match json.get("wire") {
        Some(wire) => Some(unhex(wire.as_str()?)?),
        None => None,
    };
    let fields = json["headers"].as_array()?.iter().map(field).collect::<Option<_>>()?;
    Some(Case { table_size, wire, fields })
}

/// An object with one key.
fn field(json: &Value) -> Option<Field> {
    let mut pairs = json.as_object()?.iter();
    let (name, value) = pairs.next()?;
    if pairs.next().is_some() {
        return None;
    }
    Some(Field::new(name.clone(), value.as_str()?.to_owned()))
}

/// `None` for what is not pairs of digits.
pub fn unhex(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.len().is_multiple_of(2).then(|| (0..hex.len()).step_by(2))?;
    pairs.map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}
