//! The heads of `spec/vectors/http1-heads.json`: the result of each, for any chunking.
//!
//! spec/vectors/README.md describes the format.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use hotrod_core::http1::{
    ClientEvent, ClientExchange, Fields, Kind, Limits, Request, Response, ServerEvent, ServerExchange, Trailing,
};
use serde_json::{Value, json};

#[test]
fn every_head_means_what_its_vector_says_wherever_it_is_cut() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/http1-heads.json");
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    assert!(vectors.len() > 200, "only {} vectors", vectors.len());
    for vector in &vectors {
        let bytes = bytes_of(vector);
        for cut in 0..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let meaning = match text(vector, "role") {
                "request" => server_result(vector, first, second),
                "upgrade answer" | "connect answer" => client_result(vector, first, second),
                role => panic!("no such role: {role}"),
            };
            assert_eq!(meaning, vector["expected"], "{}, cut at {cut}: {:?}", vector["name"], text_of(&bytes));
        }
    }
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("{key} in {vector}"))
}

fn bytes_of(vector: &Value) -> Vec<u8> {
    let Some(hex) = vector["hex"].as_str() else { return text(vector, "text").into() };
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).expect("hex")).collect()
}

/// One character per byte.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn limits(vector: &Value) -> Limits {
    let limit = |name: &str| vector["limits"][name].as_u64().map(|limit| limit as usize);
    let mut limits = Limits::default();
    limits.line = limit("line").unwrap_or(limits.line);
    limits.fields = limit("fields").unwrap_or(limits.fields);
    limits.head = limit("head").unwrap_or(limits.head);
    limits.interim = limit("interim").unwrap_or(limits.interim);
    limits.content = limit("content").map_or(limits.content, |limit| limit as u64);
    limits
}

/// Result in a server.
fn server_result(vector: &Value, first: &[u8], second: &[u8]) -> Value {
    let mut exchange = ServerExchange::new(limits(vector));
    exchange.handle_received(first);
    let early = exchange.poll_event();
    exchange.handle_received(second);
    match early.or_else(|| exchange.poll_event()) {
        Some(ServerEvent::Request(request)) => taken(&mut exchange, &request),
        Some(ServerEvent::Failed(violation)) => {
            let status = violation.status();
            let response = text_of(&exchange.transmit().to_bytes());
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
            assert!(response.contains("\r\nConnection: close\r\n") && exchange.closes(), "{response}");
            json!({ "status": status, "problem": violation.to_string() })
        }
        Some(other) => panic!("unexpected: {other:?}"),
        None => panic!("nothing comes of {vector}"),
    }
}

fn taken(exchange: &mut ServerExchange, request: &Request) -> Value {
    let mut meaning = json!({
        "method": request.method,
        "path": request.target.path(),
        "authority": request.target.authority(),
        "host": request.host,
        "fields": pairs(&request.fields),
        "trailing": "",
    });
    match &request.kind {
        Kind::Upgrade { protocols } => {
            meaning["kind"] = json!("upgrade");
            meaning["protocols"] = protocols.iter().map(|protocol| text_of(protocol)).collect();
        }
        Kind::Connect { authority } => {
            assert_eq!(Some(authority.as_str()), request.target.authority());
            meaning["kind"] = json!("connect");
        }
        Kind::Ordinary => {
            meaning["kind"] = json!("ordinary");
            exchange.respond(&Response::new(200), false).expect("an answer");
            meaning["goes_on"] = json!(!exchange.closes());
            return meaning;
        }
    }
    meaning["trailing"] = json!(text_of(&exchange.accept(&Fields::new()).expect("a tunnel")));
    meaning
}

/// Result in a client.
fn client_result(vector: &Value, first: &[u8], second: &[u8]) -> Value {
    let fields = Fields::new();
    let trailing = if vector["trailing"] == json!("refused") { Trailing::Refused } else { Trailing::Tunnelled };
    let exchange = match text(vector, "role") {
        "upgrade answer" => ClientExchange::upgrade("x", "/", &fields, limits(vector)),
        _ => ClientExchange::connect("x:1", &fields, trailing, limits(vector)),
    };
    let mut exchange = exchange.expect("a request");
    exchange.handle_received(first);
    // Where trailing bytes are refused, they must be received before the poll.
    let early = if trailing == Trailing::Refused { None } else { exchange.poll_event() };
    let behind = if early.is_some() { second } else { &[] };
    exchange.handle_received(second);
    match early.or_else(|| exchange.poll_event()) {
        Some(ClientEvent::Accepted(accepted)) => json!({
            "accepted": accepted.status,
            "fields": pairs(&accepted.fields),
            "trailing": text_of(&[&accepted.trailing, behind].concat()),
        }),
        Some(ClientEvent::Refused(refused)) => json!({
            "refused": refused.status,
            "reason": refused.reason,
            "fields": pairs(&refused.fields),
            "retry_after": refused.retry_after(),
        }),
        Some(ClientEvent::Failed(violation)) => json!({ "problem": violation.to_string() }),
        Some(other) => panic!("unexpected: {other:?}"),
        None => panic!("nothing comes of {vector}"),
    }
}

fn pairs(fields: &Fields) -> Value {
    let pair = |(name, value): (&Bytes, &Bytes)| json!([text_of(name), text_of(value)]);
    fields.iter().map(pair).collect()
}
