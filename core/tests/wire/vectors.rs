//! Golden vectors: the same bytes have the same meaning in every language, and are those of a real server and client.
//!
//! spec/vectors/README.md describes the format.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hotrod_core::wire::{
    Incoming, Intelligence, Operation, ReplyContext, Request, RequestFault, RequestHeader, Version,
};
use serde_json::{Value, json};

use crate::decode::{self, replies, requests, written, written_request};
use crate::hand::Hand;
use crate::meaning;
use crate::scans;
use crate::strategies::{self, VERSIONS, check, operations};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")
}

/// Files `hotrod-*.json`: the folder also has vectors of other protocols.
fn is_hot_rod(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    is_json && path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("hotrod-"))
}

/// A vector of a file.
struct Vector<'a> {
    json: &'a Value,
    bytes: Vec<u8>,
    context: ReplyContext,
}

impl<'a> Vector<'a> {
    fn of(json: &'a Value) -> Self {
        let name = text(json, "operation");
        let row = Operation::table().iter().find(|row| row.name == name).expect("an operation of the table");
        let version: Version = text(json, "version").parse().expect("a version");
        let intelligence = json["intelligence"].as_u64().and_then(|byte| Intelligence::from_byte(byte as u8));
        let intelligence = intelligence.expect("an intelligence");
        assert!(version >= row.since, "{name} in {version}");
        let context = ReplyContext { operation: row.operation, version, intelligence };
        Self { json, bytes: unhex(text(json, "hex")), context }
    }

    /// Decodes these chunks.
    fn decode(&self, pieces: &[&[u8]]) -> Message {
        let pieces = pieces.iter().copied();
        let role = text(self.json, "role");
        if role == "request" {
            let (mut all, left) = requests(pieces);
            assert_eq!((all.len(), left), (1, 0), "one request");
            let (header, request) = all.remove(0).expect("valid");
            assert_eq!((header.version, request.operation()), (self.context.version, self.context.operation));
            return Message::Request(header, Box::new(request));
        }
        // Events belong to no request.
        let context = (role == "reply").then_some(self.context);
        let (mut all, left) = replies(pieces, |_| context);
        assert_eq!((all.len(), left), (1, 0), "one message");
        let incoming = all.remove(0).expect("valid");
        assert_eq!(matches!(incoming, Incoming::Reply(_)), role == "reply", "the role is request, reply or event");
        Message::Incoming(incoming)
    }

    fn hold(&self) {
        // START_PUT_STREAM replaces it in 4.1, and the server replied with an error.
        if text(self.json, "role") == "request"
            && !operations().any(|known| known == (self.context.operation, self.context.version))
        {
            let opcode = self.context.operation.row().request_opcode;
            let (refused, _) = requests([&self.bytes[..]]);
            assert!(matches!(refused[..], [Err(RequestFault::UnknownOperation { opcode: of, .. })] if of == opcode));
            return;
        }
        let message = self.decode(&[&self.bytes]);
        let (meaning, again) = match &message {
            Message::Request(header, request) => (meaning::request(header, request), written_request(header, request)),
            Message::Incoming(incoming) => (meaning::incoming(incoming), written(incoming, self.context)),
        };
        assert_eq!(meaning, self.json["meaning"]);
        match self.json.get("reencode") {
            None | Some(Value::Bool(true)) => assert_eq!(again, self.bytes, "written again"),
            Some(_) => assert!(!text(self.json, "why").is_empty()),
        }
        for cut in 1..self.bytes.len() {
            let (first, second) = self.bytes.split_at(cut);
            assert_eq!(self.decode(&[first, second]), message, "cut at {cut}");
        }
        match message {
            Message::Request(..) => scans::same_requests(&self.bytes, 1),
            Message::Incoming(Incoming::Reply(_)) => scans::same_replies(&self.bytes, 1, |_| Some(self.context)),
            Message::Incoming(_) => scans::same_replies(&self.bytes, 1, |_| None),
        }
    }
}

/// Content of a vector.
#[derive(Debug, PartialEq)]
enum Message {
    Request(RequestHeader, Box<Request>),
    Incoming(Incoming),
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("a text named {key:?} in {json}"))
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "two digits a byte");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits")).collect()
}

/// Recorded from a real server by `make vectors`.
#[test]
fn every_vector_means_what_it_says() {
    // Files of the versions; hotrod-over-http.json has another format.
    let files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("spec/vectors")
        .map(|file| file.expect("readable").path())
        .filter(|path| is_hot_rod(path))
        .filter(|path| !path.ends_with("hotrod-over-http.json"))
        .collect();
    assert!(!files.is_empty(), "no vectors in {}: make vectors", folder().display());
    for file in files {
        let vectors: Value = serde_json::from_slice(&fs::read(&file).expect("readable")).expect("JSON");
        let vectors = vectors.as_array().expect("an array of vectors");
        assert!(!vectors.is_empty(), "{}", file.display());
        let mut names = BTreeSet::new();
        for json in vectors {
            let (name, version) = (text(json, "name"), text(json, "version"));
            println!("{}: {name}", file.display()); // shown if the test fails
            assert!(names.insert(name), "a name is used once in a file");
            assert!(file.ends_with(format!("hotrod-{version}.json")), "one file a version");
            Vector::of(json).hold();
        }
    }
}

