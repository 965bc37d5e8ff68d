//! How a balancer chooses, as far as the answers show it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use crate::cluster::members::MemberId;
use crate::cluster::output::Event;

/// How a balancer chooses the member of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balancing {
    /// One member after the other.
    RoundRobin,
    /// Any member.
    Random,
    /// The same member for the same client, by its address.
    ClientAddress,
    /// The member that a cookie names.
    Cookie,
}

impl fmt::Display for Balancing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RoundRobin => "round-robin",
            Self::Random => "random",
            Self::ClientAddress => "client-address",
            Self::Cookie => "cookie",
        })
    }
}

/// The odds against taking a balancer that chooses at random for one that does not: one in so many.
const ODDS: u64 = 1_000_000;

/// The members that have answered in a round of the search, and what was reported of the balancer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    count: u32,
    different: BTreeSet<MemberId>,
    last: Option<MemberId>,
    in_a_row: u32,
    /// The last reported way of choosing among connections without a cookie.
    reported: Option<Balancing>,
    /// Whether it was reported that the balancer follows cookies.
    has_reported_cookie: bool,
}

impl Answers {
    pub(super) fn note(&mut self, member: MemberId) {
        self.count += 1;
        self.different.insert(member);
        self.in_a_row = if self.last == Some(member) { self.in_a_row + 1 } else { 1 };
        self.last = Some(member);
    }

    /// Forgets the answers of a round, and not what was reported.
    pub(super) fn end_round(&mut self) {
        *self = Self { reported: self.reported, has_reported_cookie: self.has_reported_cookie, ..Self::default() };
    }

    /// The number of last answers that were of the same member.
    pub(super) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Whether a balancer that has so many members to choose from always chooses the same.
    pub(super) fn are_all_of_one(&self, members: usize) -> bool {
        members > 1 && self.in_a_row >= enough_of_one(members)
    }

    fn balancing(&self, members: usize) -> Option<(Balancing, String)> {
        let (count, different) = (self.count, self.different.len());
        if self.are_all_of_one(members) {
            let reason = format!("{} tries in a row led to the same member", self.in_a_row);
            Some((Balancing::ClientAddress, reason))
        } else if members > 2 && different == members && count as usize == members {
            Some((Balancing::RoundRobin, format!("{count} tries led to {different} members")))
        } else if count as usize > different && different > 1 {
            Some((Balancing::Random, format!("{count} tries led to {different} members")))
        } else {
            None
        }
    }

    /// The event for the way in which the balancer chooses; `None` if that can't be seen or has been reported.
    pub(super) fn balancing_event(&mut self, members: usize) -> Option<Event> {
        let (balancing, reason) = self.balancing(members)?;
        let is_new = self.reported.replace(balancing) != Some(balancing);
        is_new.then(|| recognised(balancing, reason))
    }

    /// The event for a cookie that has led to the member that had set it; `None` if that has been reported.
    pub(super) fn cookie_event(&mut self) -> Option<Event> {
        let is_new = !core::mem::replace(&mut self.has_reported_cookie, true);
        is_new.then(|| recognised(Balancing::Cookie, "a cookie led back to the member that had set it".to_string()))
    }
}

fn recognised(balancing: Balancing, reason: String) -> Event {
    Event::BalancingRecognised { balancing: balancing.to_string(), reason }
}

/// The number of sessions that a round may open: twice the average that it needs where members are chosen at random, and no
/// fewer than it needs to see that they are not.
pub(super) fn max_tries(members: usize) -> u32 {
    let count = members as u64;
    let harmonic: f64 = (1..=count).map(|rank| 1.0 / rank as f64).sum();
    let twice = (2.0 * count as f64 * harmonic) as u32 + 8;
    twice.max(enough_of_one(members) + 1)
}

/// The number of answers of the same member in a row that chance does not explain.
fn enough_of_one(members: usize) -> u32 {
    let (mut count, mut chance) = (1, 1u64);
    while chance < ODDS && members > 1 {
        chance = chance.saturating_mul(members as u64);
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotmap::SlotMap;

    fn answers(order: &[usize], members: usize) -> (Answers, usize) {
        let mut ids: SlotMap<MemberId, ()> = SlotMap::with_key();
        let ids: alloc::vec::Vec<MemberId> = (0..members).map(|_| ids.insert(())).collect();
        let mut answers = Answers::default();
        order.iter().for_each(|index| answers.note(ids[*index]));
        (answers, members)
    }

    fn recognised(order: &[usize], members: usize) -> Option<Balancing> {
        let (answers, members) = answers(order, members);
        answers.balancing(members).map(|(balancing, _)| balancing)
    }

    #[test]
    fn what_answers_tell_of_the_balancer() {
        assert_eq!(recognised(&[0, 1, 2], 3), Some(Balancing::RoundRobin));
        assert_eq!(recognised(&[0, 1, 0, 2], 3), Some(Balancing::Random));
        assert_eq!(recognised(&[1; 14], 3), Some(Balancing::ClientAddress));
        assert_eq!(recognised(&[1; 5], 3), None);
        assert_eq!(recognised(&[0, 1], 2), None);
    }

    #[test]
    fn a_round_is_long_enough_for_chance_and_for_one_member_alone() {
        assert_eq!(max_tries(3), 19);
        assert_eq!(max_tries(2), 22);
        assert!((300 * 6..300 * 14).contains(&max_tries(300)));
    }
}
