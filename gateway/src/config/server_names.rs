//! The names by which clients may ask for a gateway in TLS.

use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::value::Kind;

/// Names that a client may ask for in TLS (SNI, RFC 6066, 3). A client that asks for none is always served: an address is
/// no name there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerNames {
    /// Every name.
    Any,
    /// These, in lower case; `*.` at the beginning stands for one label.
    These(Vec<String>),
}

impl ServerNames {
    /// The DNS names of a certificate; every name if there is none in it.
    pub(crate) fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, webpki::Error> {
        let certificate = EndEntityCert::try_from(certificate)?;
        let names: Vec<_> = certificate.valid_dns_names().map(str::to_ascii_lowercase).collect();
        Ok(if names.is_empty() { Self::Any } else { Self::These(names) })
    }

    /// Whether a client may ask for that name.
    pub(crate) fn include(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        match self {
            Self::Any => true,
            Self::These(names) => names.iter().any(|known| match known.strip_prefix("*.") {
                Some(suffix) => parent == Some(suffix),
                None => *known == name,
            }),
        }
    }
}

impl Kind for ServerNames {
    const EXPECTED: &'static str =
        "host names, such as gateway.example.com or *.example.com, with commas between them, or *";

    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_name =
            |name: &str| name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(is_label);
        text.split(',').all(is_name).then(|| Self::These(text.split(',').map(str::to_ascii_lowercase).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_a_star_is_one_label() {
        let names = ServerNames::read("Gateway.example.com,*.pods.example.com").unwrap();
        for name in ["gateway.example.com", "GATEWAY.EXAMPLE.COM", "a.pods.example.com"] {
            assert!(names.include(name), "{name}");
        }
        for name in ["example.com", "pods.example.com", "a.b.pods.example.com", "gateway.example.com.evil.test"] {
            assert!(!names.include(name), "{name}");
        }
        assert!(ServerNames::read("*").unwrap().include("anything"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", ",", "a,", "a b", "a..b", "*.", "a.*.b", "**", "a:1", &"x".repeat(64)] {
            assert_eq!(ServerNames::read(text), None, "{text}");
        }
    }
}
