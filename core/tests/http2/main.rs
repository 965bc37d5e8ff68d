//! HTTP/2: the frame codec, and connections in both roles.

mod conversations;
mod frames;
mod pair;
mod strategies;
mod vectors;
