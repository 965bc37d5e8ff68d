//! Reads fields from the bytes received so far, and keeps parsed list elements when the bytes run out.
//!
//! A Hot Rod message has no outer length: a decoder finds its end only by parsing it, and the message may arrive in
//! chunks of any size. When the bytes end too early, every read returns [`Stop::Incomplete`], and the message is
//! parsed again once more bytes have arrived. To keep total work linear, a list keeps its parsed elements, and
//! [`Reader::then`] keeps a parsed prefix, each as a memo of [`Resume`]; their bytes are cut out of the buffer. Only a
//! constant number of small fields is parsed again. The grammar is written once; its only duty is to read everything
//! behind a list with `then`, so that a list whose bytes are gone is not dropped.
//!
//! A scanner uses the same grammar only to find the ends of messages; see [`Reader::skim`].

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use nom::number::streaming::{be_i32, be_u8, be_u16, be_u64};
use nom::{IResult, Needed};

use super::primitives::{unzigzag, vint, vlong};
use super::resume::Resume;
use super::{Limits, Problem, Violation};

/// Reason for which a read stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// More bytes are needed: at least this count.
    Incomplete(usize),
    /// The peer violated the protocol.
    Violation(Violation),
}

pub(crate) type Read<T> = Result<T, Stop>;

/// Marks a complete value, to distinguish it from a partial list of the same type.
struct Complete<T>(T);

/// Elements of a list parsed so far.
pub(crate) struct Elements<T> {
    items: Vec<T>,
    /// Number of elements parsed and not kept.
    dropped: usize,
}

impl<T> Elements<T> {
    pub(crate) fn count(&self) -> usize {
        self.dropped + self.items.len()
    }

    pub(crate) fn push(&mut self, item: T) {
        self.items.push(item);
    }

    fn drop_items(&mut self) {
        self.dropped += self.items.len();
        self.items.clear();
    }
}

/// Longer arrays may be forwarded by a scanner without being parsed; shorter ones are buffered.
pub(crate) const HOLE: usize = 1024;

/// Cursor over the bytes received so far.
pub(crate) struct Reader<'a> {
    /// Bytes up to the next hole.
    frame: &'a Bytes,
    /// Bytes up to each later hole, and finally all bytes.
    after_hole: &'a [Bytes],
    at: usize,
    /// Whether only the form is parsed; see [`skim`](Self::skim).
    skims: bool,
    /// Stream position of the frame's first byte, for error messages.
    stream_offset: u64,
    limits: &'a Limits,
    resume: &'a mut Resume,
}

impl<'a> Reader<'a> {
    /// Creates a reader of `frame`, which ends at the first hole, if any; `after_hole` holds the longer
    /// [`views`](Resume::views).
    pub(crate) fn new(
        frame: &'a Bytes,
        after_hole: &'a [Bytes],
        stream_offset: u64,
        limits: &'a Limits,
        resume: &'a mut Resume,
    ) -> Self {
        Self { frame, after_hole, at: 0, skims: false, stream_offset, limits, resume }
    }

