//! Bodies of the fuzz targets, and their seeds. Not for users.
//!
//! Each body takes any bytes and panics if they cause the violation of a rule: a message whose decoding depends on the
//! chunking, or that changes when it is encoded again; an operation that completes twice or never; a peer that is
//! authenticated under a wrong identity. They are here instead of in `fuzz/`, so that `cargo test` replays their
//! inputs without a fuzzer.

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
mod protostream;
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
pub use protostream::protostream;
pub use sample_requests::{Mark, Primitive, Sample, sample_request};
pub use sasl::{sasl_client, sasl_server};
pub use scanning::scanner;
pub use seeds::{Seed, answer_seed, event_seed, reply_seed, request_seed, seeds};
pub use session::session;

/// Name and body of a target.
type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 16] = [
    ("reply", reply),
    ("request", request),
    ("event", event),
    ("scanner", scanner),
    ("protostream", protostream),
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
