//! Media types of keys and values (2.8 and later).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::Problem;
use super::reader::{Read, Reader};
use crate::send_buffer::SendBuffer;

/// The form in which keys or values travel (`mediaType` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum MediaType {
    /// None given: the form in which the cache stores them.
    #[default]
    Unspecified,
    /// One of the types that have a number; see [`MediaType::name`] for the known ones.
    Numbered(u32, Parameters),
    /// Any other type, by its name.
    Named(String, Parameters),
}

/// Names and values, such as `charset=UTF-8`.
pub type Parameters = Vec<(String, String)>;

/// Numbers and names that client and server share (`MediaTypeIds` of the server); 14 and 15 are of old versions.
const NUMBERED: [(u32, &str); 16] = [
    (1, "application/x-java-object"),
    (2, "application/json"),
    (3, "application/octet-stream"),
    (4, "application/pdf"),
    (5, "application/rtf"),
    (6, "application/zip"),
    (7, "image/gif"),
    (8, "image/jpeg"),
    (9, "image/png"),
    (10, "text/css"),
    (11, "text/csv"),
    (12, "application/x-protostream"),
    (13, "text/plain"),
    (14, "text/html"),
    (15, "application/x-jboss-marshalling"),
    (17, "application/unknown"),
];

impl MediaType {
    /// `application/octet-stream`: bytes as they are.
    pub const OCTET_STREAM: Self = Self::Numbered(3, Vec::new());
    /// `application/x-protostream`: Infinispan's protobuf.
    pub const PROTOSTREAM: Self = Self::Numbered(12, Vec::new());
    /// `text/plain`.
    pub const TEXT: Self = Self::Numbered(13, Vec::new());
    /// `application/json`.
    pub const JSON: Self = Self::Numbered(2, Vec::new());

    /// The name without parameters; `None` if unspecified or of an unknown number.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Unspecified => None,
            Self::Numbered(id, _) => NUMBERED.iter().find(|(known, _)| known == id).map(|(_, name)| *name),
            Self::Named(name, _) => Some(name),
        }
    }

    /// The parameters; empty if unspecified.
    pub fn parameters(&self) -> &[(String, String)] {
        match self {
            Self::Unspecified => &[],
            Self::Numbered(_, parameters) | Self::Named(_, parameters) => parameters,
        }
    }

    pub(crate) fn write(&self, out: &mut SendBuffer) {
        match self {
            Self::Unspecified => return out.put_u8(0),
            Self::Numbered(id, _) => {
                out.put_u8(1);
                out.put_vint(*id);
            }
            Self::Named(name, _) => {
                out.put_u8(2);
                out.put_text(name);
            }
        }
        let parameters = self.parameters();
        out.put_vint(parameters.len() as u32);
        for (name, value) in parameters {
            out.put_text(name);
            out.put_text(value);
        }
    }

    /// Reads one in a reply: a server may know types that are not known here.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Self::read_by(ANY, reader)
    }

    /// Reads one in a request. One that the server does not know makes it throw before it has read the rest of the request
    /// (Infinispan 16.0.7), so it is refused here.
    pub(crate) fn read_requested(reader: &mut Reader<'_>) -> Read<Self> {
        Self::read_by(KNOWN, reader)
    }

    fn read_by(rules: Rules, reader: &mut Reader<'_>) -> Read<Self> {
        let definition = reader.byte("media type definition")?;
        match definition {
            0 => Ok(Self::Unspecified),
            1 => {
                let at = reader.position();
                let id = reader.vint("media type id")?;
                if !(rules.id)(id) {
                    let problem = Problem::Unexpected { value: id.into(), expected: "the number of a media type" };
                    return Err(reader.violation_at(at, "media type id", problem));
                }
                Ok(Self::Numbered(id, Self::read_parameters(rules, reader)?))
            }
            2 => {
                let name = |reader: &mut Reader<'_>| read_text("media type name", rules.name, "a media type", reader);
                let (name, parameters) = reader.then(name, |reader, _| Self::read_parameters(rules, reader))?;
                Ok(Self::Named(name, parameters))
            }
            _ => Err(reader.unexpected("media type definition", definition.into(), "0 (none), 1 (id) or 2 (name)")),
        }
    }

    fn read_parameters(rules: Rules, reader: &mut Reader<'_>) -> Read<Parameters> {
        let count = reader.count("media type parameters", reader.limits().parameters)?;
        reader.list(count, 2, |reader| {
            let name = read_text("media type parameter name", rules.parameter, "no weight", reader)?;
            Ok((name, reader.name("media type parameter value")?))
        })
    }
}

