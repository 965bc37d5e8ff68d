//! The queue of a session.

use alloc::collections::VecDeque;
use alloc::collections::vec_deque::IntoIter;
use core::iter::Chain;

use crate::cluster::operations::operation::OperationId;

/// Operations that a session has not taken, oldest first. Those that are held back because earlier large ones are not sent
/// yet are offered first; operations that fit a frame overtake them.
#[derive(Default)]
pub(in crate::cluster) struct SessionQueue {
    in_order: VecDeque<OperationId>,
    held_back: VecDeque<OperationId>,
}

impl SessionQueue {
    pub(in crate::cluster) fn len(&self) -> usize {
        self.in_order.len() + self.held_back.len()
    }

    pub(in crate::cluster) fn of(id: OperationId) -> Self {
        Self { in_order: VecDeque::from([id]), held_back: VecDeque::new() }
    }

    pub(in crate::cluster) fn push(&mut self, id: OperationId) {
        self.in_order.push_back(id);
    }

    pub(in crate::cluster) fn first_in_order(&self) -> Option<OperationId> {
        self.in_order.front().copied()
    }

    pub(in crate::cluster) fn first_held_back(&self) -> Option<OperationId> {
        self.held_back.front().copied()
    }

    /// Holds back the first operation in order.
    pub(in crate::cluster) fn hold_back_first(&mut self) {
        self.held_back.extend(self.in_order.pop_front());
    }

    pub(in crate::cluster) fn remove(&mut self, id: OperationId) {
        if self.first_in_order() == Some(id) {
            self.in_order.pop_front();
        } else if self.first_held_back() == Some(id) {
            self.held_back.pop_front();
        } else {
            self.in_order.retain(|queued| *queued != id);
            self.held_back.retain(|queued| *queued != id);
        }
    }
}

impl IntoIterator for SessionQueue {
    type Item = OperationId;
    type IntoIter = Chain<IntoIter<OperationId>, IntoIter<OperationId>>;

    fn into_iter(self) -> Self::IntoIter {
        self.held_back.into_iter().chain(self.in_order)
    }
}
