//! Conformance tests, rule by rule.

mod client_rules;
mod cookies;
mod server_rules;

use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::send_buffer::SendBuffer;

/// Reads all bytes waiting to be sent.
pub(super) fn sent(out: &SendBuffer) -> String {
    String::from_utf8(out.to_bytes().to_vec()).unwrap()
}

pub(super) fn fields(pairs: &[(&str, &'static str)]) -> Fields {
    let mut fields = Fields::new();
    pairs.iter().for_each(|(name, value)| fields.push(name, *value).unwrap());
    fields
}

/// All events of a server that receives `bytes` in chunks of `step` bytes.
pub(super) fn serve(bytes: &[u8], step: usize) -> (ServerExchange, Vec<ServerEvent>) {
    let mut exchange = ServerExchange::new(Limits::default());
    let mut events = Vec::new();
    for piece in bytes.chunks(step.max(1)) {
        exchange.handle_received(piece);
        events.extend(exchange.poll_event());
    }
    (exchange, events)
}
