//! Plays a scenario: does what its steps say, and tells what comes of each.

use std::collections::BTreeMap;
use std::time::Duration;

use hotrod_core::cluster::{IterationOptions, NearCacheOptions};
use hotrod_core::vocabulary::{CacheOptions, CallOptions, Failure, Kind, Machine, Value as Crossed};
use hotrod_core::wire::{Interests, ListenerOptions, Operation, Request};
use serde_json::{Map, Value, json};

use crate::arguments::{JsonArguments, bytes, factory, pairs, text};
use crate::values::{self, hex, unhex};

/// A machine, and the names that its identities have in the scenario.
pub struct Player {
    /// The machine.
    pub machine: Machine,
    ids: BTreeMap<String, u64>,
    names: BTreeMap<(&'static str, u64), String>,
}

impl Player {
    /// With the machine that a scenario begins with.
    pub fn new(scenario: &Value) -> Result<Self, Failure> {
        let seed = scenario["seed"].as_str().and_then(unhex).and_then(|seed| seed.try_into().ok());
        let machine = Machine::new(scenario["uri"].as_str().unwrap_or_default(), seed.expect("a seed of 32 bytes"), 0)?;
        Ok(Self { machine, ids: BTreeMap::new(), names: BTreeMap::new() })
    }

    /// Makes the call of a step, and answers the step with everything that came of it.
    pub fn step(&mut self, step: &Value) -> Value {
        let at = step["at"].as_u64().expect("a moment");
        let call = step["call"].as_str().expect("a call");
        let nothing = json!({});
        let with = step.get("with").unwrap_or(&nothing);
        let mut done = Map::new();
        for name in ["at", "call", "with"] {
            step.get(name).into_iter().for_each(|value| drop(done.insert(name.into(), value.clone())));
        }
        match self.call(at, call, with) {
            Ok(Value::Null) => {}
            Ok(value) => drop(done.insert("returns".into(), value)),
            Err(error) => drop(done.insert("error".into(), values::failure(&error))),
        }
        let outputs = self.poll();
        let mut transmit = Map::new();
        for output in outputs.iter().filter(|output| output["type"] == "Transmit") {
            let name = output["link"].as_str().expect("a name");
            let link = self.ids[name];
            let mut sent = Vec::new();
            while let Some(out) = self.machine.transmit(link).filter(|out| !out.is_empty()) {
                let segment = out.first().to_vec();
                self.machine.transmitted(link, segment.len()).expect("no more than there was");
                sent.extend(segment);
            }
            transmit.insert(name.into(), hex(sent));
        }
        let more = self.poll();
        for (name, value) in [
            ("outputs", Value::from(outputs)),
            ("transmit", Value::from(transmit)),
            ("more_outputs", Value::from(more)),
        ] {
            let is_empty = value.as_array().map_or_else(|| value.as_object().is_some_and(Map::is_empty), Vec::is_empty);
            if !is_empty {
                done.insert(name.into(), value);
            }
        }
        done.insert("timeout".into(), self.machine.poll_timeout().into());
        done.into()
    }

    fn poll(&mut self) -> Vec<Value> {
        let mut outputs = Vec::new();
        let mut crossed = Vec::new();
        while let Some(tag) = self.machine.poll(&mut crossed) {
            let shape = Machine::shapes().find(|shape| shape.tag == tag).expect("a shape");
            let mut output = Map::from_iter([("type".to_string(), shape.name.into())]);
            for (field, value) in (shape.fields)().into_iter().zip(crossed.drain(..)) {
                output.insert(field.name.into(), self.value(field.kind, value));
            }
            outputs.push(output.into());
        }
        outputs
    }

    fn value(&mut self, kind: Kind, value: Crossed) -> Value {
        match value {
            Crossed::None => Value::Null,
            Crossed::Id(id) => self.name(kind, id).into(),
            Crossed::Number(number) => number.into(),
            Crossed::Opaque(number) => number.to_string().into(),
            Crossed::Signed(number) => number.to_string().into(),
            Crossed::Flag(flag) => flag.into(),
            Crossed::Text(text) => text.into(),
            Crossed::Bytes(bytes) => hex(bytes),
            Crossed::Word(_, word) => word.into(),
            Crossed::Tls(tls) => values::tls(&tls),
            Crossed::Answer(answer) => values::answer(&answer),
            Crossed::Failure(failure) => values::failure(&failure),
            Crossed::Entries(entries) => entries.iter().map(values::iteration_entry).collect(),
        }
    }

    fn name(&mut self, kind: Kind, id: u64) -> String {
        let Kind::Id(of) = kind else { panic!("{kind:?} is no identity") };
        let count = self.names.keys().filter(|(other, _)| *other == of).count();
        let name = self.names.entry((of, id)).or_insert_with(|| format!("${of}{}", count + 1)).clone();
        self.ids.insert(name.clone(), id);
        name
    }

    fn id(&self, name: &Value) -> u64 {
        let name = name.as_str().expect("a name");
        *self.ids.get(name).unwrap_or_else(|| panic!("{name} has not appeared yet"))
    }

