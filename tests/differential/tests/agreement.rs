//! A small sample of `make differential`.

use hotrod_differential::{Explanations, Mutants, Oracle, Report, compare, scan};
use infinispan_harness::skip_real;

const MUTANTS: usize = 4_000;

/// What the scanner passes on is read by the server as the scanner reads it, or why that does no harm is known.
#[test]
fn the_scanner_and_the_server_find_the_same_requests() {
    if skip_real() {
        return;
    }
    let explanations = Explanations::read().unwrap();
    let mut oracle = Oracle::start().unwrap();
    let mutants: Vec<_> = Mutants::new(7).take(MUTANTS).collect();
    let mut report = Report::default();
    for (mutant, answers) in mutants.iter().zip(oracle.ask(&mutants).unwrap()) {
        let scanned = scan(&mutant.bytes);
        report.add(mutant, &answers.map(|events| compare(&scanned, &events)));
    }
    assert!(report.unexplained(&explanations).is_empty(), "{}", report.table(&explanations));
}
