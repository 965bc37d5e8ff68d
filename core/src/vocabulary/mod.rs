//! What crosses the border to hosts in other languages, declared once.
//!
//! A binding maps a few closed sets of shapes, and not ninety operations: [`Arguments`] builds a request from what the
//! host's language gives, [`Answer`] is what an operation answers, [`Failure`] is how it failed, and every
//! [`Output`](crate::cluster::Output) is a [`Shape`] with [`Value`]s in it. Names, tags, fields and documentation of all
//! languages come from these tables by way of `spec/vocabulary.json`.

mod answer;
mod crossing;
mod failure;
mod lifetime;
mod machine;
mod shape;

pub use crate::wire::{ArgumentKind, Arguments};
pub use answer::{Answer, AnswerShape, Chunk, Entry, Refusal, ServerInfo, Versioned};
pub use crossing::Context;
pub(crate) use crossing::{Crossing, Subject};
pub use failure::{Failure, FailureKind, PartialFailure};
pub use lifetime::{NotALifetime, lifetime_of_seconds};
pub use machine::{CacheOptions, CallOptions, Machine, ViewInfo};
pub(crate) use shape::declare;
pub use shape::{Field, Kind, Shape, Value};
