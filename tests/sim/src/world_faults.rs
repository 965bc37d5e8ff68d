//! Effects of faults on servers and network, without the choice of faults (`faults.rs`).

use std::time::Duration;

use hotrod_core::time::Instant;
use hotrod_embedded::MemberState;

use crate::network::{Pipe, To};
use crate::tally::Kind;
use crate::world::{PipeId, World, address};

/// A change of the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One joins.
    Join,
    /// This one leaves.
    Leave(u16),
}

impl World {
    /// A member dies; `silently` is without a word to its connections, as when its machine is gone.
    pub fn crash(&mut self, port: u16, silently: bool) {
        self.servers.crash_member(self.by_port[&port]);
        let reset_at = self.now + Duration::from_millis(1);
        for pipe in self.pipes.values_mut().filter(|pipe| pipe.port == port) {
            if silently {
                pipe.silent = true;
            } else {
                pipe.broken_at.get_or_insert(reset_at);
            }
        }
        // What clients have given up is gone with the member.
        self.forget_all(|pipe| pipe.port == port && pipe.link.is_none());
    }

    /// The others notice which members are dead, and take over what these owned.
    pub fn exclude_crashed(&mut self) {
        let servers = &self.servers;
        self.by_port.retain(|_, member| servers.member_state(*member) != Some(MemberState::Crashed));
        self.servers.exclude_crashed();
    }

    /// A crashed member is there again before the others have noticed, with what it had. It knows nothing of the
    /// connections that it had, and resets them.
    pub fn restart_with_data(&mut self, port: u16) {
        self.servers.set_member_state(self.by_port[&port], MemberState::Running);
        self.reset_all_to(port);
    }

    /// A member that was excluded joins again at its address, with nothing.
    pub fn restart_empty(&mut self, port: u16) {
        let member = self.servers.add_member(address(port));
        self.by_port.insert(port, member);
        self.reset_all_to(port);
    }

    /// A member leaves in good order.
    pub fn leave(&mut self, port: u16) {
        if let Some(member) = self.by_port.remove(&port) {
            self.servers.remove_member(member);
        }
    }

    /// A new member joins.
    pub fn join(&mut self) -> u16 {
        let port = self.take_port();
        let member = self.servers.add_member(address(port));
        self.by_port.insert(port, member);
        port
    }

    /// A member answers that it is stopping, or serves again.
    pub fn set_stopping(&mut self, port: u16, stopping: bool) {
        let state = if stopping { MemberState::Stopping } else { MemberState::Running };
        if let Some(member) = self.by_port.get(&port)
            && self.servers.member_state(*member) != Some(MemberState::Crashed)
        {
            self.servers.set_member_state(*member, state);
        }
    }

    /// A member accepts everything and answers nothing, or wakes up again.
    pub fn set_hung(&mut self, port: u16, hung: bool) {
        if hung {
            self.hung.insert(port);
        } else {
            self.hung.remove(&port);
        }
        self.refresh_pipes();
    }

    /// Everything that is sent to or by a member takes so much longer.
    pub fn set_slow(&mut self, port: u16, slowness: Duration) {
        if slowness.is_zero() {
            self.slow.remove(&port);
        } else {
            self.slow.insert(port, slowness);
        }
        self.refresh_pipes();
    }

    /// A client can't reach members.
    pub fn part(&mut self, host: usize, ports: &[u16]) {
        self.unreachable.extend(ports.iter().map(|port| (host, *port)));
        self.refresh_pipes();
    }

    /// A client can reach every member again; its connections that were held up go on, or are reset.
    pub fn reunite(&mut self, host: usize, resets: bool) {
        let was_held_up: Vec<PipeId> =
            self.pipes.iter().filter(|(_, pipe)| pipe.host == host && pipe.unreachable).map(|(id, _)| *id).collect();
        self.unreachable.retain(|(parted, _)| *parted != host);
        self.refresh_pipes();
        for id in was_held_up.into_iter().filter(|_| resets) {
            self.reset(id);
        }
    }

    /// A connection breaks, and both ends know; which one is up to chance.
    pub fn cut_one(&mut self) -> bool {
        let chosen = self.choose_open();
        chosen.is_some_and(|id| self.reset(id))
    }

    /// A client learns that a connection is gone, and the server does not for some time.
    pub fn cut_at_client(&mut self) -> bool {
        let Some(id) = self.choose_open() else { return false };
        let Some((host, Some(link))) = self.pipes.get(&id).map(|pipe| (pipe.host, pipe.link)) else { return false };
        self.hosts[host].links.remove(&link);
        let lingers = Duration::from_millis(self.random.u64(1..30_000));
        self.abandon(id, lingers);
        self.tell_lost(host, link, "connection reset by a middlebox");
        true
    }

    /// The server's end of a connection is gone, and nothing tells the client. Some of what the server has sent may
    /// have gone with it.
    pub fn cut_at_server(&mut self) -> bool {
        let Some(id) = self.choose_open() else { return false };
        let loses_replies = self.random.bool();
        let Some(pipe) = self.pipes.get_mut(&id) else { return false };
        pipe.lose(To::Server);
        if loses_replies {
            pipe.lose(To::Client);
        }
        let server = pipe.server.take();
        if let Some(connection) = server {
            self.hang_up(connection);
        }
        true
    }

    /// Makes the changes whose time has come.
    pub(crate) fn make_changes(&mut self) {
        let now = self.now;
        let due = |(at, _): &mut (Instant, Change)| *at <= now;
        let changes: Vec<Change> = self.changes.extract_if(.., due).map(|(_, change)| change).collect();
        for change in changes {
            match change {
                Change::Join => {
                    self.join();
                }
                // Another may have left or died since. Two must stay, so that nothing that was acknowledged is lost.
                Change::Leave(port) if self.by_port.len() > 2 && self.nobody_is_dead() => self.leave(port),
                Change::Leave(_) => continue,
            }
            self.tally.add(Kind::ChangeMidReply);
        }
    }

    /// Whether every member in the view lives.
    pub fn nobody_is_dead(&self) -> bool {
        self.by_port.values().all(|member| self.servers.member_state(*member) != Some(MemberState::Crashed))
    }

    /// A connection that is established and that its client has.
    fn choose_open(&mut self) -> Option<PipeId> {
        let is_open = |pipe: &Pipe| pipe.server.is_some() && pipe.link.is_some();
        let open: Vec<PipeId> = self.pipes.iter().filter(|(_, pipe)| is_open(pipe)).map(|(id, _)| *id).collect();
        self.random.choice(open)
    }

    fn reset(&mut self, id: PipeId) -> bool {
        let at = self.now + Duration::from_micros(10);
        let Some(pipe) = self.pipes.get_mut(&id) else { return false };
        pipe.silent = false;
        pipe.broken_at.get_or_insert(at);
        true
    }

    fn reset_all_to(&mut self, port: u16) {
        let ids: Vec<PipeId> = self.pipes.iter().filter(|(_, pipe)| pipe.port == port).map(|(id, _)| *id).collect();
        for id in ids {
            self.reset(id);
        }
    }

    fn forget_all(&mut self, which: impl Fn(&Pipe) -> bool) {
        let ids: Vec<PipeId> = self.pipes.iter().filter(|(_, pipe)| which(pipe)).map(|(id, _)| *id).collect();
        for id in ids {
            self.forget(id);
        }
    }
}
