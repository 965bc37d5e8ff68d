//! The stored form of a key: the bytes that a server hashes to find the owners of a key.
//!
//! A request declares the media type of its key, and the cache stores keys in another one. The server converts the key, and
//! hashes what it stores. [`StoredForm`] has the conversions of Infinispan whose result is certain: its text, binary, JSON and
//! ProtoStream transcoders (16.0.7), as far as they need no schema. Where the result is not certain the key has no known owner.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::protostream::{Limits, Value, decode, encode};
use crate::wire::MediaType;

/// How the stored form comes from a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredForm {
    rule: Rule,
    /// Whether the characters have different bytes in the two charsets, except those of ASCII.
    ascii_alone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The bytes of the key.
    Same,
    /// The bytes of the key, which are a text: the server decodes them.
    Text,
    /// A ProtoStream string of the text.
    ProtoStreamString,
    /// ProtoStream bytes.
    ProtoStreamBytes,
    /// The content of ProtoStream bytes; other values stay as they are.
    ProtoStreamContent,
    /// Java's `toString` of the ProtoStream value.
    ProtoStreamText,
    /// A Java object of the ProtoStream value.
    JavaObject,
    /// Not certain.
    Unknown,
}

/// Media types that the server's transcoders tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    JavaObject,
    Json,
    Octets,
    ProtoStream,
    Text,
    /// `application/unknown`, of a cache without declared encoding.
    Undeclared,
    Other,
}

impl StoredForm {
    /// Stored form of keys whose media type is not declared: they are stored as they are.
    pub(super) const SAME: Self = Self { rule: Rule::Same, ascii_alone: false };
    /// Stored form of keys about which nothing is certain.
    pub(super) const UNKNOWN: Self = Self { rule: Rule::Unknown, ascii_alone: false };

    /// The stored form of keys that are declared as `declared`, in a cache that stores them as `stored`.
    pub(super) fn between(declared: &MediaType, stored: &MediaType) -> Self {
        if *declared == MediaType::Unspecified || declared == stored {
            return Self::SAME;
        }
        let (from, to) = (Kind::of(declared), Kind::of(stored));
        if declared.parameters().is_empty() && stored.parameters().is_empty() {
            // No charset is named, and ProtoStream is wrapped: the usual case, for which an operation pays least.
            return Self { rule: Rule::between(from, to), ascii_alone: false };
        }
        // These are stored without a look at their charset.
        let converts_charset = !matches!((from, to), (Kind::Text, Kind::Octets | Kind::Undeclared));
        let charsets = [declared, stored].map(charset_of);
        let ascii_alone = converts_charset && !charsets[0].eq_ignore_ascii_case(charsets[1]);
        if is_unwrapped(declared) || is_unwrapped(stored) || ascii_alone && !charsets.into_iter().all(has_ascii) {
            return Self { rule: Rule::Unknown, ascii_alone };
        }
        Self { rule: Rule::between(from, to), ascii_alone }
    }

    /// Whether some keys have a stored form that is known.
    pub(super) fn is_known(self) -> bool {
        self.rule != Rule::Unknown
    }

    /// The stored form of a key; `None` if it is not certain.
    pub(super) fn of(self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let stored = self.converted(key)?;
        // Of a ProtoStream value the text is converted; otherwise what is a text here was one before.
        let text = if self.rule == Rule::ProtoStreamText { &stored } else { key };
        (!self.ascii_alone || text.is_ascii()).then_some(stored)
    }

    fn converted(self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self.rule {
            Rule::Same => Some(key.into()),
            Rule::Text => core::str::from_utf8(key).ok().map(|_| key.into()),
            Rule::ProtoStreamString => encoded(&Value::String(core::str::from_utf8(key).ok()?)),
            Rule::ProtoStreamBytes => encoded(&Value::Bytes(key)),
            Rule::ProtoStreamContent => match scalar(key)? {
                Value::Bytes(content) => Some(content.into()),
                // The server writes it anew, by the type of Java that it has read.
                value => encoded(&in_java(value)),
            },
            Rule::ProtoStreamText => text_of(&scalar(key)?),
            Rule::JavaObject => hashed_object(&scalar(key)?),
            Rule::Unknown => None,
        }
    }
}

