//! Compares with another implementation, the crate loona-hpack, in both directions.

use bytes::Bytes;
use hotrod_core::http2::hpack::{DecodeError, Decoder, Encoder, Field};
use loona_hpack::Decoder as Oracle;
use loona_hpack::Encoder as OracleEncoder;
use loona_hpack::decoder::DecoderError;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{block, fields, steps};
use crate::{NO_LIMIT, decoder, encoded};

/// Fields without the sensitive mark, which the oracle does not report.
fn plain(fields: Vec<Field>) -> Vec<(Bytes, Bytes)> {
    fields.into_iter().map(|field| (field.name, field.value)).collect()
}

fn of_oracle(fields: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Bytes, Bytes)> {
    fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// Our stricter rules: limits of integers, and the position of size updates.
fn is_stricter(error: DecodeError) -> bool {
    matches!(error, DecodeError::IntegerTooLarge | DecodeError::SizeUpdateMisplaced | DecodeError::SizeUpdateRepeated)
}

/// Surrounds each byte with short codes, so that its own code is used whatever its length.
#[test]
fn the_oracle_reads_the_code_of_every_byte() {
    for byte in 0..=u8::MAX {
        let value = [&[b'a'; 40][..], &[byte], &[b'0'; 3]].concat();
        let block = encoded(&mut Encoder::new(), &[Field::new("n", value.clone()).sensitive()]);
        assert!(block.len() < value.len(), "Huffman-coded");
        assert_eq!(Oracle::new().decode(&block).unwrap(), [(b"n".to_vec(), value)], "{byte:#04x}");
    }
}

proptest! {
    #[test]
    fn the_oracle_decodes_what_we_encode(steps in steps()) {
        let (mut encoder, mut oracle) = (Encoder::new(), Oracle::new());
        for step in steps.into_iter().filter(|step| !step.fields.is_empty()) {
            step.table_sizes.into_iter().for_each(|size| encoder.set_max_table_size(size));
            let block = encoded(&mut encoder, &step.fields);
            prop_assert_eq!(oracle.decode(&block).map(of_oracle), Ok(plain(step.fields)));
        }
    }

    #[test]
    fn we_decode_what_the_oracle_encodes(blocks in vec(fields(), 0..8)) {
        let (mut oracle, mut decoder) = (OracleEncoder::new(), decoder());
        for fields in blocks {
            let block = oracle.encode(fields.iter().map(|field| (&field.name[..], &field.value[..])));
            prop_assert_eq!(decoder.decode(&block).map(plain), Ok(plain(fields)));
        }
    }

    /// Both reject the same blocks.
    #[test]
    fn the_oracle_and_we_agree_about_any_blocks(blocks in vec(block(), 1..10)) {
        let mut oracle = Oracle::new();
        oracle.set_max_allowed_table_size(4096);
        let mut ours = Decoder::new(4096, NO_LIMIT);
        for block in blocks {
            match (ours.decode(&block), oracle.decode(&block)) {
                // It reports size updates at the end of a block as misplaced.
                (Ok(fields), Err(DecoderError::SizeUpdateAtEnd)) if fields.is_empty() => break,
                (Ok(ours), theirs) => prop_assert_eq!(theirs.map(of_oracle), Ok(plain(ours)), "{:02x?}", block),
                (Err(error), theirs) => {
                    prop_assert!(theirs.is_err() || is_stricter(error), "{:02x?}: {}", block, error);
                    break;
                }
            }
        }
    }
}
