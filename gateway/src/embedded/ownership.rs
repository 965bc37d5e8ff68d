//! Which members own which segments.

use super::members::MemberId;

/// The owners of every segment, primary owner first.
///
/// A change of members moves no more than it must: segments whose owners are all still there keep them unless these
/// have more than their share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    segments: Vec<Vec<MemberId>>,
    /// How many owners a segment should have.
    copies: usize,
}

/// The members to choose from, and what each has so far.
struct Shares<'a> {
    members: &'a [MemberId],
    counts: Vec<usize>,
}

impl Ownership {
    pub(super) fn new(segments: u32, copies: usize) -> Self {
        Self { segments: vec![Vec::new(); segments as usize], copies }
    }

    /// The owners of a segment, primary first.
    pub(super) fn of(&self, segment: u32) -> &[MemberId] {
        &self.segments[segment as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[MemberId]> {
        self.segments.iter().map(Vec::as_slice)
    }

    /// Spreads the segments evenly over `members`; these must be distinct and in order.
    pub(super) fn rebalance(&mut self, members: &[MemberId]) {
        for owners in &mut self.segments {
            owners.retain(|owner| members.binary_search(owner).is_ok());
        }
        if members.is_empty() {
            return;
        }
        self.balance_primaries(members);
        self.balance_backups(members);
    }

    fn balance_primaries(&mut self, members: &[MemberId]) {
        let mut shares = Shares::new(members);
        self.segments.iter().filter_map(|owners| owners.first()).for_each(|primary| shares.add(*primary));
        for owners in self.segments.iter_mut().filter(|owners| owners.is_empty()) {
            let primary = shares.least(|_| true);
            shares.add(primary);
            owners.push(primary);
        }
        // While somebody has two more than somebody else, a segment moves; best to a member that is its backup already.
        while self.move_primaries(&mut shares, true) {}
        while self.move_primaries(&mut shares, false) {}
    }

    /// Answers whether any moved. That ends: each move makes the sum of the squares of all shares smaller.
    fn move_primaries(&mut self, shares: &mut Shares<'_>, only_to_backups: bool) -> bool {
        let mut moved = false;
        for owners in &mut self.segments {
            let to = shares.least(|member| !only_to_backups || owners[1..].contains(&member));
            if (only_to_backups && owners.len() < 2) || shares.of(owners[0]) < shares.of(to) + 2 {
                continue;
            }
            shares.transfer(owners[0], to);
            owners.retain(|owner| *owner != to);
            owners.insert(0, to);
            moved = true;
        }
        moved
    }

    fn balance_backups(&mut self, members: &[MemberId]) {
        let copies = self.copies.min(members.len());
        let mut shares = Shares::new(members);
        for owners in &mut self.segments {
            owners.truncate(copies);
            owners.iter().for_each(|owner| shares.add(*owner));
        }
        for owners in &mut self.segments {
            while owners.len() < copies {
                let backup = shares.least(|member| !owners.contains(&member));
                shares.add(backup);
                owners.push(backup);
            }
        }
        while self.move_backups(&mut shares) {}
    }

    /// As [`move_primaries`](Self::move_primaries).
    fn move_backups(&mut self, shares: &mut Shares<'_>) -> bool {
        let mut moved = false;
        for owners in &mut self.segments {
            for index in 1..owners.len() {
                let to = shares.least(|member| !owners.contains(&member));
                if !owners.contains(&to) && shares.of(owners[index]) >= shares.of(to) + 2 {
                    shares.transfer(owners[index], to);
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

    /// The member with the least, of those that are eligible; any, if none is.
    fn least(&self, eligible: impl Fn(MemberId) -> bool) -> MemberId {
        let candidates = self.members.iter().zip(&self.counts).filter(|(member, _)| eligible(**member));
        candidates.min_by_key(|(_, count)| **count).map_or(self.members[0], |(member, _)| *member)
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
