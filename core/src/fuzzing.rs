//! The bodies of the fuzz targets, and the inputs to begin with. Not for users.
//!
//! Each body takes any bytes and panics if what they lead to breaks a rule: a message that decodes otherwise when it
//! comes in pieces, or does not come back when it is written again; an operation that completes twice or never; a peer
//! taken for who it is not. They are here, and not in `fuzz/`, so that `cargo test` replays their inputs without a
//! fuzzer.

mod carriage;
mod cluster;
mod decoding;
mod hpack;
mod http1;
mod http2;
mod http2_model;
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

pub use carriage::{carriage_client, carriage_server};
pub use cluster::cluster;
pub use decoding::{event, reply, request};
pub use hpack::{hpack, hpack_seed};
pub use http1::{http1_client, http1_server};
pub use http2::{http2_client, http2_seed, http2_server};
pub use sample_requests::{Mark, Primitive, Sample, sample_request};
pub use sasl::{sasl_client, sasl_server};
pub use scanning::scanner;
pub use seeds::{Seed, answer_seed, event_seed, reply_seed, request_seed, seeds};
pub use session::session;

/// A name, and what runs an input.
type Target = (&'static str, fn(&[u8]));

/// Every target by its name.
pub const TARGETS: [Target; 15] = [
    ("reply", reply),
    ("request", request),
    ("event", event),
    ("scanner", scanner),
    ("session", session),
    ("cluster", cluster),
    ("sasl_client", sasl_client),
    ("sasl_server", sasl_server),
    ("http1_client", http1_client),
    ("http1_server", http1_server),
    ("hpack", hpack),
    ("http2_client", http2_client),
    ("http2_server", http2_server),
    ("carriage_client", carriage_client),
    ("carriage_server", carriage_server),
];
