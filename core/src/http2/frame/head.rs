//! The nine-byte frame head.

use core::fmt;

use crate::http2::StreamId;

/// Frame type (RFC 9113, 6); unknown types survive a round trip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKind(pub u8);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl FrameKind {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Name of the type in its standard; `None` for any other.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// RFC 9113, 6.1.
    DATA = 0x00;
    /// RFC 9113, 6.2.
    HEADERS = 0x01;
    /// RFC 9113, 6.3.
    PRIORITY = 0x02;
    /// RFC 9113, 6.4.
    RST_STREAM = 0x03;
    /// RFC 9113, 6.5.
    SETTINGS = 0x04;
    /// RFC 9113, 6.6.
    PUSH_PROMISE = 0x05;
    /// RFC 9113, 6.7.
    PING = 0x06;
    /// RFC 9113, 6.8.
    GOAWAY = 0x07;
    /// RFC 9113, 6.9.
    WINDOW_UPDATE = 0x08;
    /// RFC 9113, 6.10.
    CONTINUATION = 0x09;
    /// RFC 9218, 7.1; not interpreted.
    PRIORITY_UPDATE = 0x10;
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "frame type {:#04x}", self.0),
        }
    }
}

impl fmt::Debug for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameKind({self})")
    }
}

/// Flags of RFC 9113's frames; all others are ignored (4.1).
pub mod flag {
    /// SETTINGS, PING: acknowledgement.
    pub const ACK: u8 = 0x01;
    /// DATA, HEADERS: last frame of the stream.
    pub const END_STREAM: u8 = 0x01;
    /// HEADERS, PUSH_PROMISE, CONTINUATION: last fragment of the field block.
    pub const END_HEADERS: u8 = 0x04;
    /// DATA, HEADERS, PUSH_PROMISE: padded.
    pub const PADDED: u8 = 0x08;
    /// HEADERS: with a priority signal.
    pub const PRIORITY: u8 = 0x20;
}

/// Frame head (RFC 9113, 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// Length of the payload in bytes, below 2^24.
    pub length: u32,
    /// Type of the frame.
    pub kind: FrameKind,
    /// Flags; their meaning depends on the type.
    pub flags: u8,
    /// Stream, or the connection.
    pub stream: StreamId,
}

impl FrameHead {
    /// Encoded size of a frame head, in bytes.
    pub const SIZE: usize = 9;

    /// Parses the head at the beginning of `bytes`; `None` if they are too short.
    ///
    /// Hand-written: every head is parsed twice, and combined parsers would take several times as long.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<{ Self::SIZE }>()?;
        let (length_and_kind, rest) = bytes.split_first_chunk::<4>()?;
        let (flags, stream) = rest.split_first()?;
        let length_and_kind = u32::from_be_bytes(*length_and_kind);
        Some(Self {
            length: length_and_kind >> 8,
            kind: FrameKind(length_and_kind as u8),
            flags: *flags,
            stream: StreamId::new(u32::from_be_bytes(*stream.first_chunk()?)),
        })
    }

    /// Length of the whole frame in bytes.
    pub fn frame_size(&self) -> usize {
        Self::SIZE + self.length as usize
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}
