//! Requests: their common header, and the fields of the operation.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::fields::Context;
use super::flags::{Flags, Intelligence};
use super::media_type::MediaType;
use super::operation::{Operation, Request};
use super::reader::{Read, Reader};
use super::reply::ReplyContext;
use super::version::Version;
use super::violation::{Problem, Violation};
use crate::send_buffer::SendBuffer;

/// First byte of a request.
pub(crate) const MAGIC: u8 = 0xa0;

/// Options of a request that a user chooses; usually the same for all requests to one cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RequestOptions {
    /// Name of the cache; empty for the default cache.
    pub cache: String,
    /// Request flags.
    pub flags: Flags,
    /// Media type of keys (2.8 and later; not sent before).
    pub key_type: MediaType,
    /// Media type of values (2.8 and later; not sent before).
    pub value_type: MediaType,
    /// Further parameters, such as `traceparent` (4.0 and later; not sent before).
    pub other_parameters: Vec<(String, Bytes)>,
}

impl RequestOptions {
    /// Options for this cache, with every other option at its default.
    pub fn cache(name: impl Into<String>) -> Self {
        Self { cache: name.into(), ..Self::default() }
    }
}

/// The header of a request (`header` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeader {
    /// Id chosen by the client; the reply repeats it.
    pub message_id: u64,
    /// Version of the request and its reply.
    pub version: Version,
    /// Amount of topology information that the client understands.
    pub intelligence: Intelligence,
    /// Id of the client's topology of this cache, 0 for none; the server sends its own topology if the ids differ.
    pub topology_id: u32,
    /// Cache, flags, media types and further parameters.
    pub options: RequestOptions,
}

/// Header fields that the session sets, not the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// As [`RequestHeader::message_id`].
    pub message_id: u64,
    /// As [`RequestHeader::version`].
    pub version: Version,
    /// As [`RequestHeader::intelligence`].
    pub intelligence: Intelligence,
    /// As [`RequestHeader::topology_id`].
    pub topology_id: u32,
}

/// Appends a request to `out`.
///
/// Does not check that the version has the operation; see [`Row::since`](super::Row::since).
pub fn write_request(envelope: Envelope, options: &RequestOptions, request: &Request, out: &mut SendBuffer) {
    let Envelope { message_id, version, intelligence, topology_id } = envelope;
    let flags = options.flags | request.flags(version);
    out.put_u8(MAGIC);
    out.put_vlong(message_id);
    out.put_u8(version.to_byte());
    out.put_u8(request.operation().row().request_opcode);
    out.put_text(&options.cache);
    out.put_vint(flags.0);
    out.put_u8(intelligence.to_byte());
    out.put_vint(topology_id);
    if version >= Version::V2_8 {
        options.key_type.write(out);
        options.value_type.write(out);
    }
    if version >= Version::V4_0 {
        out.put_vint(options.other_parameters.len() as u32);
        for (name, value) in &options.other_parameters {
            out.put_text(name);
            out.put_array(value);
        }
    }
    request.write(Context { version, flags }, out);
}

/// Head of a request: the fields that every version has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// As [`RequestHeader::message_id`].
    pub message_id: u64,
    /// Context of the reply. The version is the newest known one that is not newer than the request's.
    pub context: ReplyContext,
    /// Name of the cache; empty for the default cache.
    pub cache: String,
    /// As [`RequestOptions::flags`].
    pub flags: Flags,
    /// As [`RequestHeader::topology_id`].
    pub topology_id: u32,
}

/// Reason for which no further request can be read from a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The client violated the grammar or a limit.
    #[error("{0}")]
    Violation(Violation),
    /// The version is unknown. (A PING of a newer version is read, because a client learns the server's version by
    /// it.)
    #[error("protocol version byte {version} is not known here")]
    UnknownVersion {
        /// Message id of the request.
        message_id: u64,
        /// Version byte of the request.
        version: u8,
    },
    /// No operation of the request's version has this opcode.
    #[error("no operation has opcode {opcode:#04x} in the version of the request")]
    UnknownOperation {
        /// Message id of the request.
        message_id: u64,
        /// Opcode of the request.
        opcode: u8,
    },
}

