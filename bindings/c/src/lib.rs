//! libhotrod: the Hot Rod machine for hosts in C and C++.
//!
//! `include/libhotrod.h` is made of these sources by cbindgen, so what stands here as documentation of a public item is
//! written for readers of that header. The protocol is in `hotrod-core`; this crate only changes the form of what
//! crosses.

#![allow(clippy::missing_safety_doc)] // a function that has no section of its own keeps to that of `hotrod_machine`

pub mod answer;
mod arena;
pub mod arguments;
pub mod boundary;
mod copier;
pub mod failure;
pub mod generated;
pub mod inspect;
pub mod links;
pub mod listening;
pub mod machine;
pub mod output;
pub mod submit;
pub mod text;
