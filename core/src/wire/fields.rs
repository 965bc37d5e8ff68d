//! Request fields: one codec for each kind of field in the [operation table](super::operation).
//!
//! Rule names in the comments are those of hotrod.gr.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::expiration::Expiration;
use super::flags::Flags;
use super::primitives::{unzigzag, zigzag};
use super::reader::{Read, Reader};
use super::types::{
    AuthResponse, Change, CounterConfiguration, CounterKind, Factory, Interests, ListenerOptions, Modification, Seen,
    Xid,
};
use super::{Problem, Version};
use crate::send_buffer::SendBuffer;

/// Request header fields that determine the form of a field.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) version: Version,
    pub(crate) flags: Flags,
}

/// Codec of one kind of field.
pub(crate) trait Field {
    type Value;

    /// Grammar of the field, for the generated documentation of the wire format.
    const SHAPE: &'static str;

    fn write(value: &Self::Value, context: Context, out: &mut SendBuffer);

    fn read(context: Context, name: &'static str, reader: &mut Reader<'_>) -> Read<Self::Value>;
}

macro_rules! fields {
    ($($(#[$doc:meta])* $kind:ident: $value:ty, $shape:literal,
        write($v:ident, $wc:ident, $out:ident) $write:block
        read($rc:ident, $name:ident, $reader:ident) $read:block)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $kind;

            impl Field for $kind {
                type Value = $value;

                const SHAPE: &'static str = $shape;

                fn write($v: &$value, $wc: Context, $out: &mut SendBuffer) $write

                fn read($rc: Context, $name: &'static str, $reader: &mut Reader<'_>) -> Read<$value> $read
            }
        )*
    };
}

