//! How a session's bytes reach the member.

mod detect;

pub use detect::{Detected, detect};
