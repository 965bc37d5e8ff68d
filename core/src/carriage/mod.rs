//! How sessions travel: Hot Rod over HTTP (spec/hotrod-over-http.md).

pub mod registry;