/// Why keys of a media type are not routed, and what to do; `stored` is `None` if the server has not told it.
pub(super) fn why_unrouted(cache: &str, declared: &MediaType, stored: Option<&MediaType>) -> String {
    const EFFECT: &str = "so operations go to any member, which forwards them";
    let Some(stored) = stored else {
        return format!(
            "the server does not tell in which media type cache {cache:?} stores keys, {EFFECT}; use keys without a media type"
        );
    };
    let form = StoredForm::between(declared, stored);
    let why = if !form.is_known() {
        "it is not certain how servers convert them"
    } else if form.ascii_alone {
        "keys have the same bytes in both only if all their characters are of ASCII"
    } else {
        "some keys are no such value, or one whose conversion is not certain"
    };
    let instead = match Kind::of(stored) {
        Kind::ProtoStream => "application/x-protostream, text/plain or application/octet-stream",
        Kind::Other | Kind::JavaObject | Kind::Json => "the cache's own media type",
        Kind::Text | Kind::Octets | Kind::Undeclared => "text/plain or application/octet-stream",
    };
    format!(
        "cache {cache:?} stores keys {}, and the client declares them as {declared}: {why}, {EFFECT}; declare {instead}",
        stored_as(stored)
    )
}

/// How a message says that keys or values are stored in a media type.
pub(super) fn stored_as(stored: &MediaType) -> String {
    match stored {
        MediaType::Unspecified => "without a media type".into(),
        stored => format!("as {stored}"),
    }
}

impl Rule {
    fn between(from: Kind, to: Kind) -> Self {
        match (from, to) {
            (Kind::Other, _) | (_, Kind::Other) => Self::Unknown,
            (Kind::Text, Kind::ProtoStream) => Self::ProtoStreamString,
            (Kind::Text, Kind::JavaObject) => Self::Text,
            (Kind::Octets, Kind::ProtoStream) => Self::ProtoStreamBytes,
            (Kind::ProtoStream, Kind::Octets) => Self::ProtoStreamContent,
            (Kind::ProtoStream, Kind::Text) => Self::ProtoStreamText,
            (Kind::ProtoStream, Kind::JavaObject) => Self::JavaObject,
            (Kind::Text, Kind::Octets | Kind::Undeclared | Kind::Json)
            | (Kind::Octets, Kind::Undeclared | Kind::JavaObject | Kind::Text | Kind::Json)
            | (Kind::Undeclared, Kind::Octets | Kind::Text | Kind::ProtoStream)
            | (Kind::Json, Kind::Text)
            | (Kind::ProtoStream, Kind::Undeclared) => Self::Same,
            _ if from == to => Self::Same,
            _ => Self::Unknown,
        }
    }
}

impl Kind {
    fn of(media_type: &MediaType) -> Self {
        match media_type.name() {
            Some("application/x-java-object") => Self::JavaObject,
            Some("application/json") => Self::Json,
            Some("application/octet-stream") => Self::Octets,
            Some("application/x-protostream") => Self::ProtoStream,
            Some("text/plain") => Self::Text,
            Some("application/unknown") => Self::Undeclared,
            None if *media_type == MediaType::Unspecified => Self::Undeclared,
            _ => Self::Other,
        }
    }
}

/// Whether it is ProtoStream without the wrapper: the type is then part of the media type.
fn is_unwrapped(media_type: &MediaType) -> bool {
    parameter(media_type, "wrapped") == Some("false")
}

fn parameter<'a>(media_type: &'a MediaType, wanted: &str) -> Option<&'a str> {
    let parameters = media_type.parameters();
    parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim_matches('"'))
}

/// The charset of a media type; UTF-8 if it names none, and for types that are no text.
fn charset_of(media_type: &MediaType) -> &str {
    canonical(parameter(media_type, "charset").unwrap_or("UTF-8"))
}

/// A charset's name in place of its alias.
fn canonical(charset: &str) -> &str {
    let names = [("utf8", "utf-8"), ("ascii", "us-ascii"), ("latin1", "iso-8859-1"), ("iso8859_1", "iso-8859-1")];
    names.iter().find(|(alias, _)| charset.eq_ignore_ascii_case(alias)).map_or(charset, |(_, name)| name)
}

