//! How links are established: TLS, ALPN, proxies, templates, and what happens when they are not.

use serde_json::{Value, json};

use super::text;
use crate::recorder::Recorder;

pub(super) fn all() -> Vec<Value> {
    vec![
        tls(),
        proxy(false),
        proxy(true),
        proxy_refuses(),
        template(),
        unreachable(),
        one_of_two(),
        no_hot_rod(),
        never_connected(),
        keep_alive(),
    ]
}

/// As the recorder's first cache, with nobody to answer.
fn start(recorder: &mut Recorder) {
    let with = json!({ "name": "local", "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    recorder.call("start", json!({ "cache": 0 }));
}

fn connected(recorder: &mut Recorder, alpn: Value) {
    let (link, port) = recorder.network.dials.remove(0);
    recorder.network.connect(&link, port);
    recorder.call("connected", json!({ "link": link, "alpn": alpn }));
}

fn tls() -> Value {
    let doc = "A dial says all that TLS needs; the selected ALPN id is told with the member.";
    let uri = "hotrods://{}/local?alpn=hotrod,h2&trust_ca=ca.pem&client_certificate=c.pem&client_key=k.pem&sni_host_name=example.com";
    let mut recorder = Recorder::new("TLS", doc, uri, 1);
    start(&mut recorder);
    connected(&mut recorder, "hotrod".into());
    recorder.settle();
    recorder.execute("ping", json!([]));
    recorder.finish()
}

/// The proxy's dial leads to a port where nobody is; the tunnel then leads to the member.
fn proxy(tls: bool) -> Value {
    let (name, scheme) = if tls { ("a proxy, and TLS behind it", "hotrods") } else { ("a proxy", "hotrod") };
    let doc = "The machine asks for the tunnel itself; TLS comes after it.";
    let uri = format!("{scheme}://{{}}/local?proxy=http://me:secret%2540@127.0.0.1:3128");
    let mut recorder = Recorder::new(name, doc, &uri, 1);
    start(&mut recorder);
    recorder.network.dials.clear();
    recorder.call("connected", json!({ "link": "$link1", "alpn": null }));
    recorder.call("received", json!({ "link": "$link1", "bytes": text("HTTP/1.1 200 Conn") }));
    if !tls {
        recorder.network.connect("$link1", 11222);
    }
    recorder.call("received", json!({ "link": "$link1", "bytes": text("ection established\r\n\r\n") }));
    if tls {
        recorder.network.connect("$link1", 11222);
        recorder.call("connected", json!({ "link": "$link1", "alpn": null }));
    }
    recorder.settle();
    recorder.finish()
}

fn proxy_refuses() -> Value {
    let doc = "A proxy that refuses is told of in its own words.";
    let mut recorder = Recorder::new("a proxy refuses", doc, "hotrod://{}/local?proxy=http://127.0.0.1:3128", 1);
    start(&mut recorder);
    recorder.network.dials.clear();
    recorder.call("connected", json!({ "link": "$link1", "alpn": null }));
    let answer = text("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    recorder.call("received", json!({ "link": "$link1", "bytes": answer }));
    recorder.finish()
}

fn template() -> Value {
    let doc = "Members are dialled where the template says, and asked for by that name.";
    let uri = "hotrods://{}/dist?host_template=%7Bmember%7D.hotrod.example.com:443";
    let mut recorder = Recorder::new("a host template", doc, uri, 2);
    let with = json!({ "name": "dist", "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    connected(&mut recorder, Value::Null);
    while let Some((link, bytes)) = recorder.network.next(0) {
        recorder.call("received", json!({ "link": link, "bytes": bytes }));
    }
    assert!(recorder.latest("Connect")["host"].as_str().is_some_and(|host| host.ends_with(".hotrod.example.com")));
    recorder.finish()
}

fn unreachable() -> Value {
    let doc = "When every server has failed the client says why of each, and goes on trying.";
    let mut recorder = Recorder::new("no server can be reached", doc, "hotrod://10.0.0.1:1,10.0.0.1:2/local", 1);
    start(&mut recorder);
    while let Some((link, _)) = recorder.network.dials.first().cloned() {
        recorder.call("link_lost", json!({ "link": link, "why": "connection refused" }));
    }
    assert!(!recorder.latest("StartFailed").is_null());
    recorder.finish()
}

fn one_of_two() -> Value {
    let doc = "A server that can't be reached is passed over.";
    let mut recorder = Recorder::new("a server is passed over", doc, "hotrod://10.0.0.1:1,{}/local", 1);
    start(&mut recorder);
    let (link, _) = recorder.network.dials[0].clone();
    recorder.call("link_lost", json!({ "link": link, "why": "connection refused" }));
    recorder.settle();
    assert!(!recorder.latest("Started").is_null());
    recorder.finish()
}

fn no_hot_rod() -> Value {
    let doc = "A server that speaks something else is told of with the byte that was wrong.";
    let mut recorder = Recorder::new("no Hot Rod server", doc, "hotrod://{}/local", 1);
    start(&mut recorder);
    connected(&mut recorder, Value::Null);
    recorder.call("received", json!({ "link": "$link1", "bytes": text("HTTP/1.1 400 Bad Request\r\n\r\n") }));
    assert_eq!(recorder.latest("StartFailed")["error"]["kind"], "Handshake");
    recorder.finish()
}

fn never_connected() -> Value {
    let doc = "A dial that leads nowhere is given up in time, and another is made after a pause.";
    let mut recorder = Recorder::new("a dial without an answer", doc, "hotrod://{}/local?connect_timeout=100", 1);
    start(&mut recorder);
    recorder.time_out();
    assert!(!recorder.latest("Close").is_null());
    while recorder.network.dials.is_empty() {
        recorder.time_out();
    }
    recorder.settle();
    assert!(!recorder.latest("MemberReady").is_null());
    recorder.finish()
}

fn keep_alive() -> Value {
    let doc = "A quiet link is asked; one that does not answer is lost.";
    let mut recorder = Recorder::new("a quiet link", doc, "hotrod://{}/local?keep_alive=1000", 1);
    recorder.cache("local");
    recorder.time_out();
    recorder.settle();
    recorder.time_out();
    recorder.take_answer();
    for _ in 0..10 {
        if !recorder.latest("MemberUnavailable").is_null() {
            break;
        }
        recorder.time_out();
    }
    assert!(!recorder.latest("MemberUnavailable").is_null());
    recorder.settle();
    recorder.finish()
}
