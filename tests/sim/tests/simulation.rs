//! A share of the seeds of `make sim`. What a seed has found becomes a test with a name in `cluster.rs`.

use hotrod_sim::carried::Carried;

fn run_all(seeds: std::ops::Range<u64>, carriage: Carried) {
    for seed in seeds {
        if let Err(error) = hotrod_sim::run(seed, carriage) {
            panic!("seed {seed}: {error} (cargo run -p hotrod-sim -- --seed {seed} --carriage {carriage})");
        }
    }
}

#[test]
fn a_hundred_seeds() {
    run_all(0..100, Carried::RAW);
}

#[test]
fn another_hundred_seeds() {
    run_all(100..200, Carried::RAW);
}

/// The same seeds over each of them.
#[test]
fn every_carriage() {
    for carriage in Carried::ALL {
        run_all(0..6, carriage);
    }
}

/// A run is its seed: everything that is said and sent, and when, is the same.
#[test]
fn a_seed_repeats_exactly() {
    for (seed, carriage) in (40..50).zip(Carried::ALL) {
        let [one, two] = [(); 2].map(|()| hotrod_sim::run(seed, carriage).expect("holds"));
        assert_eq!(one, two);
    }
}

/// If it were the same for all, it would say nothing.
#[test]
fn another_seed_is_another_run() {
    let [one, two] = [40, 41].map(|seed| hotrod_sim::run(seed, Carried::RAW).expect("holds"));
    assert_ne!(one.trace, two.trace);
}
