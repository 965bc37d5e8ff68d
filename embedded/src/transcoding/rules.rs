//! The conversions themselves: which transcoder of the server takes which pair of media types.

use bytes::Bytes;
use hotrod_core::protostream::{TypeName, Value};
use hotrod_core::wire::MediaType;

use super::charset::Charset;
use super::{Content, Format, JAVA_OBJECT, Kind, decoded, encoded, encoding_exception, java, json, not_decoded};
use crate::answer::Failure;

/// Largest wire type of Protocol Buffers.
const LAST_WIRE_TYPE: u64 = 5;
/// Wire types of the fields of a wrapped message, from the first one on (`message-wrapping.proto` of ProtoStream).
const WIRE_TYPES: [u64; 27] = [1, 5, 0, 0, 0, 1, 5, 0, 2, 2, 0, 5, 1, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Media types that a server converts, and this node does not.
const OF_THE_SERVER: [&str; 5] = [
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/x-java-serialized-object",
    "application/x-infinispan-marshalling",
    "application/x-jboss-marshalling",
];
const MARSHALLING_EXCEPTION: &str = "org.infinispan.commons.marshall.MarshallingException";

/// What the transcoders look at in a media type. A charset that is not supported makes the type unsupported.
pub(super) fn kind_of(media_type: &MediaType) -> (Kind, Charset) {
    let parameter = |wanted: &str| {
        let mut parameters = media_type.parameters().iter();
        parameters.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim_matches('"'))
    };
    let kind = match media_type.name() {
        Some(JAVA_OBJECT) => Kind::JavaObject,
        Some("application/json") => Kind::Json,
        Some("application/octet-stream") => Kind::Octets,
        Some("application/x-protostream") => Kind::ProtoStream,
        Some("text/plain") => Kind::Text,
        None | Some("application/unknown") => Kind::Undeclared,
        Some(name) if OF_THE_SERVER.contains(&name) => Kind::Unsupported,
        Some(_) => Kind::Other,
    };
    // An encoding of bytes as text, a class of Java, and ProtoStream without its wrapper.
    let is_special =
        ["encoding", "type"].iter().any(|name| parameter(name).is_some()) || parameter("wrapped") == Some("false");
    match parameter("charset").map_or(Some(Charset::Utf8), Charset::named) {
        Some(charset) if !is_special => (kind, charset),
        charset => (Kind::Unsupported, charset.unwrap_or(Charset::Utf8)),
    }
}

/// Whether the content is the same in both media types, whatever it is.
pub(super) fn is_unchanged(from: (Kind, Charset), to: (Kind, Charset)) -> bool {
    use Kind::{Json, Octets, ProtoStream, Text, Undeclared};
    match (from.0, to.0) {
        (Text, Text) | (Json, Json) => from.1 == to.1,
        (Text, Octets) | (Octets, Text) => from.1 == Charset::Utf8 && to.1 == Charset::Utf8,
        (Text | Octets | ProtoStream, Undeclared)
        | (Undeclared, Text | Octets | ProtoStream | Undeclared)
        | (Octets, Octets)
        | (ProtoStream, ProtoStream) => true,
        _ => false,
    }
}

/// Checks that there is a conversion between two media types.
pub(super) fn check(declared: &Format, stored: &Format) -> Result<(), Failure> {
    if let Some(format) = [declared, stored].into_iter().find(|format| format.kind == Kind::Unsupported) {
        return Err(Failure::unsupported(format_args!("the media type {format}")));
    }
    if declared.kind == Kind::Other || stored.kind == Kind::Other {
        return Err(encoding_exception(format_args!(
            "ISPN000492: Cannot find transcoder between '{declared}' to '{stored}'"
        )));
    }
    Ok(())
}

/// Converts in either direction.
pub(super) fn convert(content: Content, from: &Format, to: &Format) -> Result<Content, Failure> {
    match (content, to.kind) {
        (Content::Null, _) => Ok(Content::Null),
        (Content::Object(object), Kind::JavaObject) => Ok(Content::Object(object)),
        (Content::Object(object), _) => of_object(&object, from, to).map(Content::Bytes),
        (Content::Bytes(bytes), Kind::JavaObject) => to_object(&bytes, from, to),
        (Content::Bytes(bytes), _) => of_bytes(bytes, from, to),
    }
}

/// Converts between media types whose content is bytes.
fn of_bytes(bytes: Bytes, from: &Format, to: &Format) -> Result<Content, Failure> {
    use Kind::{Json, Octets, ProtoStream, Text, Undeclared};
    let converted = match (from.kind, to.kind) {
        (Text, Text) | (Json, Text | Json) => from.charset.convert(&bytes, to.charset),
        (Octets, Text) => Charset::Utf8.convert(&bytes, to.charset),
        (Text | Octets | Undeclared, Json) => {
            json::check(&bytes)?;
            from.charset.convert(&bytes, to.charset)
        }
        (Text, ProtoStream) => encoded(&Value::String(&from.charset.decode(&bytes)))?,
        (Octets, ProtoStream) => encoded(&Value::Bytes(&bytes))?,
        (Json, ProtoStream) => json::read(&bytes)?,
        (ProtoStream, Json) => Charset::Utf8.convert(&json::written(&bytes)?, to.charset),
        (ProtoStream, Text) => match java_object(&bytes, not_decoded)? {
            Value::Null => return Ok(Content::Null),
            object => to.charset.encode(&java::text_of(&object)?),
        },
        (ProtoStream, Octets) => match java_object(&bytes, not_decoded)? {
            Value::Null => return Err(null_object()),
            Value::Bytes(content) => bytes.slice_ref(content),
            object => encoded(&object)?,
        },
        (Json, _) => return Err(not_converted(from, to)),
        // Text, octets and what is not declared are the same bytes, and so is ProtoStream where nothing is declared.
        _ => bytes,
    };
    Ok(Content::Bytes(converted))
}

