//! Send queue of messages that do not fit one frame: their fragments are sent by urgency, and round robin among equals.

use alloc::collections::VecDeque;

use bytes::Bytes;

use super::credit::SendWindow;
use super::registry::flag;

/// Send queue of one session in one direction, for messages of several fragments.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Messages of one urgency are in the order of service.
    messages: VecDeque<Message>,
    /// Queued bytes of all messages.
    bytes: usize,
}

#[derive(Debug)]
struct Message {
    call: u32,
    urgency: u8,
    send_window: SendWindow,
    pieces: VecDeque<Bytes>,
    left: usize,
    /// No fragment of the message was sent.
    is_first: bool,
    /// The last byte of the message is queued.
    is_whole: bool,
}

/// Limits of the next fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Bytes that fit a frame.
    pub(super) frame: usize,
    /// Available credit of the connection.
    pub(super) credit: usize,
}

/// The next fragment to send.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) call: u32,
    pub(super) flags: u8,
    pub(super) length: usize,
    pub(super) pieces: VecDeque<Bytes>,
    /// Bytes that count against the connection's credit.
    pub(super) counted: usize,
}

impl Outgoing {
    /// Queues a message, or its beginning.
    pub(super) fn push(
        &mut self,
        call: u32,
        urgency: u8,
        send_window: SendWindow,
        pieces: VecDeque<Bytes>,
        is_whole: bool,
    ) {
        let left = pieces.iter().map(Bytes::len).sum();
        self.bytes += left;
        self.messages.push_back(Message { call, urgency, send_window, pieces, left, is_first: true, is_whole });
    }

    /// Queues a whole message whose first fragment was sent, empty.
    pub(super) fn push_begun(&mut self, call: u32, urgency: u8, send_window: SendWindow, pieces: VecDeque<Bytes>) {
        self.push(call, urgency, send_window, pieces, true);
        if let Some(message) = self.messages.back_mut() {
            message.is_first = false;
        }
    }

    /// Appends to a message; ignored for one that is not queued.
    pub(super) fn extend(&mut self, call: u32, piece: Bytes, is_last: bool) {
        if let Some(message) = self.find(call) {
            message.left += piece.len();
            message.is_whole |= is_last;
            let length = piece.len();
            message.pieces.push_back(piece);
            self.bytes += length;
        }
    }

    pub(super) fn contains(&self, call: u32) -> bool {
        self.messages.iter().any(|message| message.call == call)
    }

    /// Removes a message. Returns the bytes dropped; 0 for one that is not queued.
    pub(super) fn remove(&mut self, call: u32) -> usize {
        let index = self.messages.iter().position(|message| message.call == call);
        let left = index.and_then(|index| self.messages.remove(index)).map_or(0, |message| message.left);
        self.bytes -= left;
        left
    }

    /// Returns the number of queued messages.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds credit for a message. Returns false if the credit is invalid.
    pub(super) fn grant(&mut self, call: u32, increment: u32) -> bool {
        self.find(call).is_none_or(|message| message.send_window.grant(increment))
    }

    fn find(&mut self, call: u32) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.call == call)
    }

    /// Returns the urgency of the most urgent message that can send a fragment.
    pub(super) fn urgency(&self, room: Room) -> Option<u8> {
        let ready = self.messages.iter().filter(|message| message.next_length(room).is_some());
        ready.map(|message| message.urgency).min()
    }

    /// Removes the next fragment, and moves its message behind those of its urgency.
    pub(super) fn next(&mut self, room: Room) -> Option<Next> {
        let candidates = self.messages.iter().enumerate();
        let ready =
            candidates.filter_map(|(index, message)| Some((index, message.urgency, message.next_length(room)?)));
        let (index, _, length) = ready.min_by_key(|(_, urgency, _)| *urgency)?;
        let mut message = self.messages.remove(index)?;
        let counted = if message.is_one_frame(room) { 0 } else { length };
        let first = if core::mem::take(&mut message.is_first) { flag::FIRST | message.urgency << 4 } else { 0 };
        let pieces = message.take(length, counted);
        self.bytes -= length;
        let last = if message.is_over() { flag::FIN } else { 0 };
        let call = message.call;
        if last == 0 {
            self.messages.push_back(message);
        }
        Some(Next { call, flags: first | last, length, pieces, counted })
    }
}

