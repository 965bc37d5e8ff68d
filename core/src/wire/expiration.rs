//! Lifetimes of entries.

use core::fmt;

use super::flags::Flags;
use super::reader::{Read, Reader};
use super::{Problem, Version};
use crate::send_buffer::SendBuffer;

/// Lifespan and maximum idle time of an entry (`expiration` of hotrod.gr).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Expiration {
    /// Time to live after the write.
    pub lifespan: Lifetime,
    /// Time to live after the last access.
    pub max_idle: Lifetime,
}

impl Expiration {
    /// Both as the cache is configured.
    pub const DEFAULT: Self = Self { lifespan: Lifetime::Default, max_idle: Lifetime::Default };

    /// Sets the lifespan; the maximum idle time is the cache's configured one.
    pub fn after(lifespan: Lifetime) -> Self {
        Self { lifespan, ..Self::DEFAULT }
    }
}

/// Lifespan or maximum idle time of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lifetime {
    /// The cache's configured lifetime.
    #[default]
    Default,
    /// Never expires.
    Infinite,
    /// A number of time units. Versions 2.0 and 2.1 carry seconds only, and the rest is rounded up; zero means
    /// [`Infinite`](Self::Infinite).
    ///
    /// More than [`LONGEST`](Self::LONGEST) is sent as [`Infinite`](Self::Infinite). Before 3.0 any other lifetime of more than
    /// [`LONGEST_BEFORE_3_0`](Self::LONGEST_BEFORE_3_0) is rejected.
    For(u64, TimeUnit),
}

impl Lifetime {
    /// Longest finite lifetime, in milliseconds: 146 million years. The server adds a lifetime to the time of the write as
    /// signed 64 bits (16.0.7), and an entry whose sum overflows expires at once.
    pub const LONGEST: u64 = i64::MAX as u64 / 2;

    /// Longest finite lifetime before protocol 3.0, in milliseconds: 30 days. Servers read a longer one, in any unit, as a
    /// time since 1970 (`buildMetadata2x` of the server, 16.0.7): the entry would expire at once.
    pub const LONGEST_BEFORE_3_0: u64 = 30 * 24 * 3_600_000;

    /// Lifetime in milliseconds.
    pub fn milliseconds(count: u64) -> Self {
        Self::For(count, TimeUnit::Milliseconds)
    }

    /// Lifetime in seconds.
    pub fn seconds(count: u64) -> Self {
        Self::For(count, TimeUnit::Seconds)
    }

    /// Converts to milliseconds, rounded up; `None` if infinite or the cache's default.
    pub fn as_milliseconds(self) -> Option<u64> {
        match self {
            Self::Default | Self::Infinite => None,
            Self::For(count, unit) => Some(unit.to_milliseconds(count)),
        }
    }

    /// Returns the milliseconds of a lifetime that servers of this version read as a time since 1970.
    pub(crate) fn read_as_date(self, version: Version) -> Option<u64> {
        let milliseconds = self.clamped().as_milliseconds()?;
        (version < Version::V3_0 && milliseconds > Self::LONGEST_BEFORE_3_0).then_some(milliseconds)
    }

    /// The lifetime in numbers that the server, which reads signed 64 bits, does not take for negative.
    fn clamped(self) -> Self {
        match self {
            Self::For(count, unit) if unit.to_milliseconds(count) > Self::LONGEST => Self::Infinite,
            Self::For(count, unit) if i64::try_from(count).is_err() => Self::milliseconds(unit.to_milliseconds(count)),
            other => other,
        }
    }
}

/// Time unit, numbered as on the wire (`TimeUnitValue` of the server).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // self-explanatory names
pub enum TimeUnit {
    Seconds = 0,
    Milliseconds = 1,
    Nanoseconds = 2,
    Microseconds = 3,
    Minutes = 4,
    Hours = 5,
    Days = 6,
}

const DEFAULT: u8 = 7;
const INFINITE: u8 = 8;

