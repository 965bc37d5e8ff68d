//! How sessions travel: each carriage, what an endpoint can say on it, and the ladder.

use hotrod_core::carriage::registry::{HOT_ROD_TOO_MANY_CALLS, HOT_ROD_UPSTREAM_GONE};
use hotrod_core::http2::ErrorCode;
use serde_json::{Value, json};

use super::text;
use crate::endpoint::Speaks;
use crate::recorder::Recorder;

const FRAMES: Speaks = Speaks::Http2 { frames: true };
const TUNNELS: Speaks = Speaks::Http2 { frames: false };

pub(super) fn all() -> Vec<Value> {
    let mut all: Vec<Value> = [
        ("upgrade", "carriage=upgrade&access=header", Speaks::Http1),
        ("connect", "carriage=connect&access=header", Speaks::Http1),
        ("connect-http2", "carriage=connect-http2&access=header", TUNNELS),
        ("extended-connect", "carriage=extended-connect&access=header", TUNNELS),
        ("frames", "carriage=frames&access=header", FRAMES),
    ]
    .map(|(name, properties, speaks)| operations(name, properties, speaks))
    .into();
    all.extend([
        fragments(),
        no_frames(),
        another_member(),
        drain(),
        cancel(),
        sent_again(),
        upstream_gone(),
        ladder_by_alpn("h2", FRAMES),
        ladder_by_alpn("http/1.1", Speaks::Http1),
        ladder_by_alpn("hotrod", Speaks::HotRod),
        ladder_to_extended_connect(),
        ladder_to_upgrade(),
        ladder_to_raw(),
    ]);
    all
}

fn recorder(name: &str, doc: &str, cache: &str, properties: &str, speaks: Speaks) -> Recorder {
    let mut recorder = Recorder::new(name, doc, &format!("hotrod://{{}}/{cache}?{properties}"), 1);
    recorder.network.speaks = speaks;
    recorder
}

fn put(recorder: &mut Recorder, value: &str) -> Value {
    write(recorder, "put", value)
}

fn write(recorder: &mut Recorder, operation: &str, value: &str) -> Value {
    let expiration = json!({ "lifespan": "default", "max_idle": "default" });
    recorder.submit(operation, json!([text("k"), expiration, text(value)]))
}

fn put_and_get(recorder: &mut Recorder) {
    put(recorder, "v");
    recorder.settle();
    recorder.execute("get", json!([text("k")]));
    assert_eq!(recorder.latest("Completed")["answer"]["value"], text("v"));
}

/// The cache `dist` brings a topology, so that a session is asked for by its member's name.
fn operations(name: &str, properties: &str, speaks: Speaks) -> Value {
    let doc = "The session is asked for as its carriage has it, then its messages travel in it.";
    let mut recorder = recorder(name, doc, "dist", properties, speaks);
    recorder.cache("dist");
    put_and_get(&mut recorder);
    recorder.finish()
}

fn fragments() -> Value {
    let doc = "A message that does not fit a frame goes in fragments, as far as there is credit.";
    let mut recorder = recorder("frames: fragments", doc, "local", "carriage=frames", FRAMES);
    recorder.cache("local");
    put(&mut recorder, &"v".repeat(70_000));
    recorder.settle();
    assert!(!recorder.latest("Completed").is_null());
    recorder.finish()
}

fn no_frames() -> Value {
    let doc = "Where frames are the only carriage allowed, an endpoint without them is none.";
    let mut recorder = recorder("frames: not offered", doc, "local", "carriage=frames", TUNNELS);
    start(&mut recorder, "local");
    until(&mut recorder, "StartFailed");
    recorder.finish()
}

fn another_member() -> Value {
    let doc = "421: another member is there. It is asked for again on another link, and no other carriage is tried.";
    let properties = "carriage=auto&access=header";
    let mut recorder = recorder("frames: another member is there", doc, "local", properties, FRAMES);
    start(&mut recorder, "local");
    connected(&mut recorder, Value::Null);
    recorder.network.endpoint("$link1").http2().refuses = Some(421);
    until(&mut recorder, "StartFailed");
    until(&mut recorder, "MemberReady");
    put_and_get(&mut recorder);
    assert_eq!(recorder.latest("CarriageChosen")["carriage"], "frames");
    recorder.finish()
}

fn drain() -> Value {
    let doc = "DRAIN: a session elsewhere is opened first, then this one ends; no call is lost.";
    let mut recorder = recorder("frames: the endpoint drains", doc, "local", "carriage=frames", FRAMES);
    recorder.cache("local");
    recorder.network.endpoint("$link1").http2().is_silent = true;
    put(&mut recorder, "v");
    let now = recorder.now();
    let http2 = recorder.network.endpoint("$link1").http2();
    http2.link.drain(now, 30_000);
    recorder.settle();
    assert!(recorder.latest("Completed").is_null(), "what is in flight there stays there");
    let (stream, call) = recorder.network.endpoint("$link1").http2().open_call();
    recorder.network.answer("$link1", stream, call, now);
    recorder.settle();
    put_and_get(&mut recorder);
    assert_eq!(recorder.latest("Connect")["link"], "$link2");
    recorder.finish()
}

