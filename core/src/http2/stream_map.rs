//! Values of streams, by the identifiers of the streams.

use alloc::vec::Vec;

use slotmap::{DefaultKey, SlotMap};

use super::StreamId;

/// A map whose identifiers are mostly added in ascending order and mostly without gaps, as those of a connection are.
///
/// A search costs as much among a thousand streams as among three: the place of an identifier follows from its distance to the
/// first, and only streams between the two that have ended lead away from there.
#[derive(Debug)]
pub(crate) struct StreamMap<T> {
    /// Ascends.
    index: Vec<(StreamId, DefaultKey)>,
    values: SlotMap<DefaultKey, (StreamId, T)>,
}

impl<T> Default for StreamMap<T> {
    fn default() -> Self {
        Self { index: Vec::new(), values: SlotMap::new() }
    }
}

impl<T> StreamMap<T> {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(crate) fn contains(&self, id: StreamId) -> bool {
        self.key(id).is_some()
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&T> {
        self.values.get(self.key(id)?).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut T> {
        self.values.get_mut(self.key(id)?).map(|(_, value)| value)
    }

    /// Adds a stream, or replaces its value.
    pub(crate) fn insert(&mut self, id: StreamId, value: T) {
        if let Some(present) = self.get_mut(id) {
            *present = value;
        } else if let Err(place) = self.find(id) {
            let key = self.values.insert((id, value));
            self.index.insert(place, (id, key));
        }
    }

    pub(crate) fn remove(&mut self, id: StreamId) -> Option<T> {
        let place = self.find(id).ok()?;
        let (_, key) = self.index.remove(place);
        self.values.remove(key).map(|(_, value)| value)
    }

    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.values.clear();
    }

    /// All streams, in the order of their identifiers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (StreamId, &T)> {
        self.index.iter().filter_map(|(_, key)| self.values.get(*key)).map(|(id, value)| (*id, value))
    }

    /// The same, to be changed. Sorts them: it is for what happens seldom.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (StreamId, &mut T)> {
        let mut all: Vec<_> = self.values.values_mut().map(|(id, value)| (*id, value)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
    }

    #[inline]
    fn key(&self, id: StreamId) -> Option<DefaultKey> {
        // One end has odd identifiers, the other even ones: where none between are gone, it stands there.
        let first = self.index.first()?.0.value();
        match self.index.get((id.value().wrapping_sub(first) / 2) as usize) {
            Some((found, key)) if *found == id => Some(*key),
            _ => self.find(id).ok().and_then(|place| self.index.get(place)).map(|(_, key)| *key),
        }
    }

    /// The place of an identifier, or where it would stand.
    fn find(&self, id: StreamId) -> Result<usize, usize> {
        let Some((first, _)) = self.index.first() else { return Err(0) };
        let Some(distance) = id.value().checked_sub(first.value()) else { return Err(0) };
        // It stands there, or before it if some between are gone.
        let guess = (distance as usize / 2).min(self.index.len() - 1);
        let at = |place: usize| self.index.get(place).map_or(StreamId::MAX, |(id, _)| *id);
        if at(guess) == id {
            return Ok(guess);
        }
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while low > 0 && at(low) > id {
            (low, high) = (low.saturating_sub(step), low);
            step *= 2;
        }
        if low == guess {
            high = self.index.len();
        }
        let within = self.index.get(low..high).unwrap_or_default();
        let found = within.binary_search_by_key(&id, |(id, _)| *id);
        found.map(|place| low + place).map_err(|place| low + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_holds(
            steps in proptest::collection::vec((0u8..4, 1u32..60), 0..200),
            stride in 1u32..4,
        ) {
            let (mut map, mut tree) = (StreamMap::default(), BTreeMap::new());
            for (step, (kind, number)) in steps.into_iter().enumerate() {
                let id = StreamId::new(number * stride);
                match kind {
                    0 => {
                        map.insert(id, step);
                        tree.insert(id, step);
                    }
                    1 => prop_assert_eq!(map.remove(id), tree.remove(&id)),
                    // As streams are opened: behind all others.
                    2 => {
                        let next = tree.last_key_value().map_or(1, |(id, _): (&StreamId, _)| id.value() + 2);
                        map.insert(StreamId::new(next), step);
                        tree.insert(StreamId::new(next), step);
                    }
                    _ => {
                        if let Some(value) = map.get_mut(id) {
                            *value += 1;
                        }
                        tree.entry(id).and_modify(|value| *value += 1);
                    }
                }
                prop_assert_eq!(map.get(id), tree.get(&id));
                prop_assert_eq!(map.contains(id), tree.contains_key(&id));
                prop_assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
            }
            prop_assert!(map.iter().eq(tree.iter().map(|(id, value)| (*id, value))));
            prop_assert!(map.iter_mut().map(|(id, value)| (id, *value)).eq(tree));
        }
    }
}
