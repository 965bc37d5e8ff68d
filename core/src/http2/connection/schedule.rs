//! DATA on its way out: queues of streams, their turns, and the windows (RFC 9113, 5.2).

use alloc::vec::Vec;

use bytes::{Buf, Bytes};

use super::Connection;
use crate::http2::StreamId;
use crate::http2::event::Event;
use crate::http2::frame::put_data_head;
use crate::http2::misuse::Misuse;
use crate::http2::stream::{Sending, Turn};

/// As long as less than this waits in the output, streams have their turns. What is written after DATA (an answer, an
/// extension frame) waits for no more than this.
const OUTPUT: usize = 64 << 10;
/// Octets of one turn.
const QUANTUM: usize = 16 << 10;

impl Connection {
    /// Octets that [`send_data`](Self::send_data) takes now; 0 for a stream that takes none.
    pub fn send_capacity(&self, stream: StreamId) -> usize {
        match self.streams.get(stream) {
            Some(open) if open.sending == Sending::Body => self.capacity(open.queued),
            _ => 0,
        }
    }

    fn capacity(&self, queued: usize) -> usize {
        let of_stream = self.config.max_stream_send_bytes.saturating_sub(queued);
        of_stream.min(self.config.max_send_bytes.saturating_sub(self.queued))
    }

    /// Sends content; with `end_stream` it is the last. It goes out as the windows of the peer and the turns of other
    /// streams allow.
    ///
    /// All of it is taken or nothing: more than [`send_capacity`](Self::send_capacity) is refused with
    /// [`Misuse::Full`], and [`Event::Writable`] comes when there is room for it, or for as much as can ever be.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Result<(), Misuse> {
        let capacity = self.send_capacity(stream);
        let open = self.sendable(stream)?;
        if data.len() > capacity {
            open.wants_capacity = Some(data.len());
            self.tell_writable(stream);
            return Err(Misuse::Full { capacity });
        }
        if data.len() == capacity {
            open.wants_capacity = Some(1);
        }
        let length = data.len();
        open.queued += length;
        if length > 0 {
            open.queue.push_back(data);
        }
        if end_stream {
            open.sending = Sending::Last;
            open.wants_capacity = None;
        }
        self.queued += length;
        self.queue(stream);
        self.schedule();
        Ok(())
    }

    /// Gives a stream a turn, if it has something to send that its window lets through.
    pub(super) fn queue(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let can_send = stream.has_output() && (stream.queued == 0 || stream.send_window.available() > 0);
        if can_send && stream.turn == Turn::None {
            stream.turn = Turn::Queued;
            self.ready.push_back(id);
        }
    }

    /// After a change of all windows.
    pub(super) fn queue_all(&mut self) {
        for (id, stream) in self.streams.iter_mut() {
            let can_send = stream.queued > 0 && stream.send_window.available() > 0;
            if can_send && stream.turn == Turn::None {
                stream.turn = Turn::Queued;
                self.ready.push_back(id);
            }
        }
    }

    /// The connection's window has grown.
    pub(super) fn requeue_starved(&mut self) {
        while let Some(id) = self.starved.pop_front() {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.turn = Turn::Queued;
                self.ready.push_back(id);
            }
        }
    }

    /// The stream is gone.
    pub(super) fn forget_turn(&mut self, id: StreamId, turn: Turn) {
        match turn {
            Turn::None => {}
            Turn::Queued => self.ready.retain(|other| *other != id),
            Turn::WaitsForConnection => self.starved.retain(|other| *other != id),
        }
    }

    /// Writes DATA, a frame of each stream in turn, until there is enough.
    pub(super) fn schedule(&mut self) {
        while !self.is_closed && self.output.buffer.len() < OUTPUT {
            let Some(id) = self.ready.pop_front() else { break };
            self.take_turn(id);
        }
    }

    fn take_turn(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.turn = Turn::None;
        let most = QUANTUM.min(self.peer.max_frame_size as usize).min(stream.send_window.available());
        let length = stream.queued.min(most).min(self.send_window.available());
        if stream.queued > 0 && length == 0 {
            if stream.send_window.available() > 0 {
                stream.turn = Turn::WaitsForConnection;
                self.starved.push_back(id);
            }
            return;
        }
        if length > 0 || stream.trailers.is_none() {
            self.write_data(id, length);
        } else {
            self.write_trailers(id);
        }
        self.queue(id);
        self.tell_if_writable(id, length);
        self.close_if_complete(id);
    }

    /// One DATA frame of what is queued, `length` octets of it.
    fn write_data(&mut self, id: StreamId, length: usize) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.send_window.take(length);
        self.send_window.take(length);
        stream.queued -= length;
        self.queued -= length;
        let is_last = stream.sending == Sending::Last && stream.queued == 0 && stream.trailers.is_none();
        if is_last {
            stream.sending = Sending::Done;
        }
        let out = &mut self.output.buffer;
        put_data_head(out, id, length as u32, is_last);
        let mut left = length;
        while left > 0
            && let Some(front) = stream.queue.front_mut()
        {
            if front.len() <= left {
                left -= front.len();
                out.put_raw(front);
                stream.queue.pop_front();
            } else {
                out.put_raw(&front.slice(..left));
                front.advance(left);
                left = 0;
            }
        }
        self.flood.data_sent();
    }

    fn write_trailers(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.sending = Sending::Done;
        if let Some(trailers) = stream.trailers.take() {
            self.put_fields(id, &trailers, true);
        }
    }

    /// `written` octets have made room, for this stream and, where all together were the limit, for others.
    pub(super) fn tell_if_writable(&mut self, id: StreamId, written: usize) {
        if written == 0 {
            return;
        }
        let was_full = self.queued + written + self.config.max_stream_send_bytes > self.config.max_send_bytes;
        if was_full {
            let waiting = self.streams.iter().filter(|(_, stream)| stream.wants_capacity.is_some());
            let waiting: Vec<_> = waiting.map(|(id, _)| id).collect();
            waiting.into_iter().for_each(|id| self.tell_writable(id));
        } else {
            self.tell_writable(id);
        }
    }

    fn tell_writable(&mut self, id: StreamId) {
        // Not for every few octets: half of what can ever be is worth an event.
        let half = self.config.max_stream_send_bytes.min(self.config.max_send_bytes) / 2;
        let Some(stream) = self.streams.get(id) else { return };
        let capacity = self.capacity(stream.queued);
        if stream.wants_capacity.is_none_or(|wanted| capacity == 0 || capacity < wanted.max(half).min(2 * half)) {
            return;
        }
        if let Some(stream) = self.streams.get_mut(id) {
            stream.wants_capacity = None;
        }
        self.events.push(Event::Writable { stream: id });
    }
}
