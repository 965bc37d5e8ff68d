//! The bodies of the fuzz targets, and the inputs to begin with. Not for users.
//!
//! Each body takes any bytes and panics if what they lead to breaks a rule: a message that decodes otherwise when it
//! comes in pieces, or does not come back when it is written again; an operation that completes twice or never; a peer
//! taken for who it is not. They are here, and not in `fuzz/`, so that `cargo test` replays their inputs without a
//! fuzzer.

mod cluster;
mod decoding;
mod input;
mod model;
mod pieces;
mod sample_requests;
mod samples;
mod sasl;
mod scanning;
mod script;
mod seeds;
mod session;

pub use cluster::cluster;
pub use decoding::{event, reply, request};
pub use sasl::{sasl_client, sasl_server};
pub use scanning::scanner;
pub use seeds::{Seed, event_seed, reply_seed, request_seed, seeds};
pub use session::session;

/// A name, and what runs an input.
type Target = (&'static str, fn(&[u8]));

/// Every target by its name.
pub const TARGETS: [Target; 8] = [
    ("reply", reply),
    ("request", request),
    ("event", event),
    ("scanner", scanner),
    ("session", session),
    ("cluster", cluster),
    ("sasl_client", sasl_client),
    ("sasl_server", sasl_server),
];
