//! The native part of the npm package `libhotrod`: the machine, the shapes of what crosses to it and back, and ProtoStream
//! values.
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
// Public, since napi-derive exports no function to a build for tests, which would find none of them used.
pub mod protostream;
mod shapes;
