//! Multimaps: caches whose keys have several values.

use bytes::Bytes;
use hotrod_core::vocabulary::Answer;
use hotrod_core::wire::{Expiration, Metadata, Request};

use crate::{Cache, Error};

/// A multimap in a cache; cheap to clone.
#[derive(Clone)]
pub struct Multimap {
    cache: Cache,
    supports_duplicates: bool,
}

/// Sent, and not used by the server.
const EXPIRATION: Expiration = Expiration::DEFAULT;

impl Multimap {
    pub(crate) fn new(cache: Cache, supports_duplicates: bool) -> Self {
        Self { cache, supports_duplicates }
    }

    /// Whether a key may have the same value more than once (4.0 and later).
    pub fn supports_duplicates(&self) -> bool {
        self.supports_duplicates
    }

    /// The values of a key.
    pub async fn get(&self, key: impl Into<Bytes>) -> Result<Vec<Bytes>, Error> {
        let request = Request::GetMultimap { key: key.into(), supports_duplicates: self.supports_duplicates };
        match self.cache.answer(request).await? {
            Answer::Values(values) => Ok(values),
            _ => Ok(Vec::new()),
        }
    }

    /// The values of a key, with version and lifetimes; `None` if there are none.
    pub async fn get_with_metadata(&self, key: impl Into<Bytes>) -> Result<Option<(Metadata, Vec<Bytes>)>, Error> {
        let request =
            Request::GetMultimapWithMetadata { key: key.into(), supports_duplicates: self.supports_duplicates };
        match self.cache.answer(request).await? {
            Answer::ValuesWithMetadata(found) => Ok(found),
            _ => Ok(None),
        }
    }

    /// Adds a value to a key.
    pub async fn put(&self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<(), Error> {
        let (key, value, supports_duplicates) = (key.into(), value.into(), self.supports_duplicates);
        let request = Request::PutMultimap { key, expiration: EXPIRATION, value, supports_duplicates };
        self.cache.answer(request).await.map(drop)
    }

    /// Removes a key with all its values; answers false if there were none.
    pub async fn remove_key(&self, key: impl Into<Bytes>) -> Result<bool, Error> {
        self.flag(Request::RemoveKeyMultimap { key: key.into(), supports_duplicates: self.supports_duplicates }).await
    }

    /// Removes a value from a key; answers false if it did not have it.
    pub async fn remove_entry(&self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<bool, Error> {
        let (key, value, supports_duplicates) = (key.into(), value.into(), self.supports_duplicates);
        self.flag(Request::RemoveEntryMultimap { key, expiration: EXPIRATION, value, supports_duplicates }).await
    }

    /// Whether there is that key.
    pub async fn contains_key(&self, key: impl Into<Bytes>) -> Result<bool, Error> {
        self.flag(Request::ContainsKeyMultimap { key: key.into(), supports_duplicates: self.supports_duplicates }).await
    }

    /// Whether any key has that value.
    pub async fn contains_value(&self, value: impl Into<Bytes>) -> Result<bool, Error> {
        let (value, supports_duplicates) = (value.into(), self.supports_duplicates);
        self.flag(Request::ContainsValueMultimap { expiration: EXPIRATION, value, supports_duplicates }).await
    }

    /// Whether a key has that value.
    pub async fn contains_entry(&self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<bool, Error> {
        let (key, value, supports_duplicates) = (key.into(), value.into(), self.supports_duplicates);
        self.flag(Request::ContainsEntryMultimap { key, expiration: EXPIRATION, value, supports_duplicates }).await
    }

    /// The number of values of all keys.
    pub async fn size(&self) -> Result<u64, Error> {
        match self.cache.answer(Request::SizeMultimap { supports_duplicates: self.supports_duplicates }).await? {
            Answer::Size(size) => Ok(size),
            _ => Ok(0),
        }
    }

    async fn flag(&self, request: Request) -> Result<bool, Error> {
        Ok(self.cache.answer(request).await? == Answer::Flag(true))
    }
}
