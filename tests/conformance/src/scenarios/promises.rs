//! Servers that would have the client show its credentials to them, or to others.

use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, Limits, Operation, Ping, Reply, Request, Status, Version};
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::values::{hex, unhex};

pub(super) fn all() -> Vec<Value> {
    vec![
        weak("PLAIN alone, over TLS", "hotrods", &["PLAIN"]),
        weak("DIGEST and PLAIN, over TLS", "hotrods", &["DIGEST-MD5", "DIGEST-SHA-512", "PLAIN"]),
        weak("PLAIN alone, without TLS", "hotrod", &["PLAIN"]),
        bound(true),
        bound(false),
        outside(),
        outside_but_named(),
        outside_but_near(),
    ]
}

fn begin(recorder: &mut Recorder, cache: &str) {
    let with = json!({ "name": cache, "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    recorder.call("start", json!({ "cache": 0 }));
}

/// What a server that offers these mechanisms says to PING and AUTH_MECH_LIST, and the other requests.
fn answers(sent: &Value, offered: &[&str]) -> (String, Vec<Request>) {
    let mut server = ServerSession::new(Limits::default(), 1 << 20);
    server.handle_received(&sent.as_str().and_then(unhex).expect("hexadecimal digits"));
    let mut others = Vec::new();
    while let Some((header, request)) = server.poll_request() {
        let (operation, body) = match request {
            Request::Ping {} => (
                Operation::Ping,
                Body::Ping(Box::new(Ping { server_version: Some(Version::V4_1.to_byte()), ..Ping::default() })),
            ),
            Request::AuthMechList {} => {
                (Operation::AuthMechList, Body::Names(offered.iter().map(ToString::to_string).collect()))
            }
            other => {
                others.push(other);
                continue;
            }
        };
        let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology: None, body };
        server.reply(&header, operation, &reply);
    }
    let said = hex(server.transmit().to_bytes());
    (said.as_str().unwrap_or_default().into(), others)
}

fn weak(what: &str, scheme: &str, offered: &[&str]) -> Value {
    let doc = "A server that offers nothing as strong as SCRAM gets no AUTH; the failure says what it offers and which property allows it.";
    let uri = format!("{scheme}://admin:changeme@{{}}/local");
    let mut recorder = Recorder::new(&format!("a server that offers {what}"), doc, &uri, 1);
    begin(&mut recorder, "local");
    recorder.network.dials.clear();
    let sent = recorder.call("connected", json!({ "link": "$link1", "alpn": null }));
    let (said, others) = answers(&sent["transmit"]["$link1"], offered);
    assert!(others.is_empty(), "{others:?}");
    let done = recorder.call("received", json!({ "link": "$link1", "bytes": said }));
    assert!(done["transmit"].is_null(), "nothing is sent: {done}");
    let error = recorder.latest("StartFailed")["error"].clone();
    assert_eq!(error["kind"], "Handshake");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains(&offered.join(", ")) && message.contains("sasl_mechanism"), "{message}");
    recorder.finish()
}

fn bound(is_offered: bool) -> Value {
    let (name, offered) = if is_offered {
        ("SCRAM is bound to TLS", &["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"][..])
    } else {
        ("SCRAM could be bound to TLS", &["SCRAM-SHA-256"][..])
    };
    let doc =
        "What TLS exports binds the exchange where the server offers that; else the server is told that it could be.";
    let mut recorder = Recorder::new(name, doc, "hotrods://admin:changeme@{}/local", 1);
    begin(&mut recorder, "local");
    recorder.network.dials.clear();
    recorder.call("set_server_certificate", json!({ "link": "$link1", "certificate": "30030201ff" }));
    recorder.call("set_tls_exporter", json!({ "link": "$link1", "exported": "05".repeat(32) }));
    let sent = recorder.call("connected", json!({ "link": "$link1", "alpn": null }));
    let (said, _) = answers(&sent["transmit"]["$link1"], offered);
    let sent = recorder.call("received", json!({ "link": "$link1", "bytes": said }));
    let (_, others) = answers(&sent["transmit"]["$link1"], offered);
    let [Request::Auth { mechanism, response }] = &others[..] else { panic!("{others:?}") };
    let (wanted, flag) = if is_offered { ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,") } else { ("SCRAM-SHA-256", "y,,") };
    assert_eq!(mechanism, wanted);
    assert!(response.0.starts_with(flag.as_bytes()));
    recorder.finish()
}

const DOC: &str = "Members outside member_hosts are not dialled and told once; their operations go by the seed.";

fn dialled_hosts(recorder: &Recorder) -> Vec<String> {
    let steps = recorder.so_far();
    let outputs =
        steps.as_array().into_iter().flatten().flat_map(|step| step["outputs"].as_array().into_iter().flatten());
    let hosts = outputs.filter(|output| output["type"] == "Connect").filter_map(|output| output["host"].as_str());
    hosts.map(ToString::to_string).collect()
}

fn outside() -> Value {
    let mut recorder = Recorder::new("members outside", DOC, "hotrods://one.example.com:11222/dist", 2);
    recorder.cache("dist");
    recorder.execute("put", json!(["6b", { "lifespan": "default", "max_idle": "default" }, "76"]));
    assert!(!recorder.latest("MemberNotAllowed").is_null());
    assert_eq!(dialled_hosts(&recorder), ["one.example.com"]);
    recorder.finish()
}

fn outside_but_named() -> Value {
    let uri = "hotrods://one.example.com:11222/dist?member_hosts=*.example.com,10.0.0.0/24";
    let mut recorder = Recorder::new("members that member_hosts names", DOC, uri, 2);
    recorder.cache("dist");
    assert!(recorder.latest("MemberNotAllowed").is_null());
    assert_eq!(dialled_hosts(&recorder), ["one.example.com", "10.0.0.1", "10.0.0.1"]);
    recorder.finish()
}

fn outside_but_near() -> Value {
    let doc = "The address to which a seed's name has led covers its private block.";
    let mut recorder = Recorder::new("members near the seed's address", doc, "hotrods://infinispan:11222/dist", 2);
    begin(&mut recorder, "dist");
    recorder.call("set_peer", json!({ "link": "$link1", "address": "10.96.0.1" }));
    recorder.settle();
    assert!(recorder.latest("MemberNotAllowed").is_null());
    assert_eq!(dialled_hosts(&recorder), ["infinispan", "10.0.0.1", "10.0.0.1"]);
    recorder.finish()
}
