//! The servers that a scenario is recorded with: the embedded cluster, a connection to a member for each link.

use std::collections::BTreeMap;

use hotrod_core::time::Instant;
use hotrod_core::wire;
use hotrod_gateway::embedded::{Cluster, ClusterOptions, Connection, MemberId, Moment};
use serde_json::Value;

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
    links: BTreeMap<String, Connection>,
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
        Self { servers, ports, links: BTreeMap::new(), dials: Vec::new() }
    }

    /// The member of a port.
    pub fn member(&self, port: u64) -> MemberId {
        self.ports[&port]
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
                    if let Some(connection) = self.links.remove(&link) {
                        connection.close(&mut self.servers);
                    }
                }
                _ => {}
            }
        }
        let at = step["at"].as_u64().unwrap_or_default();
        for (link, bytes) in step["transmit"].as_object().into_iter().flatten() {
            if let Some(connection) = self.links.get_mut(link) {
                connection.handle_received(&bytes.as_str().and_then(unhex).expect("hexadecimal digits"));
                connection.process(&mut self.servers, moment(at));
            }
        }
    }

    /// A dial has led somewhere.
    pub fn connect(&mut self, link: &str, port: u64) {
        if let Ok(connection) = Connection::open(&mut self.servers, self.ports[&port]) {
            self.links.insert(link.into(), connection);
        }
    }

    /// What some server has to send next.
    pub fn next(&mut self, at: u64) -> Option<(String, Value)> {
        while let Some(woken) = self.servers.poll_wakeup() {
            let connection = self.links.values_mut().find(|connection| connection.id() == woken);
            connection.into_iter().for_each(|connection| connection.process(&mut self.servers, moment(at)));
        }
        self.links.iter_mut().find_map(|(link, connection)| {
            let bytes = connection.transmit().to_bytes();
            connection.transmitted(bytes.len());
            (!bytes.is_empty()).then(|| (link.clone(), hex(bytes)))
        })
    }
}

fn moment(at: u64) -> Moment {
    Moment { now: Instant::from_micros(at), unix_ms: START_UNIX_MS + at / 1000 }
}
