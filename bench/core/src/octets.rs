//! Octets on the wire.

use crate::Figures;
use crate::cases::carriage::{CARRIAGES, IN_FLIGHT, Pair};

const ROUNDS: usize = 10;

/// Adds the octets of a GET over each carriage whose name begins so.
pub fn measure(only: &str, figures: &mut Figures) {
    println!("\noctets of a GET{:>37}{:>12}", "sent", "received");
    for carried in CARRIAGES.into_iter().filter(|carried| carried.case.starts_with(only)) {
        let mut pair = Pair::new(carried, 1);
        let before = pair.octets;
        (0..ROUNDS).for_each(|_| pair.get(IN_FLIGHT));
        let each = |octets: usize| octets as f64 / (ROUNDS * IN_FLIGHT) as f64;
        let (sent, received) = (each(pair.octets.sent - before.sent), each(pair.octets.received - before.received));
        println!("{:<40}{sent:>12.1}{received:>12.1}", carried.case);
        figures.insert(format!("{}.octets_sent", carried.case), sent);
        figures.insert(format!("{}.octets_received", carried.case), received);
        figures.insert(format!("{}.octets", carried.case), sent + received);
    }
}
