//! JSON: its check, and ProtoStream's form of it, which names the type of a value.

use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use hotrod_core::protostream::{TypeName, Value};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;

use super::{Format, decoded, encoded, encoding_exception, java};
use crate::answer::Failure;

/// Bytes of a refused value in an error, at most. A server shows all of them.
const SHOWN: usize = 256;

const INSTANT: &str = "org.infinispan.protostream.commons.Instant";
const DATE: &str = "org.infinispan.protostream.commons.Date";

/// Checks that bytes are JSON values, one or several; nothing at all is JSON too.
pub(super) fn check(bytes: &[u8]) -> Result<(), Failure> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    if values.all(|value| value.is_ok()) {
        return Ok(());
    }
    let content = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    Err(encoding_exception(format_args!("ISPN000655: Unable to convert text content to JSON: '{content}'")))
}

/// Members of an object, in their order.
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Ordered)
    }
}

impl Members {
    /// Text of a member that is a scalar.
    fn get(&self, wanted: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(name, _)| name == wanted)?;
        match value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            value => Some(value.to_string()),
        }
    }
}

/// Reads ProtoStream's form of JSON: an object whose first member is the type. One without a value is written as no bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Bytes, Failure> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_ascii_start();
    let token = match text.as_bytes().first() {
        None => return Ok(Bytes::new()),
        Some(b'{') => return read_object(text),
        Some(b'[') => "START_ARRAY",
        _ => match serde_json::Deserializer::from_str(text).into_iter::<Json>().next() {
            Some(Ok(Json::Null)) => return Ok(Bytes::new()),
            Some(Ok(Json::String(_))) => "VALUE_STRING",
            Some(Ok(Json::Bool(true))) => "VALUE_TRUE",
            Some(Ok(Json::Bool(false))) => "VALUE_FALSE",
            Some(Ok(Json::Number(number))) if number.is_f64() => "VALUE_NUMBER_FLOAT",
            Some(Ok(Json::Number(_))) => "VALUE_NUMBER_INT",
            _ => return Err(illegal_state("Invalid JSON")),
        },
    };
    Err(illegal_state(format_args!("Invalid top level object! Found token: {token}")))
}

fn read_object(text: &str) -> Result<Bytes, Failure> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Members>();
    let Some(Ok(members)) = values.next() else { return Err(illegal_state("Invalid JSON")) };
    let of = match members.0.first() {
        None => return Ok(Bytes::new()),
        Some((name, Json::String(of))) if name == "_type" => of,
        Some((name, _)) => return Err(illegal_state(format_args!("Expected field '_type' but it was '{name}'"))),
    };
    let value = match of.as_str() {
        INSTANT => Value::Instant {
            seconds: number(&members.get("wrappedInstantSeconds").unwrap_or_default())?,
            nanos: number(&members.get("wrappedInstantNanos").unwrap_or_default())?,
        },
        DATE => Value::DateMillis(number(&members.get("wrappedDateMillis").unwrap_or_default())?),
        _ => return read_scalar(of, members.get("_value").as_deref()),
    };
    encoded(&value)
}

/// Reads the value of a type that needs no schema.
fn read_scalar(of: &str, value: Option<&str>) -> Result<Bytes, Failure> {
    let text = value.unwrap_or("0");
    let content;
    let scalar = match of {
        "string" => Value::String(text),
        "bytes" => {
            content = Base64::decode_vec(text)
                .map_err(|_| illegal_argument(format_args!("Illegal base64 character in {text}")))?;
            Value::Bytes(&content)
        }
        "bool" => Value::Bool(text == "true"),
        "double" => Value::Double(number(text)?),
        "float" => Value::Float(number(text)?),
        "int32" => Value::Int32(number(text)?),
        "int64" => Value::Int64(number(text)?),
        "sint32" => Value::SInt32(number(text)?),
        "sint64" => Value::SInt64(number(text)?),
        "sfixed32" => Value::SFixed32(number(text)?),
        "sfixed64" => Value::SFixed64(number(text)?),
        "uint32" => Value::UInt32(number(text)?),
        "uint64" => Value::UInt64(number(text)?),
        "fixed32" => Value::Fixed32(number(text)?),
        "fixed64" => Value::Fixed64(number(text)?),
        other => return Err(unknown_type(other)),
    };
    if value.is_none() {
        return Ok(Bytes::new());
    }
    encoded(&scalar)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|_| Failure::server_error(format!("java.lang.NumberFormatException: For input string: \"{text}\"")))
}