fields! {
    /// `key`
    Key: Bytes, "array",
        write(value, _context, out) { out.put_array(value); }
        read(_context, name, reader) { reader.array(name, reader.limits().key) }

    /// `value`, and every other field that the server treats as one: query, chunk, bits of a Bloom filter.
    Value: Bytes, "array",
        write(value, _context, out) { out.put_array(value); }
        read(_context, name, reader) { reader.array(name, reader.limits().value) }

    /// `authResponse`
    Response: AuthResponse, "array",
        write(value, _context, out) { out.put_array(&value.0); }
        read(_context, name, reader) { reader.array(name, reader.limits().name).map(AuthResponse) }

    /// `listenerId`
    Blob: Bytes, "array",
        write(value, _context, out) { out.put_array(value); }
        read(_context, name, reader) { reader.array(name, reader.limits().name) }

    /// `authMech`, `taskName`, `counterName`, `iterationId`
    Name: String, "string",
        write(value, _context, out) { out.put_text(value); }
        read(_context, name, reader) { reader.name(name) }

    /// `expiration`
    Lifetimes: Expiration, "expiration",
        write(value, context, out) { value.write(context.version, out); }
        read(context, _name, reader) { Expiration::read(context.version, context.flags, reader) }

    /// `entryVersion`
    EntryVersion: u64, "long",
        write(value, _context, out) { out.put_u64(*value); }
        read(_context, name, reader) { reader.long(name) }

    /// `updateValue`, `expectValue`, `timeout`
    Long: i64, "long",
        write(value, _context, out) { out.put_u64(*value as u64); }
        read(_context, name, reader) { reader.long(name).map(|value| value as i64) }

    /// `intValue`
    Int: i32, "int",
        write(value, _context, out) { out.put_i32(*value); }
        read(_context, name, reader) { reader.int(name) }

    /// `numKeys`, `scope`, `batchSize`, `offset`, `chunkLength`, `bloomBits`
    VInt: u32, "vInt",
        write(value, _context, out) { out.put_vint(*value); }
        read(_context, name, reader) { reader.vint(name) }

    /// `onePhaseCommit`, `recoverable`, `lastPut`
    Flag: bool, "bool",
        write(value, _context, out) { out.put_u8(u8::from(*value)); }
        read(_context, name, reader) { reader.boolean(name) }

    /// `includeMetadata`: since 2.4
    FlagSince24: bool, "bool since 2.4",
        write(value, context, out) { if context.version >= Version::V2_4 { out.put_u8(u8::from(*value)); } }
        read(context, name, reader) { if context.version >= Version::V2_4 { reader.boolean(name) } else { Ok(false) } }

    /// `supportsDuplicates`: since 4.0
    FlagSince40: bool, "bool since 4.0",
        write(value, context, out) { if context.version >= Version::V4_0 { out.put_u8(u8::from(*value)); } }
        read(context, name, reader) { if context.version >= Version::V4_0 { reader.boolean(name) } else { Ok(false) } }

    /// `entryMap`
    Entries: Vec<(Bytes, Bytes)>, "vInt count, (array, array)*",
        write(entries, _context, out) {
            out.put_vint(entries.len() as u32);
            for (key, value) in entries {
                out.put_array(key);
                out.put_array(value);
            }
        }
        read(_context, name, reader) {
            let limits = reader.limits();
            let count = reader.count_of_entries(name, 2)?;
            reader.list(count, 2, |reader| Ok((reader.array("key", limits.key)?, reader.array("value", limits.value)?)))
        }

    /// `keys`
    Keys: Vec<Bytes>, "vInt count, array*",
        write(keys, _context, out) {
            out.put_vint(keys.len() as u32);
            keys.iter().for_each(|key| out.put_array(key));
        }
        read(_context, name, reader) {
            let limits = reader.limits();
            let count = reader.count_of_entries(name, 1)?;
            reader.list(count, 1, |reader| reader.array("key", limits.key))
        }

    /// `segmentMask`: one bit a segment, least significant first; absent for all
    SegmentMask: Option<Bytes>, "optionalArray",
        write(mask, _context, out) { out.put_optional_array(mask.as_ref()); }
        read(_context, name, reader) { reader.optional_array(name, reader.limits().segments.div_ceil(8)) }

    /// `filterConverterFactory filterConverterParams`
    OptionalFactory: Option<Factory>, "optionalString, (byte count, array*)?",
        write(factory, _context, out) {
            match factory {
                None => out.put_optional_array(None),
                Some(factory) => {
                    out.put_vint(zigzag(factory.name.len() as i32));
                    out.put_slice(factory.name.as_bytes());
                    write_parameters(&factory.parameters, out);
                }
            }
        }
        read(_context, name, reader) {
            let limit = reader.limits().name;
            let (factory_name, parameters) = reader.then(
                |reader| match reader.optional_array(name, limit)? {
                    Some(bytes) => reader.text_of(name, &bytes).map(Some),
                    None => Ok(None),
                },
                |reader, factory_name| if factory_name.is_some() { read_parameters(reader) } else { Ok(Vec::new()) },
            )?;
            Ok(factory_name.map(|name| Factory { name, parameters }))
        }

    /// `includeCurrentState listenerParams`
    Listener: ListenerOptions, "bool, factory, factory, (bool since 2.1), (vInt interests since 2.6)",
        write(options, context, out) {
            out.put_u8(u8::from(options.include_current_state));
            write_factory(options.filter.as_ref(), out);
            write_factory(options.converter.as_ref(), out);
            if context.version >= Version::V2_1 {
                out.put_u8(u8::from(options.use_raw_data));
            }
            if context.version >= Version::V2_6 {
                out.put_vint(options.interests.0);
            }
        }
        read(context, _name, reader) {
            let include_current_state = reader.boolean("include current state")?;
            let (filter, (converter, (use_raw_data, interests))) = reader.then(
                |reader| read_factory("filter factory", reader),
                |reader, _| reader.then(
                    |reader| read_factory("converter factory", reader),
                    |reader, _| read_preferences(context.version, reader),
                ),
            )?;
            Ok(ListenerOptions { include_current_state, filter, converter, use_raw_data, interests })
        }

    /// `taskParams`: at most 127
    TaskParameters: Vec<(String, Bytes)>, "byte count, (string, array)*",
        write(parameters, _context, out) {
            let parameters = &parameters[..parameters.len().min(MAX_PARAMETERS)];
            out.put_u8(parameters.len() as u8);
            for (name, value) in parameters {
                out.put_text(name);
                out.put_array(value);
            }
        }
        read(_context, name, reader) {
            let count = read_parameter_count(name, reader)?;
            reader.list(count, 2, |reader| {
                Ok((reader.name("task parameter name")?, reader.array("task parameter value", reader.limits().value)?))
            })
        }

    /// `chunkedValue`: chunks until an empty one
    Chunks: Vec<Bytes>, "(vInt length, bytes)*, 0",
        write(chunks, _context, out) {
            chunks.iter().filter(|chunk| !chunk.is_empty()).for_each(|chunk| out.put_array(chunk));
            out.put_vint(0);
        }
        read(_context, name, reader) {
            let limits = reader.limits();
            reader.list_to_end(|reader, chunks| {
                let at = reader.position();
                let length = reader.count(name, limits.value)?;
                if length == 0 {
                    return Ok(false);
                }
                if chunks.count() == limits.entries {
                    let problem = Problem::OverLimit { announced: chunks.count() as u64 + 1, limit: limits.entries as u64 };
                    return Err(reader.violation_at(at, name, problem));
                }
                chunks.push(reader.raw(length)?);
                Ok(true)
            })
        }

    /// `xid`
    TransactionId: Xid, "signedVInt format, byte length, bytes, byte length, bytes",
        write(xid, _context, out) {
            out.put_vint(zigzag(xid.format_id));
            for id in [&xid.global_transaction_id, &xid.branch_qualifier] {
                let id = &id[..id.len().min(255)];
                out.put_u8(id.len() as u8);
                out.put_slice(id);
            }
        }
        read(_context, name, reader) {
            let format_id = unzigzag(reader.vint(name)?);
            let mut id = |field| match reader.byte(field)? {
                length @ 1..=64 => reader.raw(length.into()),
                // The server throws before it reads the rest of the request.
                length => Err(reader.unexpected(field, length.into(), "1 to 64")),
            };
            let global_transaction_id = id("global transaction id")?;
            Ok(Xid { format_id, global_transaction_id, branch_qualifier: id("branch qualifier")? })
        }

    /// `modifications`
    Modifications: Vec<Modification>, "vInt count, (array key, byte control, (long version)?, (expiration, array value)?)*",
        write(modifications, context, out) {
            out.put_vint(modifications.len() as u32);
            modifications.iter().for_each(|modification| write_modification(modification, context, out));
        }
        read(context, name, reader) {
            let count = reader.count_of_entries(name, 2)?;
            reader.list(count, 2, |reader| read_modification(context, reader))
        }

    /// `counterConfiguration`
    Counter: CounterConfiguration, "byte flags, (vInt concurrency)?, (long lower, long upper)?, long initial",
        write(configuration, _context, out) { configuration.write(out); }
        read(_context, _name, reader) { CounterConfiguration::read(reader) }
}