fn to_object(bytes: &Bytes, from: &Format, to: &Format) -> Result<Content, Failure> {
    let text;
    let object = match from.kind {
        Kind::Text => {
            text = from.charset.decode(bytes);
            Value::String(&text)
        }
        Kind::Octets => Value::Bytes(bytes),
        Kind::Json => return Err(not_converted(from, to)),
        Kind::ProtoStream => java_object(bytes, not_decoded)?,
        _ => java_object(bytes, || not_unwrapped(bytes, from, to)).map_err(of_marshaller)?,
    };
    Ok(if object == Value::Null { Content::Null } else { Content::Object(encoded(&object)?) })
}

fn of_object(object: &Bytes, from: &Format, to: &Format) -> Result<Bytes, Failure> {
    let charset = to.charset;
    let value = decoded(object)?;
    Ok(match (value, to.kind) {
        (Value::Bytes(content), Kind::Octets) => object.slice_ref(content),
        (Value::String(text), Kind::Octets) => object.slice_ref(text.as_bytes()),
        (Value::Bytes(content), Kind::Text) => Charset::Utf8.convert(&object.slice_ref(content), charset),
        (value, Kind::Text) => charset.encode(&java::text_of(&value)?),
        (Value::Bytes(content), Kind::Json) => {
            json::check(content)?;
            Charset::Utf8.convert(&object.slice_ref(content), charset)
        }
        (Value::String(text), Kind::Json) => {
            json::check(text.as_bytes())?;
            charset.encode(text)
        }
        (value, Kind::Json) => charset.encode(&json::of_object(&value, from, to)?),
        // The server writes it with its marshaller, which is ProtoStream.
        _ => object.clone(),
    })
}

/// The object that the server makes of a ProtoStream value: unsigned numbers, for instance, become signed ones.
fn java_object(bytes: &[u8], malformed: impl FnOnce() -> Failure) -> Result<Value<'_>, Failure> {
    let value = decoded(bytes).map_err(|_| unexpected_tag(bytes).unwrap_or_else(malformed))?;
    match value {
        Value::Message { of, .. } | Value::Enum { of, .. } => {
            let of = match of {
                TypeName::Name(name) => name.to_owned(),
                TypeName::Id(id) => id.to_string(),
            };
            Err(Failure::server_error(format!(
                "{MARSHALLING_EXCEPTION}: No marshaller registered for Protobuf type {of}"
            )))
        }
        Value::Container(_) => Err(Failure::unsupported("the conversion of a ProtoStream container")),
        value => Ok(java::object_of(value)),
    }
}

/// Error for bytes that begin with a field that wrapped messages do not have.
fn unexpected_tag(bytes: &[u8]) -> Option<Failure> {
    let end = bytes.iter().position(|byte| *byte < 0x80).filter(|end| *end < 5)?;
    let tag = bytes[..=end].iter().rev().fold(0, |tag, byte| tag << 7 | u64::from(byte & 0x7f));
    let (field, wire_type) = (tag >> 3, tag & 7);
    let is_known = field > 0 && WIRE_TYPES.get(field as usize - 1) == Some(&wire_type);
    if is_known || wire_type > LAST_WIRE_TYPE {
        return None;
    }
    Some(Failure::server_error(format!(
        "java.lang.IllegalStateException: Unexpected tag : {tag} (Field number : {field}, Wire type : {wire_type})"
    )))
}

/// The same error where the server's marshaller reads, and not its transcoder.
fn of_marshaller(failure: Failure) -> Failure {
    let message = failure.message.replace(MARSHALLING_EXCEPTION, "java.lang.IllegalArgumentException");
    Failure { message, ..failure }
}

fn not_unwrapped(bytes: &[u8], from: &Format, to: &Format) -> Failure {
    let content: String = bytes.iter().take(64).map(|byte| format!("{byte:02X}")).collect();
    encoding_exception(format_args!("ISPN000934: Errors converting '[B0x{content}' from '{from}' to '{to}'"))
}

fn not_converted(from: &Format, to: &Format) -> Failure {
    encoding_exception(format_args!("ISPN000497: JsonTranscoder cannot convert content '[B' from {from} to {to}"))
}

fn null_object() -> Failure {
    Failure::server_error("java.lang.NullPointerException: Cannot invoke \"Object.getClass()\" because \"o\" is null")
}