/// Every operation is recorded in the newest version that has it, in both directions; of each older version, the operations
/// that show its additions to the header.
#[test]
fn no_operation_is_without_a_vector() {
    for version in Version::ALL {
        let file = folder().join(format!("hotrod-{version}.json"));
        let vectors: Value = serde_json::from_slice(&fs::read(&file).expect("a file for each version")).expect("JSON");
        let captured: BTreeSet<(&str, &str)> = vectors
            .as_array()
            .expect("an array of vectors")
            .iter()
            .map(|vector| (text(vector, "operation"), text(vector, "role")))
            .collect();
        let headers = [Operation::Get, Operation::Put, Operation::Remove, Operation::Ping, Operation::Stats];
        // From 4.1 on START_PUT_STREAM is in its place.
        let last = |operation| if operation == Operation::PutStream { Version::V4_0 } else { Version::LATEST };
        let wanted = |operation| version == last(operation) || headers.contains(&operation);
        let rows = Operation::table().iter().filter(|row| wanted(row.operation));
        let messages = rows.flat_map(|row| ["request", "reply"].map(|role| (row.name, role)));
        let missing: Vec<(&str, &str)> = messages.filter(|message| !captured.contains(message)).collect();
        assert!(missing.is_empty(), "{missing:?} in {version}");
    }
}

fn vector(context: ReplyContext, role: &str, bytes: &Bytes, meaning: &Value) -> Value {
    json!({
        "name": "made here",
        "version": context.version.to_string(),
        "role": role,
        "operation": context.operation.name(),
        "intelligence": context.intelligence.to_byte(),
        "hex": meaning::hex(bytes),
        "meaning": meaning,
    })
}

#[test]
fn the_example_of_the_format_is_one() {
    let readme = fs::read_to_string(folder().join("README.md")).expect("README.md");
    let example = readme.split("```").find_map(|part| part.strip_prefix("json")).expect("an example");
    Vector::of(&serde_json::from_str(example).expect("JSON")).hold();
}

/// Every message can be written as a vector, and is distinguished by its meaning.
#[test]
fn every_message_makes_a_vector() {
    for (operation, version) in operations().filter(|(_, version)| VERSIONS.contains(version)) {
        check(128, strategies::message(operation, version), |(header, request)| {
            let context = ReplyContext { operation, version, intelligence: header.intelligence };
            let meaning = meaning::request(&header, &request);
            Vector::of(&vector(context, "request", &written_request(&header, &request), &meaning)).hold();
        });
        for context in strategies::context(operation, version) {
            check(256, strategies::reply(context), |reply| {
                let reply = Incoming::Reply(reply);
                let meaning = meaning::incoming(&reply);
                Vector::of(&vector(context, "reply", &written(&reply, context), &meaning)).hold();
            });
        }
    }
    let context = decode::context(Operation::AddClientListener, Version::LATEST);
    check(8, (strategies::event(), strategies::counter_event()), |(event, counter)| {
        for event in [Incoming::Event(event), Incoming::CounterEvent(counter)] {
            Vector::of(&vector(context, "event", &written(&event, context), &meaning::incoming(&event))).hold();
        }
    });
}

/// The names in a vector are those of the operation table, from which the documentation comes.
#[test]
fn the_fields_of_a_meaning_are_those_of_the_table() {
    for (operation, version) in operations() {
        check(256, strategies::message(operation, version), |(header, request)| {
            let meaning = meaning::request(&header, &request);
            let named: BTreeSet<&str> = meaning["fields"].as_object().unwrap().keys().map(String::as_str).collect();
            let expected: BTreeSet<&str> = operation.row().fields.iter().map(|field| field.name).collect();
            assert_eq!(named, expected, "{operation}");
        });
    }
}

/// A vector with a wrong meaning or wrong bytes must fail.
#[test]
fn a_wrong_vector_is_noticed() {
    let context = decode::context(Operation::Get, Version::LATEST);
    let bytes = Bytes::from(Hand::reply(1, 0x04, 0x00).array("value").done());
    let meaning = json!({
        "message_id": "1",
        "status": 0,
        "topology": null,
        "body": { "shape": "value", "value": "76616c7565" },
    });
    let good = vector(context, "reply", &bytes, &meaning);
    Vector::of(&good).hold();
    let fails = |change: fn(&mut Value)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        std::panic::catch_unwind(|| Vector::of(&wrong).hold()).expect_err("a failure");
    };
    fails(|vector| vector["meaning"]["status"] = json!(1));
    fails(|vector| vector["meaning"]["body"]["value"] = json!("76616c7564"));
    fails(|vector| vector["role"] = json!("event"));
    fails(|vector| vector["operation"] = json!("PUT"));
    fails(|vector| vector["hex"] = json!(format!("{}00", text(vector, "hex"))));
    fails(|vector| vector["reencode"] = json!(false));
}
