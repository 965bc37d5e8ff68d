//! Credit: flow control of fragments in both directions.

/// Largest credit (spec/hotrod-over-http.md, "Credit").
pub(super) const LARGEST: u32 = 0x7fff_ffff;

/// Returns whether CREDIT may carry this increment.
pub(super) fn is_increment(increment: u32) -> bool {
    (1..=LARGEST).contains(&increment)
}

/// Send window: bytes granted by the peer and not yet used by fragments.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendWindow(u32);

impl SendWindow {
    pub(super) fn new(initial: u32) -> Self {
        Self(initial.min(LARGEST))
    }

    pub(super) fn available(self) -> usize {
        self.0 as usize
    }

    /// Uses `count` bytes, at most [`available`](Self::available).
    pub(super) fn consume(&mut self, count: usize) {
        self.0 = self.0.saturating_sub(count as u32);
    }

    /// Adds credit from the peer. Returns false if the increment is 0 or the sum exceeds [`LARGEST`].
    pub(super) fn grant(&mut self, increment: u32) -> bool {
        match self.0.checked_add(increment) {
            Some(sum) if increment > 0 && sum <= LARGEST => {
                self.0 = sum;
                true
            }
            _ => false,
        }
    }
}

/// Receive window: used by the peer's fragments, and granted again when the application has consumed them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiveWindow {
    /// Target size: most bytes that the peer may have in flight.
    size: u32,
    left: u32,
    /// Bytes received and not consumed by the application.
    held: u32,
}

impl ReceiveWindow {
    pub(super) fn new(initial: u32) -> Self {
        let initial = initial.min(LARGEST);
        Self { size: initial, left: initial, held: 0 }
    }

    /// Counts `count` received bytes. Returns false if they exceed the peer's credit.
    pub(super) fn receive(&mut self, count: usize) -> bool {
        match u32::try_from(count).ok().and_then(|count| self.left.checked_sub(count)) {
            Some(left) => {
                self.left = left;
                self.held = self.held.saturating_add(count as u32);
                true
            }
            None => false,
        }
    }

    /// Sets the target size. Credit already granted stays.
    pub(super) fn resize(&mut self, to: u32) {
        self.size = to.min(LARGEST);
    }

    /// Raises the target size; a smaller one changes nothing. Returns the credit to grant for it.
    pub(super) fn grow(&mut self, to: u32) -> Option<u32> {
        self.size = self.size.max(to.min(LARGEST));
        self.release(0)
    }

    /// Releases `count` bytes that the application has consumed. Returns the credit to grant: `None` until it is worth
    /// a frame.
    pub(super) fn release(&mut self, count: usize) -> Option<u32> {
        // A double release must not grant credit that is not free.
        self.held -= (count as u32).min(self.held);
        let room = self.size.saturating_sub(self.left.saturating_add(self.held));
        if room == 0 || room < self.size / 4 {
            return None;
        }
        self.left += room;
        Some(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ends_count_alike(initial in 1u32..200_000, pieces in proptest::collection::vec(1usize..20_000, 0..200)) {
            let (mut send_window, mut window) = (SendWindow::new(initial), ReceiveWindow::new(initial));
            for piece in pieces {
                let piece = piece.min(send_window.available());
                send_window.consume(piece);
                prop_assert!(window.receive(piece));
                if let Some(granted) = window.release(piece) {
                    prop_assert!(send_window.grant(granted));
                }
                prop_assert!(send_window.available() > initial as usize / 2 - 1);
            }
        }
    }

    #[test]
    fn another_size_is_what_is_granted_from_then_on() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.receive(100));
        window.resize(250);
        assert!(!window.receive(1), "it is not granted yet");
        assert_eq!(window.release(100), Some(250));
        assert!(window.receive(250));
        window.resize(50);
        assert_eq!(window.release(200), None, "so much is held");
        assert_eq!(window.release(10), None);
        assert_eq!(window.release(10), Some(20));
        assert_eq!(window.release(30), Some(30));
    }

    #[test]
    fn what_was_not_granted_is_seen() {
        let mut window = ReceiveWindow::new(10);
        assert!(window.receive(10));
        assert!(!window.receive(1));
        assert_eq!(window.release(1), None);
        assert_eq!(window.release(100), Some(10));
        assert!(window.receive(10));
    }

    #[test]
    fn nothing_and_too_much_are_no_credit() {
        let mut send_window = SendWindow::new(5);
        assert!(!send_window.grant(0));
        assert!(!send_window.grant(LARGEST));
        assert!(send_window.grant(LARGEST - 5));
        assert_eq!(send_window.available(), LARGEST as usize);
    }
}
