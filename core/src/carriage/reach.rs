//! How much credit a call needs to fill the way to the peer and back, and no more: what is beyond that waits in a queue,
//! and every small message behind it (spec/hotrod-over-http.md, section 7).

use core::time::Duration;

use super::terms::Offer;
use crate::http2::Connection;
use crate::time::Instant;

/// A way that is shorter is filled by the first credit.
const NEAR: Duration = Duration::from_millis(2);
/// Round trips over which octets are counted: credit comes back in parts, and so does what it brings.
const ROUND_TRIPS: u32 = 2;
/// The largest credit of a call.
const MOST: u32 = 1 << 20;
/// Calls of that credit which the connection's credit has room for: none takes it all.
const SHARES: u32 = 4;

/// The credit that each call of a link gets.
#[derive(Debug)]
pub(super) struct Reach {
    credit: u32,
    most: u32,
    /// Since when octets are counted.
    since: Option<Instant>,
    came: u64,
}

impl Reach {
    pub(super) fn new(own: &Offer) -> Self {
        let most = MOST.min(own.connection_credit / SHARES).max(own.initial_credit);
        Self { credit: own.initial_credit, most, since: None, came: 0 }
    }

    /// Octets that each call may have on the way.
    pub(super) fn credit(&self) -> u32 {
        self.credit
    }

    /// Octets of fragments have come: it is looked at whether more could be on the way.
    pub(super) fn received(&mut self, octets: usize, connection: &mut Connection) {
        let Some(shortest) = connection.shortest_round_trip().filter(|shortest| *shortest >= NEAR) else { return };
        if self.credit >= self.most {
            return;
        }
        self.came += octets as u64;
        let now = connection.now();
        if let Some(since) = self.since {
            let took = now - since;
            if took < shortest * ROUND_TRIPS {
                return;
            }
            // A way without a queue holds what comes in its shortest round trip: less than the credit, if that fills it.
            let on_the_way = u128::from(self.came) * shortest.as_micros() / took.as_micros();
            if on_the_way >= u128::from(self.credit / 4 * 3) {
                self.credit = self.credit.saturating_mul(2).min(self.most);
            }
        }
        self.since = Some(now);
        self.came = 0;
        // The shortest that is known may not have been short.
        connection.ping(now);
    }
}
