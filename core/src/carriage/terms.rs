//! Settings for Hot Rod frames, and their negotiation by SETTINGS.

use alloc::vec::Vec;

use super::credit::LARGEST;
use super::registry::{HOT_ROD_UNKNOWN_CALL, REVISION, setting};
use crate::http2::{ErrorCode, Settings};

/// Debug data of GOAWAY after [`Offer::matches_settings`] has failed.
pub(super) const SETTINGS_CHANGED: &[u8] = b"a setting of Hot Rod's was changed";

/// An end's settings for Hot Rod frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Initial credit of a call, or of a session's events, in bytes; at most 2^31-1. Default 65,536.
    pub initial_credit: u32,
    /// Initial credit of all calls of the link together, in bytes; at most 2^31-1. Default 1,048,576.
    pub connection_credit: u32,
    /// Size of the largest accepted message, in bytes. Default 2^31-1.
    pub max_message_size: u32,
    /// Limit of a session's calls in flight; unused from a client. Default 1,000.
    pub max_calls: u32,
    /// Size in bytes above which messages should use a second session to the same member; 0, the default, for no limit.
    /// Unused from a client.
    pub lane_threshold: u32,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            initial_credit: 65_536,
            connection_credit: 1_048_576,
            max_message_size: LARGEST,
            max_calls: 1_000,
            lane_threshold: 0,
        }
    }
}

impl Offer {
    /// Returns the SETTINGS parameters. Those with default values are omitted.
    pub(super) fn settings(&self, is_client: bool) -> Vec<(u16, u32)> {
        let default = Self::default();
        let mut settings = Vec::from([(setting::HOT_ROD, REVISION)]);
        for (id, value, default_value) in [
            (setting::INITIAL_CREDIT, self.initial_credit, default.initial_credit),
            (setting::CONNECTION_CREDIT, self.connection_credit, default.connection_credit),
            (setting::MAX_MESSAGE_SIZE, self.max_message_size, default.max_message_size),
            (setting::MAX_CALLS, self.max_calls, default.max_calls),
            (setting::LANE_THRESHOLD, self.lane_threshold, default.lane_threshold),
        ] {
            let is_relevant = !is_client || !matches!(id, setting::MAX_CALLS | setting::LANE_THRESHOLD);
            if value != default_value && is_relevant {
                settings.push((id, value));
            }
        }
        settings
    }

    /// Negotiates with a peer's SETTINGS; `None` if either end does not support frames, and then the peer's other
    /// settings are ignored.
    pub(super) fn negotiate(settings: &Settings, speaks_frames: bool) -> Result<Option<Self>, InvalidCredit> {
        match Self::of_peer(settings).filter(|_| speaks_frames) {
            Some(offer) if !offer.is_valid() => Err(InvalidCredit),
            offer => Ok(offer),
        }
    }

    /// Returns whether later SETTINGS of the peer are unchanged.
    pub(super) fn matches_settings(&self, settings: &Settings) -> bool {
        Self::of_peer(settings).as_ref() == Some(self)
    }

    /// Reads the peer's SETTINGS; `None` if it does not support frames.
    fn of_peer(settings: &Settings) -> Option<Self> {
        let of = |id, default_value| settings.get(id).unwrap_or(default_value);
        let default = Self::default();
        (of(setting::HOT_ROD, 0) >= REVISION).then(|| Self {
            initial_credit: of(setting::INITIAL_CREDIT, default.initial_credit),
            connection_credit: of(setting::CONNECTION_CREDIT, default.connection_credit),
            max_message_size: of(setting::MAX_MESSAGE_SIZE, default.max_message_size),
            max_calls: of(setting::MAX_CALLS, default.max_calls),
            lane_threshold: of(setting::LANE_THRESHOLD, default.lane_threshold),
        })
    }

    /// Returns whether the credits are within 2^31-1.
    fn is_valid(&self) -> bool {
        self.initial_credit <= LARGEST && self.connection_credit <= LARGEST
    }
}

/// Error of a peer whose credit is above 2^31-1.
#[derive(Debug)]
pub(super) struct InvalidCredit;

/// Checks that a call with this id was opened; `newest` is the newest id, and 0 before the first.
pub(super) fn check_opened(call: u32, newest: u32) -> Result<(), ErrorCode> {
    let is_unknown = call == 0 || newest == 0 || is_after(call, newest);
    if is_unknown { Err(HOT_ROD_UNKNOWN_CALL) } else { Ok(()) }
}

/// Returns whether serial number `a` is after `b` (RFC 1982, 32 bits).
pub(super) fn is_after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}