/// The server reads one-byte counts as signed.
pub(crate) const MAX_PARAMETERS: usize = i8::MAX as usize;

fn read_parameter_count(field: &'static str, reader: &mut Reader<'_>) -> Read<usize> {
    let at = reader.position();
    let count = usize::from(reader.byte(field)?);
    if count > MAX_PARAMETERS {
        let problem = Problem::OverLimit { announced: count as u64, limit: MAX_PARAMETERS as u64 };
        return Err(reader.violation_at(at, field, problem));
    }
    Ok(count)
}

fn write_parameters(parameters: &[Bytes], out: &mut SendBuffer) {
    let parameters = &parameters[..parameters.len().min(MAX_PARAMETERS)];
    out.put_u8(parameters.len() as u8);
    parameters.iter().for_each(|parameter| out.put_array(parameter));
}

fn read_parameters(reader: &mut Reader<'_>) -> Read<Vec<Bytes>> {
    let count = read_parameter_count("number of factory parameters", reader)?;
    reader.list(count, 1, |reader| reader.array("factory parameter", reader.limits().value))
}

fn write_factory(factory: Option<&Factory>, out: &mut SendBuffer) {
    match factory.filter(|factory| !factory.name.is_empty()) {
        None => out.put_text(""),
        Some(factory) => {
            out.put_text(&factory.name);
            write_parameters(&factory.parameters, out);
        }
    }
}

