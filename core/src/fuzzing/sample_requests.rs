//! Samples of requests of every kind, selected by an input.

use alloc::vec::Vec;

use super::input::Input;
use super::samples::name;
use crate::wire::{Limits, Operation, Request, RequestDecoder, Version};

/// Primitive of the Hot Rod grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// One byte: code, flag or count.
    Byte,
    /// Variable-length number of at most 5 bytes.
    VInt,
    /// Variable-length number of at most 10 bytes.
    VLong,
    /// Number of 2, 4 or 8 bytes.
    Fixed,
    /// Contents of an array or a text.
    Contents,
}

/// Position of a primitive in a [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Kind of the primitive.
    pub primitive: Primitive,
    /// Position of its first byte.
    pub at: usize,
    /// Length in bytes.
    pub length: usize,
}

/// A request, or its beginning, and its primitives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    /// Bytes of the request.
    pub bytes: Vec<u8>,
    /// Primitives, in order and without gaps.
    pub marks: Vec<Mark>,
}

impl Sample {
    fn put(&mut self, primitive: Primitive, write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.bytes.len();
        write(&mut self.bytes);
        self.marks.push(Mark { primitive, at, length: self.bytes.len() - at });
    }

    fn byte(&mut self, value: u8) {
        self.put(Primitive::Byte, |bytes| bytes.push(value));
    }

    fn fixed(&mut self, value: &[u8]) {
        self.put(Primitive::Fixed, |bytes| bytes.extend_from_slice(value));
    }

    fn contents(&mut self, contents: &[u8]) {
        self.put(Primitive::Contents, |bytes| bytes.extend_from_slice(contents));
    }

    fn vint(&mut self, value: u32) {
        self.put(Primitive::VInt, |bytes| put_variable(u64::from(value), bytes));
    }

    fn vlong(&mut self, value: u64) {
        self.put(Primitive::VLong, |bytes| put_variable(value, bytes));
    }

    fn array(&mut self, contents: &[u8]) {
        self.vint(contents.len() as u32);
        self.contents(contents);
    }

    /// Writes a zigzag length, -1 for `None`, and the contents.
    fn optional(&mut self, contents: Option<&[u8]>) {
        self.vint(contents.map_or(1, |contents| 2 * contents.len() as u32));
        self.contents(contents.unwrap_or_default());
    }

    /// Writes at most three elements, so that a one-byte count and a vInt are equal.
    fn counted(&mut self, input: &mut Input<'_>, element: impl Fn(&mut Input<'_>, &mut Self)) {
        let count = input.below(4);
        self.vint(count as u32);
        (0..count).for_each(|_| element(input, self));
    }
}

