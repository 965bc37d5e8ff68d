//! What is remembered between two attempts to read one message.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::ops::Range;

use bytes::Bytes;

/// Something parsed before the bytes ran out: the elements of a list so far, or something complete.
struct Memo {
    /// Where it begins once its bytes are cut out.
    at: usize,
    items: Box<dyn Any + Send + Sync>,
}

/// What is remembered between two attempts to parse one message.
#[derive(Default)]
pub(crate) struct Resume {
    /// Innermost first: it is the first to notice that the bytes end.
    memos: Vec<Memo>,
    /// Bytes that need not be parsed again, innermost first, so last in the message first.
    cuts: Vec<Range<usize>>,
    /// Where something long belongs that passes by and is not parsed, in order. Only a scanner has any.
    holes: Vec<usize>,
    /// Whether the last attempt ended in the last hole: its bytes are still to come.
    in_hole: bool,
}

impl Resume {
    /// The parts of `frame` that have to be parsed again, in order.
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

    /// Forgets everything: the message is complete, or the stream is over.
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

    /// These bytes are not to be parsed again; somebody else remembers what they said.
    pub(super) fn cut(&mut self, bytes: Range<usize>) {
        self.cuts.push(bytes);
    }

    /// The frame as far as each hole, and all of it: what a reader is to see, one after the other.
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

    /// Whether the last attempt ended in a hole; what it lacked is the rest of that.
    pub(crate) fn is_in_hole(&self) -> bool {
        self.in_hole
    }
}
