//! Choices read from an input.

use bytes::Bytes;

/// Bytes read as choices. After their end every choice is the first one, so any bytes are valid.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.slice(1).first().copied().unwrap_or_default()
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Reads a number below `count`, which is at most 256.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Reads a size of up to 8 KiB, usually a small one.
    pub(super) fn size(&mut self) -> usize {
        match self.byte() {
            small @ 0..128 => small.into(),
            large => (usize::from(large) - 127) * 64,
        }
    }

    pub(super) fn long(&mut self) -> u64 {
        self.slice(8).iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Reads the next `count` bytes, or as many as are left.
    pub(super) fn slice(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Reads a value of equal bytes: the codec depends on sizes, not on contents.
    pub(super) fn blob(&mut self) -> Bytes {
        let (size, filling) = (self.size(), self.byte());
        core::iter::repeat_n(filling, size).collect()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}
