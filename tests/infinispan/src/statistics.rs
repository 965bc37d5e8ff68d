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
    /// What all these servers have counted of cache `dist`.
    pub fn of(endpoints: &[Endpoint]) -> io::Result<Self> {
        let mut hits = Self::default();
        for endpoint in endpoints {
            let text = metrics(endpoint)?;
            let sum = |owner: &str| sum(&text, &format!("{owner}_owner_total"));
            hits.primary += sum("primary");
            hits.backup += sum("backup");
            hits.none += sum("non");
        }
        Ok(hits)
    }

    /// What came since then.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            primary: self.primary - before.primary,
            backup: self.backup - before.backup,
            none: self.none - before.none,
        }
    }
}

/// Lines such as `infinispan_statistics_hit_primary_owner_total{cache="dist",…} 12.0`: hits, misses, stores and removes.
fn sum(text: &str, ending: &str) -> u64 {
    let of_dist = |line: &&str| line.starts_with("infinispan_statistics_") && line.contains("cache=\"dist\"");
    let numbers = text.lines().filter(of_dist).filter_map(|line| {
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
