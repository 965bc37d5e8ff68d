//! Schedules outgoing DATA: send queues, round robin, and windows (RFC 9113, 5.2).

use alloc::vec::Vec;

use bytes::{Buf, Bytes};

use super::Connection;
use crate::http2::StreamId;
use crate::http2::event::Event;
use crate::http2::frame::put_data_head;
use crate::http2::misuse::Misuse;
use crate::http2::stream::{ScheduleState, Sending};

/// DATA is written while the output holds less than this. Other frames (replies, extension frames) wait behind no more
/// DATA than this.
const OUTPUT: usize = 64 << 10;
/// Bytes of DATA per turn in the round robin.
const QUANTUM: usize = 16 << 10;

impl Connection {
    /// Number of bytes that [`send_data`](Self::send_data) accepts now; 0 for a stream that accepts none.
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

    /// Queues content; `end_stream` ends the stream behind it. The peer's windows and the round robin of streams
    /// determine when it is sent.
    ///
    /// Accepts all of `data` or nothing: more than [`send_capacity`](Self::send_capacity) is rejected with
    /// [`Misuse::Full`], and [`Event::Writable`] follows once there is capacity for it, or for the maximum.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Result<(), Misuse> {
        let capacity = self.send_capacity(stream);
        let open = self.sendable(stream)?;
        if data.len() > capacity {
            open.wants_capacity = Some(data.len());
            self.report_writable(stream);
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

    /// Adds a stream to the round robin, if its window allows it to send.
    pub(super) fn queue(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let can_send = stream.has_output() && (stream.queued == 0 || stream.send_window.available() > 0);
        if can_send && stream.schedule == ScheduleState::None {
            stream.schedule = ScheduleState::Queued;
            self.ready.push_back(id);
        }
    }

    /// Adds all streams that can send, after a change of all windows.
    pub(super) fn queue_all(&mut self) {
        for (id, stream) in self.streams.iter_mut() {
            let can_send = stream.queued > 0 && stream.send_window.available() > 0;
            if can_send && stream.schedule == ScheduleState::None {
                stream.schedule = ScheduleState::Queued;
                self.ready.push_back(id);
            }
        }
    }

    /// Adds blocked streams after the connection's window has grown.
    pub(super) fn requeue_blocked(&mut self) {
        while let Some(id) = self.blocked.pop_front() {
            if let Some(stream) = self.streams.get_mut(id) {
                stream.schedule = ScheduleState::Queued;
                self.ready.push_back(id);
            }
        }
    }

    /// Removes a closed stream from the queues.
    pub(super) fn dequeue(&mut self, id: StreamId, schedule: ScheduleState) {
        match schedule {
            ScheduleState::None => {}
            ScheduleState::Queued => self.ready.retain(|other| *other != id),
            ScheduleState::Blocked => self.blocked.retain(|other| *other != id),
        }
    }

    /// Writes one DATA frame per stream in turn, until the output is full enough.
    pub(super) fn schedule(&mut self) {
        while !self.is_closed && self.output.buffer.len() < OUTPUT {
            let Some(id) = self.ready.pop_front() else { break };
            self.send_next(id);
        }
    }

    fn send_next(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.schedule = ScheduleState::None;
        let max = QUANTUM.min(self.peer.max_frame_size as usize).min(stream.send_window.available());
        let length = stream.queued.min(max).min(self.send_window.available());
        if stream.queued > 0 && length == 0 {
            if stream.send_window.available() > 0 {
                stream.schedule = ScheduleState::Blocked;
                self.blocked.push_back(id);
            }
            return;
        }
        if length > 0 || stream.trailers.is_none() {
            self.write_data(id, length);
        } else {
            self.write_trailers(id);
        }
        self.queue(id);
        self.report_if_writable(id, length);
        self.close_if_complete(id);
    }

    /// Writes one DATA frame with `length` queued bytes.
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
        if length > 0 {
            self.output.mark_content(0);
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

    /// Reports capacity after `written` bytes: for this stream, or for all that wait if the common limit was reached.
    pub(super) fn report_if_writable(&mut self, id: StreamId, written: usize) {
        if written == 0 {
            return;
        }
        let was_full = self.queued + written + self.config.max_stream_send_bytes > self.config.max_send_bytes;
        if was_full {
            let waiting = self.streams.iter().filter(|(_, stream)| stream.wants_capacity.is_some());
            let waiting: Vec<_> = waiting.map(|(id, _)| id).collect();
            waiting.into_iter().for_each(|id| self.report_writable(id));
        } else {
            self.report_writable(id);
        }
    }

    fn report_writable(&mut self, id: StreamId) {
        // Reports from half of the maximum capacity on, not after every frame.
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
