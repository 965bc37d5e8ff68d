//! A share of the seeds of `make sim`. What a seed has found becomes a test with a name in `cluster.rs`.

fn run_all(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        if let Err(error) = hotrod_sim::run(seed) {
            panic!("seed {seed}: {error} (cargo run -p hotrod-sim -- --seed {seed})");
        }
    }
}

#[test]
fn a_hundred_seeds() {
    run_all(0..100);
}

#[test]
fn another_hundred_seeds() {
    run_all(100..200);
}

/// A run is its seed: everything that is said and sent, and when, is the same.
#[test]
fn a_seed_repeats_exactly() {
    for seed in 40..50 {
        let [one, two] = [(); 2].map(|()| hotrod_sim::run(seed).expect("holds"));
        assert_eq!(one, two);
    }
}

/// If it were the same for all, it would say nothing.
#[test]
fn another_seed_is_another_run() {
    let [one, two] = [40, 41].map(|seed| hotrod_sim::run(seed).expect("holds"));
    assert_ne!(one.trace, two.trace);
}
