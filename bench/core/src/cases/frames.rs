//! HTTP/2 frames: our codec beside that of the crate h2, and our endpoint beside nghttp2's, each on the same frames.

mod codec;
mod endpoint;
mod h2;
pub mod mix;

use super::{Case, Unit};
use crate::meter::Measured;

pub fn cases() -> Vec<Case> {
    vec![
        case("h2.frame_codec.receive", codec::receive),
        case("h2.frame_codec.send", codec::send),
        case("peer.h2.frame_codec.receive", h2::receive),
        case("peer.h2.frame_codec.send", h2::send),
        case("h2.endpoint.receive", || endpoint::exchanges(endpoint::Side::Receive)),
        Case {
            unit: unit(mix::ANSWER_FRAMES),
            ..case("h2.endpoint.send", || endpoint::exchanges(endpoint::Side::Send))
        },
    ]
}

fn case(name: &'static str, prepare: fn() -> Box<dyn FnMut()>) -> Case {
    Case { unit: unit(mix::FRAMES), simulated: Some(50), measured: Measured::Part, ..Case::new(name, prepare) }
}

/// A frame of the exchanges that a call makes.
fn unit(frames: u64) -> Unit {
    Unit { name: "frame", suffix: "_per_frame", count: frames * mix::EXCHANGES as u64 }
}
