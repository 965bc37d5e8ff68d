//! Owners of the segments of a cache.

use std::collections::BTreeMap;

use crate::members::MemberId;

/// The owners of each segment, primary owner first.
///
/// A change of members moves as few segments as possible: a segment keeps the owners that remain, unless these own more
/// than their share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ownership {
    segments: Vec<Vec<MemberId>>,
    /// Owners of a segment, if there are enough members.
    copies: usize,
}

/// The members and the count of segments that each owns so far.
struct Shares<'a> {
    members: &'a [MemberId],
    counts: Vec<usize>,
}

impl Ownership {
    pub(crate) fn new(segments: u32, copies: usize) -> Self {
        Self { segments: vec![Vec::new(); segments as usize], copies }
    }

    /// Returns the owners of a segment, primary owner first.
    pub(crate) fn of(&self, segment: u32) -> &[MemberId] {
        &self.segments[segment as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[MemberId]> {
        self.segments.iter().map(Vec::as_slice)
    }

    /// Distributes the segments evenly over `members`, which must be distinct and in order.
    pub(crate) fn rebalance(&mut self, members: &[MemberId]) {
        let stays = |owner: &MemberId| members.binary_search(owner).is_ok();
        if self.copies >= members.len() {
            // All members own all segments: only the primary owner is chosen.
            for owners in &mut self.segments {
                *owners = owners.iter().copied().find(stays).into_iter().collect();
            }
            self.balance_primaries(members);
            return self.give_everything_to_all(members);
        }
        self.segments.iter_mut().for_each(|owners| owners.retain(stays));
        self.balance_primaries(members);
        self.balance_backups(members);
    }

    fn balance_primaries(&mut self, members: &[MemberId]) {
        let mut shares = Shares::new(members);
        self.segments.iter().filter_map(|owners| owners.first()).for_each(|primary| shares.add(*primary));
        for owners in self.segments.iter_mut().filter(|owners| owners.is_empty()) {
            let Some(primary) = shares.least(|_| true) else { return };
            shares.add(primary);
            owners.push(primary);
        }
        // Moves segments while two members differ by two or more, first to members that are backups already.
        while self.move_primaries(&mut shares, true) {}
        while self.move_primaries(&mut shares, false) {}
    }

    /// Moves primaries to smaller shares; returns whether any moved. Repetition ends: each move makes the sum of the squares
    /// of all shares smaller.
    fn move_primaries(&mut self, shares: &mut Shares<'_>, only_to_backups: bool) -> bool {
        let (mut moved, mut smallest) = (false, shares.smallest());
        for owners in &mut self.segments {
            if shares.of(owners[0]) < smallest + 2 {
                continue;
            }
            let to = shares.least(|member| !only_to_backups || owners[1..].contains(&member));
            if let Some(to) = to.filter(|to| shares.of(owners[0]) >= shares.of(*to) + 2) {
                shares.transfer(owners[0], to);
                smallest = shares.smallest();
                owners.retain(|owner| *owner != to);
                owners.insert(0, to);
                moved = true;
            }
        }
        moved
    }

    fn balance_backups(&mut self, members: &[MemberId]) {
        let mut shares = Shares::new(members);
        for owners in &mut self.segments {
            owners.truncate(self.copies);
            owners.iter().for_each(|owner| shares.add(*owner));
        }
        let mut pairs: BTreeMap<(MemberId, MemberId), usize> = BTreeMap::new();
        for owners in &mut self.segments {
            while owners.len() < self.copies {
                let primary = owners[0];
                // Among equals, the member that is least often the backup of this primary: a crash then spreads its load.
                let rank = |member| pairs.get(&(primary, member)).copied().unwrap_or_default();
                let Some(backup) = shares.least_by(|member| !owners.contains(&member), rank) else { break };
                *pairs.entry((primary, backup)).or_default() += 1;
                shares.add(backup);
                owners.push(backup);
            }
        }
        while self.move_backups(&mut shares) {}
    }

    fn give_everything_to_all(&mut self, members: &[MemberId]) {
        for owners in &mut self.segments {
            owners.truncate(1);
            let Some(primary) = owners.first().copied() else { continue };
            owners.extend(members.iter().filter(|member| **member != primary));
        }
    }

    /// Moves backups to smaller shares, as [`move_primaries`](Self::move_primaries) does primaries.
    fn move_backups(&mut self, shares: &mut Shares<'_>) -> bool {
        let (mut moved, mut smallest) = (false, shares.smallest());
        for owners in &mut self.segments {
            for index in 1..owners.len() {
                if shares.of(owners[index]) < smallest + 2 {
                    continue;
                }
                let to = shares.least(|member| !owners.contains(&member));
                if let Some(to) = to.filter(|to| shares.of(owners[index]) >= shares.of(*to) + 2) {
                    shares.transfer(owners[index], to);
                    smallest = shares.smallest();
                    owners[index] = to;
                    moved = true;
                }
            }
        }
        moved
    }
}

impl<'a> Shares<'a> {
    fn new(members: &'a [MemberId]) -> Self {
        Self { members, counts: vec![0; members.len()] }
    }

    fn index(&self, member: MemberId) -> usize {
        self.members.binary_search(&member).unwrap_or_default()
    }

    fn of(&self, member: MemberId) -> usize {
        self.counts[self.index(member)]
    }

    fn add(&mut self, member: MemberId) {
        let index = self.index(member);
        self.counts[index] += 1;
    }

    fn transfer(&mut self, from: MemberId, to: MemberId) {
        let from = self.index(from);
        self.counts[from] -= 1;
        self.add(to);
    }

    fn smallest(&self) -> usize {
        self.counts.iter().copied().min().unwrap_or_default()
    }

    /// Returns the eligible member with the smallest share.
    fn least(&self, eligible: impl Fn(MemberId) -> bool) -> Option<MemberId> {
        self.least_by(eligible, |_| 0)
    }

    /// Returns the eligible member with the smallest share, and among equals the one of the lowest rank.
    fn least_by(&self, eligible: impl Fn(MemberId) -> bool, rank: impl Fn(MemberId) -> usize) -> Option<MemberId> {
        let candidates = self.members.iter().zip(&self.counts).filter(|(member, _)| eligible(**member));
        candidates.min_by_key(|(member, count)| (**count, rank(**member))).map(|(member, _)| *member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
        counts.clone().max().unwrap_or(0) - counts.min().unwrap_or(0)
    }

    fn check(ownership: &Ownership, members: &[MemberId]) -> Result<(), TestCaseError> {
        let (mut primaries, mut all) = (vec![0; members.len()], vec![0; members.len()]);
        for owners in ownership.iter() {
            prop_assert_eq!(owners.len(), ownership.copies.min(members.len()));
            prop_assert_eq!(owners.iter().collect::<BTreeSet<_>>().len(), owners.len(), "no owner twice");
            primaries[members.binary_search(&owners[0]).unwrap()] += 1;
            owners.iter().for_each(|owner| all[members.binary_search(owner).unwrap()] += 1);
        }
        prop_assert!(spread(primaries.iter().copied()) <= 1, "primaries {:?}", primaries);
        prop_assert!(spread(all.iter().copied()) <= 2, "owners {:?}", all);
        Ok(())
    }

    proptest! {
        #[test]
        fn every_member_has_its_share_however_they_come_and_go(
            copies in 1usize..4,
            segments in prop::sample::select(vec![1u32, 20, 60, 256]),
            steps in prop::collection::vec((any::<bool>(), 0u32..12), 1..30),
        ) {
            let mut ownership = Ownership::new(segments, copies);
            let mut members = BTreeSet::from([MemberId(0)]);
            for (add, id) in steps {
                if add {
                    members.insert(MemberId(id));
                } else if members.len() > 1 {
                    members.remove(&MemberId(id));
                }
                let list: Vec<_> = members.iter().copied().collect();
                ownership.rebalance(&list);
                check(&ownership, &list)?;
            }
        }
    }

    #[test]
    fn one_more_member_moves_only_its_share() {
        let mut ownership = Ownership::new(256, 2);
        let members: Vec<_> = (0..4).map(MemberId).collect();
        ownership.rebalance(&members[..3]);
        let before = ownership.clone();
        ownership.rebalance(&members);
        let moved = ownership.iter().zip(before.iter()).filter(|(now, then)| now[0] != then[0]).count();
        assert!(moved <= 64 + 8, "{moved} primaries moved");
    }
}
