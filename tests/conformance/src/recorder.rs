//! Records a scenario: makes calls, has the servers answer, and keeps what came of each.

use hotrod_core::time::Instant;
use serde_json::{Value, json};

use crate::network::Network;
use crate::player::Player;

/// A scenario that is being recorded.
pub struct Recorder {
    scenario: Value,
    player: Player,
    /// The servers.
    pub network: Network,
    steps: Vec<Value>,
    now: u64,
}

/// Time between two steps, in microseconds.
const STEP: u64 = 100;

impl Recorder {
    /// A scenario with so many members, whose machine a URI describes: `{}` stands for the first member.
    pub fn new(name: &str, doc: &str, uri: &str, members: u16) -> Self {
        let scenario = json!({
            "name": name,
            "doc": doc,
            "uri": uri.replace("{}", "10.0.0.1:11222"),
            "seed": "07".repeat(32),
        });
        let player = Player::new(&scenario).unwrap_or_else(|error| panic!("{name}: {}", error.message));
        Self { scenario, player, network: Network::new(members), steps: Vec::new(), now: 0 }
    }

    /// A scenario of a URI that can't be used.
    pub fn of_wrong_uri(name: &str, doc: &str, uri: &str) -> Value {
        let mut scenario = json!({ "name": name, "doc": doc, "uri": uri, "seed": "07".repeat(32) });
        let error = Player::new(&scenario).err().unwrap_or_else(|| panic!("{uri} can be used"));
        scenario["error"] = crate::values::failure(&error);
        scenario
    }

    /// Makes a call. Nobody answers yet.
    pub fn call(&mut self, call: &str, with: Value) -> Value {
        self.now += STEP;
        let mut step = json!({ "at": self.now, "call": call });
        if with.as_object().is_some_and(|with| !with.is_empty()) {
            step["with"] = with;
        }
        let done = self.player.step(&step);
        self.network.note(&done);
        self.steps.push(done.clone());
        done
    }

    /// Has every dial succeed and every server answer until nobody has anything to say.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            if !self.network.dials.is_empty() {
                let (link, port) = self.network.dials.remove(0);
                self.network.connect(&link, port);
                self.call("connected", json!({ "link": link, "alpn": null }));
            } else if let Some((link, bytes)) = self.network.next(self.now) {
                self.call("received", json!({ "link": link, "bytes": bytes }));
            } else {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Makes a call, and has everything that comes of it happen.
    pub fn play(&mut self, call: &str, with: Value) -> Value {
        let done = self.call(call, with);
        self.settle();
        done
    }

    /// A cache, started if it is the first.
    pub fn cache(&mut self, name: &str) {
        let is_first = self.steps.is_empty();
        let with = json!({ "name": name, "flags": 0, "key_type": "", "value_type": "", "read_from_any_owner": false, "parameters": [] });
        let cache = self.play("cache", with)["returns"].clone();
        if is_first {
            self.play("start", json!({ "cache": cache }));
        }
    }

    /// Submits an operation on cache 0; nobody answers yet. Answers its name.
    pub fn submit(&mut self, operation: &str, arguments: Value) -> Value {
        let with =
            json!({ "cache": 0, "operation": operation, "arguments": arguments, "member": null, "timeout": null });
        self.call("submit", with)["returns"].clone()
    }

    /// Submits an operation on cache 0 and has it answered.
    pub fn execute(&mut self, operation: &str, arguments: Value) {
        self.submit(operation, arguments);
        self.settle();
    }

    /// Lets time pass until the machine's next deadline, and says so.
    pub fn time_out(&mut self) {
        let timeout = self.player.machine.poll_timeout().expect("a deadline");
        self.now = self.now.max(timeout);
        self.call("timeout", json!({}));
    }

    /// What was recorded up to now.
    pub fn so_far(&self) -> Value {
        self.steps.clone().into()
    }

    /// The moment of the last step.
    pub fn now(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    /// The latest output of that shape.
    pub fn latest(&self, shape: &str) -> Value {
        let outputs = self.steps.iter().flat_map(|step| step["outputs"].as_array().into_iter().flatten());
        outputs.rev().find(|output| output["type"] == shape).cloned().unwrap_or_default()
    }

    /// What a server would say: the next answer, taken from it and not given to the machine.
    pub fn take_answer(&mut self) -> (String, Value) {
        self.network.next(self.now).expect("an answer")
    }

    /// Closes the machine and answers the scenario.
    pub fn finish(mut self) -> Value {
        self.play("close", json!({}));
        assert!(self.player.machine.is_closed(), "{} leaves links open", self.scenario["name"]);
        self.scenario["steps"] = self.steps.into();
        self.scenario
    }
}
