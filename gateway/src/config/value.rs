//! The kinds of value that options have, in the form in which people write them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use hotrod_core::cluster::MemberHosts;
use hotrod_core::sasl::Mechanism;
use hotrod_core::uri::ConnectionUri;
use hotrod_core::wire::Member;
use hotrod_embedded::NamedCache;
use ipnet::IpNet;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A kind of value.
pub(crate) trait Kind: Sized + Clone {
    /// What is expected, for messages.
    const EXPECTED: &'static str;

    /// `None` if the text is not of the kind.
    fn read(text: &str) -> Option<Self>;

    /// What is wrong with a text that is not of the kind.
    fn problem(text: &str) -> String {
        format!("{:?} is not {}", without_credentials(text), Self::EXPECTED)
    }
}

/// A given text as it may be shown: a URI, where none belongs, may have a password before its `@`.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    text.rsplit_once('@').map_or(Cow::Borrowed(text), |(_, host)| format!("…@{host}").into())
}

/// A value, and the text that it was given as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given<T> {
    pub(crate) text: String,
    pub(crate) value: T,
}

/// A text is not of the kind that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotOfTheKind(String);

impl<T: Kind> FromStr for Given<T> {
    type Err = NotOfTheKind;

    fn from_str(text: &str) -> Result<Self, NotOfTheKind> {
        let value = T::read(text).ok_or_else(|| NotOfTheKind(T::problem(text)))?;
        Ok(Self { text: text.into(), value })
    }
}

impl<T> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T: Kind> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text(PhantomData))
    }
}

/// Reads a value from a text, and from a number or a list in the text's place.
struct Text<T>(PhantomData<T>);

impl<'de, T: Kind> Visitor<'de> for Text<T> {
    type Value = Given<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Given<T>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Given<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Given<T>, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        self.visit_str(&texts.join(","))
    }
}

impl Kind for Duration {
    const EXPECTED: &'static str = "a time such as 250ms, 30s, 5min or 2h (a number alone is seconds)";

