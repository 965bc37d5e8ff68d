//! HTTP/2: the frame codec, and connections in both roles.

mod frames;
mod strategies;
mod vectors;