/// Whether the characters of ASCII have their bytes in a charset.
fn has_ascii(charset: &str) -> bool {
    ["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

fn encoded(value: &Value<'_>) -> Option<Cow<'static, [u8]>> {
    encode(value).ok().map(Cow::Owned)
}

/// The value of a key, if it is one for which no schema is needed.
fn scalar(key: &[u8]) -> Option<Value<'_>> {
    decode(key, &Limits::default()).ok().filter(|value| {
        !matches!(value, Value::Null | Value::Enum { .. } | Value::Message { .. } | Value::Container(_))
    })
}

/// The value of the Java type that a value is read as: numbers are signed there.
fn in_java(value: Value<'_>) -> Value<'_> {
    match value {
        Value::UInt32(value) | Value::Fixed32(value) => Value::Int32(value.cast_signed()),
        Value::SInt32(value) | Value::SFixed32(value) => Value::Int32(value),
        Value::UInt64(value) | Value::Fixed64(value) => Value::Int64(value.cast_signed()),
        Value::SInt64(value) | Value::SFixed64(value) => Value::Int64(value),
        value => value,
    }
}

/// Java's `toString` of a value, in UTF-8. That of a floating-point number or a date has rules of its own.
fn text_of<'a>(value: &Value<'a>) -> Option<Cow<'a, [u8]>> {
    let number = match value {
        Value::String(text) => return Some(text.as_bytes().into()),
        Value::Bool(value) => value.to_string(),
        Value::Int32(value) | Value::SInt32(value) | Value::SFixed32(value) => value.to_string(),
        Value::Int64(value) | Value::SInt64(value) | Value::SFixed64(value) => value.to_string(),
        Value::Short(value) => value.to_string(),
        Value::Byte(value) => value.to_string(),
        _ => return None,
    };
    Some(number.into_bytes().into())
}

/// The bytes that Infinispan hashes of a Java object: a text, bytes, or the four bytes of `hashCode`.
fn hashed_object<'a>(value: &Value<'a>) -> Option<Cow<'a, [u8]>> {
    let hash_code = match value {
        Value::String(text) => return Some(text.as_bytes().into()),
        Value::Bytes(bytes) => return Some((*bytes).into()),
        Value::Bool(value) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        Value::Int32(value) | Value::SInt32(value) | Value::SFixed32(value) => *value,
        Value::Short(value) => i32::from(*value),
        Value::Byte(value) => i32::from(*value),
        Value::Char(value) => i32::from(*value),
        Value::Int64(value) | Value::SInt64(value) | Value::SFixed64(value) | Value::DateMillis(value) => {
            folded(*value)
        }
        // Java has one NaN, and tells the two zeros apart.
        Value::Double(value) => folded(if value.is_nan() { f64::NAN } else { *value }.to_bits().cast_signed()),
        Value::Float(value) => if value.is_nan() { f32::NAN } else { *value }.to_bits().cast_signed(),
        Value::Instant { seconds, nanos } => folded(*seconds).wrapping_add(nanos.cast_signed().wrapping_mul(51)),
        _ => return None,
    };
    Some(Vec::from(hash_code.to_le_bytes()).into())
}

