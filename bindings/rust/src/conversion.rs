//! Encodes the arguments of operations and decodes their results, with the codecs of a cache.

use std::sync::Arc;

use bytes::Bytes;
use hotrod_core::wire::{IterationEntry, MediaType, Metadata, Previous, Request};

use crate::codec::{Codec, CodecError, Encode};
use crate::{Cache, Conditional, Entry, Error, Part};

impl<K: Codec, V: Codec> Cache<K, V> {
    pub(crate) fn encode_key<Q>(&self, key: Q) -> Result<Bytes, Error>
    where
        K: Encode<Q>,
    {
        self.keys.encode(key).map_err(|error| self.not_encoded(Part::Key, None, error))
    }

    /// Encodes a value; `key` is the encoded key of its entry.
    pub(crate) fn encode_value<W>(&self, key: Option<&Bytes>, value: W) -> Result<Bytes, Error>
    where
        V: Encode<W>,
    {
        self.values.encode(value).map_err(|error| self.not_encoded(Part::Value, key.map(Bytes::len), error))
    }

    pub(crate) fn encode_keys<Q>(&self, keys: Vec<Q>) -> Result<Vec<Bytes>, Error>
    where
        K: Encode<Q>,
    {
        keys.into_iter().map(|key| self.encode_key(key)).collect()
    }

    pub(crate) fn encode_entries<Q, W>(&self, entries: Vec<(Q, W)>) -> Result<Vec<(Bytes, Bytes)>, Error>
    where
        K: Encode<Q>,
        V: Encode<W>,
    {
        let encode = |(key, value)| {
            let key = self.encode_key(key)?;
            let value = self.encode_value(Some(&key), value)?;
            Ok((key, value))
        };
        entries.into_iter().map(encode).collect()
    }

    /// The stored forms of a request's keys, if the codec gives them.
    pub(crate) fn storage_keys(&self, request: &Request) -> Box<[Bytes]> {
        if let Some(key) = request.routing_key() {
            return self.keys.storage_key(key).map(|stored| [stored].into()).unwrap_or_default();
        }
        let stored: Option<_> = request.split_keys().iter().map(|key| self.keys.storage_key(key)).collect();
        stored.unwrap_or_default()
    }

    fn media_type(&self, part: Part) -> Arc<MediaType> {
        let options = self.options();
        match part {
            Part::Key => options.key_type.clone().into(),
            Part::Value => options.value_type.clone().into(),
        }
    }

    fn not_encoded(&self, part: Part, key_length: Option<usize>, source: CodecError) -> Error {
        let media_type = self.media_type(part);
        Error::Encode { cache: self.name().into(), part, key_length, media_type, source }
    }

    fn not_decoded(&self, part: Part, key_length: Option<usize>, source: CodecError) -> Error {
        let media_type = self.media_type(part);
        Error::Decode { cache: self.name().into(), part, key_length, media_type, source }
    }
}

/// Decodes the result of an operation.
pub(crate) struct Decoder<'a, K, V> {
    pub(crate) cache: &'a Cache<K, V>,
    /// Length of the operation's key; `None` if it has none, or several.
    pub(crate) key_length: Option<usize>,
}

#[allow(clippy::type_complexity)] // the results of the generated methods
impl<K: Codec, V: Codec> Decoder<'_, K, V> {
    pub(crate) fn key(&self, key: Bytes) -> Result<K::Value, Error> {
        let length = key.len();
        let decoded = self.cache.keys.decode(key);
        decoded.map_err(|error| self.cache.not_decoded(Part::Key, Some(length), error))
    }

    fn value_of(&self, key_length: Option<usize>, value: Bytes) -> Result<V::Value, Error> {
        let decoded = self.cache.values.decode(value);
        decoded.map_err(|error| self.cache.not_decoded(Part::Value, key_length, error))
    }

    pub(crate) fn value(self, value: Option<Bytes>) -> Result<Option<V::Value>, Error> {
        value.map(|value| self.value_of(self.key_length, value)).transpose()
    }

    pub(crate) fn versioned_value(self, found: Option<(Bytes, u64)>) -> Result<Option<(V::Value, u64)>, Error> {
        let Some((value, version)) = found else { return Ok(None) };
        Ok(Some((self.value_of(self.key_length, value)?, version)))
    }

    pub(crate) fn entry(self, entry: Option<Entry>) -> Result<Option<Entry<V::Value>>, Error> {
        let Some(Entry { value, metadata }) = entry else { return Ok(None) };
        Ok(Some(Entry { value: self.value_of(self.key_length, value)?, metadata }))
    }

    pub(crate) fn previous(self, previous: Option<Previous>) -> Result<Option<Previous<V::Value>>, Error> {
        let Some(Previous { metadata, value }) = previous else { return Ok(None) };
        Ok(Some(Previous { metadata, value: self.value_of(self.key_length, value)? }))
    }

    pub(crate) fn conditional(self, outcome: Conditional) -> Result<Conditional<V::Value>, Error> {
        let Conditional { executed, previous } = outcome;
        Ok(Conditional { executed, previous: self.previous(previous)? })
    }

    pub(crate) fn entries(self, entries: Vec<(Bytes, Bytes)>) -> Result<Vec<(K::Value, V::Value)>, Error> {
        let decode = |(key, value): (Bytes, Bytes)| {
            let length = key.len();
            Ok((self.key(key)?, self.value_of(Some(length), value)?))
        };
        entries.into_iter().map(decode).collect()
    }

    pub(crate) fn keys(self, keys: Vec<Bytes>) -> Result<Vec<K::Value>, Error> {
        keys.into_iter().map(|key| self.key(key)).collect()
    }

    pub(crate) fn values(self, values: Vec<Bytes>) -> Result<Vec<V::Value>, Error> {
        values.into_iter().map(|value| self.value_of(self.key_length, value)).collect()
    }

    pub(crate) fn values_with_metadata(
        self,
        found: Option<(Metadata, Vec<Bytes>)>,
    ) -> Result<Option<(Metadata, Vec<V::Value>)>, Error> {
        let Some((metadata, values)) = found else { return Ok(None) };
        Ok(Some((metadata, self.values(values)?)))
    }

    pub(crate) fn iterated(self, entry: IterationEntry) -> Result<IterationEntry<K::Value, V::Value>, Error> {
        let IterationEntry { key, values, metadata } = entry;
        let length = key.len();
        let key = self.key(key)?;
        let values = Decoder { key_length: Some(length), ..self }.values(values)?;
        Ok(IterationEntry { key, values, metadata })
    }
}