/// What is read as a media type.
#[derive(Clone, Copy)]
struct Rules {
    id: fn(u32) -> bool,
    name: fn(&str) -> bool,
    parameter: fn(&str) -> bool,
}

const ANY: Rules = Rules { id: |_| true, name: |_| true, parameter: |_| true };

/// As `MediaTypeIds` and `MediaType` of the server have it. The parameter `q` is a weight, and has to be a number there;
/// nobody requests a form with a weight.
const KNOWN: Rules = Rules {
    id: |id| NUMBERED.iter().any(|(known, _)| *known == id),
    name: is_media_type,
    parameter: |name| name != "q",
};

/// A name that fits; otherwise a violation at its first byte, behind its length.
fn read_text(
    field: &'static str,
    fits: fn(&str) -> bool,
    expected: &'static str,
    reader: &mut Reader<'_>,
) -> Read<String> {
    let text = reader.name(field)?;
    if fits(&text) {
        return Ok(text);
    }
    Err(reader.violation_at(reader.position() - text.len(), field, Problem::Malformed { expected }))
}

/// Whether the server can parse it: a type, a subtype, and parameters that are tokens (RFC 9110, 5.6.2) and no weight.
fn is_media_type(text: &str) -> bool {
    let mut parts = text.split(';');
    let is_type = parts
        .next()
        .and_then(|name| name.split_once('/'))
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype.trim_end_matches([' ', '\t'])));
    is_type
        && parts.all(|parameter| {
            let parameter = parameter.trim_matches([' ', '\t']);
            parameter.split_once('=').is_some_and(|(name, value)| is_token(name) && is_token(value) && name != "q")
        })
}

fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.name()) {
            (Self::Numbered(id, _), None) => write!(f, "media type {id}")?,
            (_, name) => f.write_str(name.unwrap_or("unspecified"))?,
        }
        self.parameters().iter().try_for_each(|(name, value)| write!(f, ";{name}={value}"))
    }
}

/// The text is not of the form `type/subtype;parameter=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a media type; the form is type/subtype or type/subtype;parameter=value")]
pub struct NotAMediaType;

impl FromStr for MediaType {
    type Err = NotAMediaType;

    fn from_str(text: &str) -> Result<Self, NotAMediaType> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        match name.split_once('/') {
            Some((kind, subtype)) if !kind.is_empty() && !subtype.is_empty() => {}
            _ => return Err(NotAMediaType),
        }
        let parameters = parts
            .map(|part| part.split_once('=').map(|(name, value)| (name.into(), value.into())).ok_or(NotAMediaType))
            .collect::<Result<_, _>>()?;
        Ok(match NUMBERED.iter().find(|(_, known)| *known == name) {
            Some((id, _)) => Self::Numbered(*id, parameters),
            None => Self::Named(name.into(), parameters),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_and_numbers_are_the_same_type() {
        assert_eq!("text/plain".parse(), Ok(MediaType::TEXT));
        let utf8: MediaType = "text/plain; charset=UTF-8".parse().unwrap();
        assert_eq!(utf8.to_string(), "text/plain;charset=UTF-8");
        assert_eq!("application/x-own".parse(), Ok(MediaType::Named("application/x-own".into(), Vec::new())));
        assert!("plain".parse::<MediaType>().is_err());
    }
}
