//! HTTP/2: frame codec, and connections in both roles.

mod conversations;
mod floods;
mod frames;
mod pair;
mod property;
mod raw;
mod rules;
mod strategies;
mod vectors;
