//! Header blocks become fields (RFC 7541, 3).

use alloc::vec::Vec;

use bytes::Bytes;

use super::dynamic_table::{DynamicTable, Entry};
use super::{DecodeError, Field, field, huffman, integer, static_table};

/// More than this is not reserved before there are fields.
const FIELDS_RESERVED: usize = 12;

/// The receiving end of a connection's header compression.
///
/// The fields of a block are at most as large as the limit says. Nothing is allocated for a string that is beyond it, and a
/// field that stands in the dynamic table is not copied, however often the block names it.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// The largest size that an update may give the table.
    max_table_size: usize,
    /// The smallest that it was since the last block, if the table was larger: the next block must say so.
    required_update: Option<usize>,
    max_list_size: usize,
    /// Where strings are decoded before their length is known.
    scratch: Vec<u8>,
}

/// The fields of a block, for as long as there is room for them.
struct List {
    fields: Vec<Field>,
    room: usize,
    too_large: bool,
}

/// What becomes of a literal field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indexing {
    Incremental,
    Without,
    Never,
}

/// A string, or that it has more bytes than are of use.
type Text = Option<Bytes>;

impl Decoder {
    /// Bytes of memory that the table and the buffers take.
    pub(crate) fn memory(&self) -> usize {
        self.table.memory() + self.scratch.capacity()
    }

    /// With a dynamic table of `max_table_size` bytes from the beginning, and blocks whose fields sum up to
    /// `max_list_size` bytes at most ([`Field::size`]; SETTINGS_MAX_HEADER_LIST_SIZE).
    ///
    /// An HTTP/2 connection begins with [`DEFAULT_TABLE_SIZE`](super::DEFAULT_TABLE_SIZE), whatever its SETTINGS will say.
    pub fn new(max_table_size: usize, max_list_size: usize) -> Self {
        Self {
            table: DynamicTable::new(max_table_size),
            max_table_size,
            required_update: None,
            max_list_size,
            scratch: Vec::new(),
        }
    }

    /// The peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE of ours.
    ///
    /// When the table is larger, the next block must begin with an update of its size (RFC 7541, 4.2).
    pub fn set_max_table_size(&mut self, max_table_size: usize) {
        self.max_table_size = max_table_size;
        if max_table_size < self.table.max_size() {
            self.required_update = Some(self.required_update.map_or(max_table_size, |other| other.min(max_table_size)));
        }
    }

    /// The fields of a whole header block, in order.
    ///
    /// # Errors
    /// [`DecodeError::ListTooLarge`] is a matter of the block's stream. After any other error the connection must end; what
    /// further blocks would give means nothing.
    pub fn decode(&mut self, mut block: &[u8]) -> Result<Vec<Field>, DecodeError> {
        self.take_size_updates(&mut block)?;
        let fields = Vec::with_capacity(block.len().min(FIELDS_RESERVED));
        let mut list = List { fields, room: self.max_list_size, too_large: false };
        while let Some(first) = block.first() {
            // The first bits say what follows (RFC 7541, 6).
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

    /// At the beginning of a block: at most two, of which the first is as small as the smallest maximum since the last
    /// block (RFC 7541, 4.2).
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

    /// The entry of the dynamic table at an index, which counts on from the static table (RFC 7541, 2.3.3).
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

    /// A field whose value, at least, stands in the block (RFC 7541, 6.2).
    fn literal(
        &mut self,
        block: &mut &[u8],
        bits: u32,
        indexing: Indexing,
        list: &mut List,
    ) -> Result<(), DecodeError> {
        // A string is of use if it fits into the list or into the table.
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

    /// A string (RFC 7541, 5.2) of at most so many bytes; a longer one is checked and skipped.
    fn text(&mut self, block: &mut &[u8], most: Option<usize>) -> Result<Text, DecodeError> {
        let is_coded = block.first().is_some_and(|first| first & 0x80 != 0);
        let length = integer::take(block, 7)?;
        let (text, rest) = block.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        *block = rest;
        if !is_coded {
            return Ok(most.filter(|most| length <= *most).map(|_| Bytes::copy_from_slice(text)));
        }
        self.scratch.clear();
        let length = huffman::decode(text, most.unwrap_or_default(), &mut self.scratch)?;
        Ok(most.filter(|most| length <= *most).map(|_| Bytes::copy_from_slice(&self.scratch)))
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

    /// A field for which there is no room: there are no others then either.
    fn skip(&mut self) {
        self.too_large = true;
        self.room = 0;
        self.fields = Vec::new();
    }
}
