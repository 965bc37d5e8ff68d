//! Keys with several values each: entries of the cache whose content is a bucket. As in a server, their keys and values are
//! not converted, whatever the request declares.

use bytes::Bytes;
use hotrod_core::wire::{Body, EntryChange, Expiration};

use crate::answer::{Answer, Failure, Outcome};
use crate::entry::Content;
use crate::single_key::{Access, Job};
use crate::store::Place;

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
        let mut values = self.bucket(&place)?.to_vec();
        if !duplicates && values.contains(value) {
            return Ok(Answer::SUCCESS);
        }
        values.push(Bytes::copy_from_slice(value));
        self.write_content(&place, Expiration::DEFAULT, Content::Bucket(values))?;
        Ok(Answer::SUCCESS)
    }

    /// Removes one value of a key, or with `None` all of them.
    pub(crate) fn multimap_remove(&mut self, key: &Bytes, value: Option<&Bytes>) -> Outcome {
        let place = self.locate(key, Access::Write)?;
        let present = self.bucket(&place)?;
        let left: Vec<_> =
            present.iter().filter(|present| value.is_some_and(|value| value != *present)).cloned().collect();
        let removed = left.len() < present.len();
        let counts = self.counts();
        *if removed { &mut counts.remove_hits } else { &mut counts.remove_misses } += 1;
        if removed && left.is_empty() {
            self.store_mut()?.remove(&place);
            self.publish(EntryChange::Removed, &place, 0)?;
        } else if removed {
            self.write_content(&place, Expiration::DEFAULT, Content::Bucket(left))?;
        }
        Ok(Answer::with(Body::Boolean(removed)))
    }

    pub(crate) fn multimap_contains(&mut self, key: &Bytes, value: Option<&Bytes>) -> Outcome {
        let place = self.locate(key, Access::Read)?;
        let values = self.bucket(&place)?;
        Ok(Answer::with(Body::Boolean(value.map_or(!values.is_empty(), |value| values.contains(value)))))
    }

    pub(crate) fn multimap_contains_value(&mut self, value: &Bytes) -> Outcome {
        let contains = self.buckets()?.any(|values| values.contains(value));
        Ok(Answer::with(Body::Boolean(contains)))
    }

    /// Counts pairs of key and value.
    pub(crate) fn multimap_size(&mut self) -> Outcome {
        let size = self.buckets()?.map(|values| values.len() as u64).sum();
        Ok(Answer::with(Body::Size(size)))
    }

    fn multimap_read(&mut self, key: &Bytes) -> Result<Vec<Bytes>, Failure> {
        let place = self.locate(key, Access::Read)?;
        let values = self.bucket(&place)?.to_vec();
        let counts = self.counts();
        *if values.is_empty() { &mut counts.misses } else { &mut counts.hits } += 1;
        Ok(values)
    }

    fn bucket(&self, place: &Place) -> Result<&[Bytes], Failure> {
        self.store()?.get(place).map_or(Ok(&[]), |entry| entry.bucket())
    }

    fn buckets(&self) -> Result<impl Iterator<Item = &[Bytes]>, Failure> {
        Ok(self.store()?.iter().filter_map(|(_, entry)| entry.bucket().ok()))
    }
}
