//! What RFC 9113 asks of an endpoint when its peer does not do as it should, by section.

mod connections;
mod flow_control;
mod messages;
mod settings;
mod shutdown;
mod streams;
