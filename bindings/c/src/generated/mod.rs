//! Sources that `cargo run -p hotrod-c-generate` generates from `spec/vocabulary.json`. Only this file is written by hand.
#![allow(missing_docs)] // the files begin with what they are
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]
#![allow(clippy::too_many_lines, clippy::match_same_arms)] // tables, written as code

#[rustfmt::skip]
pub mod codes;
#[rustfmt::skip]
pub mod operations;
#[rustfmt::skip]
pub mod outputs;
#[rustfmt::skip]
pub mod protostream;
