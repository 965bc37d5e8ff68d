//! Protocol versions.

use core::fmt;
use core::str::FromStr;

/// A version of the Hot Rod protocol; ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // self-explanatory names
pub enum Version {
    V2_0 = 20,
    V2_1 = 21,
    V2_2 = 22,
    V2_3 = 23,
    V2_4 = 24,
    V2_5 = 25,
    V2_6 = 26,
    V2_7 = 27,
    V2_8 = 28,
    V2_9 = 29,
    V3_0 = 30,
    V3_1 = 31,
    V4_0 = 40,
    V4_1 = 41,
}

impl Version {
    /// Newest supported version.
    pub const LATEST: Self = Self::V4_1;

    /// All supported versions, oldest first.
    pub const ALL: [Self; 14] = [
        Self::V2_0,
        Self::V2_1,
        Self::V2_2,
        Self::V2_3,
        Self::V2_4,
        Self::V2_5,
        Self::V2_6,
        Self::V2_7,
        Self::V2_8,
        Self::V2_9,
        Self::V3_0,
        Self::V3_1,
        Self::V4_0,
        Self::V4_1,
    ];

    /// Encodes the version as the byte of a request header: major * 10 + minor.
    pub fn to_byte(self) -> u8 {
        self as u8
    }

    /// Decodes the byte of a request header; `None` for an unsupported version.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.to_byte() == byte)
    }

    /// Newest supported version that is not newer than the version of `byte`.
    pub fn newest_up_to(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|version| version.to_byte() <= byte)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.to_byte() / 10, self.to_byte() % 10)
    }
}

/// Error for a text that is not a supported protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known protocol version (2.0 to 2.9, 3.0, 3.1, 4.0 or 4.1)")]
pub struct UnknownVersion;

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let (major, minor) = text.split_once('.').ok_or(UnknownVersion)?;
        match (major.parse::<u8>(), minor.parse::<u8>()) {
            (Ok(major @ 0..=9), Ok(minor @ 0..=9)) => Self::from_byte(major * 10 + minor).ok_or(UnknownVersion),
            _ => Err(UnknownVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_version_comes_back_from_its_byte_and_its_text() {
        for version in Version::ALL {
            assert_eq!(Version::from_byte(version.to_byte()), Some(version));
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert_eq!(Version::newest_up_to(99), Some(Version::V4_1));
        assert_eq!(Version::newest_up_to(35), Some(Version::V3_1));
        assert_eq!(Version::newest_up_to(19), None);
        assert!("2.10".parse::<Version>().is_err());
    }
}
