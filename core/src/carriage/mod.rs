//! How sessions travel: Hot Rod over HTTP (spec/hotrod-over-http.md).

mod detect;
pub mod registry;

pub use detect::{Detected, detect};