impl RequestFault {
    /// Returns the byte that stands in place of a request's magic, if that is the fault.
    pub fn stray_byte(&self) -> Option<u8> {
        match self {
            Self::Violation(Violation { field: "magic", problem: Problem::Unexpected { value, .. }, .. }) => {
                u8::try_from(*value).ok()
            }
            _ => None,
        }
    }
}

impl From<Violation> for RequestFault {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// Reads a header and its operation; returns a fault for a readable header that is not supported.
pub(crate) fn read_header(reader: &mut Reader<'_>) -> Read<Result<(RequestHeader, Operation), RequestFault>> {
    let (head, ((key_type, value_type), other_parameters)) = reader.then(read_head, |reader, head| match head {
        Ok(head) => read_options(head.context.version, reader),
        Err(_) => Ok(Options::default()),
    })?;
    Ok(head.map(|head| {
        let RequestHead {
            message_id,
            context: ReplyContext { operation, version, intelligence },
            cache,
            flags,
            topology_id,
        } = head;
        let options = RequestOptions { cache, flags, key_type, value_type, other_parameters };
        (RequestHeader { message_id, version, intelligence, topology_id, options }, operation)
    }))
}

/// Reads the fields that every version has.
pub(crate) fn read_head(reader: &mut Reader<'_>) -> Read<Result<RequestHead, RequestFault>> {
    let magic = reader.byte("magic")?;
    if magic != MAGIC {
        return Err(reader.unexpected("magic", magic.into(), "0xa0, a request"));
    }
    let message_id = reader.vlong("message id")?;
    let version = reader.byte("version")?;
    let opcode = reader.byte("opcode")?;
    let operation = Operation::from_request_opcode(opcode);
    let Some(version) = request_version(version, operation) else {
        return Ok(Err(RequestFault::UnknownVersion { message_id, version }));
    };
    let Some(operation) = operation.filter(|operation| operation.is_read_at(version)) else {
        return Ok(Err(RequestFault::UnknownOperation { message_id, opcode }));
    };
    let cache = reader.text("cache name", reader.limits().cache_name)?;
    let flags = Flags(reader.vint("flags")?);
    let intelligence = reader.byte("intelligence")?;
    let Some(intelligence) = Intelligence::from_byte(intelligence) else {
        return Err(reader.unexpected("intelligence", intelligence.into(), "1, 2 or 3"));
    };
    let topology_id = reader.vint("topology id")?;
    Ok(Ok(RequestHead {
        message_id,
        context: ReplyContext { operation, version, intelligence },
        cache,
        flags,
        topology_id,
    }))
}

/// Version for a version byte. An unknown version may have another grammar, but a server reads its PING in the newest
/// version that it knows.
///
/// The server reads the byte as signed: 128 and above count as older than 2.0 (Infinispan 16.0.7) and have another
/// field here.
fn request_version(byte: u8, operation: Option<Operation>) -> Option<Version> {
    let for_ping = || match operation {
        Some(Operation::Ping) if byte < 0x80 => Version::newest_up_to(byte),
        _ => None,
    };
    Version::from_byte(byte).or_else(for_ping)
}

/// Media types of keys and values, and further parameters.
type Options = ((MediaType, MediaType), Vec<(String, Bytes)>);

/// Reads the options between the head and the operation's fields, as far as the version has them.
pub(crate) fn read_options(version: Version, reader: &mut Reader<'_>) -> Read<Options> {
    reader.then(|reader| read_media_types(version, reader), |reader, _| read_other_parameters(version, reader))
}

fn read_media_types(version: Version, reader: &mut Reader<'_>) -> Read<(MediaType, MediaType)> {
    if version < Version::V2_8 {
        return Ok((MediaType::Unspecified, MediaType::Unspecified));
    }
    reader.then(MediaType::read_requested, |reader, _| MediaType::read_requested(reader))
}

fn read_other_parameters(version: Version, reader: &mut Reader<'_>) -> Read<Vec<(String, Bytes)>> {
    if version < Version::V4_0 {
        return Ok(Vec::new());
    }
    let count = reader.count("other parameters", reader.limits().parameters)?;
    reader.list(count, 2, |reader| {
        let name = reader.name("other parameter name")?;
        Ok((name, reader.array("other parameter value", reader.limits().name)?))
    })
}
