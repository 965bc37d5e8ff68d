//! What a caller may do wrong.

use serde_json::{Value, json};

use super::text;
use crate::recorder::Recorder;

pub(super) fn all() -> Vec<Value> {
    let mut all: Vec<Value> = [
        ("another scheme", "http://localhost"),
        ("no server", "hotrod://"),
        ("a port that is none", "hotrod://localhost:99999"),
        ("a user alone", "hotrod://me@localhost"),
        ("a password and a token", "hotrod://me:word@localhost?auth_token=t"),
        ("an unencoded password", "hotrod://me:pa/ss@localhost"),
        ("an unknown property", "hotrod://localhost?timeout=1"),
        ("a value that is none", "hotrod://localhost?socket_timeout=soon"),
        ("a proxy without a port", "hotrod://localhost?proxy=http://me:secret@proxy"),
        ("no such access path", "hotrod://localhost?access=route"),
        ("cookies without HTTP", "hotrod://localhost?access=cookie"),
        ("CONNECT that is not allowed", "hotrod://localhost?access=connect&carriage=upgrade"),
        ("a header field that is none", "hotrod://localhost?access=connect&carriage=connect&connect_header=a:b"),
        ("a key without its certificate", "hotrods://localhost?client_key=k.pem"),
    ]
    .into_iter()
    .map(|(name, uri)| Recorder::of_wrong_uri(name, "What is wrong with a URI is told, and no password.", uri))
    .collect();
    all.extend([wrong_calls(), closed(), too_many()]);
    all
}

fn wrong_calls() -> Value {
    let doc = "A call with a wrong number is told so, and nothing else happens.";
    let mut recorder = Recorder::new("wrong calls", doc, "hotrod://{}/local", 1);
    recorder.cache("local");
    let get = |cache: u32| json!({ "cache": cache, "operation": "get", "arguments": [text("k")], "member": null, "timeout": null });
    recorder.call("submit", get(7));
    recorder.call("start", json!({ "cache": 7 }));
    let media_type = json!({ "name": "local", "flags": 0, "key_type": "text", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", media_type);
    recorder.execute("get_stream", json!([text("k"), 3]));
    recorder.execute("get", json!([text("k")]));
    recorder.finish()
}

fn closed() -> Value {
    let doc = "A closed client refuses, and what waits for an answer is told what may have become of it.";
    let mut recorder = Recorder::new("closed", doc, "hotrod://{}/local", 1);
    let with = json!({ "name": "local", "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    recorder.submit("get", json!([text("k")]));
    recorder.call("close", json!({}));
    recorder.submit("get", json!([text("k")]));
    recorder.finish()
}

fn too_many() -> Value {
    let doc = "Operations that wait for a member have a limit: not now.";
    let mut recorder = Recorder::new("too many", doc, "hotrod://{}/local?max_waiting=2", 1);
    let with = json!({ "name": "local", "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    recorder.submit("get", json!([text("k")]));
    recorder.submit("get", json!([text("k")]));
    recorder.settle();
    recorder.execute("get", json!([text("k")]));
    recorder.finish()
}
