//! Flow-control windows (RFC 9113, 5.2 and 6.9).

use super::settings::LARGEST_WINDOW;

/// How much may be sent. A change of SETTINGS can make it negative (RFC 9113, 6.9.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendWindow(i64);

/// The window would be larger than 2^31-1 (RFC 9113, 6.9.1).
#[derive(Debug)]
pub(crate) struct TooLarge;

impl SendWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self(size.into())
    }

    pub(crate) fn available(self) -> usize {
        self.0.max(0) as usize
    }

    /// `count` is not more than [`available`](Self::available).
    pub(crate) fn take(&mut self, count: usize) {
        self.0 -= count as i64;
    }

    pub(crate) fn change(&mut self, by: i64) -> Result<(), TooLarge> {
        let changed = self.0 + by;
        if changed > LARGEST_WINDOW.into() {
            return Err(TooLarge);
        }
        self.0 = changed;
        Ok(())
    }
}

/// The peer has sent more than it may.
#[derive(Debug)]
pub(crate) struct Exceeded;

/// How much the peer may send, and what it gets back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiveWindow {
    /// What the peer may still send. A change of SETTINGS can make it negative.
    available: i64,
    /// Received and not yet released by the application.
    held: u32,
    /// Released, and not yet given back to the peer.
    released: u32,
    /// What is given back is gathered up to half of this.
    size: u32,
}

impl ReceiveWindow {
    /// The peer may send `available` now; `size` is what the window is to be.
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

    /// What the application has and has not released.
    pub(crate) fn held(&self) -> u32 {
        self.held
    }

    /// `count` octets are released, not more than are held. Answers what to tell the peer now, if anything.
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

    /// The window is to be `size`. Answers what to tell the peer, if that is more than before.
    pub(crate) fn grow(&mut self, size: u32) -> Option<u32> {
        let increment = size.checked_sub(self.size).filter(|increment| *increment > 0)?;
        self.size = size;
        self.available += i64::from(increment);
        Some(increment)
    }

    /// SETTINGS that the peer has acknowledged.
    pub(crate) fn change(&mut self, by: i64) {
        self.available += by;
    }
}
