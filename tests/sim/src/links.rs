//! How connections end.

use std::time::Duration;

use hotrod_core::cluster::LinkId;
use hotrod_embedded::Link;

use crate::network::To;
use crate::tally::Kind;
use crate::world::{PipeId, World};

impl World {
    /// The client closes a link: the server reads to the end of what was sent, or nothing more.
    pub(crate) fn close(&mut self, host: usize, link: LinkId) {
        if let Some(id) = self.hosts[host].links.remove(&link) {
            self.abandon(id, Duration::from_millis(1));
        }
        if self.is_clumsy() {
            self.tally.add(Kind::LostAfterClose);
            self.hosts[host].client.handle_link_lost(self.now, link, "said once more");
        }
        if self.is_clumsy() {
            self.tally.add(Kind::ReceivedAfterClose);
            self.hosts[host].client.handle_received(self.now, link, b"\xa1 nobody reads this");
            self.hosts[host].client.transmitted(link, 1);
        }
    }

    /// The client's end is gone. What it has sent still arrives, where that is allowed; the server's end goes so much
    /// later.
    pub(crate) fn abandon(&mut self, id: PipeId, after: Duration) {
        let late_arrivals = self.late_arrivals;
        let Some(pipe) = self.pipes.get_mut(&id) else { return };
        pipe.link = None;
        pipe.lose(To::Client);
        if !late_arrivals {
            pipe.lose(To::Server);
        }
        if pipe.server.is_none() || pipe.silent {
            return self.forget(id);
        }
        pipe.closes_at = Some(pipe.last_arrival().unwrap_or(self.now).max(self.now) + after);
    }

    /// The client learns that a link is gone.
    pub(crate) fn tell_lost(&mut self, host: usize, link: LinkId, why: &str) {
        self.hosts[host].client.handle_link_lost(self.now, link, why);
    }

    /// Nothing is left of a connection.
    pub(crate) fn forget(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.remove(&id) else { return };
        if let Some(link) = pipe.link {
            self.hosts[pipe.host].links.remove(&link);
        }
        if let Some(connection) = pipe.server {
            self.hang_up(connection);
        }
    }

    /// The server's end of a connection goes.
    pub(crate) fn hang_up(&mut self, connection: Link) {
        self.by_connection.remove(&connection.id());
        connection.close(&mut self.servers);
    }

    /// Tells every connection what its client can reach, and how its member is.
    pub(crate) fn refresh_pipes(&mut self) {
        for pipe in self.pipes.values_mut() {
            pipe.unreachable = self.unreachable.contains(&(pipe.host, pipe.port));
            pipe.hung = self.hung.contains(&pipe.port);
            pipe.slowness = self.slow.get(&pipe.port).copied().unwrap_or_default();
        }
    }

    pub(crate) fn is_clumsy(&mut self) -> bool {
        self.clumsy_hosts && self.random.u8(..8) == 0
    }
}
