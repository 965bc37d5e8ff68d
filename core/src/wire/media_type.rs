//! Media types of keys and values (2.8 and later).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::Problem;
use super::reader::{Read, Reader};
use crate::send_buffer::SendBuffer;

/// Media type of keys or values in a message (`mediaType` of hotrod.gr).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum MediaType {
    /// Unspecified: the storage media type of the cache.
    #[default]
    Unspecified,
    /// A type with a registered number; [`MediaType::name`] returns the names of the known ones.
    Numbered(u32, Parameters),
    /// Any other type, by name.
    Named(String, Parameters),
}

/// Parameters of a media type, such as `charset=UTF-8`: names and values.
pub type Parameters = Vec<(String, String)>;

/// Registered numbers and names (`MediaTypeIds` of the server); 14 and 15 are of old versions.
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
    /// `application/octet-stream`: unconverted bytes.
    pub const OCTET_STREAM: Self = Self::Numbered(3, Vec::new());
    /// `application/x-protostream`: Infinispan's Protocol Buffers encoding.
    pub const PROTOSTREAM: Self = Self::Numbered(12, Vec::new());
    /// `text/plain`.
    pub const TEXT: Self = Self::Numbered(13, Vec::new());
    /// `application/json`.
    pub const JSON: Self = Self::Numbered(2, Vec::new());

    /// Name without parameters; `None` if unspecified or if the number is unknown.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Unspecified => None,
            Self::Numbered(id, _) => NUMBERED.iter().find(|(known, _)| known == id).map(|(_, name)| *name),
            Self::Named(name, _) => Some(name),
        }
    }

    /// Parameters; empty if unspecified.
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

    /// Reads the media type of a reply; types unknown to this implementation are accepted.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Self::read_by(ANY, reader)
    }

    /// Reads the media type of a request. Rejects types unknown to the server: it throws before it reads the rest of
    /// the request (Infinispan 16.0.7).
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

/// Restrictions on a media type's texts.
#[derive(Clone, Copy)]
struct Rules {
    id: fn(u32) -> bool,
    name: fn(&str) -> bool,
    parameter: fn(&str) -> bool,
}

const ANY: Rules = Rules { id: |_| true, name: |_| true, parameter: |_| true };

/// The rules of the server's `MediaTypeIds` and `MediaType`. The parameter `q` is a weight and must be a number there;
/// requests with a weight are rejected.
const KNOWN: Rules = Rules {
    id: |id| NUMBERED.iter().any(|(known, _)| *known == id),
    name: is_media_type,
    parameter: |name| name != "q",
};

/// Reads a text accepted by `fits`; otherwise returns a violation at the text's first byte, behind its length.
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

/// Whether the server can parse the text: a type, a subtype, and parameters that are tokens (RFC 9110, 5.6.2) and not
/// weights.
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

/// Error for a text that is not of the form `type/subtype;parameter=value`.
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
