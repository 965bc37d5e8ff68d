//! Configuration of a connection.

use alloc::vec::Vec;
use core::time::Duration;

use super::flood::FloodBudgets;
use super::settings::Settings;

/// Settings and limits of a [`Connection`](super::Connection). Sizes are in bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Settings sent to the peer. Default: the protocol's initial values, except for a stream window of 256 KiB, a
    /// header list of 16 KiB, 100 concurrent streams, and no push.
    ///
    /// Push is always disabled. A client announces neither a stream limit nor Extended CONNECT, because it accepts no
    /// streams.
    pub settings: Settings,
    /// Receive window of the connection, in bytes of DATA on all streams. Default 1 MiB; values below 65,535 are
    /// raised to that, the protocol's minimum (RFC 9113, 6.9.2).
    pub connection_window: u32,
    /// Types of extension frames to deliver and to allow for sending; all others are ignored (RFC 9113, 5.5). Types
    /// below 0x0b belong to other standards and are not registered. Default: none.
    pub extension_frames: Vec<u8>,
    /// Setting that enables extension frames: they are unknown types, and can't be sent, unless the first SETTINGS of
    /// both ends give it a value other than 0. Default: no setting required.
    pub extension_setting: Option<u16>,
    /// Maximum number of CONTINUATION frames of one field block. Default 16.
    pub max_continuation_frames: usize,
    /// Maximum size of one stream's send queue, in bytes of DATA. Default 256 KiB.
    pub max_stream_send_bytes: usize,
    /// Maximum size of all send queues, in bytes of DATA; and the size of the [output](super::Connection::transmit)
    /// above which requests and extension frames are rejected. Default 4 MiB.
    pub max_send_bytes: usize,
    /// Maximum number of unsent replies (acknowledgements, resets, window updates), above which the connection ends.
    /// Default 1,024.
    pub max_pending_replies: usize,
    /// Maximum number of queued events, above which decoding pauses. Default 1,024.
    pub max_events: usize,
    /// Maximum size of queued events, above which decoding pauses. Default 1 MiB; one frame may exceed it.
    pub max_event_bytes: usize,
    /// Timeout for the peer's first SETTINGS and its acknowledgement of ours. Default 10 s.
    pub settings_timeout: Duration,
    /// Timeout for a client's reply to the first step of [`drain`](super::Connection::drain). Default 5 s.
    pub drain_timeout: Duration,
    /// Keep-alive of an idle connection. Default: none.
    pub keep_alive: Option<KeepAlive>,
    /// Rate limits for frames that cost the peer less than us.
    pub flood: FloodBudgets,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Settings {
            initial_window_size: 256 << 10,
            max_header_list_size: Some(16 << 10),
            max_concurrent_streams: Some(100),
            ..Settings::default()
        };
        Self {
            settings,
            connection_window: 1 << 20,
            extension_frames: Vec::new(),
            extension_setting: None,
            max_continuation_frames: 16,
            max_stream_send_bytes: 256 << 10,
            max_send_bytes: 4 << 20,
            max_pending_replies: 1024,
            max_events: 1024,
            max_event_bytes: 1 << 20,
            settings_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(5),
            keep_alive: None,
            flood: FloodBudgets::default(),
        }
    }
}

/// Keep-alive by PING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Idle time after which a PING is sent.
    pub interval: Duration,
    /// Idle time after the PING at which the connection ends.
    pub timeout: Duration,
}
