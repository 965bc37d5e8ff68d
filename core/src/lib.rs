//! Hot Rod, the binary client/server protocol of Infinispan, as Sans-IO state machines.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod carriage;
pub mod cluster;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod http1;
pub mod routing;
pub mod sasl;
pub mod session;
pub mod time;
pub mod uri;
pub mod vocabulary;
pub mod wire;
