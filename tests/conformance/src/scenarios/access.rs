//! How members are reached that the client can't dial: each access path, and what is told of it.

use serde_json::{Value, json};

use super::{keys, text};
use crate::before::Leads;
use crate::endpoint::Speaks;
use crate::recorder::Recorder;

const FRAMES: Speaks = Speaks::Http2 { frames: true };
const COOKIES: Leads = Leads::Cookies { salt: 1 };
const BASE64: Leads = Leads::Header { name: "hot-rod-node", is_base64: true };

pub(super) fn all() -> Vec<Value> {
    vec![
        load_balancer(),
        always_the_same(),
        member_joins(),
        probe_cache(),
        not_told(),
        cookie(),
        cookie_of_nobody(),
        header(),
        connect("connect", "", BASE64),
        connect(
            "connect: a field of another name",
            "&connect_header=X-Member&connect_encoding=plain",
            Leads::Header { name: "x-member", is_base64: false },
        ),
        connect("connect: by authority", "&connect_authority=infinispan:11222", Leads::Authority),
        auto_direct(),
        auto("auto: a gateway in front", "carriage=frames", FRAMES, Leads::Front, &["header"]),
        auto("auto: a proxy", "carriage=connect", Speaks::Http1, BASE64, &["connect"]),
        auto("auto: cookies", "carriage=upgrade", Speaks::Http1, COOKIES, &["header", "cookie"]),
        auto("auto: gateways", "carriage=upgrade", Speaks::Http1, Leads::Gateways, &["header", "load-balancer"]),
        auto("auto: nobody says anything", "carriage=raw", Speaks::HotRod, Leads::Anywhere, &["load-balancer"]),
    ]
}

/// Three members behind something at 10.0.0.9:443, which leads to them in that order.
fn outside(name: &str, doc: &str, properties: &str, leads: Leads, order: &[usize]) -> Recorder {
    let uri = format!("hotrod://10.0.0.9:443/dist?{properties}");
    let mut recorder = Recorder::new(name, doc, &uri, 3);
    recorder.network.speaks = Speaks::Http1;
    recorder.network.put_before(443, leads, order);
    recorder
}

fn assert_coverage(recorder: &Recorder, covered: usize, members: usize, reason: &str) {
    let told = recorder.latest("Coverage");
    let wanted = json!({ "type": "Coverage", "covered": covered, "members": members, "reason": reason });
    assert_eq!(told, wanted, "{}", recorder.so_far());
}

/// Writes some keys; each goes to its owner.
fn write(recorder: &mut Recorder) {
    let before = forwarded(recorder);
    for key in keys(6) {
        let lifetimes = json!({ "lifespan": "default", "max_idle": "default" });
        recorder.execute("put", json!([key, lifetimes, text("v")]));
        assert!(recorder.latest("Completed")["error"].is_null());
    }
    assert_eq!(forwarded(recorder), before, "every key is asked for at its owner");
}

/// Operations on keys that came to another member than their owner.
fn forwarded(recorder: &Recorder) -> u64 {
    let servers = &recorder.network.servers;
    servers.members().map(|(id, _)| servers.counts("dist", id).forwarded).sum()
}

fn outputs(recorder: &Recorder, shape: &str) -> Vec<Value> {
    let steps = recorder.so_far();
    let lists = steps.as_array().into_iter().flatten().filter_map(|step| step["outputs"].as_array());
    lists.flatten().filter(|output| output["type"] == shape).cloned().collect()
}

/// Lets time pass until all members are reached.
fn until_covered(recorder: &mut Recorder) {
    for _ in 0..40 {
        recorder.settle();
        let told = recorder.latest("Coverage");
        if told["covered"] == told["members"] {
            return;
        }
        recorder.time_out();
    }
    panic!("no coverage in {}", recorder.so_far());
}

fn load_balancer() -> Value {
    let doc =
        "Gateways say who they are. A session with a member that has one already is closed, and another is opened.";
    let properties = "carriage=upgrade&access=load-balancer";
    let mut recorder = outside("load-balancer", doc, properties, Leads::Gateways, &[0, 0, 1, 1, 2]);
    recorder.cache("dist");
    assert_coverage(&recorder, 3, 3, "");
    assert_eq!(outputs(&recorder, "Connect").len(), 5);
    assert_eq!(outputs(&recorder, "Close").len(), 2);
    assert_eq!(recorder.latest("BalancingRecognised")["balancing"], "random");
    write(&mut recorder);
    recorder.finish()
}

fn always_the_same() -> Value {
    let doc = "A balancer that always leads to the same member is told of, and tried again after a pause.";
    let properties = "carriage=upgrade&access=load-balancer";
    let mut recorder = outside("load-balancer: by the client's address", doc, properties, Leads::Gateways, &[1]);
    recorder.cache("dist");
    let told = recorder.latest("Coverage");
    assert_eq!(recorder.latest("BalancingRecognised")["balancing"], "client-address");
    assert_eq!((&told["covered"], &told["members"]), (&json!(1), &json!(3)));
    assert!(told["reason"].as_str().is_some_and(|reason| reason.contains("the client's address")), "{told}");
    recorder.execute("get", json!([text("k")]));
    recorder.network.choose(&[0, 1, 2]);
    until_covered(&mut recorder);
    write(&mut recorder);
    recorder.finish()
}

