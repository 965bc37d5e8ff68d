//! libhotrod: the Hot Rod machine for hosts in C and C++.
//!
//! cbindgen generates `include/libhotrod.h` from these sources, so documentation of public items addresses readers of
//! that header. The protocol is in `hotrod-core`; this crate only converts types.

#![allow(clippy::missing_safety_doc)] // `hotrod_machine` documents it for all functions

pub mod answer;
mod arena;
pub mod arguments;
pub mod attempts;
pub mod boundary;
mod copier;
pub mod failure;
pub mod generated;
pub mod inspect;
pub mod links;
pub mod listening;
pub mod machine;
pub mod output;
pub mod protostream;
pub mod submit;
pub mod text;
