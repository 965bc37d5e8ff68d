//! What holds of every client at any time, and once the faults are over.

use std::collections::BTreeSet;

use crate::host::Host;
use crate::network::{To, WINDOW};
use crate::poison;
use crate::value;
use crate::world::World;

/// Bytes of a request beside its value, at most.
const HEAD: usize = 1024;

impl World {
    /// What holds at any time: no queue and no table is larger than its limit.
    pub fn check(&self) -> Result<(), String> {
        for (index, host) in self.hosts.iter().enumerate() {
            self.check_host(host).map_err(|error| format!("client {index}: {error}"))?;
        }
        for pipe in self.pipes.values() {
            let bytes = [To::Server, To::Client].map(|to| pipe.in_flight(to)).into_iter().max().unwrap_or_default();
            if bytes > WINDOW {
                return Err(format!("{bytes} bytes in a connection that holds {WINDOW}"));
            }
        }
        let served = self.pipes.values().filter(|pipe| pipe.server.is_some()).count();
        if served != self.by_connection.len() {
            return Err(format!("{served} connections, and the servers have {}", self.by_connection.len()));
        }
        Ok(())
    }

    fn check_host(&self, host: &Host) -> Result<(), String> {
        // One more for the listener, and one for suspects; one that drains is none of its member's any more.
        let most = host.config.links_per_member + 2;
        if let Some(member) = host.client.members().find(|member| member.links > most) {
            return Err(format!("{} links to {}", member.links, member.address));
        }
        for (link, id) in &host.links {
            let pipe = self.pipes.get(id).ok_or_else(|| format!("{link:?} leads nowhere"))?;
            if pipe.link != Some(*link) {
                return Err(format!("{link:?} leads to another's connection"));
            }
            let waiting = host.client.transmit(*link).map_or(0, hotrod_core::wire::SendBuffer::len);
            // One operation may exceed the limit.
            if waiting > host.config.session.max_send_bytes + value::LONGEST.max(poison::LARGE) + HEAD {
                return Err(format!("{waiting} bytes wait to be sent on {link:?}"));
            }
        }
        check_machine(host)
    }

    /// Once the faults are over every link is to a member, and the servers know of no others.
    pub fn check_links(&self) -> Result<(), String> {
        let members: BTreeSet<u16> = self.by_port.keys().copied().collect();
        for (index, host) in self.hosts.iter().enumerate() {
            let ports: Vec<u16> =
                host.links.values().filter_map(|id| self.pipes.get(id)).map(|pipe| pipe.port).collect();
            if ports.iter().any(|port| !members.contains(port)) {
                return Err(format!("client {index} has links to {ports:?}, and the members are {members:?}"));
            }
        }
        let links: usize = self.hosts.iter().map(|host| host.links.len()).sum();
        if self.by_connection.len() != links {
            return Err(format!("{links} links, and the servers have {} connections", self.by_connection.len()));
        }
        Ok(())
    }
}

fn check_machine(host: &Host) -> Result<(), String> {
    let (links, config) = (host.links.len(), &host.config);
    let members: Vec<_> = host.client.members().collect();
    let in_view = host.client.view(&host.cache).map_or(0, |view| view.members().len()) + host.members_of_remade();
    // Those of the view, the seeds, and those that have left and whose link still drains.
    if members.len() > in_view + config.seeds.len() + links {
        let known: Vec<_> = members.iter().map(|member| (&member.address, member.links)).collect();
        return Err(format!(
            "{} members are known, {in_view} are in the view, {links} have a link: {known:?}",
            members.len()
        ));
    }
    // In the sessions for operations and for the listener, and in those that drain: several may share a link.
    let sessions = links + members.iter().map(|member| member.links).sum::<usize>();
    let most = config.session.max_in_flight * sessions.max(1);
    if let Some(member) = members.iter().find(|member| member.in_flight > most) {
        return Err(format!("{} operations in flight at {:?}", member.in_flight, member.address));
    }
    // The machine's own question about the cache, the listener that is being registered, its check, and a PING of each quiet session:
    // of one for operations and one for events with each member, and of those that drain. A PING waits for its member when
    // its session is lost.
    let own = 3 + host.most_for_remade() + links + 2 * members.len();
    let in_flight = host.client.in_flight();
    if in_flight > host.unanswered + own {
        return Err(format!("{in_flight} operations in the machine, {} were submitted", host.unanswered));
    }
    // What was in flight on a link that was lost waits again, beyond the limit for what is new.
    let most = config.max_waiting + members.len() * config.session.max_in_flight + own;
    if in_flight > most {
        return Err(format!("{in_flight} operations in the machine, at most {most} have a place"));
    }
    Ok(())
}