fn member_joins() -> Value {
    let doc = "A new topology names a member that has to be found; sessions with the others stay.";
    let properties = "carriage=upgrade&access=load-balancer";
    let mut recorder = outside("load-balancer: a member joins", doc, properties, Leads::Gateways, &[0, 1, 2]);
    recorder.cache("dist");
    assert_eq!(recorder.latest("BalancingRecognised")["balancing"], "round-robin");
    let joined = hotrod_core::wire::Member { host: "10.0.0.2".into(), port: 11222 };
    recorder.network.servers.add_member(joined);
    recorder.network.choose(&[0, 3]);
    recorder.execute("get", json!([text("k")]));
    until_covered(&mut recorder);
    assert_coverage(&recorder, 4, 4, "");
    recorder.finish()
}

fn probe_cache() -> Value {
    let doc =
        "Servers that do not say who they are are told apart by a cache of which each owns another number of keys.";
    let properties = "access=load-balancer";
    let mut recorder = outside("load-balancer: the probe cache", doc, properties, Leads::Anywhere, &[0, 0, 1, 2]);
    recorder.network.speaks = Speaks::HotRod;
    recorder.cache("dist");
    until_covered(&mut recorder);
    assert_coverage(&recorder, 3, 3, "");
    write(&mut recorder);
    recorder.finish()
}

fn not_told() -> Value {
    let doc = "Where nobody says who answers, and there is no probe cache, servers forward; that is told.";
    let properties = "access=load-balancer&probe_cache=none";
    let mut recorder = outside("load-balancer: nobody says anything", doc, properties, Leads::Anywhere, &[0, 1, 2]);
    recorder.network.speaks = Speaks::HotRod;
    recorder.cache("dist");
    let reason = "members can't be told apart: servers do not say who they are, and there is no probe_cache";
    assert_coverage(&recorder, 0, 3, reason);
    recorder.execute("get", json!([text("k")]));
    assert!(recorder.latest("Completed")["error"].is_null());
    recorder.finish()
}

fn cookie() -> Value {
    let doc = "The cookie that came with a member's answer leads back to it, whoever's turn it is.";
    let mut recorder = outside("cookie", doc, "carriage=upgrade&access=cookie", COOKIES, &[0, 1, 2]);
    recorder.cache("dist");
    assert_coverage(&recorder, 3, 3, "");
    write(&mut recorder);
    recorder.call("link_lost", json!({ "link": "$link2", "why": "reset by peer" }));
    until_covered(&mut recorder);
    assert_eq!(outputs(&recorder, "Connect").len(), 4, "one try is enough");
    assert_eq!(recorder.latest("BalancingRecognised")["balancing"], "cookie");
    write(&mut recorder);
    recorder.finish()
}

fn cookie_of_nobody() -> Value {
    let doc = "A cookie that leads to another member is forgotten, and the member is looked for again.";
    let properties = "carriage=upgrade&access=cookie&cookie_names=hotrod";
    let mut recorder = outside("cookie: it leads to another", doc, properties, COOKIES, &[0, 1, 2]);
    recorder.cache("dist");
    let before = recorder.network.before.as_mut().expect("a router");
    before.leads = Leads::Cookies { salt: 2 };
    recorder.network.choose(&[0, 2, 1]);
    recorder.call("link_lost", json!({ "link": "$link2", "why": "the router was restarted" }));
    until_covered(&mut recorder);
    assert_coverage(&recorder, 3, 3, "");
    write(&mut recorder);
    recorder.finish()
}

fn header() -> Value {
    let doc = "A gateway in front of all members: one link, and a session for each; the first is that of who answered.";
    let mut recorder = outside("header", doc, "carriage=frames&access=header", Leads::Front, &[1]);
    recorder.network.speaks = FRAMES;
    recorder.cache("dist");
    until_covered(&mut recorder);
    assert_eq!(outputs(&recorder, "Connect").len(), 1);
    assert_eq!(recorder.network.endpoint("$link1").http2().open_sessions(), 3);
    write(&mut recorder);
    recorder.finish()
}

fn connect(name: &str, properties: &str, leads: Leads) -> Value {
    let doc = "The proxy is told the advertised address of the member that is meant.";
    let mut recorder = outside(name, doc, &format!("carriage=connect&access=connect{properties}"), leads, &[2]);
    recorder.cache("dist");
    until_covered(&mut recorder);
    assert_coverage(&recorder, 3, 3, "");
    write(&mut recorder);
    recorder.finish()
}

fn auto_direct() -> Value {
    let doc = "The topology names the address that was dialled: members are dialled.";
    let mut recorder = Recorder::new("auto: inside of the cluster", doc, "hotrod://{}/dist?access=auto", 3);
    recorder.cache("dist");
    assert_eq!(recorder.latest("AccessChosen")["path"], "direct");
    write(&mut recorder);
    recorder.finish()
}

fn auto(name: &str, properties: &str, speaks: Speaks, leads: Leads, paths: &[&str]) -> Value {
    let doc = "The first answers suggest how members are reached; what is chosen is told, and why.";
    let mut recorder = outside(name, doc, &format!("{properties}&access=auto"), leads, &[0, 0, 1, 2]);
    recorder.network.speaks = speaks;
    recorder.cache("dist");
    until_covered(&mut recorder);
    assert_coverage(&recorder, 3, 3, "");
    let chosen: Vec<Value> = outputs(&recorder, "AccessChosen").iter().map(|event| event["path"].clone()).collect();
    assert_eq!(chosen, paths, "{name}");
    write(&mut recorder);
    recorder.finish()
}
