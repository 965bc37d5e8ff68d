//! All streams of a connection, and what is remembered of those that are gone.

use alloc::collections::{BTreeMap, VecDeque};

use super::stream::Stream;
use super::{StreamId, StreamMap};

/// Streams that are gone and remembered one by one; of older ones only that they were.
const REMEMBERED: usize = 128;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides have sent END_STREAM.
    Complete,
    /// The peer has sent RST_STREAM.
    ByPeer,
    /// We have sent RST_STREAM, or never looked at it: frames that the peer sent before it knew are still to come.
    ByUs,
}

/// A stream's identifier, as a frame names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It has not been opened yet.
    Idle,
    /// It is open, in part or whole.
    Open,
    /// It is gone.
    Gone(End),
    /// It is gone, and nobody knows how.
    Forgotten,
    /// A later one was opened first, so that it never will be (RFC 9113, 5.1.1).
    Skipped,
}

/// The streams of a connection, in the order of their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: StreamMap<Stream>,
    gone: VecDeque<(StreamId, End)>,
    /// The highest that fell out of `gone`.
    forgotten: u32,
    /// The highest that the client has opened; 0 for none. (Servers open none: there is no push.)
    highest: u32,
    /// Complete streams with DATA that the application has not released yet, and how much.
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

    /// The highest identifier that has been used; that of the connection if none has.
    pub(crate) fn highest(&self) -> StreamId {
        StreamId::new(self.highest)
    }

    /// `id` is used now, whether or not a stream comes of it.
    pub(crate) fn use_up(&mut self, id: StreamId) {
        self.highest = self.highest.max(id.value());
    }

    pub(crate) fn insert(&mut self, id: StreamId, stream: Stream) {
        self.use_up(id);
        self.open.insert(id, stream);
    }

    /// The stream is gone. What it holds of the connection's window is the caller's business, and what is still held
    /// of a complete one is kept for [`release_later`](Self::release_later).
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

    /// What `id` stands for.
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

    /// Complete streams whose DATA is not all released.
    pub(crate) fn unreleased(&self) -> usize {
        self.unreleased.len()
    }

    /// Releases `octets` of a complete stream: answers how many of them were held.
    pub(crate) fn release_later(&mut self, id: StreamId, octets: u32) -> u32 {
        let Some(held) = self.unreleased.get_mut(&id) else { return 0 };
        let released = octets.min(*held);
        *held -= released;
        if *held == 0 {
            self.unreleased.remove(&id);
        }
        released
    }

    /// Forgets everything that is open.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
        self.unreleased.clear();
    }
}
