//! Rules for requests that every endpoint applies, gateways and native nodes alike (spec/hotrod-over-http.md).

use alloc::string::{String, ToString};

use super::error::Refusal;
use super::registry::{INSIDE_FIELD, NODE_FIELD};
use super::request::names_at_most_one_node;
use super::server::{ReceivedSessionRequest, ServerLink};
use crate::http1::{Fields, Request, Response, ServerExchange};
use crate::http2::StreamId;

/// `Retry-After` of a temporary refusal, in seconds.
const RETRY_AFTER: u32 = 1;

impl Refusal {
    /// Creates a refusal with this HTTP status and no further fields.
    pub fn new(status: u16) -> Self {
        Self { status, retry_after: None, node: None }
    }

    /// Creates a refusal after which the client may retry in one second, such as 429.
    pub fn temporary(status: u16) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..Self::new(status) }
    }

    /// Creates a refusal with status 421: the request names another member than `node`, the only one here.
    pub fn another_member(node: String) -> Self {
        Self { node: Some(node), ..Self::new(421) }
    }

    /// Answers the request of an HTTP/1.1 link with this refusal and closes the link.
    pub fn answer_http1(&self, exchange: &mut ServerExchange) {
        let mut answer = Response::text(self.status, "");
        if let Some(seconds) = self.retry_after {
            // Digits are a valid field value.
            let _ = answer.fields.push("retry-after", seconds.to_string());
        }
        if let Some(node) = &self.node {
            // A name of visible characters is one too.
            let _ = answer.fields.push(NODE_FIELD, node.clone());
        }
        let _ = exchange.respond(&answer, true);
    }

    /// Answers the request for a session on an HTTP/2 link with this refusal.
    pub fn answer_http2(&self, link: &mut ServerLink, stream: StreamId) {
        match &self.node {
            Some(node) => link.refuse_naming(stream, self.status, node),
            None => link.refuse(stream, self.status, self.retry_after),
        }
    }
}

/// Methods of ordinary requests that are answered.
const ALLOW: &str = "GET, HEAD";

/// Status and content of the response to an ordinary request: `text` says what is served here, under another path
/// than `/` as well, so that nobody takes 200 for a resource that exists.
fn ordinary_response(method: &str, path: Option<&str>, text: &'static str) -> (u16, &'static str) {
    let path = path.and_then(|path| path.split('?').next());
    match (method, path) {
        ("GET" | "HEAD", Some("/")) => (200, text),
        ("GET" | "HEAD", _) => (404, text),
        _ => (405, "only GET and HEAD are answered here\n"),
    }
}

/// Answers an ordinary request over HTTP/2.
pub fn answer_ordinary_http2(link: &mut ServerLink, stream: StreamId, method: &str, path: &str, text: &'static str) {
    let (status, text) = ordinary_response(method, Some(path), text);
    link.answer(stream, status, (status == 405).then_some(ALLOW), text, method != "HEAD");
}

/// Answers an HTTP/1.1 request that opens no tunnel: as R-74 has it, and one with a field of Hot Rod with 426.
/// `close` closes the link after the answer.
pub fn answer_ordinary(exchange: &mut ServerExchange, request: &Request, text: &'static str, close: bool) {
    let lacks_upgrade = [NODE_FIELD, INSIDE_FIELD].iter().any(|name| request.fields.get(name).is_some());
    if lacks_upgrade {
        return Refusal::new(426).answer_http1(exchange);
    }
    let (status, text) = ordinary_response(&request.method, request.target.path(), text);
    let mut answer = Response::text(status, text);
    if status == 405 {
        // A list of methods is a valid field value.
        let _ = answer.fields.push("allow", ALLOW);
    }
    let _ = exchange.respond(&answer, close);
}

/// Checks `Hot-Rod-Inside` and `Hot-Rod-Node` of a request for a tunnel over HTTP/1.1. The error is a
/// text for the log; the response is 400.
pub fn check_tunnel_fields(fields: &Fields) -> Result<(), &'static str> {
    if !fields.all(INSIDE_FIELD).all(|value| is_known_inside(value)) {
        return Err("asks for an unknown inside of a tunnel");
    }
    if !names_at_most_one_node(fields.all(NODE_FIELD).map(|value| &value[..])) {
        return Err("names its member more than once, or not in visible characters");
    }
    Ok(())
}

impl ReceivedSessionRequest {
    /// Returns whether `Hot-Rod-Inside` names a protocol that a tunnel can't carry; the response is 400.
    pub fn has_unknown_inside(&self) -> bool {
        let mut values = self.fields.iter().filter(|field| field.name == INSIDE_FIELD.as_bytes());
        values.any(|field| !is_known_inside(&field.value))
    }
}

fn is_known_inside(value: &[u8]) -> bool {
    matches!(value, b"hotrod" | b"h2")
}
