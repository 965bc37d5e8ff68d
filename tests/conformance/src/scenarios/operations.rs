//! Operations on one member.

use serde_json::{Value, json};

use super::text;
use crate::recorder::Recorder;

const URI: &str = "hotrod://{}/local";

pub(super) fn all() -> Vec<Value> {
    vec![
        single_keys(),
        lifetimes(),
        previous_values(),
        counters(),
        multimap(),
        streams(),
        transactions(),
        media_types(),
        no_answer(),
        no_such_cache(),
        cancelled(),
    ]
}

fn default_lifetimes() -> Value {
    json!({ "lifespan": "default", "max_idle": "default" })
}

fn single_keys() -> Value {
    let mut recorder = Recorder::new("single keys", "What is written is read; conditions hold or do not.", URI, 1);
    recorder.cache("local");
    let (key, one, two) = (text("k"), text("one"), text("two"));
    recorder.execute("get", json!([key]));
    recorder.execute("put", json!([key, default_lifetimes(), one]));
    recorder.execute("get", json!([key]));
    recorder.execute("contains_key", json!([key]));
    recorder.execute("put_if_absent", json!([key, default_lifetimes(), two]));
    recorder.execute("replace", json!([key, default_lifetimes(), two]));
    recorder.execute("get_with_version", json!([key]));
    recorder.execute("get_with_metadata", json!([key]));
    let version = recorder.latest("Completed")["answer"]["entry"]["version"].clone();
    recorder.execute("replace_if_unmodified", json!([key, default_lifetimes(), "1", one]));
    recorder.execute("replace_if_unmodified", json!([key, default_lifetimes(), version, one]));
    recorder.execute("remove_if_unmodified", json!([text("none"), version]));
    recorder.execute("size", json!([]));
    recorder.execute("remove", json!([key]));
    recorder.execute("remove", json!([key]));
    recorder.execute("clear", json!([]));
    recorder.execute("ping", json!([]));
    recorder.finish()
}

fn lifetimes() -> Value {
    let doc = "Lifetimes are written in their own unit, and told in seconds.";
    let mut recorder = Recorder::new("lifetimes", doc, URI, 1);
    recorder.cache("local");
    let forms = [
        json!({ "lifespan": "infinite", "max_idle": "default" }),
        json!({ "lifespan": { "count": "90", "unit": "s" }, "max_idle": "infinite" }),
        json!({ "lifespan": { "count": "1500", "unit": "ms" }, "max_idle": { "count": "7", "unit": "min" } }),
        json!({ "lifespan": { "count": "2", "unit": "d" }, "max_idle": { "count": "3", "unit": "h" } }),
    ];
    for form in forms {
        recorder.execute("put", json!([text("k"), form, text("v")]));
        recorder.execute("get_with_metadata", json!([text("k")]));
    }
    recorder.finish()
}

fn previous_values() -> Value {
    let doc = "With FORCE_RETURN_VALUE an operation tells what was there before.";
    let mut recorder = Recorder::new("previous values", doc, URI, 1);
    let with = json!({ "name": "local", "flags": 1, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [["traceparent", text("00-1")]] });
    recorder.play("cache", with);
    recorder.execute("put", json!([text("k"), default_lifetimes(), text("one")]));
    recorder.execute("put", json!([text("k"), default_lifetimes(), text("two")]));
    recorder.execute("put_if_absent", json!([text("k"), default_lifetimes(), text("three")]));
    recorder.execute("replace", json!([text("none"), default_lifetimes(), text("three")]));
    recorder.execute("remove", json!([text("k")]));
    recorder.finish()
}

fn counters() -> Value {
    let doc = "A counter that is not there, and one at its bound, are failures of their own.";
    let mut recorder = Recorder::new("counters", doc, URI, 1);
    recorder.cache("local");
    let configuration = json!({ "kind": "bounded_strong", "lower": "0", "upper": "10", "concurrency": null, "persistent": false, "initial_value": "5" });
    let weak = json!({ "kind": "weak", "lower": null, "upper": null, "concurrency": 4, "persistent": false, "initial_value": "-3" });
    recorder.execute("counter_get", json!(["c"]));
    recorder.execute("counter_reset", json!(["c"]));
    recorder.execute("counter_get_configuration", json!(["c"]));
    recorder.execute("counter_is_defined", json!(["c"]));
    recorder.execute("counter_create", json!(["c", configuration]));
    recorder.execute("counter_create", json!(["c", configuration]));
    recorder.execute("counter_create", json!(["w", weak]));
    recorder.execute("counter_get_configuration", json!(["c"]));
    recorder.execute("counter_get_configuration", json!(["w"]));
    recorder.execute("counter_add_and_get", json!(["c", "5"]));
    recorder.execute("counter_add_and_get", json!(["c", "1"]));
    recorder.execute("counter_compare_and_swap", json!(["c", "10", "2"]));
    recorder.execute("counter_compare_and_swap", json!(["c", "10", "3"]));
    recorder.execute("counter_get_and_set", json!(["c", "7"]));
    recorder.execute("counter_get", json!(["w"]));
    recorder.execute("counter_get_names", json!([]));
    recorder.execute("counter_remove", json!(["c"]));
    recorder.finish()
}

