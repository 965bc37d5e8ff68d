//! Endpoints: the carriage and ALPN of each, the link to it that sessions share, and pauses that it has asked for.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use slotmap::SecondaryMap;

use crate::carriage::Carriage;
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::members::MemberId;
use crate::cluster::transport::link::LinkId;
use crate::time::Instant;

/// What links to an endpoint have shown of it.
#[derive(Default)]
pub(in crate::cluster) struct Endpoints {
    /// The carriage that an endpoint offers, where that is not the best.
    carriages: BTreeMap<Endpoint, Carriage>,
    /// The carriage that the application was notified of last.
    reported_carriages: BTreeMap<Endpoint, Carriage>,
    /// Endpoints that close the link after they have selected an ALPN id.
    without_alpn: BTreeSet<Endpoint>,
    /// Endpoints whose links lead to one member each, although a link carries many sessions.
    one_member_links: BTreeSet<Endpoint>,
    /// The number of sessions that a link carries, where that is limited.
    max_sessions: BTreeMap<Endpoint, u32>,
    /// The link that takes further sessions, by site.
    shared: BTreeMap<(usize, Endpoint), LinkId>,
    /// Endpoints not to be asked for a member before a time.
    pauses: SecondaryMap<MemberId, Vec<(Endpoint, Instant)>>,
}

impl Endpoints {
    /// The carriage that an endpoint was found to offer; `None` if the best may still be tried.
    pub(in crate::cluster) fn carriage_of(&self, endpoint: &Endpoint) -> Option<Carriage> {
        self.carriages.get(endpoint).copied()
    }

    pub(in crate::cluster) fn set_carriage(&mut self, endpoint: Endpoint, carriage: Carriage) {
        self.carriages.insert(endpoint, carriage);
    }

    /// Has the next link to an endpoint try the best carriage again.
    pub(in crate::cluster) fn forget_carriage(&mut self, endpoint: &Endpoint) {
        self.carriages.remove(endpoint);
    }

    /// Whether the application was notified of this carriage last.
    pub(in crate::cluster) fn is_reported(&self, endpoint: &Endpoint, carriage: Carriage) -> bool {
        self.reported_carriages.get(endpoint) == Some(&carriage)
    }

    pub(in crate::cluster) fn note_reported(&mut self, endpoint: Endpoint, carriage: Carriage) {
        self.reported_carriages.insert(endpoint, carriage);
    }

    /// Whether ALPN is left out with this endpoint.
    pub(in crate::cluster) fn is_without_alpn(&self, endpoint: &Endpoint) -> bool {
        self.without_alpn.contains(endpoint)
    }

    /// Leaves ALPN out from now on. Returns false if it was left out before.
    pub(in crate::cluster) fn leave_out_alpn(&mut self, endpoint: Endpoint) -> bool {
        self.without_alpn.insert(endpoint)
    }

    /// Whether each link to this endpoint leads to one member.
    pub(in crate::cluster) fn has_one_member_links(&self, endpoint: &Endpoint) -> bool {
        self.one_member_links.contains(endpoint)
    }

    /// A link to this endpoint leads to one member: it and later ones are not shared.
    pub(in crate::cluster) fn note_one_member_link(&mut self, endpoint: Endpoint, link: LinkId) {
        self.shared.retain(|_, shared| *shared != link);
        self.one_member_links.insert(endpoint);
    }

    /// The number of sessions that a link to this endpoint carries, as far as that is known before its SETTINGS.
    pub(in crate::cluster) fn max_sessions(&self, endpoint: &Endpoint) -> usize {
        self.max_sessions.get(endpoint).map_or(usize::MAX, |most| *most as usize)
    }

    /// A link to this endpoint carries at most so many sessions.
    pub(in crate::cluster) fn note_max_sessions(&mut self, endpoint: &Endpoint, most: u32) {
        if self.max_sessions.get(endpoint) != Some(&most) {
            self.max_sessions.insert(endpoint.clone(), most);
        }
    }

    /// Links may be shared by all members again.
    pub(in crate::cluster) fn forget_one_member_links(&mut self) {
        self.one_member_links.clear();
    }

    /// The link to an endpoint that further sessions share.
    pub(in crate::cluster) fn shared_link(&self, site: usize, endpoint: &Endpoint) -> Option<LinkId> {
        self.shared.get(&(site, endpoint.clone())).copied()
    }

    pub(in crate::cluster) fn share(&mut self, site: usize, endpoint: Endpoint, link: LinkId) {
        self.shared.insert((site, endpoint), link);
    }

