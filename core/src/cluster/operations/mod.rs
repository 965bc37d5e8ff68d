//! Operations: where each is, which member it goes to, when it is sent again, and where its answer goes.

pub(super) mod answers;
pub(super) mod bulk;
mod conversion;
pub(super) mod dispatch;
pub(super) mod operation;
mod owners;
pub(super) mod retry;
pub(super) mod session_queue;
pub(super) mod suspects;
pub(super) mod table;
pub(super) mod transactions;
