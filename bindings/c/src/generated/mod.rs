//! What is made of `spec/vocabulary.json` by `cargo run -p hotrod-c-generate`.
#![allow(missing_docs)] // the files begin with what they are
#![allow(clippy::wildcard_imports, clippy::enum_glob_use)]
#![allow(clippy::too_many_lines, clippy::match_same_arms)] // tables, written as code

#[rustfmt::skip]
pub mod codes;
#[rustfmt::skip]
pub mod operations;
#[rustfmt::skip]
pub mod outputs;
