//! The examples of RFC 7541, appendix C, from spec/vectors/hpack-rfc7541.json (its format: spec/vectors/README.md).

use std::fs;
use std::path::Path;

use hotrod_core::http2::hpack::{DecodeError, Decoder, Encoder, Field};
use serde_json::Value;

use crate::{NO_LIMIT, encoded};

/// Number of entries in the static table.
const STATIC: usize = 61;

fn file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/hpack-rfc7541.json");
    serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON")
}

fn list<'a>(json: &'a Value, key: &str) -> &'a Vec<Value> {
    json[key].as_array().unwrap_or_else(|| panic!("a list named {key:?} in {json}"))
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("a text named {key:?} in {json}"))
}

fn number(json: &Value, key: &str) -> usize {
    json[key].as_u64().unwrap_or_else(|| panic!("a number named {key:?} in {json}")) as usize
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits")).collect()
}

fn field(json: &Value) -> Field {
    let field = Field::new(text(json, "name").to_owned(), text(json, "value").to_owned());
    if json["sensitive"] == true { field.sensitive() } else { field }
}

fn fields(json: &Value, key: &str) -> Vec<Field> {
    list(json, key).iter().map(field).collect()
}

/// Contents of the dynamic table, newest first: decodes index after index until there are no more.
fn table(decoder: &mut Decoder) -> Vec<Field> {
    let mut entries = Vec::new();
    loop {
        let index = STATIC + 1 + entries.len();
        match decoder.decode(&[0x80 | index as u8]) {
            Ok(fields) => entries.extend(fields),
            Err(error) => {
                assert_eq!(error, DecodeError::IndexOutOfRange { index, entries: STATIC + entries.len() });
                return entries;
            }
        }
    }
}

#[test]
fn every_block_decodes_and_leaves_the_table_as_appendix_c_has_it() {
    let file = file();
    let mut blocks = 0;
    for sequence in list(&file, "sequences") {
        let mut decoder = Decoder::new(number(sequence, "max_table_size"), NO_LIMIT);
        for block in list(sequence, "blocks") {
            let name = text(block, "name");
            assert_eq!(decoder.decode(&unhex(text(block, "hex"))), Ok(fields(block, "fields")), "{name}");
            let table = table(&mut decoder);
            assert_eq!(table, fields(block, "table"), "{name}");
            assert_eq!(table.iter().map(Field::size).sum::<usize>(), number(block, "table_size"), "{name}");
            blocks += 1;
        }
    }
    assert_eq!(blocks, 16, "four of C.2, three of each of C.3 to C.6");
}

/// The encoder of the examples uses Huffman coding as ours does, for requests.
#[test]
fn requests_are_encoded_as_appendix_c_4_has_them() {
    let file = file();
    let sequence = list(&file, "sequences").iter().find(|sequence| sequence["name"] == "C.4").expect("C.4");
    let mut encoder = Encoder::new();
    for block in list(sequence, "blocks") {
        assert_eq!(encoded(&mut encoder, &fields(block, "fields")), unhex(text(block, "hex")), "{}", block["name"]);
    }
}

#[test]
fn a_never_indexed_field_is_encoded_as_appendix_c_2_3_has_it_but_for_huffman_coding() {
    let block = encoded(&mut Encoder::new(), &[Field::new("password", "secret").sensitive()]);
    assert_eq!(block[0], 0x10);
    let decoded = Decoder::new(4096, NO_LIMIT).decode(&block).unwrap();
    assert_eq!(decoded, [Field::new("password", "secret").sensitive()]);
}

/// Integers with a prefix of five bits are size updates, those of seven bits indices. C.1.3 has no prefix and occurs
/// in no field: its first byte is checked.
#[test]
fn integers_are_those_of_appendix_c_1() {
    let file = file();
    for integer in list(&file, "integers") {
        let (value, mut bytes) = (number(integer, "value"), unhex(text(integer, "hex")));
        if number(integer, "prefix_bits") == 5 {
            bytes[0] |= 0x20;
            let refused = Decoder::new(0, NO_LIMIT).decode(&bytes);
            assert_eq!(refused, Err(DecodeError::SizeUpdateTooLarge { size: value, max: 0 }), "{integer}");
        } else {
            bytes[0] |= 0x80;
            assert!(value < 0x7f && bytes.len() == 1, "{integer}");
            assert_eq!(Decoder::new(0, NO_LIMIT).decode(&bytes).unwrap().len(), 1, "index {value}");
        }
    }
}