fn multimap() -> Value {
    let mut recorder = Recorder::new("multimap", "A key has several values.", URI, 1);
    recorder.cache("local");
    let key = text("m");
    recorder.execute("get_multimap", json!([key, false]));
    recorder.execute("put_multimap", json!([key, default_lifetimes(), text("a"), false]));
    recorder.execute("put_multimap", json!([key, default_lifetimes(), text("b"), false]));
    recorder.execute("get_multimap", json!([key, false]));
    recorder.execute("get_multimap_with_metadata", json!([key, false]));
    recorder.execute("contains_entry_multimap", json!([key, default_lifetimes(), text("b"), false]));
    recorder.execute("contains_value_multimap", json!([default_lifetimes(), text("c"), false]));
    recorder.execute("size_multimap", json!([false]));
    recorder.execute("remove_entry_multimap", json!([key, default_lifetimes(), text("a"), false]));
    recorder.execute("remove_key_multimap", json!([key, false]));
    recorder.execute("contains_key_multimap", json!([key, false]));
    recorder.finish()
}

fn streams() -> Value {
    let doc = "A value in chunks: what follows the first goes to the member that has it.";
    let mut recorder = Recorder::new("streams", doc, URI, 1);
    recorder.cache("local");
    let pinned = |recorder: &mut Recorder, operation: &str, arguments: Value, member: &Value| {
        let with = json!({ "cache": 0, "operation": operation, "arguments": arguments, "member": member, "timeout": 1_000_000 });
        recorder.play("submit", with);
    };
    recorder.execute("start_put_stream", json!([text("s"), default_lifetimes(), "0"]));
    let started = recorder.latest("Completed");
    let (member, stream) = (started["member"].clone(), started["answer"]["number"].clone());
    pinned(&mut recorder, "next_put_stream", json!([stream, false, text("in ")]), &member);
    pinned(&mut recorder, "next_put_stream", json!([stream, true, text("chunks")]), &member);
    recorder.execute("start_get_stream", json!([text("s"), 4]));
    let stream = recorder.latest("Completed")["answer"]["chunk"]["stream_id"].clone();
    pinned(&mut recorder, "next_get_stream", json!([stream]), &member);
    pinned(&mut recorder, "end_get_stream", json!([stream]), &member);
    recorder.execute("start_get_stream", json!([text("none"), 4]));
    recorder.finish()
}

fn transactions() -> Value {
    let mut recorder = Recorder::new("transactions", "Prepared, and committed or rolled back.", URI, 1);
    recorder.cache("local");
    let xid = json!({ "format_id": -17, "global_transaction_id": "01", "branch_qualifier": "02" });
    let modifications = json!([
        { "key": text("a"), "seen": "non_existing", "change": { "expiration": default_lifetimes(), "value": text("1") } },
        { "key": text("b"), "seen": "not_read", "change": "remove" },
        { "key": text("c"), "seen": "18446744073709551615", "change": "remove" },
    ]);
    recorder.execute("prepare_tx_2", json!([xid, false, true, "60000", modifications]));
    recorder.execute("fetch_tx_recovery", json!([]));
    recorder.execute("rollback_tx", json!([xid]));
    recorder.finish()
}

fn media_types() -> Value {
    let doc = "The forms of keys and values are in every request.";
    let mut recorder = Recorder::new("media types", doc, URI, 1);
    let with = json!({ "name": "local", "flags": 0, "key_type": "text/plain", "value_type": "application/octet-stream;charset=UTF-8", "read_from_any_owner": true, "parameters": [] });
    recorder.play("cache", with);
    recorder.execute("put", json!([text("k"), default_lifetimes(), text("{}")]));
    recorder.finish()
}

fn no_answer() -> Value {
    let doc = "An operation without an answer says in time what may have become of it.";
    let mut recorder = Recorder::new("no answer", doc, "hotrod://{}/local?socket_timeout=1000", 1);
    recorder.cache("local");
    recorder.submit("put", json!([text("k"), default_lifetimes(), text("v")]));
    recorder.submit("get", json!([text("k")]));
    recorder.take_answer();
    while recorder.latest("Completed").is_null() || recorder.latest("Completed")["error"].is_null() {
        recorder.time_out();
    }
    recorder.finish()
}

fn no_such_cache() -> Value {
    let doc = "A server's error has its status and its words; the session goes on.";
    let mut recorder = Recorder::new("no such cache", doc, "hotrod://{}/nowhere", 1);
    recorder.cache("nowhere");
    recorder.execute("get", json!([text("k")]));
    recorder.execute("get", json!([text("k")]));
    recorder.finish()
}

fn cancelled() -> Value {
    let doc = "Of a cancelled operation nothing is said, though its answer comes.";
    let mut recorder = Recorder::new("cancelled", doc, URI, 1);
    recorder.cache("local");
    let operation = recorder.submit("get", json!([text("k")]));
    recorder.call("cancel", json!({ "operation": operation }));
    recorder.call("cancel", json!({ "operation": operation }));
    recorder.settle();
    recorder.finish()
}
