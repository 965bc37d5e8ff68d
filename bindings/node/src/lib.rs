//! The native part of the npm package `libhotrod`: the machine, and the shapes of what crosses to it and back.
//!
//! No protocol decision is made here.

// The interface asks for `pub`, and the package's own declarations have the documentation.
#![allow(unreachable_pub, missing_docs)]

mod arguments;
mod ids;
mod machine;
mod memory;
mod outputs;
mod shapes;
