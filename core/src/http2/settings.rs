//! Settings.

use alloc::vec::Vec;

use super::ErrorCode;

/// The identifiers of the settings that this implementation knows (RFC 9113, 6.5.2; RFC 8441, 3).
pub mod setting {
    /// Octets that the table of header compression may take at the peer's encoder. Initially 4,096.
    pub const HEADER_TABLE_SIZE: u16 = 0x01;
    /// Whether the peer may push; 0 or 1. Initially 1; this implementation always says 0.
    pub const ENABLE_PUSH: u16 = 0x02;
    /// Streams that the peer may have open at a time. Initially without limit.
    pub const MAX_CONCURRENT_STREAMS: u16 = 0x03;
    /// Octets of DATA that the peer may send on a new stream; at most 2^31-1. Initially 65,535.
    pub const INITIAL_WINDOW_SIZE: u16 = 0x04;
    /// Octets of the largest frame payload, 2^14 to 2^24-1. Initially 2^14.
    pub const MAX_FRAME_SIZE: u16 = 0x05;
    /// Octets of the largest header list that is accepted, with 32 for each field. Initially without limit.
    pub const MAX_HEADER_LIST_SIZE: u16 = 0x06;
    /// Whether the peer, a client, may use Extended CONNECT; 0 or 1. Initially 0.
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 0x08;
}

const KNOWN: [u16; 7] = [
    setting::HEADER_TABLE_SIZE,
    setting::ENABLE_PUSH,
    setting::MAX_CONCURRENT_STREAMS,
    setting::INITIAL_WINDOW_SIZE,
    setting::MAX_FRAME_SIZE,
    setting::MAX_HEADER_LIST_SIZE,
    setting::ENABLE_CONNECT_PROTOCOL,
];

/// The least that a peer's largest frame payload can be, and what it is at first.
pub(crate) const LEAST_MAX_FRAME_SIZE: u32 = 1 << 14;
/// The most that it can be.
pub(crate) const MOST_MAX_FRAME_SIZE: u32 = (1 << 24) - 1;
/// The window of the connection and of each stream at first.
pub(crate) const INITIAL_WINDOW: u32 = 65_535;
/// The largest flow-control window (RFC 9113, 6.9.1).
pub(crate) const LARGEST_WINDOW: u32 = 0x7fff_ffff;
/// Settings that nobody here knows are kept up to so many; a peer has no use for more.
const MOST_UNKNOWN: usize = 64;

/// What one endpoint has told the other about itself. The default is what holds before anything was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// See [`setting::HEADER_TABLE_SIZE`].
    pub header_table_size: u32,
    /// See [`setting::ENABLE_PUSH`].
    pub enable_push: bool,
    /// See [`setting::MAX_CONCURRENT_STREAMS`]; `None` is without limit.
    pub max_concurrent_streams: Option<u32>,
    /// See [`setting::INITIAL_WINDOW_SIZE`].
    pub initial_window_size: u32,
    /// See [`setting::MAX_FRAME_SIZE`].
    pub max_frame_size: u32,
    /// See [`setting::MAX_HEADER_LIST_SIZE`]; `None` is without limit.
    pub max_header_list_size: Option<u32>,
    /// See [`setting::ENABLE_CONNECT_PROTOCOL`].
    pub enable_connect_protocol: bool,
    /// All others by identifier: each once, the first 64 that came.
    pub extensions: Vec<(u16, u32)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            enable_push: true,
            max_concurrent_streams: None,
            initial_window_size: INITIAL_WINDOW,
            max_frame_size: LEAST_MAX_FRAME_SIZE,
            max_header_list_size: None,
            enable_connect_protocol: false,
            extensions: Vec::new(),
        }
    }
}

impl Settings {
    /// The value in force for `id`; `None` where there is no limit, or for an unknown setting that was not told.
    pub fn get(&self, id: u16) -> Option<u32> {
        match id {
            setting::HEADER_TABLE_SIZE => Some(self.header_table_size),
            setting::ENABLE_PUSH => Some(self.enable_push.into()),
            setting::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams,
            setting::INITIAL_WINDOW_SIZE => Some(self.initial_window_size),
            setting::MAX_FRAME_SIZE => Some(self.max_frame_size),
            setting::MAX_HEADER_LIST_SIZE => self.max_header_list_size,
            setting::ENABLE_CONNECT_PROTOCOL => Some(self.enable_connect_protocol.into()),
            _ => self.extensions.iter().find(|(known, _)| *known == id).map(|(_, value)| *value),
        }
    }

    /// Takes over a value that has been [checked](check).
    pub(crate) fn set(&mut self, id: u16, value: u32) {
        match id {
            setting::HEADER_TABLE_SIZE => self.header_table_size = value,
            setting::ENABLE_PUSH => self.enable_push = value == 1,
            setting::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = Some(value),
            setting::INITIAL_WINDOW_SIZE => self.initial_window_size = value,
            setting::MAX_FRAME_SIZE => self.max_frame_size = value,
            setting::MAX_HEADER_LIST_SIZE => self.max_header_list_size = Some(value),
            setting::ENABLE_CONNECT_PROTOCOL => self.enable_connect_protocol = value == 1,
            _ => self.set_extension(id, value),
        }
    }

    fn set_extension(&mut self, id: u16, value: u32) {
        if let Some((_, present)) = self.extensions.iter_mut().find(|(known, _)| *known == id) {
            *present = value;
        } else if self.extensions.len() < MOST_UNKNOWN {
            self.extensions.push((id, value));
        }
    }

    /// Whether a setting has a field here.
    pub(crate) fn is_known(id: u16) -> bool {
        KNOWN.contains(&id)
    }

    /// What has to be told to a peer that knows nothing yet: where these differ from the protocol's initial values.
    pub(crate) fn to_announce(&self) -> impl Iterator<Item = (u16, u32)> {
        let initial = Self::default();
        let known = KNOWN.into_iter().filter_map(move |id| {
            let value = self.get(id)?;
            (initial.get(id) != Some(value)).then_some((id, value))
        });
        known.chain(self.extensions.iter().copied())
    }
}

/// Whether a setting can have a value (RFC 9113, 6.5.2): the error that the peer has made if not, and what it is.
pub(crate) fn check(id: u16, value: u32) -> Result<(), (ErrorCode, &'static str)> {
    match id {
        setting::ENABLE_PUSH if value > 1 => Err((ErrorCode::PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")),
        setting::INITIAL_WINDOW_SIZE if value > LARGEST_WINDOW => {
            Err((ErrorCode::FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is above 2^31-1"))
        }
        setting::MAX_FRAME_SIZE if !(LEAST_MAX_FRAME_SIZE..=MOST_MAX_FRAME_SIZE).contains(&value) => {
            Err((ErrorCode::PROTOCOL_ERROR, "MAX_FRAME_SIZE is not between 2^14 and 2^24-1"))
        }
        setting::ENABLE_CONNECT_PROTOCOL if value > 1 => {
            Err((ErrorCode::PROTOCOL_ERROR, "ENABLE_CONNECT_PROTOCOL is neither 0 nor 1"))
        }
        _ => Ok(()),
    }
}