fn put_variable(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a request whose header and fields are selected by `choices`, in the form of the version's table.
///
/// Accepts operations that are newer than the version.
pub fn sample_request(message_id: u64, operation: Operation, version: Version, choices: &[u8]) -> Sample {
    let mut input = Input::new(choices);
    let mut out = Sample::default();
    out.byte(0xa0);
    out.vlong(message_id);
    out.byte(version.to_byte());
    out.byte(operation.row().request_opcode);
    out.array(name(&mut input).as_bytes());
    // Any known flags: they do not change the form.
    out.vint(input.byte().into());
    out.byte(1 + input.byte() % 3);
    out.vint(input.byte().into());
    if version >= Version::V2_8 {
        (0..2).for_each(|_| put_media_type(&mut input, &mut out));
    }
    if version >= Version::V4_0 {
        out.counted(&mut input, |input, out| {
            out.array(name(input).as_bytes());
            out.array(&input.blob());
        });
    }
    put_fields(operation, version, &mut input, &mut out);
    out
}

fn put_media_type(input: &mut Input<'_>, out: &mut Sample) {
    let definition = input.byte() % 3;
    out.byte(definition);
    match definition {
        0 => return,
        1 => out.vint(u32::from(1 + input.byte() % 13)),
        _ => out.array(b"text/plain"),
    }
    out.counted(input, |_, out| {
        out.array(b"charset");
        out.array(b"UTF-8");
    });
}

fn put_fields(operation: Operation, version: Version, input: &mut Input<'_>, out: &mut Sample) {
    for field in operation.row().fields {
        put_field(field.shape, version, input, out);
    }
}

/// Selects a request: writes its fields by the shapes in the table, and decodes them. PING replaces operations that
/// the version does not have.
pub(super) fn request(operation: Operation, version: Version, input: &mut Input<'_>) -> Request {
    let operation = if operation.is_read_at(version) { operation } else { Operation::Ping };
    // Without choices the header is minimal.
    let mut sample = sample_request(1, Operation::Ping, version, &[]);
    sample.bytes[3] = operation.row().request_opcode;
    put_fields(operation, version, input, &mut sample);
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(&sample.bytes);
    let decoded = decoder.poll().expect("whole").expect("written by the table's shapes");
    assert_eq!(decoder.buffered(), 0, "{operation} has more or other fields than the table says");
    decoded.1
}

fn put_field(shape: &str, version: Version, input: &mut Input<'_>, out: &mut Sample) {
    match shape {
        "array" => out.array(&input.blob()),
        "string" => out.array(name(input).as_bytes()),
        "long" => out.fixed(&input.long().to_be_bytes()),
        "int" => out.fixed(&(input.long() as i32).to_be_bytes()),
        "vInt" => out.vint(input.long() as u32),
        "bool since 2.4" if version < Version::V2_4 => {}
        "bool since 4.0" if version < Version::V4_0 => {}
        "bool" | "bool since 2.4" | "bool since 4.0" => out.byte(input.byte() & 1),
        "expiration" => put_expiration(version, input, out),
        "vInt count, (array, array)*" => out.counted(input, |input, out| {
            out.array(&input.blob());
            out.array(&input.blob());
        }),
        "vInt count, array*" => out.counted(input, |input, out| out.array(&input.blob())),
        "optionalArray" => out.optional(input.flag().then_some(&[0xff, 0x0f])),
        "optionalString, (byte count, array*)?" => {
            let present = input.flag();
            out.optional(present.then_some(b"filter"));
            if present {
                out.counted(input, |input, out| out.array(&input.blob()));
            }
        }
        "bool, factory, factory, (bool since 2.1), (vInt interests since 2.6)" => put_listener(version, input, out),
        "byte count, (string, array)*" => out.counted(input, |input, out| {
            out.array(name(input).as_bytes());
            out.array(&input.blob());
        }),
        "(vInt length, bytes)*, 0" => {
            for _ in 0..input.below(4) {
                out.array(&[7; 300][..=input.below(256)]);
            }
            out.byte(0);
        }
        "signedVInt format, byte length, bytes, byte length, bytes" => {
            out.vint(input.long() as u32);
            for _ in 0..2 {
                out.array(&[1; 64][..=input.below(64)]);
            }
        }
        "vInt count, (array key, byte control, (long version)?, (expiration, array value)?)*" => {
            out.counted(input, |input, out| put_modification(version, input, out));
        }
        "byte flags, (vInt concurrency)?, (long lower, long upper)?, long initial" => put_counter(input, out),
        _ => panic!("a field of the shape {shape:?} can't be made up here yet"),
    }
}

fn put_expiration(version: Version, input: &mut Input<'_>, out: &mut Sample) {
    let times = [input.byte() & 0x7f, input.byte() & 0x7f];
    if version < Version::V2_2 {
        return times.into_iter().for_each(|time| out.vint(time.into()));
    }
    let units = [input.byte() % 9, input.byte() % 9];
    out.byte(units[0] << 4 | units[1]);
    times.into_iter().zip(units).filter(|(_, unit)| *unit < 7).for_each(|(time, _)| out.vlong(time.into()));
}

fn put_listener(version: Version, input: &mut Input<'_>, out: &mut Sample) {
    out.byte(input.byte() & 1);
    for factory in ["filter", "converter"] {
        let present = input.flag();
        out.array(if present { factory.as_bytes() } else { b"" });
        if present {
            out.counted(input, |input, out| out.array(&input.blob()));
        }
    }
    if version >= Version::V2_1 {
        out.byte(input.byte() & 1);
    }
    if version >= Version::V2_6 {
        out.byte(input.byte() & 0x0f);
    }
}

fn put_modification(version: Version, input: &mut Input<'_>, out: &mut Sample) {
    out.array(&input.blob());
    let control = input.byte() & 7;
    out.byte(control);
    if control.trailing_zeros() >= 2 {
        out.fixed(&input.long().to_be_bytes());
    }
    if control & 4 == 0 {
        put_expiration(version, input, out);
        out.array(&input.blob());
    }
}

fn put_counter(input: &mut Input<'_>, out: &mut Sample) {
    let flags = input.pick(&[0, 1, 2, 4, 5, 6]);
    out.byte(flags);
    match flags & 3 {
        1 => out.vint(input.long() as u32),
        2 => (0..2).for_each(|_| out.fixed(&input.long().to_be_bytes())),
        _ => {}
    }
    out.fixed(&input.long().to_be_bytes());
}
