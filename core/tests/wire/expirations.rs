//! Lifetimes, which have another form in 2.0 and 2.1.

use hotrod_core::wire::{Expiration, Flags, Lifetime, Operation, Request, TimeUnit, Version};

use crate::decode::{request, written_request};
use crate::hand::Hand;

fn put(version: Version, flags: u32, expiration: fn(Hand) -> Hand) -> Expiration {
    let head = Hand::new().u8(0xa0).vlong(1).u8(version.to_byte()).u8(0x01).text("").vint(flags).u8(3).vint(0);
    let head = if version >= Version::V2_8 { head.u8(0).u8(0) } else { head };
    let head = if version >= Version::V4_0 { head.vint(0) } else { head };
    let bytes = expiration(head.array("key")).array("value").done();
    let (header, put) = request(&bytes);
    assert_eq!(header.options.flags, Flags(flags));
    assert_eq!(written_request(&header, &put), bytes);
    put.expiration().expect("a PUT has one")
}

/// Zero is infinite, unless a flag selects the cache's default.
#[test]
fn in_2_0_and_2_1_lifetimes_are_seconds_and_flags_tell_the_default() {
    const LIFESPAN: u32 = Flags::DEFAULT_LIFESPAN.0;
    const MAX_IDLE: u32 = Flags::DEFAULT_MAX_IDLE.0;
    for version in [Version::V2_0, Version::V2_1] {
        let zero = |flags| put(version, flags, |hand| hand.vint(0).vint(0));
        let infinite = Expiration { lifespan: Lifetime::Infinite, max_idle: Lifetime::Infinite };
        assert_eq!(zero(0), infinite);
        assert_eq!(zero(LIFESPAN), Expiration { lifespan: Lifetime::Default, ..infinite });
        assert_eq!(zero(MAX_IDLE), Expiration { max_idle: Lifetime::Default, ..infinite });
        assert_eq!(zero(LIFESPAN | MAX_IDLE), Expiration::DEFAULT);
        let given = put(version, 0, |hand| hand.vint(300).vint(u32::MAX));
        let max_idle = Lifetime::seconds(u32::MAX.into());
        assert_eq!(given, Expiration { lifespan: Lifetime::seconds(300), max_idle });
    }
}

/// Other units are rounded up to seconds, never down: an entry must not expire early.
#[test]
fn in_2_0_other_units_are_rounded_up_to_seconds() {
    let head = request(&Hand::request(Version::V2_0, Operation::Ping).done()).0;
    for (lifespan, seconds) in [
        (Lifetime::milliseconds(1), 1),
        (Lifetime::milliseconds(1001), 2),
        (Lifetime::For(1, TimeUnit::Nanoseconds), 1),
        (Lifetime::For(2, TimeUnit::Days), 172_800),
        (Lifetime::For(50_000, TimeUnit::Days), u32::MAX),
    ] {
        let put = Request::Put { key: "k".into(), expiration: Expiration::after(lifespan), value: "v".into() };
        let (_, read) = request(&written_request(&head, &put));
        assert_eq!(read.expiration(), Some(Expiration::after(Lifetime::seconds(seconds.into()))));
    }
}

/// The server adds a lifetime to the time of the write as signed 64 bits: what overflows would expire at once.
#[test]
fn lifetimes_that_overflow_at_the_server_never_expire() {
    let endless = [
        Lifetime::milliseconds(i64::MAX as u64),
        Lifetime::milliseconds(u64::MAX),
        Lifetime::seconds(i64::MAX as u64),
        Lifetime::For(u64::MAX, TimeUnit::Minutes),
        Lifetime::For(i64::MAX as u64, TimeUnit::Hours),
        Lifetime::For(u64::MAX, TimeUnit::Days),
    ];
    let expected = endless.map(|lifetime| (lifetime, Lifetime::Infinite)).into_iter().chain([
        (Lifetime::For(u64::MAX, TimeUnit::Nanoseconds), Lifetime::milliseconds(u64::MAX.div_ceil(1_000_000))),
        (Lifetime::For(u64::MAX, TimeUnit::Microseconds), Lifetime::milliseconds(u64::MAX.div_ceil(1_000))),
        (Lifetime::milliseconds(Lifetime::LONGEST), Lifetime::milliseconds(Lifetime::LONGEST)),
        (Lifetime::For(i64::MAX as u64, TimeUnit::Nanoseconds), Lifetime::For(i64::MAX as u64, TimeUnit::Nanoseconds)),
    ]);
    let head = request(&Hand::request(Version::V4_1, Operation::Ping).done()).0;
    for (lifetime, sent) in expected {
        let expiration = Expiration { lifespan: lifetime, max_idle: lifetime };
        let put_all = Request::PutAll { expiration, entries: vec![("k".into(), "v".into())] };
        for write in [Request::Put { key: "k".into(), expiration, value: "v".into() }, put_all] {
            let (_, read) = request(&written_request(&head, &write));
            assert_eq!(read.expiration(), Some(Expiration { lifespan: sent, max_idle: sent }), "{lifetime:?}");
        }
    }
}

/// One byte has both units; 7 (default) and 8 (infinite) have no number.
#[test]
fn since_2_2_each_lifetime_has_a_unit() {
    for version in [Version::V2_2, Version::V2_8, Version::V4_1] {
        assert_eq!(put(version, 0, |hand| hand.u8(0x77)), Expiration::DEFAULT);
        let infinite = Expiration { lifespan: Lifetime::Infinite, max_idle: Lifetime::Infinite };
        assert_eq!(put(version, 0, |hand| hand.u8(0x88)), infinite);
        let mixed = put(version, 0, |hand| hand.u8(0x68).vlong(1 << 30));
        assert_eq!(mixed, Expiration { lifespan: Lifetime::For(1 << 30, TimeUnit::Days), ..infinite });
        let both = put(version, 0, |hand| hand.u8(0x12).vlong(5).vlong(6));
        let (lifespan, max_idle) = (Lifetime::milliseconds(5), Lifetime::For(6, TimeUnit::Nanoseconds));
        assert_eq!(both, Expiration { lifespan, max_idle });
    }
}

/// The default flags of 2.0 have no meaning since 2.2, and are preserved.
#[test]
fn since_2_2_flags_do_not_change_a_lifetime() {
    let flags = (Flags::DEFAULT_LIFESPAN | Flags::DEFAULT_MAX_IDLE | Flags::FORCE_RETURN_VALUE).0;
    let zero = put(Version::V2_2, flags, |hand| hand.u8(0x08).vlong(0));
    assert_eq!(zero, Expiration { lifespan: Lifetime::seconds(0), max_idle: Lifetime::Infinite });
}
