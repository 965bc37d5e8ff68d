//! The native part of the npm package `libhotrod`: the machine, and the shapes of what crosses to it and back.
//!
//! Makes no protocol decisions.

// napi-derive requires `pub`; index.d.ts has the documentation.
#![allow(unreachable_pub, missing_docs)]

mod arguments;
mod attempts;
mod ids;
mod machine;
mod memory;
mod outputs;
mod shapes;
