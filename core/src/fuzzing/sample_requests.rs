//! Requests of every kind, chosen by an input.

use alloc::vec::Vec;

use super::input::Input;
use super::samples::name;
use crate::wire::{
    Envelope, Intelligence, Limits, Operation, Request, RequestDecoder, RequestOptions, SendBuffer, Version,
    write_request,
};

/// A request of that operation: its fields are written by the shapes that the table gives them, and read again.
pub(super) fn request(operation: Operation, version: Version, input: &mut Input<'_>) -> Request {
    let mut out = SendBuffer::new();
    let envelope = Envelope { message_id: 1, version, intelligence: Intelligence::Basic, topology_id: 0 };
    // PING has no fields: what is written is a header.
    write_request(envelope, &RequestOptions::default(), &Request::Ping {}, &mut out);
    let mut bytes = out.to_bytes().to_vec();
    bytes[3] = operation.row().request_opcode;
    for field in operation.row().fields {
        put_field(field.shape, version, input, &mut bytes);
    }
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(&bytes);
    let decoded = decoder.poll().expect("whole").expect("written by the table's shapes");
    assert_eq!(decoder.buffered(), 0, "{operation} has more or other fields than the table says");
    decoded.1
}

fn put_field(shape: &str, version: Version, input: &mut Input<'_>, out: &mut Vec<u8>) {
    match shape {
        "array" => put_array(&input.blob(), out),
        "string" => put_array(name(input).as_bytes(), out),
        "long" => out.extend(input.long().to_be_bytes()),
        "int" => out.extend((input.long() as i32).to_be_bytes()),
        "vInt" => put_vint(input.long() as u32, out),
        "bool since 2.4" if version < Version::V2_4 => {}
        "bool since 4.0" if version < Version::V4_0 => {}
        "bool" | "bool since 2.4" | "bool since 4.0" => out.push(input.byte() & 1),
        "expiration" => put_expiration(version, input, out),
        "vInt count, (array, array)*" => put_counted(input, out, |input, out| {
            put_array(&input.blob(), out);
            put_array(&input.blob(), out);
        }),
        "vInt count, array*" => put_counted(input, out, |input, out| put_array(&input.blob(), out)),
        "optionalArray" => put_optional(input.flag().then_some(&[0xff, 0x0f]), out),
        "optionalString, (byte count, array*)?" => {
            let present = input.flag();
            put_optional(present.then_some(b"filter"), out);
            if present {
                put_counted(input, out, |input, out| put_array(&input.blob(), out));
            }
        }
        "bool, factory, factory, (bool since 2.1), (vInt interests since 2.6)" => put_listener(version, input, out),
        "byte count, (string, array)*" => put_counted(input, out, |input, out| {
            put_array(name(input).as_bytes(), out);
            put_array(&input.blob(), out);
        }),
        "(vInt length, bytes)*, 0" => {
            for _ in 0..input.below(4) {
                put_array(&[7; 300][..=input.below(256)], out);
            }
            out.push(0);
        }
        "signedVInt format, byte length, bytes, byte length, bytes" => {
            put_vint(input.long() as u32, out);
            for _ in 0..2 {
                put_array(&[1; 64][..input.below(65)], out);
            }
        }
        "vInt count, (array key, byte control, (long version)?, (expiration, array value)?)*" => {
            put_counted(input, out, |input, out| put_modification(version, input, out));
        }
        "byte flags, (vInt concurrency)?, (long lower, long upper)?, long initial" => put_counter(input, out),
        _ => panic!("a field of the shape {shape:?} can't be made up here yet"),
    }
}

fn put_vint(mut value: u32, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_array(bytes: &[u8], out: &mut Vec<u8>) {
    put_vint(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}

fn put_optional(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    // Zigzag: -1 is 1.
    put_vint(bytes.map_or(1, |bytes| 2 * bytes.len() as u32), out);
    out.extend_from_slice(bytes.unwrap_or_default());
}

/// At most three elements, so that a count of one byte and a vInt are the same.
fn put_counted(input: &mut Input<'_>, out: &mut Vec<u8>, element: impl Fn(&mut Input<'_>, &mut Vec<u8>)) {
    let count = input.below(4);
    out.push(count as u8);
    (0..count).for_each(|_| element(input, out));
}

fn put_expiration(version: Version, input: &mut Input<'_>, out: &mut Vec<u8>) {
    let times = [input.byte() & 0x7f, input.byte() & 0x7f];
    if version < Version::V2_2 {
        return out.extend(times);
    }
    let units = [input.byte() % 9, input.byte() % 9];
    out.push(units[0] << 4 | units[1]);
    out.extend(times.iter().zip(units).filter(|(_, unit)| *unit < 7).map(|(time, _)| *time));
}

fn put_listener(version: Version, input: &mut Input<'_>, out: &mut Vec<u8>) {
    out.push(input.byte() & 1);
    for factory in ["filter", "converter"] {
        let present = input.flag();
        put_array(if present { factory.as_bytes() } else { b"" }, out);
        if present {
            put_counted(input, out, |input, out| put_array(&input.blob(), out));
        }
    }
    if version >= Version::V2_1 {
        out.push(input.byte() & 1);
    }
    if version >= Version::V2_6 {
        out.push(input.byte() & 0x0f);
    }
}

fn put_modification(version: Version, input: &mut Input<'_>, out: &mut Vec<u8>) {
    put_array(&input.blob(), out);
    let control = input.byte() & 7;
    out.push(control);
    if control.trailing_zeros() >= 2 {
        out.extend(input.long().to_be_bytes());
    }
    if control & 4 == 0 {
        put_expiration(version, input, out);
        put_array(&input.blob(), out);
    }
}

fn put_counter(input: &mut Input<'_>, out: &mut Vec<u8>) {
    let flags = input.pick(&[0, 1, 2, 4, 5, 6]);
    out.push(flags);
    match flags & 3 {
        1 => put_vint(input.long() as u32, out),
        2 => (0..2).for_each(|_| out.extend(input.long().to_be_bytes())),
        _ => {}
    }
    out.extend(input.long().to_be_bytes());
}
