//! Settings.

use alloc::vec::Vec;

use super::ErrorCode;

/// Identifiers of the known settings (RFC 9113, 6.5.2; RFC 8441, 3).
pub mod setting {
    /// Maximum size of the peer encoder's dynamic table, in bytes. Initially 4,096.
    pub const HEADER_TABLE_SIZE: u16 = 0x01;
    /// Whether the peer may push; 0 or 1. Initially 1; this implementation always sends 0.
    pub const ENABLE_PUSH: u16 = 0x02;
    /// Maximum number of concurrent streams opened by the peer. Initially unlimited.
    pub const MAX_CONCURRENT_STREAMS: u16 = 0x03;
    /// Initial window of a new stream for the peer's DATA, in bytes; at most 2^31-1. Initially 65,535.
    pub const INITIAL_WINDOW_SIZE: u16 = 0x04;
    /// Maximum frame payload, 2^14 to 2^24-1 bytes. Initially 2^14.
    pub const MAX_FRAME_SIZE: u16 = 0x05;
    /// Maximum size of a header list, in bytes with 32 for each field. Initially unlimited.
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

/// Minimum of the maximum frame payload, and its initial value.
pub(crate) const MIN_MAX_FRAME_SIZE: u32 = 1 << 14;
/// Maximum of the maximum frame payload.
pub(crate) const MAX_MAX_FRAME_SIZE: u32 = (1 << 24) - 1;
/// Initial window of the connection and of each stream.
pub(crate) const INITIAL_WINDOW: u32 = 65_535;
/// Largest flow-control window (RFC 9113, 6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;
/// Maximum number of unknown settings that are kept.
const MAX_UNKNOWN: usize = 64;

/// Settings of one endpoint. The default is the protocol's initial values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// See [`setting::HEADER_TABLE_SIZE`].
    pub header_table_size: u32,
    /// See [`setting::ENABLE_PUSH`].
    pub enable_push: bool,
    /// See [`setting::MAX_CONCURRENT_STREAMS`]; `None` is unlimited.
    pub max_concurrent_streams: Option<u32>,
    /// See [`setting::INITIAL_WINDOW_SIZE`].
    pub initial_window_size: u32,
    /// See [`setting::MAX_FRAME_SIZE`].
    pub max_frame_size: u32,
    /// See [`setting::MAX_HEADER_LIST_SIZE`]; `None` is unlimited.
    pub max_header_list_size: Option<u32>,
    /// See [`setting::ENABLE_CONNECT_PROTOCOL`].
    pub enable_connect_protocol: bool,
    /// Unknown settings by identifier: each once, at most the first 64.
    pub extensions: Vec<(u16, u32)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header_table_size: 4096,
            enable_push: true,
            max_concurrent_streams: None,
            initial_window_size: INITIAL_WINDOW,
            max_frame_size: MIN_MAX_FRAME_SIZE,
            max_header_list_size: None,
            enable_connect_protocol: false,
            extensions: Vec::new(),
        }
    }
}

impl Settings {
    /// Value in force for `id`; `None` for an unlimited value, or for an unknown setting that was not received.
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

    /// Sets a [checked](check) value.
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
        } else if self.extensions.len() < MAX_UNKNOWN {
            self.extensions.push((id, value));
        }
    }

    /// Whether a setting has a field of its own.
    pub(crate) fn is_known(id: u16) -> bool {
        KNOWN.contains(&id)
    }

    /// Settings that differ from the protocol's initial values, and so must be sent.
    pub(crate) fn to_announce(&self) -> impl Iterator<Item = (u16, u32)> {
        let initial = Self::default();
        let known = KNOWN.into_iter().filter_map(move |id| {
            let value = self.get(id)?;
            (initial.get(id) != Some(value)).then_some((id, value))
        });
        known.chain(self.extensions.iter().copied())
    }
}

/// Checks the value of a setting (RFC 9113, 6.5.2); returns the peer's error code and its description.
pub(crate) fn check(id: u16, value: u32) -> Result<(), (ErrorCode, &'static str)> {
    match id {
        setting::ENABLE_PUSH if value > 1 => Err((ErrorCode::PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")),
        setting::INITIAL_WINDOW_SIZE if value > MAX_WINDOW => {
            Err((ErrorCode::FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is above 2^31-1"))
        }
        setting::MAX_FRAME_SIZE if !(MIN_MAX_FRAME_SIZE..=MAX_MAX_FRAME_SIZE).contains(&value) => {
            Err((ErrorCode::PROTOCOL_ERROR, "MAX_FRAME_SIZE is not between 2^14 and 2^24-1"))
        }
        setting::ENABLE_CONNECT_PROTOCOL if value > 1 => {
            Err((ErrorCode::PROTOCOL_ERROR, "ENABLE_CONNECT_PROTOCOL is neither 0 nor 1"))
        }
        _ => Ok(()),
    }
}
