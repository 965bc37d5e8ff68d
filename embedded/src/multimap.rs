//! Keys with several values each.

use std::collections::BTreeMap;

use bytes::Bytes;
use hotrod_core::wire::Body;

use crate::answer::{Answer, Outcome};
use crate::entry::weight;
use crate::single_key::{Access, Job};
use crate::store::Place;

/// The values of all multimap keys. Values of a key are in the order in which they were added.
pub(crate) struct Multimap {
    segments: Vec<BTreeMap<Bytes, Vec<Bytes>>>,
    keys: u64,
    values: u64,
    bytes: u64,
}

impl Multimap {
    pub(crate) fn new(segments: u32) -> Self {
        Self { segments: (0..segments).map(|_| BTreeMap::new()).collect(), keys: 0, values: 0, bytes: 0 }
    }

    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    pub(crate) fn keys_of(&self, segment: u32) -> usize {
        self.segments[segment as usize].len()
    }

    /// Counts pairs of key and value.
    pub(crate) fn len(&self) -> u64 {
        self.values
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn get(&self, place: &Place) -> &[Bytes] {
        self.segments[place.segment as usize].get(&place.key).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn contains_value(&self, value: &Bytes) -> bool {
        self.segments.iter().flatten().any(|(_, values)| values.contains(value))
    }

    fn add(&mut self, place: &Place, value: &Bytes) {
        let values = self.segments[place.segment as usize].entry(Bytes::copy_from_slice(&place.key)).or_default();
        self.keys += u64::from(values.is_empty());
        self.values += 1;
        self.bytes += weight(&place.key, value);
        values.push(Bytes::copy_from_slice(value));
    }

    fn remove(&mut self, place: &Place, value: Option<&Bytes>) -> bool {
        let segment = &mut self.segments[place.segment as usize];
        let Some(values) = segment.get_mut(&place.key) else { return false };
        let before = values.len();
        let bytes = |values: &[Bytes]| values.iter().map(|value| weight(&place.key, value)).sum::<u64>();
        self.bytes -= bytes(values);
        match value {
            Some(value) => values.retain(|present| present != value),
            None => values.clear(),
        }
        let left = values.len();
        self.bytes += bytes(values);
        self.values -= (before - left) as u64;
        if left == 0 {
            segment.remove(&place.key);
            self.keys -= 1;
        }
        left < before
    }

    pub(crate) fn lose(&mut self, segment: u32) {
        let keys: Vec<_> = self.segments[segment as usize].keys().cloned().collect();
        for key in keys {
            self.remove(&Place { segment, key }, None);
        }
    }
}

impl Job<'_> {
    pub(crate) fn multimap_get(&mut self, key: &Bytes) -> Outcome {
        let values = self.multimap_read(key)?;
        Ok(if values.is_empty() { Answer::NOT_EXISTING } else { Answer::with(Body::Values(values)) })
    }

    pub(crate) fn multimap_get_with_metadata(&mut self, key: &Bytes) -> Outcome {
        let values = self.multimap_read(key)?;
        if values.is_empty() {
            return Ok(Answer::NOT_EXISTING);
        }
        Ok(Answer::with(Body::ValuesWithMetadata { metadata: Box::default(), values }))
    }

    pub(crate) fn multimap_put(&mut self, key: &Bytes, value: &Bytes, duplicates: bool) -> Outcome {
        let place = self.locate(key, Access::Write)?;
        let present = self.store()?.multimap.get(&place);
        if !duplicates && present.contains(value) {
            return Ok(Answer::SUCCESS);
        }
        let new_key = u64::from(present.is_empty());
        self.cache.make_room(self.caller.member, new_key, weight(key, value))?;
        self.store_mut()?.multimap.add(&place, value);
        self.counts().stores += 1;
        Ok(Answer::SUCCESS)
    }

    /// Removes one value of a key, or with `None` all of them.
    pub(crate) fn multimap_remove(&mut self, key: &Bytes, value: Option<&Bytes>) -> Outcome {
        let place = self.locate(key, Access::Write)?;
        let removed = self.store_mut()?.multimap.remove(&place, value);
        let counts = self.counts();
        *if removed { &mut counts.remove_hits } else { &mut counts.remove_misses } += 1;
        Ok(Answer::with(Body::Boolean(removed)))
    }

    pub(crate) fn multimap_contains(&mut self, key: &Bytes, value: Option<&Bytes>) -> Outcome {
        let place = self.locate(key, Access::Read)?;
        let values = self.store()?.multimap.get(&place);
        Ok(Answer::with(Body::Boolean(value.map_or(!values.is_empty(), |value| values.contains(value)))))
    }

    pub(crate) fn multimap_contains_value(&mut self, value: &Bytes) -> Outcome {
        Ok(Answer::with(Body::Boolean(self.store()?.multimap.contains_value(value))))
    }

    pub(crate) fn multimap_size(&mut self) -> Outcome {
        Ok(Answer::with(Body::Size(self.store()?.multimap.len())))
    }

    fn multimap_read(&mut self, key: &Bytes) -> Result<Vec<Bytes>, crate::answer::Failure> {
        let place = self.locate(key, Access::Read)?;
        let values = self.store()?.multimap.get(&place).to_vec();
        let counts = self.counts();
        *if values.is_empty() { &mut counts.misses } else { &mut counts.hits } += 1;
        Ok(values)
    }
}