fn read_factory(field: &'static str, reader: &mut Reader<'_>) -> Read<Option<Factory>> {
    let (name, parameters) = reader.then(
        |reader| reader.name(field),
        |reader, name| if name.is_empty() { Ok(Vec::new()) } else { read_parameters(reader) },
    )?;
    Ok(if name.is_empty() { None } else { Some(Factory { name, parameters }) })
}

/// Reads a listener's preferences: raw data, and the kinds of event.
fn read_preferences(version: Version, reader: &mut Reader<'_>) -> Read<(bool, Interests)> {
    let use_raw_data = version >= Version::V2_1 && reader.boolean("use raw data")?;
    let interests = if version >= Version::V2_6 { reader.vint("listener interests")? } else { Interests::ALL.0 };
    Ok((use_raw_data, Interests(interests)))
}

// Bits of the server's ControlByte.
const NOT_READ: u8 = 1;
const NON_EXISTING: u8 = 1 << 1;
const REMOVE: u8 = 1 << 2;

fn write_modification(modification: &Modification, context: Context, out: &mut SendBuffer) {
    out.put_array(&modification.key);
    let seen = match modification.seen {
        Seen::NotRead => NOT_READ,
        Seen::NonExisting => NON_EXISTING,
        Seen::Version(_) => 0,
    };
    let change = if modification.change == Change::Remove { REMOVE } else { 0 };
    out.put_u8(seen | change);
    if let Seen::Version(version) = modification.seen {
        out.put_u64(version);
    }
    if let Change::Put { expiration, value } = &modification.change {
        expiration.write(context.version, out);
        out.put_array(value);
    }
}

fn read_modification(context: Context, reader: &mut Reader<'_>) -> Read<Modification> {
    let limit = reader.limits().key;
    let key = |reader: &mut Reader<'_>| reader.array("key", limit);
    let (key, (seen, change)) = reader.then(key, |reader, _| read_change(context, reader))?;
    Ok(Modification { key, seen, change })
}

fn read_change(context: Context, reader: &mut Reader<'_>) -> Read<(Seen, Change)> {
    let control = reader.byte("control byte")?;
    let seen = if control & NOT_READ != 0 {
        Seen::NotRead
    } else if control & NON_EXISTING != 0 {
        Seen::NonExisting
    } else {
        Seen::Version(reader.long("version read")?)
    };
    let change = if control & REMOVE != 0 {
        Change::Remove
    } else {
        Change::Put {
            expiration: Expiration::read(context.version, context.flags, reader)?,
            value: reader.array("value", reader.limits().value)?,
        }
    };
    Ok((seen, change))
}

// Bits of the server's CounterEncodeUtil.
const WEAK: u8 = 1;
const BOUNDED: u8 = 1 << 1;
const PERSISTENT: u8 = 1 << 2;

impl CounterConfiguration {
    pub(crate) fn write(&self, out: &mut SendBuffer) {
        let persistent = if self.persistent { PERSISTENT } else { 0 };
        match self.kind {
            CounterKind::UnboundedStrong => out.put_u8(persistent),
            CounterKind::BoundedStrong { lower, upper } => {
                out.put_u8(persistent | BOUNDED);
                out.put_u64(lower as u64);
                out.put_u64(upper as u64);
            }
            CounterKind::Weak { concurrency } => {
                out.put_u8(persistent | WEAK);
                out.put_vint(concurrency);
            }
        }
        out.put_u64(self.initial_value as u64);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let flags = reader.byte("counter flags")?;
        let kind = match flags & (WEAK | BOUNDED) {
            0 => CounterKind::UnboundedStrong,
            BOUNDED => CounterKind::BoundedStrong {
                lower: reader.long("lower bound")? as i64,
                upper: reader.long("upper bound")? as i64,
            },
            WEAK => CounterKind::Weak { concurrency: reader.vint("counter concurrency")? },
            _ => return Err(reader.unexpected("counter flags", flags.into(), "weak or bounded, not both")),
        };
        let initial_value = reader.long("initial value")? as i64;
        Ok(Self { kind, persistent: flags & PERSISTENT != 0, initial_value })
    }
}
