//! Conversions between the media type that a request declares and the one in which a cache stores.
//!
//! Follows the transcoders of an Infinispan server (16.0.7): results, refusals and the texts of errors, as far as they need
//! no schema. A cache without declared encoding stores `application/unknown`, and so does a request without media type.
//!
//! A cache of `application/x-java-object` holds objects there. Here it holds the ProtoStream form of each.

mod charset;
mod java;
mod json;
mod rules;

use bytes::Bytes;
use hotrod_core::protostream::{Limits, Value, decode, encode};
use hotrod_core::wire::{MediaType, RequestOptions};

use self::charset::Charset;
use crate::answer::Failure;
use crate::options::CacheOptions;

const JAVA_OBJECT: &str = "application/x-java-object";

/// Conversions of a request's keys and values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Transcoding {
    pub(crate) keys: Conversion,
    pub(crate) values: Conversion,
}

/// Conversion between a declared media type and that of the storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conversion(Option<Box<Types>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Types {
    declared: Format,
    stored: Format,
}

/// A media type, and what the transcoders look at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Format {
    kind: Kind,
    charset: Charset,
    media_type: MediaType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    JavaObject,
    Json,
    Octets,
    ProtoStream,
    Text,
    /// `application/unknown`: nothing is declared.
    Undeclared,
    /// The server converts it, and this node does not.
    Unsupported,
    /// The server has no transcoder for it.
    Other,
}

/// Content between two steps of a conversion.
enum Content {
    /// No value at all, which ProtoStream has a form for.
    Null,
    Bytes(Bytes),
    /// A Java object, in its ProtoStream form.
    Object(Bytes),
}

impl Transcoding {
    /// Converts a stored key for an event. The server converts an empty value beside it.
    pub(crate) fn key_of_event(&self, key: &Bytes) -> Result<Bytes, Failure> {
        let in_event = |failure: Failure| match failure.message.strip_prefix("java.lang.") {
            Some(cause) => {
                let (_, problem) = cause.split_once(": ").unwrap_or_default();
                let message = format!("org.infinispan.commons.CacheException: {problem}\n{}", failure.message);
                Failure { message, ..failure }
            }
            None => failure,
        };
        self.values.convert_nothing().and_then(|()| self.keys.for_answer(key)).map_err(in_event)
    }

    /// Conversions between a request with `options` and a cache; fails if there is no such conversion.
    pub(crate) fn of(options: &RequestOptions, cache: &CacheOptions) -> Result<Self, Failure> {
        Ok(Self {
            keys: Conversion::between(&options.key_type, &cache.key_type)?,
            values: Conversion::between(&options.value_type, &cache.value_type)?,
        })
    }
}

impl Conversion {
    /// The conversion that changes nothing.
    const NONE: Self = Self(None);

    fn between(declared: &MediaType, stored: &MediaType) -> Result<Self, Failure> {
        if declared == stored && stored.name() != Some(JAVA_OBJECT) || declared.name() == Some("*/*") {
            return Ok(Self::NONE);
        }
        let [from, to] = [declared, stored].map(rules::kind_of);
        if rules::is_unchanged(from, to) {
            return Ok(Self::NONE);
        }
        let format = |(kind, charset), media_type: &MediaType| Format { kind, charset, media_type: media_type.clone() };
        let (declared, stored) = (format(from, declared), format(to, stored));
        rules::check(&declared, &stored)?;
        Ok(Self(Some(Box::new(Types { declared, stored }))))
    }

    /// Converts a request's key or value for the storage.
    pub(crate) fn for_storage(&self, content: &Bytes) -> Result<Bytes, Failure> {
        let Some(types) = &self.0 else { return Ok(content.clone()) };
        let given = match types.declared.kind {
            Kind::JavaObject => Content::Object(encoded(&Value::Bytes(content))?),
            _ => Content::Bytes(content.clone()),
        };
        match rules::convert(given, &types.declared, &types.stored)? {
            Content::Null => Err(null_value()),
            Content::Object(object) if types.stored.kind == Kind::JavaObject => Ok(object),
            other => in_bytes(other),
        }
    }

    /// Converts a stored key or value for an answer.
    pub(crate) fn for_answer(&self, content: &Bytes) -> Result<Bytes, Failure> {
        let Some(types) = &self.0 else { return Ok(content.clone()) };
        let stored = match types.stored.kind {
            Kind::JavaObject => Content::Object(content.clone()),
            _ => Content::Bytes(content.clone()),
        };
        in_bytes(rules::convert(stored, &types.stored, &types.declared)?)
    }

    /// Converts an empty value, which some conversions refuse.
    fn convert_nothing(&self) -> Result<(), Failure> {
        match &self.0 {
            Some(types) if types.stored.kind != Kind::JavaObject => self.for_answer(&Bytes::new()).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The bytes that are hashed of a stored key: those of a text or an array in place of its ProtoStream form.
    pub(crate) fn hashed<'a>(&self, stored: &'a Bytes) -> &'a [u8] {
        if self.0.as_ref().is_none_or(|types| types.stored.kind != Kind::JavaObject) {
            return stored;
        }
        match decode(stored, &Limits::default()) {
            Ok(Value::String(text)) => text.as_bytes(),
            Ok(Value::Bytes(bytes)) => bytes,
            _ => stored,
        }
    }
}

impl std::fmt::Display for Format {
    /// The media type as the server writes it in errors.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Undeclared => f.write_str("application/unknown"),
            _ => f.write_str(&self.media_type.to_string().replace(';', "; ")),
        }
    }
}

/// The bytes of an answer, or of the storage of anything but objects.
fn in_bytes(content: Content) -> Result<Bytes, Failure> {
    let object = match content {
        Content::Null => return Ok(Bytes::new()),
        Content::Bytes(bytes) => return Ok(bytes),
        Content::Object(object) => object,
    };
    match decoded(&object)? {
        Value::Bytes(bytes) => Ok(object.slice_ref(bytes)),
        value => {
            let class = java::class_of(&value);
            Err(Failure::server_error(format!(
                "java.lang.ClassCastException: class {class} cannot be cast to class [B"
            )))
        }
    }
}

/// Reads a value in ProtoStream's form; no bytes at all are none.
fn decoded(bytes: &[u8]) -> Result<Value<'_>, Failure> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    decode(bytes, &Limits::default()).map_err(|_| not_decoded())
}

fn encoded(object: &Value<'_>) -> Result<Bytes, Failure> {
    encode(object).map(Bytes::from).map_err(|error| Failure::server_error(error.to_string()))
}

fn null_value() -> Failure {
    Failure::server_error("java.lang.NullPointerException: Null values are not supported!")
}

/// Error of the server's ProtoStream transcoder for bytes that are no ProtoStream value.
fn not_decoded() -> Failure {
    encoding_exception("ISPN000495: ProtostreamTranscoder encountered error transcoding content")
}

fn encoding_exception(message: impl std::fmt::Display) -> Failure {
    Failure::server_error(format!("org.infinispan.commons.dataconversion.EncodingException: {message}"))
}
