//! Field numbers of `WrappedMessage` and wire types of Protocol Buffers.

/// Wire type of a field: how its value is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    LengthDelimited,
    Fixed32,
}

impl WireType {
    /// The wire type in a tag; `None` for groups, which `WrappedMessage` has not, and for unassigned numbers.
    pub(super) fn of_tag(tag: u32) -> Option<Self> {
        Some(match tag & 7 {
            0 => Self::Varint,
            1 => Self::Fixed64,
            2 => Self::LengthDelimited,
            5 => Self::Fixed32,
            _ => return None,
        })
    }

    pub(super) fn number(self) -> u32 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::LengthDelimited => 2,
            Self::Fixed32 => 5,
        }
    }
}

pub(super) const DOUBLE: u32 = 1;
pub(super) const FLOAT: u32 = 2;
pub(super) const INT64: u32 = 3;
pub(super) const UINT64: u32 = 4;
pub(super) const INT32: u32 = 5;
pub(super) const FIXED64: u32 = 6;
pub(super) const FIXED32: u32 = 7;
pub(super) const BOOL: u32 = 8;
pub(super) const STRING: u32 = 9;
pub(super) const BYTES: u32 = 10;
pub(super) const UINT32: u32 = 11;
pub(super) const SFIXED32: u32 = 12;
pub(super) const SFIXED64: u32 = 13;
pub(super) const SINT32: u32 = 14;
pub(super) const SINT64: u32 = 15;
pub(super) const TYPE_NAME: u32 = 16;
pub(super) const MESSAGE: u32 = 17;
pub(super) const ENUM: u32 = 18;
pub(super) const TYPE_ID: u32 = 19;
pub(super) const CHAR: u32 = 20;
pub(super) const SHORT: u32 = 21;
pub(super) const BYTE: u32 = 22;
pub(super) const DATE_MILLIS: u32 = 23;
pub(super) const INSTANT_SECONDS: u32 = 24;
pub(super) const INSTANT_NANOS: u32 = 25;
pub(super) const EMPTY: u32 = 26;
pub(super) const CONTAINER_SIZE: u32 = 27;
pub(super) const CONTAINER_TYPE_NAME: u32 = 28;
pub(super) const CONTAINER_TYPE_ID: u32 = 29;
pub(super) const CONTAINER_MESSAGE: u32 = 30;

/// Greatest type number: Java reads it as a signed integer.
pub(super) const MAX_TYPE_ID: u32 = i32::MAX as u32;
/// Greatest count of nanoseconds beside seconds.
pub(super) const MAX_NANOS: u32 = 999_999_999;
