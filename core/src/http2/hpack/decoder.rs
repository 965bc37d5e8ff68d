//! Decodes field blocks (RFC 7541, 3).

use alloc::vec::Vec;

use bytes::Bytes;

use super::dynamic_table::{DynamicTable, Entry};
use super::{DecodeError, Field, field, huffman, integer, static_table};

/// Maximum number of fields to reserve in advance.
const FIELDS_RESERVED: usize = 12;

/// Receiving end of a connection's header compression.
///
/// The size of a block's fields is limited. Nothing is allocated for a string beyond the limit, and fields of the
/// dynamic table are not copied, however often a block refers to them.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// Maximum size of the table that an update may set.
    max_table_size: usize,
    /// Smallest maximum since the last block, if the table was larger: the next block must begin with an update.
    required_update: Option<usize>,
    max_list_size: usize,
    /// Scratch space for strings of unknown length.
    scratch: Vec<u8>,
}

/// Fields of a block, within the size limit.
struct List {
    fields: Vec<Field>,
    room: usize,
    too_large: bool,
}

/// Representation of a literal field (RFC 7541, 6.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indexing {
    Incremental,
    Without,
    Never,
}

/// A string; `None` if it is longer than its use allows.
type Text = Option<Bytes>;

impl Decoder {
    /// Memory of the table and the buffers.
    pub(crate) fn memory(&self) -> usize {
        self.table.memory() + self.scratch.capacity()
    }

    /// Creates a decoder with a dynamic table of `max_table_size` bytes, for blocks whose fields have at most
    /// `max_list_size` bytes in total ([`Field::size`]; SETTINGS_MAX_HEADER_LIST_SIZE).
    ///
    /// An HTTP/2 connection begins with [`DEFAULT_TABLE_SIZE`](super::DEFAULT_TABLE_SIZE), independent of its
    /// SETTINGS.
    pub fn new(max_table_size: usize, max_list_size: usize) -> Self {
        Self {
            table: DynamicTable::new(max_table_size),
            max_table_size,
            required_update: None,
            max_list_size,
            scratch: Vec::new(),
        }
    }

    /// Applies our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it.
    ///
    /// If the table is larger, the next block must begin with a size update (RFC 7541, 4.2).
    pub fn set_max_table_size(&mut self, max_table_size: usize) {
        self.max_table_size = max_table_size;
        if max_table_size < self.table.max_size() {
            self.required_update = Some(self.required_update.map_or(max_table_size, |other| other.min(max_table_size)));
        }
    }

    /// Decodes a whole field block into its fields, in order.
    ///
    /// # Errors
    /// [`DecodeError::ListTooLarge`] is a stream error. Any other error must end the connection; the results of
    /// further blocks are meaningless.
    pub fn decode(&mut self, mut block: &[u8]) -> Result<Vec<Field>, DecodeError> {
        self.take_size_updates(&mut block)?;
        let fields = Vec::with_capacity(block.len().min(FIELDS_RESERVED));
        let mut list = List { fields, room: self.max_list_size, too_large: false };
        while let Some(first) = block.first() {
            // The first bits select the representation (RFC 7541, 6).
            match first {
                0x80.. => list.push(self.indexed(integer::take(&mut block, 7)?)?),
                0x40..0x80 => self.literal(&mut block, 6, Indexing::Incremental, &mut list)?,
                0x20..0x40 => return Err(DecodeError::SizeUpdateMisplaced),
                0x10..0x20 => self.literal(&mut block, 4, Indexing::Never, &mut list)?,
                0x00..0x10 => self.literal(&mut block, 4, Indexing::Without, &mut list)?,
            }
        }
        if list.too_large { Err(DecodeError::ListTooLarge { limit: self.max_list_size }) } else { Ok(list.fields) }
    }

