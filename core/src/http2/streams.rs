//! All streams of a connection, and the ends of recently closed ones.

use alloc::collections::{BTreeMap, VecDeque};

use super::stream::Stream;
use super::{StreamId, StreamMap};

/// Number of closed streams whose end is remembered.
const REMEMBERED: usize = 128;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides sent END_STREAM.
    Complete,
    /// The peer sent RST_STREAM.
    ByPeer,
    /// We sent RST_STREAM, or refused the stream: frames in transit may still arrive.
    ByUs,
}

/// State of a stream identifier in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// The stream has not been opened yet.
    Idle,
    /// The stream is open or half-closed.
    Open,
    /// The stream is closed.
    Gone(End),
    /// The stream is closed, and its end is no longer remembered.
    Forgotten,
    /// A higher stream was opened first, so that this one never can be (RFC 9113, 5.1.1).
    Skipped,
}

/// Streams of a connection, in the order of their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: StreamMap<Stream>,
    gone: VecDeque<(StreamId, End)>,
    /// Highest stream that was dropped from `gone`.
    forgotten: u32,
    /// Highest stream opened by the client; 0 for none. (Servers open none: push is disabled.)
    highest: u32,
    /// Complete streams with unreleased DATA, and its length.
    unreleased: BTreeMap<StreamId, u32>,
}

impl Streams {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.open.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.open.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (StreamId, &Stream)> {
        self.open.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (StreamId, &mut Stream)> {
        self.open.iter_mut()
    }

    /// Highest identifier used so far; that of the connection if there is none.
    pub(crate) fn highest(&self) -> StreamId {
        StreamId::new(self.highest)
    }

    /// Marks `id` as used, whether or not a stream is created.
    pub(crate) fn use_up(&mut self, id: StreamId) {
        self.highest = self.highest.max(id.value());
    }

    pub(crate) fn insert(&mut self, id: StreamId, stream: Stream) {
        self.use_up(id);
        self.open.insert(id, stream);
    }

    /// Removes a stream. The caller returns its part of the connection's window; the unreleased DATA of a complete
    /// stream is kept for [`release_later`](Self::release_later).
    pub(crate) fn remove(&mut self, id: StreamId, end: End) -> Option<Stream> {
        let stream = self.open.remove(id)?;
        let held = stream.receive_window.held();
        if end == End::Complete && held > 0 {
            self.unreleased.insert(id, held);
        }
        self.remember(id, end);
        Some(stream)
    }

    pub(crate) fn remember(&mut self, id: StreamId, end: End) {
        if self.gone.len() == REMEMBERED
            && let Some((oldest, _)) = self.gone.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.value());
        }
        self.gone.push_back((id, end));
    }

    /// State of `id`.
    pub(crate) fn known(&self, id: StreamId) -> Known {
        if self.open.contains(id) {
            return Known::Open;
        }
        if !id.is_client_initiated() || id.value() > self.highest {
            return Known::Idle;
        }
        match self.gone.iter().rev().find(|(gone, _)| *gone == id) {
            Some((_, end)) => Known::Gone(*end),
            None if id.value() <= self.forgotten => Known::Forgotten,
            None => Known::Skipped,
        }
    }

    /// Number of complete streams with unreleased DATA.
    pub(crate) fn unreleased(&self) -> usize {
        self.unreleased.len()
    }

    /// Releases `bytes` of a complete stream; returns the number of bytes that were held.
    pub(crate) fn release_later(&mut self, id: StreamId, bytes: u32) -> u32 {
        let Some(held) = self.unreleased.get_mut(&id) else { return 0 };
        let released = bytes.min(*held);
        *held -= released;
        if *held == 0 {
            self.unreleased.remove(&id);
        }
        released
    }

    /// Removes all open streams.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.unreleased.clear();
    }
}