    fn read(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(digits);
        let factor = match unit {
            "ms" => 1,
            "s" | "" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
        // A year is as good as forever, and far from every overflow.
        count.checked_mul(factor).filter(|ms| *ms <= 366 * 24 * 3_600_000).map(Self::from_millis)
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl Kind for Size {
    const EXPECTED: &'static str = "a size from 1KiB to 16MiB, such as 64KiB (a number alone is bytes)";

    fn read(text: &str) -> Option<Self> {
        bytes(text, 1 << 10..=1 << 24).map(Self)
    }
}

/// The largest request, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestSize(pub(crate) usize);

impl Kind for RequestSize {
    const EXPECTED: &'static str = "a size from 64KiB to 1GiB, such as 10MB (a number alone is bytes)";

    fn read(text: &str) -> Option<Self> {
        bytes(text, 64 << 10..=1 << 30).map(Self)
    }
}

/// Memory that the clients of the process may occupy, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory(pub(crate) usize);

impl Kind for Memory {
    const EXPECTED: &'static str = "a size of at least 16MiB, such as 192MiB or 1GiB (a number alone is bytes)";

    fn read(text: &str) -> Option<Self> {
        bytes(text, 1 << 24..=1 << 40).map(Self)
    }
}

/// Memory that one connection may occupy, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkMemory(pub(crate) usize);

impl Kind for LinkMemory {
    const EXPECTED: &'static str = "a size of at least 8MiB, such as 64MiB or 1GiB (a number alone is bytes)";

    fn read(text: &str) -> Option<Self> {
        bytes(text, 1 << 23..=1 << 40).map(Self)
    }
}

fn bytes(text: &str, allowed: RangeInclusive<usize>) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    // Infinispan writes its max-content-length in multiples of 1000.
    let factor = match unit {
        "" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    let count: usize = count.parse().ok()?;
    count.checked_mul(factor).filter(|size| allowed.contains(size))
}

/// At least one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Servers(pub(crate) Vec<Member>);

impl Kind for Servers {
    const EXPECTED: &'static str = "HOST:PORT, or several with commas between them";

    fn read(text: &str) -> Option<Self> {
        // What else a URI may have would go unseen.
        if text.contains(['/', '?', '@', '#']) {
            return None;
        }
        format!("hotrod://{text}").parse::<ConnectionUri>().ok().map(|uri| Self(uri.servers))
    }
}

impl Kind for MemberHosts {
    const EXPECTED: &'static str =
        "host names, *.suffix, addresses or blocks such as 10.0.0.0/8, with commas between them";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// An address to listen at; names are looked up when it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress;

impl Kind for ListenAddress {
    const EXPECTED: &'static str = "ADDRESS:PORT, such as 127.0.0.1:11222 or [::]:11222";

    fn read(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = bare.map_or(!host.is_empty() && !host.contains(':'), |host| host.contains(':'));
        (is_host && port.parse::<u16>().is_ok()).then_some(Self)
    }
}

/// Networks, as addresses with the length of their prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Networks(pub(crate) Vec<IpNet>);

impl Kind for Networks {
    const EXPECTED: &'static str = "networks such as 10.0.0.0/8 or 192.0.2.7, with commas between them";

    fn read(text: &str) -> Option<Self> {
        let network = |text: &str| match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            // Bits behind the prefix are a mistake of somebody.
            Err(_) => text.parse::<IpNet>().ok().filter(|network| network.trunc() == *network),
        };
        text.split(',').map(network).collect::<Option<_>>().map(Self)
    }
}

/// ALPN ids, in the order in which they are preferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlpnIds(pub(crate) Vec<String>);

impl Kind for AlpnIds {
    const EXPECTED: &'static str = "ALPN ids of 1 to 255 bytes, with commas between them";

    fn read(text: &str) -> Option<Self> {
        let ids: Vec<String> = text.split(',').map(ToString::to_string).collect();
        // RFC 7301, 3.1.
        ids.iter().all(|id| (1..=255).contains(&id.len())).then_some(Self(ids))
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on a line.
    Json,
}

impl Kind for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn read(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Kind for Mechanism {
    const EXPECTED: &'static str = "a SASL mechanism such as SCRAM-SHA-512";

    fn read(text: &str) -> Option<Self> {
        Self::from_name(&text.to_ascii_uppercase())
    }
}

impl Kind for NamedCache {
    const EXPECTED: &'static str = "a cache such as sessions:owners=1,lifespan=30min (see --help)";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn problem(text: &str) -> String {
        text.parse::<Self>().err().map(|error| error.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Kind>(text: &str) -> Option<T> {
        T::read(text)
    }

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        for (text, ms) in [("250ms", 250), ("30s", 30_000), ("30", 30_000), ("5min", 300_000), ("2h", 7_200_000)] {
            assert_eq!(read(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "0", "0s", "s", "-1", "1.5s", "1d", "30 s", "99999999999999999999", "9999999h"] {
            assert_eq!(read::<Duration>(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_bytes_within_reason() {
        for (text, bytes) in [("65536", 65_536), ("64KiB", 65_536), ("64KB", 64_000), ("16MiB", 16 << 20)] {
            assert_eq!(read(text), Some(Size(bytes)), "{text}");
        }
        for text in ["", "0", "1023", "17MiB", "64kB", "64K", "99999999999999999999KiB"] {
            assert_eq!(read::<Size>(text), None, "{text}");
        }
    }

    #[test]
    fn servers_are_hosts_with_or_without_a_port() {
        let Servers(servers) = read("one:1,two,[::1]:3").unwrap();
        assert_eq!(servers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["one:1", "two:11222", "[::1]:3"]);
        for text in ["", ",", "one:0", "one:x", "user:password@one", "one/cache", "one?trust_ca=x", "::1"] {
            assert_eq!(read::<Servers>(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_to_listen_at_names_its_port() {
        for text in ["127.0.0.1:0", "[::]:11222", "localhost:1"] {
            assert!(read::<ListenAddress>(text).is_some(), "{text}");
        }
        for text in ["", "127.0.0.1", ":1", "::1:1", "[::1]", "host:99999", "[host]:1"] {
            assert!(read::<ListenAddress>(text).is_none(), "{text}");
        }
    }

    #[test]
    fn networks_are_addresses_with_a_prefix() {
        let networks = |text: &str| read(text).map(|Networks(all)| all.iter().map(ToString::to_string).collect());
        let all: Vec<String> = networks("10.0.0.0/8,192.0.2.7,2001:db8::/32").unwrap();
        assert_eq!(all, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
        for text in ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8,", "router", "10.0.0.0/8 192.0.2.7"] {
            assert!(networks(text).is_none(), "{text}");
        }
    }

    #[test]
    fn alpn_ids_are_neither_empty_nor_long() {
        assert_eq!(read("h2,http/1.1"), Some(AlpnIds(vec!["h2".into(), "http/1.1".into()])));
        assert!(read::<AlpnIds>("").is_none() && read::<AlpnIds>("h2,").is_none());
        assert!(read::<AlpnIds>(&"x".repeat(256)).is_none());
    }
}
