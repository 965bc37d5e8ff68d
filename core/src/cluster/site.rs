//! Sites: other clusters with the same caches, used when the present one can't be reached.

use alloc::string::String;
use alloc::vec::Vec;

use super::machine::Cluster;
use super::members::MemberId;
use super::output::{Event, Output};
use super::transport::open_session::SessionId;
use crate::time::Instant;

/// A site and the members by which it is found.
pub(super) struct KnownSite {
    pub(super) name: String,
    pub(super) seeds: Vec<MemberId>,
}

impl Cluster {
    /// The seeds of the present site.
    pub(super) fn seeds(&self) -> &[MemberId] {
        &self.sites[self.site].seeds
    }

    /// The name of the present site; empty for the one that the settings' seeds are of.
    pub fn site(&self) -> &str {
        &self.sites[self.site].name
    }

    /// Switches to another site; the empty name is that of the settings' seeds. Operations in flight finish where they are,
    /// or are sent again at the new site where that is safe. Returns false if there is no such site.
    ///
    /// The machine switches by itself when every member and every seed has failed
    /// [`Config::site_failures`](super::Config::site_failures) times in a row. It never switches back by
    /// itself: only the application knows when the other site has caught up.
    pub fn switch_site(&mut self, now: Instant, name: &str) -> bool {
        self.now = now;
        let Some(site) = self.sites.iter().position(|site| site.name == name) else { return false };
        if site != self.site {
            self.go_to_site(site, false);
        }
        true
    }

    /// Switches to the next site if no member of this one can be reached.
    pub(super) fn leave_lost_site(&mut self) {
        if self.sites.len() < 2 || self.is_closing() {
            return;
        }
        let most = self.config.site_failures;
        let is_lost = |id: &MemberId| {
            let member = self.members.get(*id);
            member.is_none_or(|member| member.failures >= most || self.is_outside(member))
                && !self.has_ready_session(*id)
        };
        if self.current.iter().chain(self.seeds()).all(is_lost) {
            self.go_to_site((self.site + 1) % self.sites.len(), true);
        }
    }

    fn go_to_site(&mut self, site: usize, automatic: bool) {
        let (from, to) = (self.sites[self.site].name.clone(), self.sites[site].name.clone());
        self.site = site;
        self.current.clear();
        self.discovery.restart_search();
        self.degraded = false;
        self.caches.iter_mut().for_each(|cache| cache.view = None);
        for seed in self.sites[site].seeds.clone() {
            if let Some(member) = self.members.get_mut(seed) {
                (member.failures, member.retry_at, member.site) = (0, None, site);
            }
        }
        self.fail_iterations();
        self.outputs.push_back(Output::Event(Event::SiteSwitched { from, to, automatic }));
        let left: Vec<SessionId> = self
            .transport
            .sessions()
            .filter(|(_, open)| !self.seeds().contains(&open.member()))
            .map(|(id, _)| id)
            .collect();
        for session in left {
            self.drain(session);
        }
        self.retry_waiting();
    }
}
