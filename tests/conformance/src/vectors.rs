//! Scenarios of the golden vectors: each operation that users submit, answered as a real server did.

use std::fs;
use std::path::Path;

use hotrod_core::wire::{Body, MediaType, Operation, Ping, Reply, SendBuffer, Status, Version, write_reply};
use hotrod_core::wire::{Intelligence, ReplyContext};
use serde_json::{Value, json};

use crate::Recorded;
use crate::player::Player;
use crate::values::{hex, unhex};

/// Every version's scenarios.
pub fn all(from: &Path, to: &Path) -> Vec<Recorded> {
    Version::ALL
        .into_iter()
        .map(|version| {
            let text = fs::read_to_string(from.join(format!("hotrod-{version}.json"))).expect("the golden vectors");
            let vectors: Vec<Value> = serde_json::from_str(&text).expect("JSON");
            let path = to.join(format!("hotrod-{version}.json"));
            Recorded { path, scenarios: vec![scenario(version, &vectors)] }
        })
        .collect()
}

struct Playback {
    version: Version,
    player: Player,
    steps: Vec<Value>,
    now: u64,
}

fn scenario(version: Version, vectors: &[Value]) -> Value {
    let mut scenario = json!({
        "name": format!("golden vectors of {version}"),
        "doc": "Every operation that users submit is written as the golden vector has it, and its answer is understood.",
        "uri": format!("hotrod://10.0.0.1:11222?protocol_version={version}&connect_ahead=false"),
        "seed": "07".repeat(32),
    });
    let player = Player::new(&scenario).unwrap_or_else(|error| panic!("{}", error.message));
    let mut playback = Playback { version, player, steps: Vec::new(), now: 0 };
    playback.begin();
    let mut played = 0;
    for request in vectors.iter().filter(|vector| vector["role"] == "request") {
        let name = request["name"].as_str().unwrap_or_default().replacen(" request", " reply", 1);
        let reply = vectors.iter().find(|vector| vector["role"] == "reply" && vector["name"] == *name);
        if let Some(reply) = reply {
            played += usize::from(playback.play(request, reply));
        }
    }
    assert!(played > 20, "{played} vectors of {version} are played");
    scenario["steps"] = playback.steps.into();
    scenario
}

impl Playback {
    fn step(&mut self, call: &str, with: Value) -> Value {
        self.now += 100;
        let done = self.player.step(&json!({ "at": self.now, "call": call, "with": with }));
        self.steps.push(done.clone());
        done
    }

    /// A session, whose handshake and probes are answered by a PING that knows every operation.
    fn begin(&mut self) {
        self.cache("", 0, "", "");
        self.step("connected", json!({ "link": "$link1", "alpn": null }));
        self.pong();
    }

    fn cache(&mut self, name: &str, flags: u64, key_type: &str, value_type: &str) -> u64 {
        let with = json!({
            "name": name, "flags": flags, "key_type": key_type, "value_type": value_type,
            "read_from_any_owner": false, "parameters": [],
        });
        let cache = self.step("cache", with)["returns"].as_u64().expect("a cache");
        self.pong();
        cache
    }

    /// Answers the PINGs of the latest step, and of what comes of that.
    fn pong(&mut self) {
        while let Some(sent) = self.sent() {
            let operations = Operation::table().iter().map(|row| row.request_opcode.into()).collect();
            let ping = Ping {
                key_type: MediaType::OCTET_STREAM,
                value_type: MediaType::OCTET_STREAM,
                server_version: Some(Version::LATEST.to_byte()),
                operations,
            };
            let (message_id, _) = vlong(&sent[1..]);
            let reply = Reply { message_id, status: Status::SUCCESS, topology: None, body: Body::Ping(Box::new(ping)) };
            let intelligence = Intelligence::HashDistributionAware;
            let mut out = SendBuffer::new();
            write_reply(
                &reply,
                ReplyContext { operation: Operation::Ping, version: self.version, intelligence },
                &mut out,
            );
            self.step("received", json!({ "link": "$link1", "bytes": hex(out.to_bytes()) }));
        }
    }

    fn sent(&self) -> Option<Vec<u8>> {
        unhex(self.steps.last()?["transmit"]["$link1"].as_str()?)
    }

    /// Answers false of an operation that is not for users, or whose answer brings another view of the cluster (there is
    /// none here to go to).
    fn play(&mut self, request: &Value, reply: &Value) -> bool {
        let (asked, answered) = (&request["meaning"], &reply["meaning"]);
        let row = Operation::table().iter().find(|row| request["operation"] == row.name).expect("an operation");
        if !row.operation.is_offered() || !answered["topology"].is_null() {
            return false;
        }
        let fields = row.fields.iter().map(|field| asked["fields"][field.name].clone()).collect::<Vec<_>>();
        let flags = asked["flags"].as_u64().unwrap_or_default();
        let (key_type, value_type) = (media_type(&asked["key_type"]), media_type(&asked["value_type"]));
        let cache = self.cache(asked["cache"].as_str().unwrap_or_default(), flags, &key_type, &value_type);
        let operation = row.operation.program_name();
        let with =
            json!({ "cache": cache, "operation": operation, "arguments": fields, "member": null, "timeout": null });
        let done = self.step("submit", with);
        let Some(sent) = self.sent() else {
            // The session refuses it: servers don't keep to the protocol there.
            assert!(done["outputs"][0]["error"]["kind"] == "Refused", "{operation} was not sent: {done}");
            return false;
        };
        let original = request["hex"].as_str().and_then(unhex).expect("hexadecimal digits");
        let ((id, rest), (_, original_rest)) = (vlong(&sent[1..]), vlong(&original[1..]));
        if asked["intelligence"] == 3 && asked["topology_id"] == 0 && asked["other_parameters"] == json!([]) {
            assert_eq!(hex(rest), hex(original_rest), "{}", request["name"]);
        }
        let bytes = reply["hex"].as_str().and_then(unhex).expect("hexadecimal digits");
        let answer = [&bytes[..1], &vlong_bytes(id), vlong(&bytes[1..]).1].concat();
        let done = self.step("received", json!({ "link": "$link1", "bytes": hex(answer) }));
        let outputs = done["outputs"].as_array().map_or(0, Vec::len);
        assert!(outputs == 1 && done["outputs"][0]["type"] == "Completed", "{}: {done}", request["name"]);
        true
    }
}

fn media_type(value: &Value) -> String {
    let name = match (&value["name"], &value["id"]) {
        (Value::String(name), _) => name.clone(),
        (_, Value::Number(id)) => MediaType::Numbered(id.as_u64().unwrap_or_default() as u32, Vec::new()).to_string(),
        _ => return String::new(),
    };
    let parameter = |pair: &Value| format!(";{}={}", pair[0].as_str().unwrap_or(""), pair[1].as_str().unwrap_or(""));
    name + &value["parameters"].as_array().into_iter().flatten().map(parameter).collect::<String>()
}

/// A number of seven bits a byte, and what is behind it.
fn vlong(bytes: &[u8]) -> (u64, &[u8]) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).expect("an end") + 1;
    let value = bytes[..length].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (value, &bytes[length..])
}

fn vlong_bytes(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