impl Message {
    /// Returns whether the message is sent in one frame, which needs no credit.
    fn is_one_frame(&self, room: Room) -> bool {
        self.is_first && self.is_whole && self.left <= room.frame
    }

    /// Returns the size of the next fragment in bytes; `None` if the message has to wait for credit or data.
    fn next_length(&self, room: Room) -> Option<usize> {
        if self.is_one_frame(room) {
            return Some(self.left);
        }
        let length = self.left.min(room.frame).min(room.credit).min(self.send_window.available());
        (length > 0 || self.is_over()).then_some(length)
    }

    fn is_over(&self) -> bool {
        self.is_whole && self.left == 0
    }

    fn take(&mut self, length: usize, counted: usize) -> VecDeque<Bytes> {
        self.send_window.consume(counted);
        self.left -= length;
        let mut taken = VecDeque::new();
        let mut left = length;
        while left > 0
            && let Some(piece) = self.pieces.front_mut()
        {
            let part = if piece.len() > left { piece.split_to(left) } else { core::mem::take(piece) };
            if piece.is_empty() {
                self.pieces.pop_front();
            }
            left -= part.len();
            taken.push_back(part);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const ROOM: Room = Room { frame: 10, credit: usize::MAX };

    fn message(out: &mut Outgoing, call: u32, urgency: u8, size: usize, credit: u32) {
        let pieces = VecDeque::from([Bytes::from(vec![call as u8; size])]);
        out.push(call, urgency, SendWindow::new(credit), pieces, true);
    }

    fn fragments(out: &mut Outgoing) -> Vec<(u32, u8, usize)> {
        core::iter::from_fn(|| out.next(ROOM)).map(|next| (next.call, next.flags, next.length)).collect()
    }

    #[test]
    fn messages_of_one_urgency_take_turns_and_more_urgent_ones_come_first() {
        let mut out = Outgoing::default();
        message(&mut out, 1, 3, 25, 100);
        message(&mut out, 2, 3, 15, 100);
        message(&mut out, 3, 1, 12, 100);
        let fragments = fragments(&mut out);
        let wanted = [(3, 0x12, 10), (3, 1, 2), (1, 0x32, 10), (2, 0x32, 10), (1, 0, 10), (2, 1, 5), (1, 1, 5)];
        assert_eq!(fragments, wanted);
        assert_eq!(out.bytes(), 0);
    }

    #[test]
    fn a_message_without_credit_waits_and_holds_up_no_other() {
        let mut out = Outgoing::default();
        message(&mut out, 1, 3, 25, 12);
        message(&mut out, 2, 3, 5, 100);
        assert_eq!(fragments(&mut out), [(1, 0x32, 10), (2, 0x33, 5), (1, 0, 2)]);
        assert!(out.grant(1, 100));
        assert_eq!(fragments(&mut out), [(1, 0, 10), (1, 1, 3)]);
    }

    #[test]
    fn no_credit_holds_up_a_message_that_fits_one_frame() {
        let mut out = Outgoing::default();
        message(&mut out, 1, 3, 25, 100);
        message(&mut out, 2, 5, 10, 0);
        let none = Room { credit: 0, ..ROOM };
        assert_eq!(out.urgency(none), Some(5));
        let next = out.next(none).expect("the small one");
        assert_eq!((next.call, next.flags, next.length, next.counted), (2, 0x53, 10, 0));
        assert_eq!((out.urgency(none), out.urgency(ROOM)), (None, Some(3)));
        assert!(out.next(none).is_none());
        assert_eq!(out.next(ROOM).map(|next| next.counted), Some(10));
    }

    #[test]
    fn a_message_that_comes_piece_by_piece_ends_with_its_last_piece() {
        let mut out = Outgoing::default();
        let beginning = VecDeque::from([Bytes::from_static(b"abc")]);
        out.push(1, 3, SendWindow::new(100), beginning, false);
        assert_eq!(fragments(&mut out), [(1, 0x32, 3)]);
        out.extend(1, Bytes::new(), true);
        assert_eq!(fragments(&mut out), [(1, 1, 0)]);
        assert!(!out.contains(1));
    }

    #[test]
    fn what_is_dropped_is_what_has_not_gone_out() {
        let mut out = Outgoing::default();
        message(&mut out, 1, 3, 25, 100);
        out.next(ROOM);
        assert_eq!(out.remove(1), 15);
        assert_eq!((out.remove(1), out.bytes()), (0, 0));
    }
}
