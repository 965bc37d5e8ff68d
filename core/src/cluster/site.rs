//! Sites: other clusters with the same caches, used when the present one can't be reached.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::machine::Cluster;
use super::members::MemberId;
use super::output::{Event, Output};
use super::transport::open_session::SessionId;
use crate::time::Instant;

impl Cluster {
    /// The name of the present site; empty for the one that the settings' seeds are of.
    pub fn site(&self) -> &str {
        self.members.site_name(self.members.site())
    }

    /// Switches to another site; the empty name is that of the settings' seeds. Operations in flight finish where they are,
    /// or are sent again at the new site where that is safe. Returns false if there is no such site.
    ///
    /// The machine switches by itself when every member and every seed has failed
    /// [`Config::site_failures`](super::Config::site_failures) times in a row. It never switches back by
    /// itself: only the application knows when the other site has caught up.
    pub fn switch_site(&mut self, now: Instant, name: &str) -> bool {
        self.now = now;
        let Some(site) = self.members.site_named(name) else { return false };
        if site != self.members.site() {
            self.go_to_site(site, false);
        }
        true
    }

    /// Switches to the next site if no member of this one can be reached.
    pub(super) fn leave_lost_site(&mut self) {
        if self.members.site_count() < 2 || self.is_closing() {
            return;
        }
        let most = self.config.site_failures;
        let is_lost = |id: &MemberId| {
            let member = self.members.get(*id);
            member.is_none_or(|member| member.failures >= most || self.is_outside(member))
                && !self.has_ready_session(*id)
        };
        if self.members.current().iter().chain(self.members.seeds()).all(is_lost) {
            self.go_to_site((self.members.site() + 1) % self.members.site_count(), true);
        }
    }

    fn go_to_site(&mut self, site: usize, automatic: bool) {
        let (from, to) = (self.site().to_string(), self.members.site_name(site).to_string());
        self.members.switch_site(site);
        self.discovery.restart_search();
        self.operations.sizes_mut().forget_refused();
        self.degraded = false;
        self.caches.forget_cluster();
        self.fail_iterations();
        self.outputs.push_back(Output::Event(Event::SiteSwitched { from, to, automatic }));
        let left: Vec<SessionId> =
            self.transport.sessions().filter(|(_, open)| open.site() != site).map(|(id, _)| id).collect();
        for session in left {
            self.drain(session);
        }
        self.retry_waiting();
    }
}
