//! What the servers themselves have counted.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Endpoint;

/// Keyed operations by what the member that got them is to the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hits {
    /// It is the primary owner.
    pub primary: u64,
    /// It is a backup owner.
    pub backup: u64,
    /// It is neither.
    pub none: u64,
}

impl Hits {
    /// What came since then. Servers that were started anew since count from 0.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            primary: self.primary.saturating_sub(before.primary),
            backup: self.backup.saturating_sub(before.backup),
            none: self.none.saturating_sub(before.none),
        }
    }

    /// All of them.
    pub fn total(self) -> u64 {
        self.primary + self.backup + self.none
    }

    /// The share of those that came to the primary owner.
    pub fn direct_share(self) -> f64 {
        self.primary as f64 / self.total().max(1) as f64
    }
}

/// What some servers have counted, at one moment.
pub struct Metrics(Vec<String>);

impl Metrics {
    /// Asks all these servers.
    pub fn of(endpoints: &[Endpoint]) -> io::Result<Self> {
        Ok(Self(endpoints.iter().map(metrics).collect::<io::Result<_>>()?))
    }

    /// Keyed operations of a cache, by all servers together.
    ///
    /// A server counts an operation once, where it came in from a client; the members that it is forwarded to count nothing.
    /// So the sum is the number of operations that clients have sent. (Tried with 16.0.7, and tested in tests/outside.)
    pub fn hits(&self, cache: &str) -> Hits {
        let sum = |owner: &str| {
            let ending = format!("{owner}_owner_total");
            self.0.iter().map(|text| sum(text, cache, &ending)).sum()
        };
        Hits { primary: sum("primary"), backup: sum("backup"), none: sum("non") }
    }
}

/// Lines such as `infinispan_statistics_hit_primary_owner_total{cache="dist",…} 12.0`: hits, misses, stores and removes.
fn sum(text: &str, cache: &str, ending: &str) -> u64 {
    let label = format!("cache=\"{cache}\"");
    let of_cache = |line: &&str| line.starts_with("infinispan_statistics_") && line.contains(&label);
    let numbers = text.lines().filter(of_cache).filter_map(|line| {
        let (name, rest) = line.split_once('{')?;
        let number: f64 = rest.rsplit_once(' ')?.1.parse().ok()?;
        name.ends_with(ending).then_some(number as u64)
    });
    numbers.sum()
}

fn metrics(endpoint: &Endpoint) -> io::Result<String> {
    let mut stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", endpoint.host)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.starts_with("HTTP/1.1 200") {
        Ok(text)
    } else {
        Err(io::Error::other(text.lines().next().unwrap_or("").to_string()))
    }
}
