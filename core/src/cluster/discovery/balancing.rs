//! How a balancer chooses, as far as that can be seen from who answers.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::output::{Event, Output};

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

/// So unlikely is it that a balancer that chooses at random is taken for one that does not: once in so many times.
const ONCE_IN: u64 = 1_000_000;

/// Who has answered in a round of the search.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Answers {
    count: u32,
    different: BTreeSet<MemberId>,
    last: Option<MemberId>,
    in_a_row: u32,
    /// What was told last of connections to anybody.
    told: Option<Balancing>,
    /// It was told that cookies are kept.
    told_cookie: bool,
}

impl Answers {
    pub(in crate::cluster) fn note(&mut self, member: MemberId) {
        self.count += 1;
        self.different.insert(member);
        self.in_a_row = if self.last == Some(member) { self.in_a_row + 1 } else { 1 };
        self.last = Some(member);
    }

    /// A round is over. What was told of the balancer stays.
    pub(in crate::cluster) fn forget(&mut self) {
        *self = Self { told: self.told, told_cookie: self.told_cookie, ..Self::default() };
    }

    /// The last answers that were of the same member.
    pub(in crate::cluster) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Whether a balancer that has so many members to choose from always takes the same.
    pub(in crate::cluster) fn are_all_of_one(&self, members: usize) -> bool {
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
}

/// Sessions that a round may open: twice as many as it takes on average where members are chosen at random, and no fewer than it
/// takes to see that they are not.
pub(in crate::cluster) fn most_tries(members: usize) -> u32 {
    let count = members as u64;
    let harmonic: f64 = (1..=count).map(|rank| 1.0 / rank as f64).sum();
    let twice = (2.0 * count as f64 * harmonic) as u32 + 8;
    twice.max(enough_of_one(members) + 1)
}

/// Answers of the same member in a row that chance does not explain.
fn enough_of_one(members: usize) -> u32 {
    let (mut count, mut chance) = (1, 1u64);
    while chance < ONCE_IN && members > 1 {
        chance = chance.saturating_mul(members as u64);
        count += 1;
    }
    count
}

impl Cluster {
    /// A round is over: says how the balancer chooses, if that can be seen and was not said before.
    pub(in crate::cluster) fn note_balancing(&mut self) {
        if let Some((balancing, reason)) = self.search.answers.balancing(self.current.len())
            && self.search.answers.told.replace(balancing) != Some(balancing)
        {
            self.tell_balancing(balancing, reason);
        }
    }

    /// A cookie has led to the member that had set it.
    pub(in crate::cluster) fn note_cookie_kept(&mut self) {
        if !core::mem::replace(&mut self.search.answers.told_cookie, true) {
            self.tell_balancing(Balancing::Cookie, "a cookie led back to the member that had set it".to_string());
        }
    }

    fn tell_balancing(&mut self, balancing: Balancing, reason: String) {
        let event = Event::BalancingRecognised { balancing: balancing.to_string(), reason };
        self.outputs.push_back(Output::Event(event));
    }
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
        assert_eq!(most_tries(3), 19);
        assert_eq!(most_tries(2), 22);
        assert!((300 * 6..300 * 14).contains(&most_tries(300)));
    }
}