fn silent(name: &str, doc: &str) -> Recorder {
    let mut recorder = recorder(name, doc, "local", "carriage=frames", FRAMES);
    recorder.cache("local");
    recorder.network.endpoint("$link1").http2().is_silent = true;
    recorder
}

fn cancel() -> Value {
    let doc = "CANCEL: an operation that is given up is given up at the endpoint as well, and others go on.";
    let mut recorder = silent("frames: an operation is given up", doc);
    let operation = put(&mut recorder, "never told of");
    recorder.play("cancel", json!({ "operation": operation }));
    recorder.network.endpoint("$link1").http2().is_silent = false;
    put_and_get(&mut recorder);
    recorder.finish()
}

/// Has the endpoint give up the one call that is open.
fn give_up(recorder: &mut Recorder, code: ErrorCode, may_have_been_applied: bool) {
    let http2 = recorder.network.endpoint("$link1").http2();
    let (stream, call) = http2.open_call();
    http2.link.end_call(stream, call, code, may_have_been_applied);
    http2.is_silent = false;
}

fn sent_again() -> Value {
    let doc = "A call that the endpoint gives up, and that was certainly not applied, is sent again.";
    let mut recorder = silent("frames: a call too many", doc);
    put(&mut recorder, "v");
    give_up(&mut recorder, HOT_ROD_TOO_MANY_CALLS, false);
    until(&mut recorder, "Completed");
    assert!(recorder.latest("Completed")["error"].is_null());
    recorder.finish()
}

fn upstream_gone() -> Value {
    let doc = "A write that may have been applied is not sent again; that is told.";
    let mut recorder = silent("frames: the member is gone", doc);
    write(&mut recorder, "put_if_absent", "v");
    give_up(&mut recorder, HOT_ROD_UPSTREAM_GONE, true);
    recorder.settle();
    assert_eq!(recorder.latest("Completed")["error"]["applied"], "unknown");
    recorder.finish()
}

fn start(recorder: &mut Recorder, cache: &str) {
    let with = json!({ "name": cache, "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
    recorder.call("cache", with);
    recorder.call("start", json!({ "cache": 0 }));
}

fn connected(recorder: &mut Recorder, alpn: Value) -> String {
    let (link, port) = recorder.network.dials.remove(0);
    recorder.network.connect(&link, port);
    recorder.call("connected", json!({ "link": link, "alpn": alpn }));
    link
}

/// Lets time pass until there is such an output.
fn until(recorder: &mut Recorder, shape: &str) {
    for _ in 0..20 {
        recorder.settle();
        if !recorder.latest(shape).is_null() {
            return;
        }
        recorder.time_out();
    }
    panic!("no {shape} in {}", recorder.so_far());
}

fn ladder_by_alpn(alpn: &str, speaks: Speaks) -> Value {
    let doc = "What the endpoint selects by ALPN is where the ladder begins.";
    let uri = "hotrods://{}/local?carriage=auto";
    let mut recorder = Recorder::new(&format!("auto: {alpn}"), doc, uri, 1);
    recorder.network.speaks = speaks;
    start(&mut recorder, "local");
    connected(&mut recorder, alpn.into());
    recorder.settle();
    put_and_get(&mut recorder);
    recorder.finish()
}

fn ladder_to_extended_connect() -> Value {
    let doc = "An endpoint whose SETTINGS say nothing of frames carries bytes; the step down is told.";
    let mut recorder = recorder("auto: no frames", doc, "local", "carriage=auto", TUNNELS);
    recorder.cache("local");
    put_and_get(&mut recorder);
    assert_eq!(recorder.latest("CarriageChosen")["carriage"], "extended-connect");
    recorder.finish()
}

fn ladder_to_upgrade() -> Value {
    let doc = "An endpoint that answers HTTP/2 in HTTP/1.1 gets an Upgrade, on another link.";
    let mut recorder = recorder("auto: no HTTP/2", doc, "local", "carriage=auto", Speaks::Http1);
    start(&mut recorder, "local");
    until(&mut recorder, "Started");
    put_and_get(&mut recorder);
    assert_eq!(recorder.latest("CarriageChosen")["carriage"], "upgrade");
    recorder.finish()
}

fn ladder_to_raw() -> Value {
    let doc = "A server that closes whatever is HTTP is spoken to in Hot Rod.";
    let mut recorder = recorder("auto: nothing but Hot Rod", doc, "local", "carriage=auto", Speaks::HotRod);
    start(&mut recorder, "local");
    for _ in 0..4 {
        let Some((link, _)) = recorder.network.dials.first().cloned() else { break };
        connected(&mut recorder, Value::Null);
        if recorder.latest("CarriageChosen")["carriage"] == "raw" {
            break;
        }
        recorder.call("link_lost", json!({ "link": link, "why": "closed by the server" }));
    }
    until(&mut recorder, "Started");
    put_and_get(&mut recorder);
    assert_eq!(recorder.latest("CarriageChosen")["carriage"], "raw");
    recorder.finish()
}
