//! The interface to hosts in other languages, declared once.
//!
//! A binding maps a few closed sets of shapes instead of ninety operations: [`Arguments`] builds a request from the
//! values of the host language, [`Answer`] is the result of an operation, [`Failure`] is its failure, and every
//! [`Output`](crate::cluster::Output) is a [`Shape`] with [`Value`]s. Names, tags, fields and documentation of all
//! languages come from these tables by way of `spec/vocabulary.json`.
//!
//! # Example
//!
//! A host drives the machine without knowing its types: numbers, names and values are sufficient.
//!
//! ```
//! use hotrod_core::vocabulary::{CacheOptions, Failure, FailureKind, Machine, Value};
//!
//! let mut machine = Machine::new("hotrod://one:7000/dist", [7; 32], 0)?;
//! let options = CacheOptions { name: machine.default_cache().into(), ..CacheOptions::default() };
//! let cache = machine.cache(0, options)?;
//! machine.start(0, cache)?;
//!
//! // The loop of a binding: look up the shape of the next output, and convert each value by its kind.
//! let mut values = Vec::new();
//! let tag = machine.poll(&mut values).expect("an output");
//! let shape = Machine::shapes().find(|shape| shape.tag == tag).expect("a declared shape");
//! assert_eq!(shape.name, "Connect");
//! let fields = (shape.fields)();
//! let value = |name| fields.iter().position(|field| field.name == name).map(|index| &values[index]);
//! assert_eq!(value("host"), Some(&Value::Text("one".into())));
//! assert_eq!(value("port"), Some(&Value::Number(7000)));
//!
//! // A mistake of the caller is a failure in the form of every other failure.
//! let failure = machine.start(0, 99).unwrap_err();
//! assert_eq!(failure.kind, FailureKind::Misuse);
//! # Ok::<(), Failure>(())
//! ```

mod answer;
mod crossing;
mod failure;
mod lifetime;
mod machine;
mod outputs;
mod shape;

pub use crate::wire::{ArgumentKind, Arguments};
pub use answer::{Answer, AnswerShape, Chunk, Entry, Refusal, ServerInfo, Versioned};
pub use crossing::Context;
pub use failure::{Failure, FailureKind, PartialFailure};
pub use lifetime::{NotALifetime, lifetime_of_seconds};
pub use machine::{CacheOptions, CallOptions, Machine, ViewInfo};
pub use shape::{Field, Kind, Shape, Value};
