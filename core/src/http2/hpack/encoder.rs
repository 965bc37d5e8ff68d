//! Encodes field blocks (RFC 7541, 3).

use bytes::{BufMut, BytesMut};

use super::search::{Found, Searchable};
use super::{DEFAULT_TABLE_SIZE, Field, huffman, integer};

/// Maximum size of the dynamic table, even if a peer allows more.
const MAX_TABLE_SIZE: usize = DEFAULT_TABLE_SIZE;

/// Sending end of a connection's header compression.
///
/// Fields that may recur are added to the dynamic table. Exceptions: sensitive fields; `authorization`,
/// `proxy-authorization` and `cookie`, which are always sent as never indexed (spec/hotrod-over-http.md, R-100);
/// fields that differ between messages (lengths, ages, validators, set-cookie); and fields that would take most of the
/// table.
///
/// `:path` is added: all streams of a tunnelling client share it. (Encoders of browsers exclude it, and also
/// `location`.)
#[derive(Debug)]
pub struct Encoder {
    table: Searchable,
    update: Option<Update>,
}

/// Table size changes that the peer does not know of yet.
#[derive(Debug, Clone, Copy)]
struct Update {
    smallest: usize,
    last: usize,
}

/// Indexing of a literal (RFC 7541, 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indexing {
    Incremental,
    Without,
    Never,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// Creates an encoder with a dynamic table of [`DEFAULT_TABLE_SIZE`] bytes.
    pub fn new() -> Self {
        Self { table: Searchable::new(DEFAULT_TABLE_SIZE), update: None }
    }

    /// Applies the peer's SETTINGS_HEADER_TABLE_SIZE; at most [`DEFAULT_TABLE_SIZE`] bytes are used.
    ///
    /// The next block begins with the necessary size updates (RFC 7541, 4.2).
    pub fn set_max_table_size(&mut self, max_table_size: usize) {
        let last = max_table_size.min(MAX_TABLE_SIZE);
        let smallest = self.update.map_or(last, |update| update.smallest.min(last));
        self.update = Some(Update { smallest, last });
    }

    /// Appends the fields as one field block. The peer must receive all blocks in this order.
    pub fn encode(&mut self, fields: &[Field], out: &mut BytesMut) {
        if let Some(update) = self.update.take() {
            // Announces the smallest size only if it evicts entries.
            if update.smallest < update.last.min(self.table.max_size()) {
                self.put_size_update(update.smallest, out);
            }
            if update.last != self.table.max_size() {
                self.put_size_update(update.last, out);
            }
        }
        fields.iter().for_each(|field| self.put_field(field, out));
    }

    fn put_size_update(&mut self, size: usize, out: &mut BytesMut) {
        self.table.set_max_size(size);
        integer::put(out, 0x20, 5, size);
    }

    fn put_field(&mut self, field: &Field, out: &mut BytesMut) {
        let found = self.table.find(&field.name, &field.value);
        let indexing = self.indexing(field);
        let (pattern, bits) = match (indexing, found) {
            (Indexing::Incremental | Indexing::Without, Found::Field(index)) => {
                return integer::put(out, 0x80, 7, index);
            }
            (Indexing::Incremental, _) => (0x40, 6),
            (Indexing::Without, _) => (0x00, 4),
            (Indexing::Never, _) => (0x10, 4),
        };
        match found {
            Found::Field(index) | Found::Name(index) => integer::put(out, pattern, bits, index),
            Found::Nothing => {
                out.put_u8(pattern);
                put_text(&field.name, out);
            }
        }
        put_text(&field.value, out);
        if indexing == Indexing::Incremental {
            self.table.insert(&field.name, &field.value, found);
        }
    }

    fn indexing(&self, field: &Field) -> Indexing {
        if field.sensitive {
            return Indexing::Never;
        }
        match &field.name[..] {
            b"authorization" | b"proxy-authorization" | b"cookie" => Indexing::Never,
            b"age" | b"content-length" | b"etag" | b"if-modified-since" | b"if-none-match" | b"location"
            | b"set-cookie" => Indexing::Without,
            _ if field.size() > self.table.max_size() / 4 * 3 => Indexing::Without,
            _ => Indexing::Incremental,
        }
    }
}

/// Appends a string, Huffman-coded if that is shorter (RFC 7541, 5.2).
fn put_text(text: &[u8], out: &mut BytesMut) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::put(out, 0x80, 7, coded);
        huffman::encode(text, out);
    } else {
        integer::put(out, 0x00, 7, text.len());
        out.put_slice(text);
    }
}
