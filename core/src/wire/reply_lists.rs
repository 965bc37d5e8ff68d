//! Lists in replies.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::metadata::Metadata;
use super::operation::ReplyShape;
use super::primitives::zigzag;
use super::reader::{Read, Reader};
use super::reply::{IterationBatch, IterationEntry, ReplyContext, read_xid};
use super::types::Xid;
use super::version::Version;
use super::{Limits, Problem};
use crate::send_buffer::SendBuffer;

pub(crate) fn write_entries(entries: &[(Bytes, Bytes)], context: ReplyContext, out: &mut SendBuffer) {
    let marked = context.operation.row().reply == ReplyShape::MarkedEntries;
    if !marked {
        out.put_vint(entries.len() as u32);
    }
    for (key, value) in entries {
        if marked {
            out.put_u8(1);
        }
        out.put_array(key);
        out.put_array(value);
    }
    if marked {
        out.put_u8(0);
    }
}

pub(crate) fn read_entries(reader: &mut Reader<'_>) -> Read<Vec<(Bytes, Bytes)>> {
    let limits = reader.limits();
    let count = reader.count("entries", limits.entries)?;
    reader.list(count, 2, |reader| read_entry(limits, reader))
}

fn read_entry(limits: &Limits, reader: &mut Reader<'_>) -> Read<(Bytes, Bytes)> {
    Ok((reader.array("key", limits.key)?, reader.array("value", limits.value)?))
}

/// Reads elements that have a 1 before each, up to the 0 at the end.
fn read_marked<T: Send + Sync + 'static>(
    reader: &mut Reader<'_>,
    mut element: impl FnMut(&mut Reader<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let limit = reader.limits().entries;
    reader.list_to_end(|reader, elements| {
        let at = reader.position();
        let marker = reader.byte("more marker")?;
        match marker {
            0 => return Ok(false),
            1 => {}
            _ => return Err(reader.unexpected("more marker", marker.into(), "0 or 1")),
        }
        if elements.count() == limit {
            let problem = Problem::OverLimit { announced: limit as u64 + 1, limit: limit as u64 };
            return Err(reader.violation_at(at, "entries", problem));
        }
        elements.push(element(reader)?);
        Ok(true)
    })
}

pub(crate) fn read_marked_entries(reader: &mut Reader<'_>) -> Read<Vec<(Bytes, Bytes)>> {
    let limits = reader.limits();
    read_marked(reader, |reader| read_entry(limits, reader))
}

pub(crate) fn write_marked_keys(keys: &[Bytes], out: &mut SendBuffer) {
    for key in keys {
        out.put_u8(1);
        out.put_array(key);
    }
    out.put_u8(0);
}

pub(crate) fn read_marked_keys(reader: &mut Reader<'_>) -> Read<Vec<Bytes>> {
    let limit = reader.limits().key;
    read_marked(reader, |reader| reader.array("key", limit))
}

pub(crate) fn write_values(values: &[Bytes], out: &mut SendBuffer) {
    out.put_vint(values.len() as u32);
    values.iter().for_each(|value| out.put_array(value));
}

pub(crate) fn read_values(reader: &mut Reader<'_>) -> Read<Vec<Bytes>> {
    let limits = reader.limits();
    let count = reader.count("values", limits.entries)?;
    reader.list(count, 1, |reader| reader.array("value", limits.value))
}

pub(crate) fn write_names(names: &[String], out: &mut SendBuffer) {
    out.put_vint(names.len() as u32);
    names.iter().for_each(|name| out.put_text(name));
}

pub(crate) fn read_names(reader: &mut Reader<'_>) -> Read<Vec<String>> {
    let count = reader.count("names", reader.limits().entries)?;
    reader.list(count, 1, |reader| reader.name("name"))
}

pub(crate) fn write_text_map(pairs: &[(String, String)], out: &mut SendBuffer) {
    out.put_vint(pairs.len() as u32);
    for (name, value) in pairs {
        out.put_text(name);
        out.put_text(value);
    }
}

pub(crate) fn read_text_map(reader: &mut Reader<'_>) -> Read<Vec<(String, String)>> {
    let count = reader.count("statistics", reader.limits().entries)?;
    reader.list(count, 2, |reader| Ok((reader.name("statistic")?, reader.name("value of a statistic")?)))
}

pub(crate) fn write_xids(xids: &[Xid], out: &mut SendBuffer) {
    out.put_vint(xids.len() as u32);
    for xid in xids {
        out.put_vint(zigzag(xid.format_id));
        out.put_array(&xid.global_transaction_id);
        out.put_array(&xid.branch_qualifier);
    }
}

pub(crate) fn read_xids(reader: &mut Reader<'_>) -> Read<Vec<Xid>> {
    let count = reader.count("transactions", reader.limits().entries)?;
    reader.list(count, 3, read_xid)
}

pub(crate) fn write_iteration(batch: &IterationBatch, version: Version, out: &mut SendBuffer) {
    out.put_array(&batch.finished_segments);
    out.put_vint(batch.entries.len() as u32);
    let Some(first) = batch.entries.first() else { return };
    if version >= Version::V2_4 {
        out.put_vint(first.values.len() as u32);
    }
    for entry in &batch.entries {
        if version >= Version::V2_5 {
            out.put_u8(u8::from(entry.metadata.is_some()));
            if let Some(metadata) = &entry.metadata {
                metadata.write(out);
            }
        }
        out.put_array(&entry.key);
        entry.values.iter().for_each(|value| out.put_array(value));
    }
}

pub(crate) fn read_iteration(version: Version, reader: &mut Reader<'_>) -> Read<IterationBatch> {
    let limits = reader.limits();
    let (finished_segments, entries) = reader.then(
        |reader| reader.array("finished segments", limits.segments.div_ceil(8)),
        |reader, _| {
            let count = reader.count("entries", limits.entries)?;
            // The number of projections is absent if there are no entries.
            let projections = if count > 0 && version >= Version::V2_4 {
                reader.count("projections", limits.parameters)?
            } else {
                1
            };
            reader.list(count, 1 + projections, |reader| read_iteration_entry(version, projections, reader))
        },
    )?;
    Ok(IterationBatch { finished_segments, entries })
}

fn read_iteration_entry(version: Version, projections: usize, reader: &mut Reader<'_>) -> Read<IterationEntry> {
    let limits = reader.limits();
    let ((metadata, key), values) = reader.then(
        |reader| {
            let metadata = version >= Version::V2_5 && reader.boolean("metadata marker")?;
            let metadata = if metadata { Some(Metadata::read(reader)?) } else { None };
            Ok((metadata, reader.array("key", limits.key)?))
        },
        |reader, _| reader.list(projections, 1, |reader| reader.array("value", limits.value)),
    )?;
    Ok(IterationEntry { key, values, metadata })
}
