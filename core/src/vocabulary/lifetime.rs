//! Lifetimes from the seconds that a host's language gives.

use crate::wire::Lifetime;

/// A lifetime that can't be: not a number, or less than nothing.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} seconds is no lifetime: it has to be a number above 0, or infinity for no end")]
pub struct NotALifetime(pub f64);

/// A lifetime of so many seconds, rounded up to milliseconds; infinity, and more than [`Lifetime::LONGEST`], for no end.
pub fn lifetime_of_seconds(seconds: f64) -> Result<Lifetime, NotALifetime> {
    if seconds == f64::INFINITY {
        return Ok(Lifetime::Infinite);
    }
    // A lifetime of 0 would be no end on the wire, which nobody means.
    if seconds.is_nan() || seconds <= 0.0 {
        return Err(NotALifetime(seconds));
    }
    let milliseconds = seconds * 1000.0;
    if milliseconds >= Lifetime::LONGEST as f64 {
        return Ok(Lifetime::Infinite);
    }
    let whole = milliseconds as u64;
    // Half a microsecond is what multiplication may add.
    let part = milliseconds - whole as f64 > 0.000_5;
    Ok(Lifetime::milliseconds((whole + u64::from(part)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_rounded_up_and_never_endless_by_accident() {
        assert_eq!(lifetime_of_seconds(1.5), Ok(Lifetime::milliseconds(1500)));
        assert_eq!(lifetime_of_seconds(0.1), Ok(Lifetime::milliseconds(100)));
        assert_eq!(lifetime_of_seconds(0.0001), Ok(Lifetime::milliseconds(1)));
        assert_eq!(lifetime_of_seconds(1e-9), Ok(Lifetime::milliseconds(1)));
        assert_eq!(lifetime_of_seconds(f64::INFINITY), Ok(Lifetime::Infinite));
        for endless in [i64::MAX as f64, 2e16, 1e20, f64::MAX] {
            assert_eq!(lifetime_of_seconds(endless), Ok(Lifetime::Infinite), "{endless}");
        }
        assert_eq!(lifetime_of_seconds(1e12), Ok(Lifetime::milliseconds(1_000_000_000_000_000)));
        for wrong in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert!(lifetime_of_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
