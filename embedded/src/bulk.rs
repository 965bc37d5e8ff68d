//! Operations on many keys or on all.

use bytes::Bytes;
use hotrod_core::wire::{Body, EntryChange, Expiration};

use crate::answer::{Answer, Failure, Outcome};
use crate::entry::Entry;
use crate::single_key::{Access, Job};
use crate::store::Place;

impl Job<'_> {
    pub(crate) fn put_all(&mut self, expiration: Expiration, entries: &[(Bytes, Bytes)]) -> Outcome {
        let entries = entries
            .iter()
            .map(|(key, value)| Ok::<_, Failure>((self.stored_key(key)?, self.transcoding.values.for_storage(value)?)));
        for (key, value) in entries.collect::<Result<Vec<_>, _>>()? {
            let place = self.locate(&key, Access::Write)?;
            self.write(&place, expiration, &value)?;
        }
        Ok(Answer::SUCCESS)
    }

    pub(crate) fn get_all(&mut self, keys: Vec<Bytes>) -> Outcome {
        let mut entries = Vec::new();
        for key in keys {
            if let Some(entry) = self.read(&key)? {
                // The server converts the stored key back.
                let key = self.transcoding.keys.for_answer(&self.stored_key(&key)?)?;
                entries.push((key, self.value_of(&entry)?));
            }
        }
        Ok(Answer::with(Body::Entries(entries)))
    }

    pub(crate) fn bulk_get(&mut self, count: u32) -> Outcome {
        let count = if count == 0 { usize::MAX } else { count as usize };
        let entries = self.store()?.iter().take(count);
        let convert = |(key, entry): (&Bytes, &Entry)| {
            Ok::<_, Failure>((self.transcoding.keys.for_answer(key)?, self.value_of(entry)?))
        };
        let entries = entries.map(convert).collect::<Result<_, _>>()?;
        Ok(Answer::with(Body::Entries(entries)))
    }

    pub(crate) fn bulk_get_keys(&mut self) -> Outcome {
        let keys =
            self.store()?.iter().map(|(key, _)| self.transcoding.keys.for_answer(key)).collect::<Result<_, _>>()?;
        Ok(Answer::with(Body::Keys(keys)))
    }

    pub(crate) fn size(&mut self) -> Outcome {
        Ok(Answer::with(Body::Size(self.store()?.len())))
    }

    /// Removes all entries, segment by segment, with an event for each.
    pub(crate) fn clear(&mut self) -> Outcome {
        for segment in 0..self.cache.options.segments {
            let keys: Vec<_> = self.store()?.scan(segment, None).map(|(key, _)| key.clone()).collect();
            for key in keys {
                self.clear_one(&Place { segment, key })?;
            }
            self.store_mut()?.lose(segment);
        }
        Ok(Answer::SUCCESS)
    }

    fn clear_one(&mut self, place: &Place) -> Result<(), Failure> {
        if self.store_mut()?.remove(place).is_some() {
            self.publish(EntryChange::Removed, place, 0)?;
        }
        Ok(())
    }
}
