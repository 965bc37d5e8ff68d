//! Strategies for the values in messages.

use bytes::Bytes;
use hotrod_core::wire::{Expiration, Lifetime, LifetimeLeft, MediaType, Metadata, TimeUnit, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Random bytes, often none.
pub fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![1 => Just(Bytes::new()), 4 => some_bytes()]
}

/// At least one byte.
pub fn some_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 1..20).prop_map(Bytes::from)
}

/// A few byte strings.
pub fn many_bytes() -> impl Strategy<Value = Vec<Bytes>> {
    vec(bytes(), 0..5)
}

/// Text of any characters, of one to four bytes each.
pub fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..8).prop_map(|characters| characters.into_iter().collect())
}

/// Non-empty text.
pub fn some_text() -> impl Strategy<Value = String> {
    (any::<char>(), text()).prop_map(|(first, rest)| format!("{first}{rest}"))
}

/// Any 32 bits, often a value of one byte as a vInt.
pub fn int() -> impl Strategy<Value = u32> {
    prop_oneof![2 => 0..130u32, 1 => any::<u32>()]
}

/// Any 64 bits, often a value of one byte as a vLong.
pub fn long() -> impl Strategy<Value = u64> {
    prop_oneof![2 => 0..130u64, 1 => any::<u64>()]
}

/// A flag that is false in versions before `since`.
pub fn flag_since(since: Version, version: Version) -> BoxedStrategy<bool> {
    if version >= since { any::<bool>().boxed() } else { Just(false).boxed() }
}

fn unit() -> impl Strategy<Value = TimeUnit> {
    select(&[
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Nanoseconds,
        TimeUnit::Microseconds,
        TimeUnit::Minutes,
        TimeUnit::Hours,
        TimeUnit::Days,
    ])
}

fn lifetime(version: Version) -> BoxedStrategy<Lifetime> {
    let given = if version < Version::V2_2 {
        // Seconds only, in a vInt; zero is infinite.
        (1..=u32::MAX).prop_map(|seconds| Lifetime::seconds(seconds.into())).boxed()
    } else {
        // What the server can't count is sent as another lifetime.
        let is_sent = |(count, unit): &(u64, TimeUnit)| {
            i64::try_from(*count).is_ok() && unit.to_milliseconds(*count) <= Lifetime::LONGEST
        };
        let sent = (long(), unit()).prop_filter("a lifetime that is sent as it is", is_sent);
        sent.prop_map(|(count, unit)| Lifetime::For(count, unit)).boxed()
    };
    prop_oneof![Just(Lifetime::Default), Just(Lifetime::Infinite), given].boxed()
}

pub fn expiration(version: Version) -> impl Strategy<Value = Expiration> {
    (lifetime(version), lifetime(version)).prop_map(|(lifespan, max_idle)| Expiration { lifespan, max_idle })
}

pub fn metadata() -> impl Strategy<Value = Metadata> {
    let left = || option::of((long(), int()).prop_map(|(since, seconds)| LifetimeLeft { since, seconds }));
    (long(), left(), left()).prop_map(|(version, lifespan, max_idle)| Metadata { version, lifespan, max_idle })
}

/// A media type known to servers; none in versions without one.
pub fn requested_media_type(version: Version) -> BoxedStrategy<MediaType> {
    let name = "[a-z*.+-]{1,8}/[a-z*.+-]{1,8}";
    (media_type(Version::V2_8, version), name)
        .prop_map(|(media_type, name)| match media_type {
            MediaType::Named(_, parameters) => MediaType::Named(name, without_weight(parameters)),
            MediaType::Numbered(id, parameters) => MediaType::Numbered(1 + id % 15, without_weight(parameters)),
            MediaType::Unspecified => MediaType::Unspecified,
        })
        .boxed()
}

fn without_weight(parameters: Vec<(String, String)>) -> Vec<(String, String)> {
    parameters.into_iter().filter(|(name, _)| name != "q").collect()
}

pub fn media_type(since: Version, version: Version) -> BoxedStrategy<MediaType> {
    if version < since {
        return Just(MediaType::Unspecified).boxed();
    }
    let parameters = || vec((text(), text()), 0..3);
    prop_oneof![
        Just(MediaType::Unspecified),
        (int(), parameters()).prop_map(|(id, parameters)| MediaType::Numbered(id, parameters)),
        (text(), parameters()).prop_map(|(name, parameters)| MediaType::Named(name, parameters)),
    ]
    .boxed()
}
