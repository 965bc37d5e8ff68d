//! Requirements of RFC 9113 for an endpoint whose peer violates the protocol, by section.

mod connections;
mod flow_control;
mod messages;
mod settings;
mod shutdown;
mod streams;