    /// Reads the size updates at the beginning of a block: at most two, the first of which is not above the smallest
    /// maximum since the last block (RFC 7541, 4.2).
    fn take_size_updates(&mut self, block: &mut &[u8]) -> Result<(), DecodeError> {
        let mut updates = 0;
        while let Some(0x20..0x40) = block.first() {
            if updates == 2 {
                return Err(DecodeError::SizeUpdateRepeated);
            }
            updates += 1;
            let size = integer::take(block, 5)?;
            let max = self.required_update.take().unwrap_or(self.max_table_size);
            if size > max {
                return Err(DecodeError::SizeUpdateTooLarge { size, max });
            }
            self.table.set_max_size(size);
        }
        self.required_update.map_or(Ok(()), |max| Err(DecodeError::SizeUpdateMissing { max }))
    }

    fn out_of_range(&self, index: usize) -> DecodeError {
        DecodeError::IndexOutOfRange { index, entries: static_table::LEN + self.table.len() }
    }

    /// Entry of the dynamic table, whose indices follow the static table's (RFC 7541, 2.3.3).
    fn entry(&self, index: usize) -> Result<&Entry, DecodeError> {
        let place = index.checked_sub(static_table::LEN + 1);
        place.and_then(|place| self.table.get(place)).ok_or_else(|| self.out_of_range(index))
    }

    fn indexed(&self, index: usize) -> Result<Field, DecodeError> {
        if let Some(field) = static_table::field(index) {
            return Ok(field);
        }
        self.entry(index).map(|entry| Field::new(entry.name.clone(), entry.value.clone()))
    }

    fn name(&self, index: usize) -> Result<Bytes, DecodeError> {
        static_table::name(index).map_or_else(|| self.entry(index).map(|entry| entry.name.clone()), Ok)
    }

    /// Decodes a field whose value, at least, is a literal (RFC 7541, 6.2).
    fn literal(
        &mut self,
        block: &mut &[u8],
        bits: u32,
        indexing: Indexing,
        list: &mut List,
    ) -> Result<(), DecodeError> {
        // A string is needed if it fits into the list or into the table.
        let table = if indexing == Indexing::Incremental { self.table.max_size() } else { 0 };
        let room = list.room.max(table);
        let name = match integer::take(block, bits)? {
            0 => self.text(block, room.checked_sub(field::size(0, 0)))?,
            index => Some(self.name(index)?),
        };
        let room = name.as_ref().and_then(|name| room.checked_sub(field::size(name.len(), 0)));
        let value = self.text(block, room)?;
        let (Some(name), Some(value)) = (name, value) else {
            list.skip();
            if indexing == Indexing::Incremental {
                self.table.clear();
            }
            return Ok(());
        };
        if indexing == Indexing::Incremental {
            self.table.insert(Entry { name: name.clone(), value: value.clone() });
        }
        list.push(Field { name, value, sensitive: indexing == Indexing::Never });
        Ok(())
    }

    /// Decodes a string (RFC 7541, 5.2) of at most `max` bytes; checks and skips a longer one.
    fn text(&mut self, block: &mut &[u8], max: Option<usize>) -> Result<Text, DecodeError> {
        let is_coded = block.first().is_some_and(|first| first & 0x80 != 0);
        let length = integer::take(block, 7)?;
        let (text, rest) = block.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        *block = rest;
        if !is_coded {
            return Ok(max.filter(|max| length <= *max).map(|_| Bytes::copy_from_slice(text)));
        }
        self.scratch.clear();
        let length = huffman::decode(text, max.unwrap_or_default(), &mut self.scratch)?;
        Ok(max.filter(|max| length <= *max).map(|_| Bytes::copy_from_slice(&self.scratch)))
    }
}

impl List {
    fn push(&mut self, field: Field) {
        match self.room.checked_sub(field.size()) {
            Some(room) if !self.too_large => {
                self.room = room;
                self.fields.push(field);
            }
            _ => self.skip(),
        }
    }

    /// Drops the decoded fields and skips the rest of the list: it exceeds the limit.
    fn skip(&mut self) {
        self.too_large = true;
        self.room = 0;
        self.fields = Vec::new();
    }
}