    /// Parses only the form from here on; returned values are meaningless.
    ///
    /// Lists are returned empty: their elements are parsed and dropped. Incomplete arrays of more than [`HOLE`] bytes
    /// are returned empty too: their remaining bytes are forwarded and never shown to this reader.
    pub(crate) fn skim(&mut self) {
        self.skims = true;
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn violation(&self, field: &'static str, problem: Problem) -> Stop {
        self.violation_at(self.at, field, problem)
    }

    /// Violation at a field that began at a [`position`](Self::position).
    pub(crate) fn violation_at(&self, at: usize, field: &'static str, problem: Problem) -> Stop {
        Stop::Violation(Violation { offset: self.stream_offset + at as u64, field, problem })
    }

    /// Violation for a value that the field can't have, at the byte just read.
    pub(crate) fn unexpected(&self, field: &'static str, value: u64, expected: &'static str) -> Stop {
        self.violation_at(self.at.saturating_sub(1), field, Problem::Unexpected { value, expected })
    }

    fn parse<O>(&mut self, field: &'static str, parser: impl FnOnce(&'a [u8]) -> IResult<&'a [u8], O>) -> Read<O> {
        let frame: &'a [u8] = self.frame;
        let input = &frame[self.at..];
        match parser(input) {
            Ok((rest, value)) => {
                self.at += input.len() - rest.len();
                Ok(value)
            }
            Err(nom::Err::Incomplete(Needed::Size(more))) => Err(Stop::Incomplete(more.get())),
            Err(nom::Err::Incomplete(Needed::Unknown)) => Err(Stop::Incomplete(1)),
            Err(_) => Err(self.violation(field, Problem::NumberTooLong)),
        }
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Read<u8> {
        self.parse(field, be_u8)
    }

    pub(crate) fn boolean(&mut self, field: &'static str) -> Read<bool> {
        Ok(self.byte(field)? != 0)
    }

    pub(crate) fn short(&mut self, field: &'static str) -> Read<u16> {
        self.parse(field, be_u16)
    }

    pub(crate) fn int(&mut self, field: &'static str) -> Read<i32> {
        self.parse(field, be_i32)
    }

    pub(crate) fn long(&mut self, field: &'static str) -> Read<u64> {
        self.parse(field, be_u64)
    }

    pub(crate) fn vint(&mut self, field: &'static str) -> Read<u32> {
        // Fast path: nearly every number is below 128.
        match self.frame.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u32::from(byte))
            }
            _ => self.parse(field, vint),
        }
    }

    pub(crate) fn vlong(&mut self, field: &'static str) -> Read<u64> {
        self.parse(field, vlong)
    }

    /// Reads the vInt of a length or count, and checks it against its limit.
    pub(crate) fn count(&mut self, field: &'static str, limit: usize) -> Read<usize> {
        let at = self.at;
        let announced = self.vint(field)?;
        if announced as usize > limit {
            let problem = Problem::OverLimit { announced: announced.into(), limit: limit as u64 };
            return Err(self.violation_at(at, field, problem));
        }
        Ok(announced as usize)
    }

    /// Reads the count of a request's list whose elements take at least `smallest` bytes each. Rejects counts that a
    /// message can't hold, because the server reserves memory for the announced count.
    pub(crate) fn count_of_entries(&mut self, field: &'static str, smallest: usize) -> Read<usize> {
        let limits = self.limits;
        self.count(field, limits.entries.min(limits.message / smallest))
    }

    /// Reads `length` bytes without copying them.
    pub(crate) fn raw(&mut self, length: usize) -> Read<Bytes> {
        let end = self.at + length;
        if end > self.frame.len() {
            return self.hole(length);
        }
        let bytes = self.frame.slice(self.at..end);
        self.at = end;
        Ok(bytes)
    }

    /// Reads `length` bytes that are incomplete or were forwarded before.
    #[cold]
    fn hole(&mut self, length: usize) -> Read<Bytes> {
        if let [frame, after_hole @ ..] = self.after_hole {
            (self.frame, self.after_hole) = (frame, after_hole);
            return Ok(Bytes::new());
        }
        if self.skims && length > HOLE {
            self.resume.add_hole(self.at);
        }
        Err(Stop::Incomplete(self.at + length - self.frame.len()))
    }

    /// Reads a vInt length and its bytes (`array` of hotrod.gr), without copying them.
    pub(crate) fn array(&mut self, field: &'static str, limit: usize) -> Read<Bytes> {
        let length = self.count(field, limit)?;
        self.raw(length)
    }

    /// Reads a zigzag length, negative for absent, and its bytes (`optionalArray` of hotrod.gr).
    pub(crate) fn optional_array(&mut self, field: &'static str, limit: usize) -> Read<Option<Bytes>> {
        let at = self.at;
        let length = unzigzag(self.vint(field)?);
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        if length > limit {
            let problem = Problem::OverLimit { announced: length as u64, limit: limit as u64 };
            return Err(self.violation_at(at, field, problem));
        }
        self.raw(length).map(Some)
    }

    /// Decodes UTF-8 text whose bytes are complete.
    fn utf8(&self, field: &'static str, range: Range<usize>) -> Read<String> {
        match core::str::from_utf8(&self.frame[range.clone()]) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(self.violation_at(range.start, field, Problem::NotUtf8)),
        }
    }

    /// Decodes the bytes just read as text. A skimming reader skips the check: the bytes may be a hole.
    pub(crate) fn text_of(&self, field: &'static str, bytes: &Bytes) -> Read<String> {
        if self.skims { Ok(String::new()) } else { self.utf8(field, self.at - bytes.len()..self.at) }
    }

    /// Reads a vInt length and its UTF-8 bytes; never a hole.
    pub(crate) fn text(&mut self, field: &'static str, limit: usize) -> Read<String> {
        let length = self.count(field, limit)?;
        let (at, end) = (self.at, self.at + length);
        if end > self.frame.len() {
            return Err(Stop::Incomplete(end - self.frame.len()));
        }
        self.at = end;
        self.utf8(field, at..end)
    }

    /// Reads a text of at most [`Limits::name`] bytes.
    pub(crate) fn name(&mut self, field: &'static str) -> Read<String> {
        self.text(field, self.limits.name)
    }

    /// Fills an accumulator until `step` returns false; a step changes the accumulator only when it succeeds.
    ///
    /// Read everything behind it with [`then`](Self::then).
    pub(crate) fn accumulate<A: Send + Sync + 'static>(
        &mut self,
        start: impl FnOnce() -> A,
        mut step: impl FnMut(&mut Self, &mut A) -> Read<bool>,
    ) -> Read<A> {
        let list_at = self.at;
        let mut items = self.resume.recall(list_at).unwrap_or_else(start);
        loop {
            let step_at = self.at;
            match step(self, &mut items) {
                Ok(true) => {}
                Ok(false) => return Ok(items),
                Err(stop) => {
                    if matches!(stop, Stop::Incomplete(_)) {
                        self.resume.remember(list_at..step_at, items);
                    }
                    return Err(stop);
                }
            }
        }
    }

    /// Reads a list of `count` elements of at least `smallest` bytes each. Read everything behind it with
    /// [`then`](Self::then).
    pub(crate) fn list<T: Send + Sync + 'static>(
        &mut self,
        count: usize,
        smallest: usize,
        mut element: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        // Reserves only for elements that the available bytes can hold: a count is only announced.
        let plausible = count.min((self.frame.len() - self.at) / smallest.max(1));
        self.elements(plausible, |reader, elements| {
            if elements.count() < count {
                elements.items.push(element(reader)?);
            }
            Ok(elements.count() < count)
        })
    }

    /// Reads a list that continues until `step` returns false; a step adds an element only when it succeeds. Read
    /// everything behind it with [`then`](Self::then).
    pub(crate) fn list_to_end<T: Send + Sync + 'static>(
        &mut self,
        step: impl FnMut(&mut Self, &mut Elements<T>) -> Read<bool>,
    ) -> Read<Vec<T>> {
        self.elements(0, step)
    }

    fn elements<T: Send + Sync + 'static>(
        &mut self,
        reserved: usize,
        mut step: impl FnMut(&mut Self, &mut Elements<T>) -> Read<bool>,
    ) -> Read<Vec<T>> {
        let reserved = if self.skims { 0 } else { reserved };
        let elements = self.accumulate(
            || Elements { items: Vec::with_capacity(reserved), dropped: 0 },
            |reader, elements| {
                let continues = step(reader, elements)?;
                if reader.skims {
                    elements.drop_items();
                }
                Ok(continues)
            },
        )?;
        Ok(elements.items)
    }

    /// Reads `first` and its successor; keeps `first` if the bytes end after it.
    pub(crate) fn then<T: Send + Sync + 'static, U>(
        &mut self,
        first: impl FnOnce(&mut Self) -> Read<T>,
        rest: impl FnOnce(&mut Self, &T) -> Read<U>,
    ) -> Read<(T, U)> {
        let at = self.at;
        let first = match self.resume.recall(at) {
            Some(Complete(first)) => first,
            None => first(self)?,
        };
        let rest_at = self.at;
        match rest(self, &first) {
            Ok(rest) => Ok((first, rest)),
            Err(stop) => {
                if matches!(stop, Stop::Incomplete(_)) {
                    self.resume.remember(at..rest_at, Complete(first));
                }
                Err(stop)
            }
        }
    }

    /// Marks the bytes up to `end` as kept by the caller, so that a message's head is not parsed again.
    pub(crate) fn keep_before(&mut self, end: usize, stop: Stop) -> Stop {
        if matches!(stop, Stop::Incomplete(_)) {
            self.resume.cut(0..end);
        }
        stop
    }
}
