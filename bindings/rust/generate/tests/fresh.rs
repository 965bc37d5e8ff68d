//! The generated file is the one that the vocabulary gives.

use std::fs;

use hotrod_rust_generate::{PATH, text};

#[test]
fn the_generated_file_is_not_stale() {
    let present = fs::read_to_string(PATH).unwrap_or_default();
    assert!(present == text(), "{PATH} is stale: run `make generate`");
}
