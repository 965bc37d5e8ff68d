//! Flow-control windows (RFC 9113, 5.2 and 6.9).

use super::settings::MAX_WINDOW;

/// Send window. A change of SETTINGS can make it negative (RFC 9113, 6.9.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendWindow(i64);

/// Error for a window above 2^31-1 (RFC 9113, 6.9.1).
#[derive(Debug)]
pub(crate) struct TooLarge;

impl SendWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self(size.into())
    }

    pub(crate) fn available(self) -> usize {
        self.0.max(0) as usize
    }

    /// Consumes `count` bytes, at most [`available`](Self::available).
    pub(crate) fn take(&mut self, count: usize) {
        self.0 -= count as i64;
    }

    pub(crate) fn change(&mut self, by: i64) -> Result<(), TooLarge> {
        let changed = self.0 + by;
        if changed > MAX_WINDOW.into() {
            return Err(TooLarge);
        }
        self.0 = changed;
        Ok(())
    }
}

/// Error for a peer that exceeds its window.
#[derive(Debug)]
pub(crate) struct Exceeded;

/// Receive window: credit of the peer, and received bytes to release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiveWindow {
    /// Remaining credit of the peer. A change of SETTINGS can make it negative.
    available: i64,
    /// Bytes received and not released by the application.
    held: u32,
    /// Bytes released and not yet announced to the peer.
    released: u32,
    /// Target size; released bytes are announced from half of this.
    size: u32,
}

impl ReceiveWindow {
    /// Creates a window with `available` bytes of credit and a target of `size`.
    pub(crate) fn new(available: u32, size: u32) -> Self {
        Self { available: available.into(), held: 0, released: 0, size }
    }

    pub(crate) fn receive(&mut self, count: u32) -> Result<(), Exceeded> {
        if i64::from(count) > self.available {
            return Err(Exceeded);
        }
        self.available -= i64::from(count);
        self.held += count;
        Ok(())
    }

    /// Number of bytes received and not released.
    pub(crate) fn held(&self) -> u32 {
        self.held
    }

    /// Releases up to `count` held bytes. Returns the increment to send now, if any.
    pub(crate) fn release(&mut self, count: u32) -> Option<u32> {
        let count = count.min(self.held);
        self.held -= count;
        self.released += count;
        if self.released == 0 || self.released < self.size / 2 {
            return None;
        }
        let increment = core::mem::take(&mut self.released);
        self.available += i64::from(increment);
        Some(increment)
    }

    /// Grows the target to `size`. Returns the increment to send, if it was smaller.
    pub(crate) fn grow(&mut self, size: u32) -> Option<u32> {
        let increment = size.checked_sub(self.size).filter(|increment| *increment > 0)?;
        self.size = size;
        self.available += i64::from(increment);
        Some(increment)
    }

    /// Applies SETTINGS that the peer has acknowledged.
    pub(crate) fn change(&mut self, by: i64) {
        self.available += by;
    }
}
