//! How much credit a call needs to fill the way to the peer and back, and not much more: what is beyond that waits in a
//! queue, and every small message behind it (spec/hotrod-over-http.md, section 7).

use core::time::Duration;

use super::terms::Offer;
use crate::http2::Connection;
use crate::time::Instant;

/// The largest credit of a call, if nobody says less.
pub(super) const MOST_CREDIT: u32 = 1 << 20;

/// A way that is shorter is filled by half of the first credit.
const NEAR: Duration = Duration::from_micros(250);
/// A way that is shorter is filled by the first credit.
const FAR: Duration = Duration::from_millis(2);
/// Round trips over which octets are counted: credit comes back in parts, and so does what it brings.
const ROUND_TRIPS: u32 = 2;
/// Calls of the largest credit for which the connection's has room: none takes it all.
const SHARES: u32 = 4;

/// A call of the link: its session, and its id there.
pub(super) type LinkCall = (u32, u32);

/// The credit that each call of a link gets.
#[derive(Debug)]
pub(super) struct Reach {
    credit: u32,
    least: u32,
    most: u32,
    look: Option<Look>,
}

/// What one call brings in some round trips.
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

    /// The connection's credit has grown.
    pub(super) fn grow(&mut self, connection_credit: u32, most: u32) {
        self.most = self.most.max(most.min(connection_credit / SHARES));
    }

    /// Octets that each call may have on the way.
    pub(super) fn credit(&self) -> u32 {
        self.credit
    }

    /// Octets of a call's fragments have come: it is looked at whether more could be on the way.
    pub(super) fn received(&mut self, call: LinkCall, octets: usize, connection: &mut Connection) {
        let Some(shortest) = connection.shortest_round_trip() else { return };
        if shortest < NEAR {
            self.credit = self.least;
        }
        // A whole message takes no credit.
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
            // What a way without a queue holds comes in its shortest round trip: less than the credit, if that fills it.
            let on_the_way = u128::from(look.octets) * shortest.as_micros() / took.as_micros();
            if on_the_way >= u128::from(self.credit / 4 * 3) {
                self.credit = self.credit.saturating_mul(2).min(self.most);
            }
        }
        self.look = Some(Look { since: now, call, octets: 0 });
        // The shortest that is known may not have been short.
        connection.ping(now);
    }
}