/// `Long.hashCode`.
fn folded(value: i64) -> i32 {
    (value ^ (value.cast_unsigned() >> 32).cast_signed()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media_type(text: &str) -> MediaType {
        text.parse().expect("a media type")
    }

    fn stored(declared: &str, stored: &str, key: &[u8]) -> Option<Vec<u8>> {
        StoredForm::between(&media_type(declared), &media_type(stored)).of(key).map(Cow::into_owned)
    }

    const TEXT: &str = "text/plain";
    const OCTETS: &str = "application/octet-stream";
    const PROTOSTREAM: &str = "application/x-protostream";
    const JSON: &str = "application/json";
    const OBJECT: &str = "application/x-java-object";
    const UNDECLARED: &str = "application/unknown";

    #[test]
    fn bytes_that_the_server_does_not_convert_are_their_own_stored_form() {
        let same = [
            (TEXT, OCTETS),
            (TEXT, UNDECLARED),
            (TEXT, TEXT),
            (TEXT, OBJECT),
            (OCTETS, TEXT),
            (OCTETS, UNDECLARED),
            (OCTETS, OBJECT),
            (JSON, JSON),
            (JSON, TEXT),
            (PROTOSTREAM, PROTOSTREAM),
            (PROTOSTREAM, UNDECLARED),
            (TEXT, JSON),
            (OCTETS, JSON),
        ];
        for (declared, storage) in same {
            assert_eq!(stored(declared, storage, b"k").as_deref(), Some(&b"k"[..]), "{declared} in {storage}");
        }
        assert_eq!(
            StoredForm::between(&MediaType::Unspecified, &media_type(OBJECT)).of(b"\xff").as_deref(),
            Some(&b"\xff"[..])
        );
    }

    #[test]
    fn charsets_are_compared_by_their_meaning() {
        let utf8 =
            ["text/plain", "text/plain; charset=UTF-8", "text/plain;charset=utf8", "text/plain; Charset=\"utf-8\""];
        for declared in utf8 {
            for storage in utf8 {
                assert_eq!(
                    stored(declared, storage, "ä".as_bytes()).as_deref(),
                    Some("ä".as_bytes()),
                    "{declared} {storage}"
                );
            }
            let latin = "text/plain; charset=ISO-8859-1";
            assert_eq!(stored(declared, latin, b"k").as_deref(), Some(&b"k"[..]));
            assert_eq!(stored(declared, latin, "ä".as_bytes()), None);
            assert_eq!(stored(declared, "text/plain; charset=UTF-16", b"k"), None);
            assert_eq!(stored(latin, OCTETS, b"\xe4").as_deref(), Some(&b"\xe4"[..]), "not converted");
            assert_eq!(stored(latin, PROTOSTREAM, b"k").as_deref(), Some(&b"\x4a\x01k"[..]));
            assert_eq!(stored(latin, PROTOSTREAM, b"\xe4"), None);
        }
    }

    #[test]
    fn keys_of_a_protostream_cache_are_wrapped() {
        assert_eq!(stored(TEXT, PROTOSTREAM, b"k").as_deref(), Some(&b"\x4a\x01k"[..]));
        assert_eq!(stored(TEXT, PROTOSTREAM, b"\xff"), None, "no text");
        assert_eq!(stored(OCTETS, PROTOSTREAM, b"\xff").as_deref(), Some(&b"\x52\x01\xff"[..]));
        assert_eq!(stored(PROTOSTREAM, OCTETS, b"\x52\x01\xff").as_deref(), Some(&b"\xff"[..]));
        assert_eq!(stored(PROTOSTREAM, OCTETS, b"\x4a\x01k").as_deref(), Some(&b"\x4a\x01k"[..]));
        // The server's answers are recorded in embedded/tests/matrix/list/encodings.txt.
        for (key, written) in [
            (Value::UInt32(u32::MAX), Value::Int32(-1)),
            (Value::SInt32(-7), Value::Int32(-7)),
            (Value::Fixed64(u64::MAX), Value::Int64(-1)),
            (Value::SFixed64(7), Value::Int64(7)),
        ] {
            let (key, written) = (encode(&key).unwrap(), encode(&written).unwrap());
            assert_eq!(stored(PROTOSTREAM, OCTETS, &key), Some(written));
        }
        assert_eq!(stored(PROTOSTREAM, TEXT, b"\x4a\x01k").as_deref(), Some(&b"k"[..]));
        assert_eq!(stored(PROTOSTREAM, TEXT, &encode(&Value::Int32(-7)).unwrap()).as_deref(), Some(&b"-7"[..]));
        assert_eq!(stored(PROTOSTREAM, TEXT, &encode(&Value::Double(1.0)).unwrap()), None);
        assert_eq!(stored(PROTOSTREAM, OCTETS, b"\x4a\x09k"), None, "cut off");
        let latin = "text/plain; charset=ISO-8859-1";
        assert_eq!(stored(PROTOSTREAM, latin, &encode(&Value::Int64(-7)).unwrap()).as_deref(), Some(&b"-7"[..]));
        assert_eq!(stored(PROTOSTREAM, latin, &encode(&Value::String("ä")).unwrap()), None);
    }

    #[test]
    fn what_needs_a_schema_or_is_refused_is_not_known() {
        for (declared, storage) in [
            (JSON, PROTOSTREAM),
            (JSON, OCTETS),
            (JSON, UNDECLARED),
            (PROTOSTREAM, JSON),
            (OBJECT, TEXT),
            ("image/png", TEXT),
            (TEXT, "image/png"),
            (TEXT, "application/x-protostream; wrapped=false"),
        ] {
            assert!(
                !StoredForm::between(&media_type(declared), &media_type(storage)).is_known(),
                "{declared} in {storage}"
            );
        }
        assert_eq!(stored("image/png", "image/png", b"k").as_deref(), Some(&b"k"[..]));
    }

    /// Values of Java's `hashCode`.
    #[test]
    fn java_objects_are_hashed_by_their_hash_code() {
        let hash_code = |value: Value<'_>| {
            let stored = stored(PROTOSTREAM, OBJECT, &encode(&value).unwrap()).expect("a scalar");
            i32::from_le_bytes(stored.try_into().expect("four bytes"))
        };
        assert_eq!(hash_code(Value::Int32(i32::MIN)), i32::MIN);
        assert_eq!(hash_code(Value::Int64(i64::MAX)), i32::MIN);
        assert_eq!(hash_code(Value::Int64(-1)), 0);
        assert_eq!(hash_code(Value::Bool(true)), 1231);
        assert_eq!(hash_code(Value::Double(1.0)), 1_072_693_248);
        assert_eq!(hash_code(Value::Float(1.0)), 1_065_353_216);
        assert_eq!(hash_code(Value::Instant { seconds: 1, nanos: 2 }), 103);
        assert_eq!(stored(PROTOSTREAM, OBJECT, b"\x4a\x01k").as_deref(), Some(&b"k"[..]));
        let message = encode(&Value::Message { of: crate::protostream::TypeName::Name("shop.Item"), bytes: b"" });
        assert_eq!(stored(PROTOSTREAM, OBJECT, &message.unwrap()), None);
    }
}
