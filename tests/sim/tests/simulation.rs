//! A share of the seeds of `make sim`. What a seed has found becomes a test with a name in `cluster.rs`.

#[test]
fn two_hundred_seeds() {
    for seed in 0..200 {
        if let Err(error) = hotrod_sim::run(seed) {
            panic!("seed {seed}: {error} (cargo run -p hotrod-sim -- --seed {seed})");
        }
    }
}

/// A run is its seed.
#[test]
fn a_seed_repeats_exactly() {
    let [one, two] = [(); 2].map(|()| hotrod_sim::run(42).expect("holds"));
    assert_eq!((one.operations, one.failures, one.faults), (two.operations, two.failures, two.faults));
}
