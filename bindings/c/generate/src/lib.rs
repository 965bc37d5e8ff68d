//! What the C binding takes from `spec/vocabulary.json`, and its header.
//!
//! Three Rust sources (operations, outputs, codes), two C sources of its tests, and the header that cbindgen makes of
//! all Rust sources. They are checked in; a test says when one is stale.
#![allow(clippy::missing_panics_doc)] // a vocabulary of another form ends the program
#![allow(clippy::format_push_string)] // easier to read than `write!`, and not in a hurry

mod codes;
mod header;
mod operations;
mod outputs;
mod tests_in_c;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A generated file.
pub struct File {
    /// Where it stands.
    pub path: PathBuf,
    /// What is to stand there.
    pub text: String,
}

const NOTE: &str = " Made by `cargo run -p hotrod-c-generate` from spec/vocabulary.json; not to be edited.\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Everything that comes of the vocabulary.
pub fn from_vocabulary() -> Vec<File> {
    let path = folder().join("../../spec/vocabulary.json");
    let text = fs::read_to_string(path).expect("spec/vocabulary.json");
    let vocabulary: Value = serde_json::from_str(&text).expect("JSON");
    let file = |name: &str, text: String| File {
        path: folder().join(name),
        text: format!("{}{NOTE}{text}", if name.starts_with("src") { "//!" } else { "//" }),
    };
    vec![
        file("src/generated/codes.rs", codes::text(&vocabulary)),
        file("src/generated/operations.rs", operations::text(&vocabulary)),
        file("src/generated/outputs.rs", outputs::text(&vocabulary)),
        file("tests/generated/submit.c", tests_in_c::submit(&vocabulary)),
        file("tests/generated/outputs.c", tests_in_c::outputs(&vocabulary)),
    ]
}

/// The header.
pub fn header() -> File {
    File { path: folder().join("include/libhotrod.h"), text: header::text(&folder()) }
}

/// The rows of a table of the vocabulary.
fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().expect("a list")
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("text")
}

/// `PutIfAbsent` as `put_if_absent`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `PutIfAbsent` as `PUT_IF_ABSENT`.
fn upper(name: &str) -> String {
    snake(name).to_uppercase()
}

/// Lines of a documentation comment.
fn doc(indent: &str, text: &str) -> String {
    let mut out = String::new();
    let mut line = format!("{indent}///");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > 118 {
            out += &format!("{line}\n");
            line = format!("{indent}///");
        }
        line += " ";
        line += word;
    }
    out + &line + "\n"
}

/// What the words of a field are called as a type, and as the beginning of its constants.
fn word_type(words: &Value) -> (&'static str, &'static str) {
    match words[0].as_str() {
        Some("created") => ("hotrod_entry_change", "HOTROD_ENTRY"),
        Some("valid") => ("hotrod_counter_state", "HOTROD_COUNTER"),
        other => panic!("no name is known for the words that begin with {other:?}"),
    }
}