impl TimeUnit {
    /// All units in the order of their codes.
    const ALL: [Self; 7] = [
        Self::Seconds,
        Self::Milliseconds,
        Self::Nanoseconds,
        Self::Microseconds,
        Self::Minutes,
        Self::Hours,
        Self::Days,
    ];

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Parses a unit's symbol: `s`, `ms`, `ns`, `us`, `min`, `h` or `d`.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.symbol() == symbol)
    }

    /// Symbol of the unit, as [`from_symbol`](Self::from_symbol) parses it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }

    /// Converts `count` units to milliseconds, rounded up, at most `u64::MAX`.
    pub fn to_milliseconds(self, count: u64) -> u64 {
        match self {
            Self::Nanoseconds => count.div_ceil(1_000_000),
            Self::Microseconds => count.div_ceil(1_000),
            Self::Milliseconds => count,
            Self::Seconds => count.saturating_mul(1_000),
            Self::Minutes => count.saturating_mul(60_000),
            Self::Hours => count.saturating_mul(3_600_000),
            Self::Days => count.saturating_mul(86_400_000),
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl Expiration {
    /// Returns the milliseconds of a lifetime that servers of this version read as a time since 1970.
    pub(crate) fn read_as_date(self, version: Version) -> Option<u64> {
        self.lifespan.read_as_date(version).or_else(|| self.max_idle.read_as_date(version))
    }

    /// Flags by which 2.0 and 2.1 distinguish the cache's default from an infinite lifetime.
    pub(crate) fn flags(self, version: Version) -> Flags {
        let mut flags = Flags::NONE;
        if version < Version::V2_2 {
            if self.lifespan == Lifetime::Default {
                flags = flags | Flags::DEFAULT_LIFESPAN;
            }
            if self.max_idle == Lifetime::Default {
                flags = flags | Flags::DEFAULT_MAX_IDLE;
            }
        }
        flags
    }

    pub(crate) fn write(self, version: Version, out: &mut SendBuffer) {
        if version < Version::V2_2 {
            for lifetime in [self.lifespan, self.max_idle] {
                let seconds = lifetime.clamped().as_milliseconds().unwrap_or(0).div_ceil(1000);
                out.put_vint(u32::try_from(seconds).unwrap_or(u32::MAX));
            }
            return;
        }
        let (lifespan_code, lifespan) = encode(self.lifespan);
        let (max_idle_code, max_idle) = encode(self.max_idle);
        out.put_u8(lifespan_code << 4 | max_idle_code);
        [lifespan, max_idle].into_iter().flatten().for_each(|duration| out.put_vlong(duration));
    }

    pub(crate) fn read(version: Version, flags: Flags, reader: &mut Reader<'_>) -> Read<Self> {
        if version < Version::V2_2 {
            let lifespan = seconds(reader.vint("lifespan")?, flags.contains(Flags::DEFAULT_LIFESPAN));
            let max_idle = seconds(reader.vint("maximum idle time")?, flags.contains(Flags::DEFAULT_MAX_IDLE));
            return Ok(Self { lifespan, max_idle });
        }
        let units_at = reader.position();
        let units = reader.byte("time units")?;
        let mut lifetime = |code: u8, field| match code {
            DEFAULT => Ok(Lifetime::Default),
            INFINITE => Ok(Lifetime::Infinite),
            _ => {
                let Some(unit) = TimeUnit::from_code(code) else {
                    let problem = Problem::Unexpected { value: units.into(), expected: "two codes from 0 to 8" };
                    return Err(reader.violation_at(units_at, "time units", problem));
                };
                Ok(Lifetime::For(reader.vlong(field)?, unit))
            }
        };
        Ok(Self { lifespan: lifetime(units >> 4, "lifespan")?, max_idle: lifetime(units & 0x0f, "maximum idle time")? })
    }
}

fn encode(lifetime: Lifetime) -> (u8, Option<u64>) {
    match lifetime.clamped() {
        Lifetime::Default => (DEFAULT, None),
        Lifetime::Infinite => (INFINITE, None),
        Lifetime::For(count, unit) => (unit as u8, Some(count)),
    }
}

fn seconds(count: u32, default: bool) -> Lifetime {
    match (count, default) {
        (0, true) => Lifetime::Default,
        (0, false) => Lifetime::Infinite,
        (count, _) => Lifetime::seconds(count.into()),
    }
}
