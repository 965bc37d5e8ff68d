//! The generated files are what the vocabulary and the sources make of them.

use std::fs;

use hotrod_c_generate::{from_vocabulary, header};

#[test]
fn no_generated_file_is_stale() {
    for file in from_vocabulary().into_iter().chain([header()]) {
        let present = fs::read_to_string(&file.path).unwrap_or_default();
        assert!(present == file.text, "{} is stale: run `cargo run -p hotrod-c-generate`", file.path.display());
    }
}
