//! Sizes each call's credit to the bandwidth-delay product of its link. More than that waits in a queue on the path and
//! delays every small message after it (spec/hotrod-over-http.md, section 7).

use core::time::Duration;

use super::terms::Offer;
use crate::http2::Connection;
use crate::time::Instant;

/// Default upper bound on a call's credit, in bytes.
pub(super) const MOST_CREDIT: u32 = 1 << 20;

/// Below this round-trip time half the initial credit is enough.
const NEAR: Duration = Duration::from_micros(250);
/// Below this round-trip time the initial credit is enough.
const FAR: Duration = Duration::from_millis(2);
/// Round trips per measurement: credit returns in parts, and so does the data that it admits.
const ROUND_TRIPS: u32 = 2;
/// The connection's credit covers this many calls of the largest credit, so that no call uses all of it.
const SHARES: u32 = 4;

/// A call of the link: its session and its id there.
pub(super) type LinkCall = (u32, u32);

/// Credit of each call of a link, adapted to round-trip time and throughput.
#[derive(Debug)]
pub(super) struct Reach {
    credit: u32,
    least: u32,
    most: u32,
    look: Option<Look>,
}

/// Throughput measurement of one call.
#[derive(Debug)]
struct Look {
    since: Instant,
    call: LinkCall,
    octets: u64,
}

impl Reach {
    pub(super) fn new(own: &Offer, most: u32) -> Self {
        let first = own.initial_credit;
        let most = most.min(own.connection_credit / SHARES).max(first);
        Self { credit: first, least: first.div_ceil(2), most, look: None }
    }

    /// Raises the upper bound after the connection's credit has grown.
    pub(super) fn grow(&mut self, connection_credit: u32, most: u32) {
        self.most = self.most.max(most.min(connection_credit / SHARES));
    }

    /// Returns the bytes that each call may have in flight.
    pub(super) fn credit(&self) -> u32 {
        self.credit
    }

    /// Counts received bytes of a call's fragments, and doubles the credit if the measurement shows that the call used
    /// most of it.
    pub(super) fn received(&mut self, call: LinkCall, octets: usize, connection: &mut Connection) {
        let Some(shortest) = connection.shortest_round_trip() else { return };
        if shortest < NEAR {
            self.credit = self.least;
        }
        // A message in one frame needs no credit.
        if octets == 0 || shortest < FAR || self.credit >= self.most {
            return;
        }
        let now = connection.now();
        if let Some(look) = &mut self.look {
            if look.call == call {
                look.octets += octets as u64;
            }
            let took = now - look.since;
            if took < shortest * ROUND_TRIPS {
                return;
            }
            // On a path without a queue, bytes in flight = throughput × shortest round-trip time. Well below the
            // credit, the credit is not the bottleneck.
            let on_the_way = u128::from(look.octets) * shortest.as_micros() / took.as_micros();
            if on_the_way >= u128::from(self.credit / 4 * 3) {
                self.credit = self.credit.saturating_mul(2).min(self.most);
            }
        }
        self.look = Some(Look { since: now, call, octets: 0 });
        // Measure again: the shortest round-trip time so far may include queueing.
        connection.ping(now);
    }
}
