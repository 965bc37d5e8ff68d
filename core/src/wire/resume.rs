//! Parser state kept between two attempts to read one message.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::ops::Range;

use bytes::Bytes;

/// Parsed data whose bytes are cut out: the elements of a partial list, or a complete value.
struct Memo {
    /// Position after its bytes are cut out.
    at: usize,
    items: Box<dyn Any + Send + Sync>,
}

/// Parser state kept between two attempts to read one message.
#[derive(Default)]
pub(crate) struct Resume {
    /// Innermost first, because the innermost read notices the end of the bytes first.
    memos: Vec<Memo>,
    /// Byte ranges that are not parsed again; innermost first, so the last of the message comes first.
    cuts: Vec<Range<usize>>,
    /// Positions of long arrays that are forwarded without being parsed, in ascending order. Only scanners have holes.
    holes: Vec<usize>,
    /// Whether the last attempt ended in the last hole, whose bytes are still to be received.
    in_hole: bool,
}

impl Resume {
    /// Passes the ranges of the frame that must be parsed again to `keep`, in ascending order.
    pub(crate) fn take_retained(&mut self, frame_length: usize, mut keep: impl FnMut(Range<usize>)) {
        let cut_before =
            |at: usize| -> usize { self.cuts.iter().filter(|cut| cut.end <= at).map(ExactSizeIterator::len).sum() };
        for memo in &mut self.memos {
            memo.at -= cut_before(memo.at);
        }
        let in_hole = core::mem::take(&mut self.in_hole);
        let end = self.holes.last().copied().filter(|_| in_hole).unwrap_or(frame_length);
        self.holes.retain_mut(|hole| {
            let is_cut = self.cuts.iter().any(|cut| cut.start < *hole && *hole <= cut.end);
            *hole -= cut_before(*hole);
            !is_cut
        });
        let mut from = 0;
        for cut in self.cuts.drain(..).rev() {
            keep(from..cut.start);
            from = cut.end;
        }
        keep(from..end);
    }

    /// Resets the state at the end of a message or of the stream.
    pub(crate) fn clear(&mut self) {
        self.memos.clear();
        self.cuts.clear();
        self.holes.clear();
    }

    pub(super) fn recall<T: 'static>(&mut self, at: usize) -> Option<T> {
        self.memos.pop_if(|memo| memo.at == at && memo.items.is::<T>())?.items.downcast().ok().map(|items| *items)
    }

    pub(super) fn remember<T: Any + Send + Sync>(&mut self, bytes: Range<usize>, items: T) {
        self.memos.push(Memo { at: bytes.start, items: Box::new(items) });
        self.cuts.push(bytes);
    }

    /// Excludes bytes from further parsing; the caller keeps their content.
    pub(super) fn cut(&mut self, bytes: Range<usize>) {
        self.cuts.push(bytes);
    }

    /// Slices of the frame up to each hole, and the whole frame: the successive inputs of a reader.
    pub(crate) fn views(&self, frame: &Bytes) -> Vec<Bytes> {
        self.holes.iter().map(|hole| frame.slice(..*hole)).chain([frame.clone()]).collect()
    }

    pub(crate) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    pub(super) fn add_hole(&mut self, at: usize) {
        self.holes.push(at);
        self.in_hole = true;
    }

    /// Whether the last attempt ended in a hole, and lacks the rest of that hole.
    pub(crate) fn is_in_hole(&self) -> bool {
        self.in_hole
    }
}