/// Writes ProtoStream's form of JSON.
pub(super) fn written(bytes: &[u8]) -> Result<Bytes, Failure> {
    let value = decoded(bytes)?;
    let (of, value) = match &value {
        Value::Null => return Ok(Bytes::from_static(b"null")),
        // The server writes nothing for it.
        Value::Char(_) => return Ok(Bytes::new()),
        Value::String(text) => ("string", quoted(text)),
        Value::Bytes(bytes) => ("bytes", format!("\"{}\"", Base64::encode_string(bytes))),
        Value::Bool(value) => ("bool", value.to_string()),
        Value::Double(number) => ("double", in_json(number.is_finite(), java::text_of_double(*number))),
        Value::Float(number) => ("float", in_json(number.is_finite(), java::text_of_float(*number))),
        Value::Int32(number) => ("int32", number.to_string()),
        Value::Short(number) => ("int32", number.to_string()),
        Value::Byte(number) => ("int32", number.to_string()),
        Value::Int64(number) => ("int64", number.to_string()),
        Value::SInt32(number) => ("sint32", number.to_string()),
        Value::SInt64(number) => ("sint64", number.to_string()),
        Value::SFixed32(number) => ("sfixed32", number.to_string()),
        Value::SFixed64(number) => ("sfixed64", number.to_string()),
        Value::UInt32(number) => ("uint32", number.to_string()),
        Value::UInt64(number) => ("uint64", number.to_string()),
        Value::Fixed32(number) => ("fixed32", number.to_string()),
        Value::Fixed64(number) => ("fixed64", number.to_string()),
        Value::Instant { seconds, nanos } => {
            let members = format!(r#""wrappedInstantSeconds":{seconds},"wrappedInstantNanos":{nanos}"#);
            return Ok(format!(r#"{{"_type":"{INSTANT}",{members}}}"#).into());
        }
        Value::DateMillis(milliseconds) => {
            return Ok(format!(r#"{{"_type":"{DATE}","wrappedDateMillis":{milliseconds}}}"#).into());
        }
        Value::Message { of: TypeName::Name(of), .. } | Value::Enum { of: TypeName::Name(of), .. } => {
            return Err(unknown_type(of));
        }
        _ => return Err(Failure::unsupported("JSON of such a ProtoStream value")),
    };
    Ok(format!(r#"{{"_type":"{of}","_value":{value}}}"#).into())
}

/// Writes an object that is neither a text nor bytes, by the server's library for JSON (Jackson).
pub(super) fn of_object(object: &Value<'_>, from: &Format, to: &Format) -> Result<String, Failure> {
    let text = java::text_of(object)?;
    Ok(match object {
        Value::Char(_) => quoted(&text),
        Value::Double(number) => in_json(number.is_finite(), text),
        Value::Float(number) => in_json(number.is_finite(), text),
        Value::DateMillis(milliseconds) => format!("[\"java.util.Date\",{milliseconds}]"),
        Value::Instant { .. } => {
            return Err(encoding_exception(format_args!(
                "ISPN000533: Content '{text} (MediaType: '{from}') cannot be converted to '{to}'"
            )));
        }
        _ => text,
    })
}

/// A number; a text where JSON has no such number.
fn in_json(is_finite: bool, number: String) -> String {
    if is_finite { number } else { format!("\"{number}\"") }
}

/// A string of JSON, as the server's library writes it: safe within HTML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '<' | '>' | '&' | '=' | '\'' | '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The server's error for a type without a schema. This node has none, and says so.
fn unknown_type(name: &str) -> Failure {
    illegal_argument(format_args!(
        "Unknown type name : {name} (conversion by a schema is not supported by the embedded server)"
    ))
}

fn illegal_argument(problem: impl std::fmt::Display) -> Failure {
    Failure::server_error(format!("java.lang.IllegalArgumentException: {problem}"))
}

fn illegal_state(problem: impl std::fmt::Display) -> Failure {
    Failure::server_error(format!("java.lang.IllegalStateException: {problem}"))
}
