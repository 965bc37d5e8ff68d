//! What situations with a name ask of the first client, and of the servers.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{Call, ClusterError, Event, IterationId, LinkId, MemberInfo};
use hotrod_core::wire::{self, IterationEntry, Reply, Request};

use crate::world::World;

/// Long enough for every deadline and every pause.
const PATIENCE: Duration = Duration::from_secs(60);

impl World {
    /// Submits an operation on any cache, or for one member, and waits for its answer.
    pub fn call_of(&mut self, call: Call) -> Result<Reply, ClusterError> {
        let now = self.now;
        let id = self.client.submit(now, call).expect("accepted");
        self.unanswered += 1;
        self.run_until(PATIENCE, |world| world.answers.contains_key(&id));
        self.answers.remove(&id).expect("an answer")
    }

    /// The next entries of an iteration; none at its end.
    pub fn next_entries(&mut self, id: IterationId) -> Result<Vec<IterationEntry>, ClusterError> {
        let now = self.now;
        assert!(self.client.next_entries(now, id), "it can be asked");
        self.run_until(PATIENCE, |world| world.entries.contains_key(&id));
        self.entries.remove(&id).expect("entries")
    }

    /// The port of the primary owner of a key of the cache of the tests.
    pub fn owner(&self, key: &[u8]) -> u16 {
        let owner = self.servers.owners("dist", key)[0];
        *self.by_port.iter().find(|(_, member)| **member == owner).expect("a member").0
    }

    /// A member as the client knows it.
    pub fn member(&self, port: u16) -> Option<MemberInfo> {
        self.client.members().find(|member| member.address.port == port)
    }

    /// Whether the client has told of such an event.
    pub fn has_told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }

    /// Another client, of which nothing more is seen, writes to the cache of the tests.
    pub fn write_by_another(&mut self, key: &Bytes, value: &Bytes) {
        let member = *self.by_port.values().next().expect("a member");
        let request = Request::Put { key: key.clone(), expiration: wire::Expiration::DEFAULT, value: value.clone() };
        let options = self.cache.options().clone();
        self.request_by_another(member, &options, &request);
    }

    /// The host reads a link no more.
    pub fn stall_link(&mut self, link: LinkId) {
        let id = self.links[&link];
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.silent = true;
        }
    }

    /// A member makes a session with everybody and then answers nothing more.
    pub fn set_mute(&mut self, port: u16) {
        self.mute.insert(port);
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.port == port) {
            pipe.answers_left = Some(0);
        }
    }
}
