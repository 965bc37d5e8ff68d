//! Listeners and near caches.

use serde_json::{Value, json};

use super::text;
use crate::recorder::Recorder;

pub(super) fn all() -> Vec<Value> {
    vec![entries(), current_state(), counter(), too_slow(), moved_while_full(), moved(), refused(), near_cache()]
}

fn lifetimes() -> Value {
    json!({ "lifespan": "default", "max_idle": "default" })
}

fn listening(name: &str, doc: &str, uri: &str, cache: &str, members: u16) -> Recorder {
    let mut recorder = Recorder::new(name, doc, uri, members);
    recorder.cache(cache);
    recorder
}

fn listen(recorder: &mut Recorder, interests: u32, include_current_state: bool) -> Value {
    let with = json!({ "cache": 0, "include_current_state": include_current_state, "filter": null, "converter": null, "use_raw_data": false, "interests": interests });
    recorder.play("listen", with)["returns"].clone()
}

fn entries() -> Value {
    let doc = "A listener hears of what it asked for, until it is removed.";
    let mut recorder = listening("a cache listener", doc, "hotrod://{}/local", "local", 1);
    let listener = listen(&mut recorder, 0, false);
    recorder.execute("put", json!([text("k"), lifetimes(), text("one")]));
    recorder.execute("put", json!([text("k"), lifetimes(), text("two")]));
    recorder.execute("remove", json!([text("k")]));
    recorder.call("events_taken", json!({ "listener": listener, "count": 3 }));
    recorder.play("remove_listener", json!({ "listener": listener }));
    recorder.play("remove_listener", json!({ "listener": listener }));
    recorder.execute("put", json!([text("k"), lifetimes(), text("three")]));
    let only_removals = listen(&mut recorder, 4, false);
    recorder.execute("put", json!([text("k"), lifetimes(), text("four")]));
    recorder.execute("remove", json!([text("k")]));
    recorder.play("remove_listener", json!({ "listener": only_removals }));
    recorder.finish()
}

fn current_state() -> Value {
    let doc = "A listener may be told of what is there already.";
    let mut recorder = listening("the current state", doc, "hotrod://{}/local", "local", 1);
    recorder.execute("put", json!([text("k"), lifetimes(), text("v")]));
    listen(&mut recorder, 0, true);
    recorder.finish()
}

fn counter() -> Value {
    let doc = "A counter's listener hears its values and whether it is at a bound.";
    let mut recorder = listening("a counter listener", doc, "hotrod://{}/local", "local", 1);
    let configuration = json!({ "kind": "bounded_strong", "lower": "-1", "upper": "1", "concurrency": null, "persistent": false, "initial_value": "0" });
    recorder.execute("counter_create", json!(["c", configuration]));
    let listener = recorder.play("listen_to_counter", json!({ "cache": 0, "counter": "c" }))["returns"].clone();
    for delta in ["1", "1", "-2", "-1"] {
        recorder.execute("counter_add_and_get", json!(["c", delta]));
    }
    recorder.play("remove_listener", json!({ "listener": listener }));
    recorder.finish()
}

fn too_slow() -> Value {
    let doc = "A listener whose events are not taken has its link paused, and read again when half of them are.";
    let mut recorder = listening("a slow listener", doc, "hotrod://{}/local?listener_queue=8", "local", 1);
    let listener = listen(&mut recorder, 0, false);
    let entries: Vec<Value> = (0..10).map(|number: u32| json!([format!("{number:08x}"), "00"])).collect();
    recorder.execute("put_all", json!([lifetimes(), entries]));
    assert!(!recorder.latest("Pause").is_null(), "the link is paused");
    recorder.call("events_taken", json!({ "listener": listener, "count": 5 }));
    recorder.call("events_taken", json!({ "listener": listener, "count": 2 }));
    assert!(!recorder.latest("Resume").is_null(), "the link is read again");
    recorder.finish()
}

fn moved_while_full() -> Value {
    let doc = "A listener that is full when its member is lost holds up its new link as well, with the next event.";
    let uri = "hotrod://{}/dist?listener_queue=2";
    let mut recorder = listening("a slow listener moves", doc, uri, "dist", 3);
    let listener = listen(&mut recorder, 0, false);
    let write =
        |recorder: &mut Recorder, key: &str| recorder.execute("put", json!([text(key), lifetimes(), text("v")]));
    write(&mut recorder, "k0");
    write(&mut recorder, "k1");
    let first = recorder.latest("Pause")["link"].clone();
    recorder.call("link_lost", json!({ "link": first, "why": "reset by peer" }));
    recorder.settle();
    write(&mut recorder, "k2");
    assert!(recorder.latest("Pause")["link"] != first, "the new link is paused");
    recorder.call("events_taken", json!({ "listener": listener, "count": 3 }));
    assert_eq!(recorder.latest("Resume"), json!({ "type": "Resume", "link": recorder.latest("Pause")["link"] }));
    recorder.finish()
}

fn moved() -> Value {
    let doc = "A listener whose link is lost is registered with another member, and says so.";
    let mut recorder = listening("a listener moves", doc, "hotrod://{}/dist", "dist", 3);
    listen(&mut recorder, 0, false);
    recorder.execute("put", json!([text("k"), lifetimes(), text("v")]));
    let link = recorder.latest("Entry")["link"].clone();
    recorder.call("link_lost", json!({ "link": link, "why": "reset by peer" }));
    recorder.settle();
    recorder.execute("put", json!([text("k"), lifetimes(), text("w")]));
    recorder.finish()
}

fn refused() -> Value {
    let doc = "A listener that the server does not take is over, with the server's words.";
    let mut recorder = listening("a listener is refused", doc, "hotrod://{}/nowhere", "nowhere", 1);
    listen(&mut recorder, 0, false);
    assert!(!recorder.latest("ListenerFailed").is_null(), "it fails");
    recorder.finish()
}

fn near_cache() -> Value {
    let doc = "What was read is answered without the server, until somebody changes it.";
    let mut recorder = listening("a near cache", doc, "hotrod://{}/local", "local", 1);
    recorder.execute("put", json!([text("k"), lifetimes(), text("v")]));
    recorder.play("near_cache", json!({ "cache": 0, "max_entries": 10, "max_bytes": 1000, "bloom_filter": false }));
    recorder.execute("get", json!([text("k")]));
    recorder.execute("get", json!([text("k")]));
    recorder.execute("put", json!([text("k"), lifetimes(), text("w")]));
    recorder.execute("get", json!([text("k")]));
    recorder.play("remove_near_cache", json!({ "cache": 0 }));
    recorder.execute("get", json!([text("k")]));
    recorder.finish()
}
