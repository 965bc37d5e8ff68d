//! Time of an operation: the median of many short turns.
//!
//! Not criterion: it wants a minute a case and its own files, and what is compared here are figures of whole runs.

use std::time::Duration;

use crate::meter::Measured;

const TURN: Duration = Duration::from_millis(20);
const TURNS: usize = 25;
/// For calls that are longer than a turn.
const FEWEST_TURNS: usize = 5;
const BUDGET: Duration = Duration::from_millis(500);

/// Nanoseconds for one call: the median of the turns' means.
pub fn of(work: &mut dyn FnMut(), measured: Measured) -> f64 {
    let (times, elapsed) = calibrate(work, measured);
    let count = ((BUDGET.as_secs_f64() / elapsed.as_secs_f64()) as usize).clamp(FEWEST_TURNS, TURNS);
    let mut turns: Vec<f64> =
        (0..count).map(|_| turn(work, times, measured).as_nanos() as f64 / times as f64).collect();
    turns.sort_by(f64::total_cmp);
    turns[count / 2]
}

/// How many calls fill a turn, and how long they take.
fn calibrate(work: &mut dyn FnMut(), measured: Measured) -> (u64, Duration) {
    let mut times = 1;
    loop {
        let elapsed = turn(work, times, measured);
        if elapsed >= TURN {
            return (times, elapsed);
        }
        // At most tenfold, for the first calls are slow.
        let factor = TURN.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
        times = (times as f64 * factor.clamp(1.5, 10.0)).ceil() as u64;
    }
}

fn turn(work: &mut dyn FnMut(), times: u64, measured: Measured) -> Duration {
    let before = measured.time();
    (0..times).for_each(|_| work());
    measured.time().saturating_sub(before)
}
