//! What operations took.

use std::time::Duration;

use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// Microseconds.
    pub(crate) fn report(mut self) -> Value {
        self.0.sort_unstable();
        let at = |part: f64| {
            let index = ((self.0.len() as f64 * part) as usize).min(self.0.len().saturating_sub(1));
            self.0.get(index).map_or(0.0, |took| took.as_secs_f64() * 1e6)
        };
        json!({ "count": self.0.len(), "median_us": at(0.5), "p99_us": at(0.99), "longest_us": at(1.0) })
    }
}
