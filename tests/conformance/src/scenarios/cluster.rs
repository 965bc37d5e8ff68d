//! Several members.

use serde_json::{Value, json};

use super::{keys, text};
use crate::recorder::Recorder;

const URI: &str = "hotrod://{}/dist";

pub(super) fn all() -> Vec<Value> {
    vec![
        to_the_owner(),
        by_storage_keys(),
        bulk(),
        iteration(),
        iteration_ended(),
        lost_link(),
        lost_for_good(),
        switched_site(),
        left(),
    ]
}

fn lifetimes() -> Value {
    json!({ "lifespan": "default", "max_idle": "default" })
}

fn started(name: &str, doc: &str, uri: &str) -> Recorder {
    let mut recorder = Recorder::new(name, doc, uri, 3);
    recorder.cache("dist");
    recorder
}

fn to_the_owner() -> Value {
    let doc = "The first answer brings the members; each key goes to its primary owner.";
    let mut recorder = started("to the owner", doc, URI);
    for key in keys(6) {
        recorder.execute("put", json!([key, lifetimes(), text("v")]));
    }
    for key in keys(6) {
        recorder.submit("get", json!([key]));
    }
    recorder.settle();
    recorder.finish()
}

fn by_storage_keys() -> Value {
    let doc = "Keys go to the owner of their storage keys, where the application gives them: one for each.";
    let mut recorder = started("by storage keys", doc, URI);
    let submit = |operation, arguments, storage_keys: &[String]| {
        json!({
            "cache": 0, "operation": operation, "arguments": arguments, "member": null, "timeout": null, "storage_keys": storage_keys,
        })
    };
    recorder.execute("get", json!([text("k")]));
    for storage_key in keys(3) {
        recorder.play("submit", submit("get", json!([text("k")]), &[storage_key]));
    }
    let entries: Vec<Value> = ["a", "b", "c"].map(|key| json!([text(key), text("v")])).into();
    recorder.play("submit", submit("put_all", json!([lifetimes(), entries]), &keys(3)));
    recorder.play("submit", submit("put_all", json!([lifetimes(), entries]), &keys(2)));
    recorder.finish()
}

fn bulk() -> Value {
    let doc = "PUT_ALL and GET_ALL go to each owner with its keys, and are one operation.";
    let mut recorder = started("bulk", doc, URI);
    let entries: Vec<Value> = keys(5).iter().map(|key| json!([key, text("v")])).collect();
    recorder.execute("put_all", json!([lifetimes(), entries]));
    let mut asked = keys(5);
    asked.push(text("none"));
    recorder.execute("get_all", json!([asked]));
    recorder.submit("put_all", json!([lifetimes(), entries]));
    // The answers of two; the third is lost, and the operation says which keys may not have been written.
    let (lost, _) = recorder.take_answer();
    recorder.settle();
    recorder.call("link_lost", json!({ "link": lost, "why": "reset by peer" }));
    recorder.settle();
    recorder.finish()
}

fn iteration() -> Value {
    let doc = "Every entry comes once, from all members; an empty list is the end.";
    let mut recorder = started("iteration", doc, URI);
    for key in keys(4) {
        recorder.execute("put", json!([key, lifetimes(), text("v")]));
    }
    let with = json!({ "cache": 0, "segments": null, "filter_converter": null, "batch_size": 2, "include_metadata": true, "timeout": null });
    let iteration = recorder.play("iterate", with)["returns"].clone();
    for _ in 0..8 {
        recorder.play("next_entries", json!({ "iteration": iteration }));
    }
    recorder.finish()
}

fn iteration_ended() -> Value {
    let doc = "An iteration that is ended early ends in the servers, and gives no more entries.";
    let mut recorder = started("iteration ended early", doc, URI);
    recorder.execute("put", json!([text("k"), lifetimes(), text("v")]));
    let with = json!({ "cache": 0, "segments": "ff", "filter_converter": null, "batch_size": 0, "include_metadata": false, "timeout": 5_000_000 });
    let iteration = recorder.play("iterate", with)["returns"].clone();
    recorder.play("end_iteration", json!({ "iteration": iteration }));
    recorder.play("next_entries", json!({ "iteration": iteration }));
    recorder.finish()
}

fn lost_link() -> Value {
    let doc = "A read whose link is lost goes to another owner; a removal says that it may have been applied.";
    let mut recorder = started("a lost link", doc, URI);
    recorder.submit("get", json!([text("k0")]));
    recorder.submit("remove", json!([text("k0")]));
    let (link, _) = recorder.take_answer();
    recorder.call("link_lost", json!({ "link": link, "why": "reset by peer" }));
    recorder.settle();
    recorder.finish()
}

fn lost_for_good() -> Value {
    let doc =
        "When nobody can be reached operations wait until their deadline, and the machine says that it is degraded.";
    let mut recorder = started("nobody can be reached", doc, "hotrod://{}/dist?socket_timeout=500");
    let lost = ["$link1", "$link2", "$link3"];
    for link in lost {
        recorder.call("link_lost", json!({ "link": link, "why": "the network is down" }));
    }
    recorder.submit("get", json!([text("k")]));
    for _ in 0..40 {
        while let Some((link, _)) = recorder.network.dials.first().cloned() {
            recorder.call("link_lost", json!({ "link": link, "why": "no route to host" }));
        }
        if !recorder.latest("Completed").is_null() {
            break;
        }
        recorder.time_out();
    }
    assert_eq!(recorder.latest("Completed")["error"]["kind"], "Unreachable");
    recorder.settle();
    recorder.finish()
}

fn switched_site() -> Value {
    let doc = "Another site is gone over to by its name, and back by an empty one.";
    let mut recorder = started("sites", doc, "hotrod://{}/dist?site.north=10.0.0.1:11224");
    recorder.play("switch_site", json!({ "name": "nowhere" }));
    recorder.play("switch_site", json!({ "name": "north" }));
    recorder.execute("get", json!([text("k")]));
    recorder.play("switch_site", json!({ "name": "" }));
    recorder.finish()
}

fn left() -> Value {
    let doc = "A member that leaves is told of by the next answer; its link is closed, and its keys go to others.";
    let mut recorder = started("a member leaves", doc, URI);
    let gone = recorder.network.member(11224);
    recorder.network.servers.remove_member(gone);
    for key in keys(3) {
        recorder.execute("get", json!([key]));
    }
    recorder.finish()
}