    fn call(&mut self, now: u64, call: &str, with: &Value) -> Result<Value, Failure> {
        let cache = with["cache"].as_u64().unwrap_or_default() as u32;
        let count = |name: &str| with[name].as_u64().unwrap_or_default() as usize;
        let duration = |name: &str| with[name].as_u64().map(Duration::from_micros);
        let string = |name: &str| with[name].as_str().unwrap_or_default().to_string();
        let flag = |name: &str| with[name].as_bool().unwrap_or_default();
        let machine = &mut self.machine;
        Ok(match call {
            "cache" => {
                let options = CacheOptions {
                    name: string("name"),
                    flags: count("flags") as u32,
                    key_type: string("key_type"),
                    value_type: string("value_type"),
                    read_from_any_owner: flag("read_from_any_owner"),
                    parameters: pairs(&with["parameters"], text).unwrap_or_default(),
                };
                machine.cache(now, options)?.into()
            }
            "start" => {
                machine.start(now, cache)?;
                Value::Null
            }
            "submit" => {
                let request = request(with).map_err(Failure::misuse)?;
                let member = (!with["member"].is_null()).then(|| self.id(&with["member"]));
                let storage_keys = with["storage_keys"].as_array().into_iter().flatten().filter_map(bytes).collect();
                let options = CallOptions { member, timeout: duration("timeout"), storage_keys };
                let id = self.machine.submit(now, cache, request, options)?;
                self.name(Kind::Id("operation"), id).into()
            }
            "cancel" => {
                let id = self.id(&with["operation"]);
                self.machine.cancel(id).into()
            }
            "listen" => {
                let options = ListenerOptions {
                    include_current_state: flag("include_current_state"),
                    filter: factory(&with["filter"]),
                    converter: factory(&with["converter"]),
                    use_raw_data: flag("use_raw_data"),
                    interests: Interests(count("interests") as u32),
                };
                let id = machine.listen(now, cache, options)?;
                self.name(Kind::Id("listener"), id).into()
            }
            "listen_to_counter" => {
                let id = machine.listen_to_counter(now, cache, string("counter"))?;
                self.name(Kind::Id("listener"), id).into()
            }
            "remove_listener" => {
                let id = self.id(&with["listener"]);
                self.machine.remove_listener(now, id).into()
            }
            "events_taken" => {
                let id = self.id(&with["listener"]);
                self.machine.events_taken(now, id, count("count"));
                Value::Null
            }
            "iterate" => {
                let mut options = IterationOptions::default();
                options.segments = bytes(&with["segments"]);
                options.filter_converter = factory(&with["filter_converter"]);
                options.batch_size = count("batch_size") as u32;
                options.include_metadata = flag("include_metadata");
                options.timeout = duration("timeout");
                let id = machine.iterate(now, cache, options)?;
                self.name(Kind::Id("iteration"), id).into()
            }
            "next_entries" => {
                let id = self.id(&with["iteration"]);
                self.machine.next_entries(now, id).into()
            }
            "end_iteration" => {
                let id = self.id(&with["iteration"]);
                self.machine.end_iteration(now, id);
                Value::Null
            }
            "near_cache" => {
                let (max_entries, max_bytes) = (count("max_entries"), count("max_bytes"));
                let mut options = NearCacheOptions::default();
                options.max_entries = max_entries;
                options.max_bytes = max_bytes;
                options.bloom_filter = flag("bloom_filter");
                machine.near_cache(now, cache, options)?;
                Value::Null
            }
            "remove_near_cache" => {
                machine.remove_near_cache(now, cache)?;
                Value::Null
            }
            "switch_site" => machine.switch_site(now, &string("name")).into(),
            _ => self.call_of_link(now, call, with),
        })
    }

    fn call_of_link(&mut self, now: u64, call: &str, with: &Value) -> Value {
        match call {
            "connected" => {
                let link = self.id(&with["link"]);
                self.machine.handle_connected(now, link, with["alpn"].as_str().map(str::as_bytes));
            }
            "set_peer" => {
                let link = self.id(&with["link"]);
                self.machine.set_peer(link, with["address"].as_str().unwrap_or_default());
            }
            "set_tls_exporter" => {
                let link = self.id(&with["link"]);
                self.machine.set_tls_exporter(link, &bytes(&with["exported"]).expect("bytes"));
            }
            "set_server_certificate" => {
                let link = self.id(&with["link"]);
                self.machine.set_server_certificate(link, &bytes(&with["certificate"]).expect("bytes"));
            }
            "received" => {
                let link = self.id(&with["link"]);
                self.machine.handle_received(now, link, &bytes(&with["bytes"]).expect("bytes"));
            }
            "link_lost" => {
                let link = self.id(&with["link"]);
                self.machine.handle_link_lost(now, link, with["why"].as_str().unwrap_or_default());
            }
            "timeout" => self.machine.handle_timeout(now),
            "close" => self.machine.close(now),
            other => panic!("there is no call {other}"),
        }
        Value::Null
    }
}

fn request(with: &Value) -> Result<Request, String> {
    let name = with["operation"].as_str().unwrap_or_default();
    let known = Operation::table().iter().find(|row| row.operation.program_name() == name);
    let row = known.ok_or_else(|| format!("there is no operation {name}"))?;
    let arguments = with["arguments"].as_array().map(Vec::as_slice).unwrap_or_default();
    Request::from_arguments(row.operation, &mut JsonArguments::new(arguments))
}
