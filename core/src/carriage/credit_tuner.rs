//! Sizes each call's credit to the bandwidth-delay product of its link. More than that waits in a queue on the path and
//! delays every small message after it (spec/hotrod-over-http.md, section 7).

use core::time::Duration;

use super::terms::Offer;
use crate::http2::Connection;
use crate::time::Instant;

/// Default upper bound on a call's credit, in bytes.
pub(super) const MAX_CALL_CREDIT: u32 = 1 << 20;

/// Below this round-trip time half the initial credit is enough.
const SHORT_ROUND_TRIP: Duration = Duration::from_micros(250);
/// Below this round-trip time the initial credit is enough.
const LONG_ROUND_TRIP: Duration = Duration::from_millis(2);
/// Round trips per measurement: credit returns in parts, and so does the data that it admits.
const MEASURED_ROUND_TRIPS: u32 = 2;
/// The connection's credit covers this many calls of the largest credit, so that no call uses all of it.
const CALLS_AT_UPPER_BOUND: u32 = 4;

/// A call of the link: its session and its id there.
pub(super) type LinkCall = (u32, u32);

/// Credit of each call of a link, adapted to round-trip time and throughput.
#[derive(Debug)]
pub(super) struct CreditTuner {
    credit: u32,
    lower_bound: u32,
    upper_bound: u32,
    measurement: Option<Measurement>,
}

/// Throughput measurement of one call.
#[derive(Debug)]
struct Measurement {
    since: Instant,
    call: LinkCall,
    bytes: u64,
}

impl CreditTuner {
    pub(super) fn new(own: &Offer, upper_bound: u32) -> Self {
        let first = own.initial_credit;
        let upper_bound = upper_bound.min(own.connection_credit / CALLS_AT_UPPER_BOUND).max(first);
        Self { credit: first, lower_bound: first.div_ceil(2), upper_bound, measurement: None }
    }

    /// Raises the upper bound after the connection's credit has grown.
    pub(super) fn grow(&mut self, connection_credit: u32, upper_bound: u32) {
        self.upper_bound = self.upper_bound.max(upper_bound.min(connection_credit / CALLS_AT_UPPER_BOUND));
    }

    /// Returns the bytes that each call may have in flight.
    pub(super) fn credit(&self) -> u32 {
        self.credit
    }

    /// Counts received bytes of a call's fragments, and doubles the credit if the measurement shows that the call used
    /// most of it.
    pub(super) fn received(&mut self, call: LinkCall, bytes: usize, connection: &mut Connection) {
        let Some(shortest) = connection.shortest_round_trip() else { return };
        if shortest < SHORT_ROUND_TRIP {
            self.credit = self.lower_bound;
        }
        // A message in one frame needs no credit.
        if bytes == 0 || shortest < LONG_ROUND_TRIP || self.credit >= self.upper_bound {
            return;
        }
        let now = connection.now();
        if let Some(measurement) = &mut self.measurement {
            if measurement.call == call {
                measurement.bytes += bytes as u64;
            }
            let elapsed = now - measurement.since;
            if elapsed < shortest * MEASURED_ROUND_TRIPS {
                return;
            }
            // On a path without a queue, bytes in flight = throughput × shortest round-trip time. Well below the
            // credit, the credit is not the bottleneck.
            let in_flight = u128::from(measurement.bytes) * shortest.as_micros() / elapsed.as_micros();
            if in_flight >= u128::from(self.credit / 4 * 3) {
                self.credit = self.credit.saturating_mul(2).min(self.upper_bound);
            }
        }
        self.measurement = Some(Measurement { since: now, call, bytes: 0 });
        // Measure again: the shortest round-trip time so far may include queueing.
        connection.ping(now);
    }
}