    /// Shares a link, unless another link to the endpoint is shared already.
    pub(in crate::cluster) fn share_if_none(&mut self, site: usize, endpoint: Endpoint, link: LinkId) {
        self.shared.entry((site, endpoint)).or_insert(link);
    }

    /// The link is gone.
    pub(in crate::cluster) fn unshare(&mut self, site: usize, endpoint: &Endpoint, link: LinkId) {
        let name = (site, endpoint.clone());
        if self.shared.get(&name) == Some(&link) {
            self.shared.remove(&name);
        }
    }

    /// Time before which this endpoint is not asked for a member; `None` if it may be asked now.
    pub(in crate::cluster) fn paused_until(
        &self,
        member: MemberId,
        endpoint: &Endpoint,
        now: Instant,
    ) -> Option<Instant> {
        let pauses = self.pauses.get(member)?;
        pauses.iter().find(|(paused, until)| paused == endpoint && *until > now).map(|(_, until)| *until)
    }

    /// The end of the first pause of any endpoint for a member.
    pub(in crate::cluster) fn first_pause(&self, member: MemberId, now: Instant) -> Option<Instant> {
        self.pauses.get(member)?.iter().map(|(_, until)| *until).filter(|until| *until > now).min()
    }

    /// Has an endpoint not asked for a member before `until`.
    pub(in crate::cluster) fn pause(&mut self, member: MemberId, endpoint: Endpoint, now: Instant, until: Instant) {
        let Some(pauses) = self.pauses.entry(member).map(slotmap::secondary::Entry::or_default) else { return };
        pauses.retain(|(paused, until)| *until > now && *paused != endpoint);
        pauses.push((endpoint, until));
    }

    pub(in crate::cluster) fn end_pause(&mut self, member: MemberId, endpoint: &Endpoint) {
        if let Some(pauses) = self.pauses.get_mut(member) {
            pauses.retain(|(paused, _)| paused != endpoint);
        }
    }

    /// Forgets the pauses of members that are no longer known.
    pub(in crate::cluster) fn retain_members(&mut self, is_known: impl Fn(MemberId) -> bool) {
        self.pauses.retain(|member, _| is_known(member));
    }

    /// Number of endpoints of which something is kept, without the links that are shared now; at most.
    pub(in crate::cluster) fn len(&self) -> usize {
        self.carriages.len()
            + self.reported_carriages.len()
            + self.without_alpn.len()
            + self.one_member_links.len()
            + self.max_sessions.len()
    }

    /// Forgets endpoints at which no member is dialled any more.
    pub(in crate::cluster) fn retain(&mut self, is_used: impl Fn(&Endpoint) -> bool) {
        self.carriages.retain(|endpoint, _| is_used(endpoint));
        self.reported_carriages.retain(|endpoint, _| is_used(endpoint));
        self.without_alpn.retain(&is_used);
        self.one_member_links.retain(&is_used);
        self.max_sessions.retain(|endpoint, _| is_used(endpoint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn pod(number: usize) -> Endpoint {
        Endpoint { host: format!("10.0.0.{number}"), port: 11222, server_name: None }
    }

    #[test]
    fn endpoints_without_a_member_are_forgotten_and_others_kept() {
        let mut endpoints = Endpoints::default();
        for number in 0..10 {
            endpoints.set_carriage(pod(number), Carriage::Upgrade);
            endpoints.note_reported(pod(number), Carriage::Upgrade);
            assert!(endpoints.leave_out_alpn(pod(number)));
            endpoints.note_one_member_link(pod(number), LinkId::default());
            endpoints.note_max_sessions(&pod(number), 7);
        }
        assert_eq!(endpoints.len(), 50);
        endpoints.retain(|endpoint| *endpoint == pod(3));
        assert_eq!(endpoints.len(), 5);
        assert_eq!((endpoints.max_sessions(&pod(3)), endpoints.max_sessions(&pod(4))), (7, usize::MAX));
        assert_eq!(endpoints.carriage_of(&pod(3)), Some(Carriage::Upgrade));
        assert_eq!(endpoints.carriage_of(&pod(4)), None);
        assert!(endpoints.is_reported(&pod(3), Carriage::Upgrade) && endpoints.is_without_alpn(&pod(3)));
        assert!(endpoints.has_one_member_links(&pod(3)) && !endpoints.has_one_member_links(&pod(4)));
    }
}
