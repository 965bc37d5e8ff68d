//! The servers that a scenario is recorded with: the embedded cluster, and an endpoint for each link.

use std::collections::BTreeMap;

use hotrod_core::http2::StreamId;
use hotrod_core::time::Instant;
use hotrod_core::wire;
use hotrod_embedded::{Cluster, ClusterOptions, MemberId, Moment};
use serde_json::Value;

use crate::before::{Before, Leads};
use crate::endpoint::{Endpoint, Speaks};
use crate::values::{hex, unhex};

/// Milliseconds since 1970 at the beginning of every scenario.
const START_UNIX_MS: u64 = 1_800_000_000_000;
/// The members' ports begin here, at 10.0.0.1.
const FIRST_PORT: u16 = 11222;

/// Embedded servers, by the ports that a scenario dials.
pub struct Network {
    /// The servers.
    pub servers: Cluster,
    ports: BTreeMap<u64, MemberId>,
    links: BTreeMap<String, Endpoint>,
    /// What stands before the members, where clients can't dial them.
    pub before: Option<Before>,
    /// What those who are dialled from now on speak.
    pub speaks: Speaks,
    /// Dials that nobody has answered, in order: the link's name and the port.
    pub dials: Vec<(String, u64)>,
}

impl Network {
    /// With so many members.
    pub fn new(members: u16) -> Self {
        let moment = Moment { now: Instant::EPOCH, unix_ms: START_UNIX_MS };
        let mut servers = Cluster::new(ClusterOptions::default(), moment);
        let ports = FIRST_PORT..FIRST_PORT + members;
        let ids = servers.add_members(ports.clone().map(|port| wire::Member { host: "10.0.0.1".into(), port }));
        let ports = ports.map(u64::from).zip(ids).collect();
        Self { servers, ports, links: BTreeMap::new(), before: None, speaks: Speaks::HotRod, dials: Vec::new() }
    }

    /// The member of a port.
    pub fn member(&self, port: u64) -> MemberId {
        self.ports[&port]
    }

    /// Puts something before the members: at a port, leading to members by their places.
    pub fn put_before(&mut self, port: u64, leads: Leads, order: &[usize]) {
        self.before = Some(Before::new(port, leads, self.places(order)));
    }

    /// Where what stands before the members leads from now on, by their places.
    pub fn choose(&mut self, order: &[usize]) {
        let order = self.places(order);
        self.before.as_mut().expect("something before the members").choose(order);
    }

    fn places(&self, order: &[usize]) -> Vec<MemberId> {
        let all: Vec<MemberId> = self.servers.members().map(|(id, _)| id).collect();
        order.iter().map(|place| all[*place]).collect()
    }

    /// Takes note of what a step has brought.
    pub fn note(&mut self, step: &Value) {
        let lists = [&step["outputs"], &step["more_outputs"]];
        for output in lists.into_iter().filter_map(Value::as_array).flatten() {
            let link = output["link"].as_str().unwrap_or_default().to_string();
            match output["type"].as_str() {
                Some("Connect") => self.dials.push((link, output["port"].as_u64().expect("a port"))),
                Some("Close") => {
                    self.dials.retain(|(other, _)| *other != link);
                    if let Some(endpoint) = self.links.remove(&link) {
                        endpoint.close(&mut self.servers);
                    }
                }
                _ => {}
            }
        }
        let at = step["at"].as_u64().unwrap_or_default();
        for (link, bytes) in step["transmit"].as_object().into_iter().flatten() {
            if let Some(endpoint) = self.links.get_mut(link) {
                let bytes = bytes.as_str().and_then(unhex).expect("hexadecimal digits");
                endpoint.receive(&mut self.servers, &bytes, moment(at));
            }
        }
    }

    /// A dial has led somewhere.
    pub fn connect(&mut self, link: &str, port: u64) {
        let at = moment(0);
        let before = self.before.as_mut().filter(|before| before.port == port);
        let leads = before.as_ref().map(|before| before.leads);
        let member = before.map_or_else(|| self.ports[&port], Before::next_member);
        if let Some(endpoint) = Endpoint::accept(&mut self.servers, member, self.speaks, leads, at) {
            self.links.insert(link.into(), endpoint);
        }
    }

    /// The other end of a link.
    pub fn endpoint(&mut self, link: &str) -> &mut Endpoint {
        self.links.get_mut(link).expect("a link")
    }

    /// Has a call that was kept executed and answered.
    pub fn answer(&mut self, link: &str, stream: StreamId, call: u32, at: Instant) {
        let moment = moment(at.as_micros());
        self.links.get_mut(link).expect("a link").http2().answer(&mut self.servers, stream, call, moment);
    }

    /// What some server has to send next.
    pub fn next(&mut self, at: u64) -> Option<(String, Value)> {
        while self.servers.poll_wakeup().is_some() {
            self.links.values_mut().for_each(|endpoint| endpoint.work(&mut self.servers, moment(at)));
        }
        self.links.iter_mut().find_map(|(link, endpoint)| {
            let bytes = endpoint.take();
            (!bytes.is_empty()).then(|| (link.clone(), hex(bytes)))
        })
    }
}

fn moment(at: u64) -> Moment {
    Moment { now: Instant::from_micros(at), unix_ms: START_UNIX_MS + at / 1000 }
}
