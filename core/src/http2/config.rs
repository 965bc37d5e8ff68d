//! What a connection is told at its beginning.

use alloc::vec::Vec;
use core::time::Duration;

use super::flood::FloodBudgets;
use super::settings::Settings;

/// Settings and limits of a [`Connection`](super::Connection). Sizes are in octets.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the peer is told. Default: the protocol's initial values, but for 256 KiB of DATA on a stream, 16 KiB of
    /// header list, 100 streams at a time, and no push.
    ///
    /// Push is never accepted, whatever this says. A client tells no limit on streams and no Extended CONNECT: it
    /// accepts none.
    pub settings: Settings,
    /// DATA that the peer may send on all streams together before some is released. Default 1 MiB; less than 65,535 is
    /// taken for that, which can't be lowered (RFC 9113, 6.9.2).
    pub connection_window: u32,
    /// Extension frames that are delivered and can be sent; all others are ignored (RFC 9113, 5.5). Types below 0x0b
    /// belong to other standards and are not registered. Default: none.
    pub extension_frames: Vec<u8>,
    /// The setting by which extension frames are agreed on: they are unknown ones, and can't be sent, unless the first
    /// SETTINGS of both ends give it another value than 0. Default: none is needed.
    pub extension_setting: Option<u16>,
    /// CONTINUATION frames of one field block. Default 16.
    pub max_continuation_frames: usize,
    /// DATA taken of the application and not yet sent, on one stream. Default 256 KiB.
    pub max_stream_send_bytes: usize,
    /// DATA taken of the application and not yet sent, on all streams together; and bytes of the
    /// [output](super::Connection::transmit) above which no request and no extension frame is accepted. Default 4 MiB.
    pub max_send_bytes: usize,
    /// Answers to a peer that does not read (acknowledgements, resets, window updates) above which the connection ends.
    /// Default 1,024.
    pub max_pending_replies: usize,
    /// Events waiting to be polled above which nothing more is decoded. Default 1,024.
    pub max_events: usize,
    /// Bytes that such events hold, above which nothing more is decoded. Default 1 MiB; one frame may exceed it.
    pub max_event_bytes: usize,
    /// Time for the peer's first SETTINGS and its acknowledgement of ours. Default 10 s.
    pub settings_timeout: Duration,
    /// Time that a client has to answer the first step of [`drain`](super::Connection::drain). Default 5 s.
    pub drain_timeout: Duration,
    /// Whether to ask a silent peer if it is still there. Default: no.
    pub keep_alive: Option<KeepAlive>,
    /// What a peer may do of things that cost it less than us.
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

/// When to send PING, and how long to wait for anything that comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence of the peer after which a PING is sent.
    pub interval: Duration,
    /// Silence after the PING at which the connection ends.
    pub timeout: Duration,
}
