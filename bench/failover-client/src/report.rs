//! What came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::progress::{BUCKET, Progress};

/// What the application has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// Operations that succeeded.
    pub operations: u64,
    /// Operations that failed, by their message without numbers.
    pub errors: BTreeMap<String, u64>,
    /// Reads of something that the key could not hold.
    pub wrong_values: Vec<String>,
    /// Conditional writes that the server stored and answered "not executed": it repeats commands while members change
    /// (docs/reports/infinispan-conditional-write-denied.md).
    pub stored_but_denied: u64,
    /// Keys that did not hold in the end what was acknowledged.
    pub lost_writes: Vec<String>,
    /// The longest time in which no operation of the whole application succeeded.
    pub longest_pause: Duration,
    /// When that began, after the start.
    pub longest_pause_at: Duration,
    /// The longest time that one operation took to succeed.
    pub longest_operation: Duration,
    buckets: Vec<u64>,
    started_unix_ms: u128,
}

impl Report {
    /// Of all kinds.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.operations += other.operations;
        for (message, count) in other.errors {
            *self.errors.entry(message).or_default() += count;
        }
        self.stored_but_denied += other.stored_but_denied;
        self.wrong_values.extend(other.wrong_values);
        self.lost_writes.extend(other.lost_writes);
    }

    pub(crate) fn finish(&mut self, progress: &Progress) {
        (self.longest_pause, self.longest_pause_at) = progress.longest_pause();
        self.longest_operation = progress.longest_operation();
        self.buckets = progress.buckets();
        self.started_unix_ms = progress.started_unix_ms();
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        json!({
            "client": "libhotrod-rust",
            "operations": self.operations,
            "errors": self.error_count(),
            "error_messages": self.errors,
            "longest_pause_ms": milliseconds(self.longest_pause),
            "longest_pause_at_ms": milliseconds(self.longest_pause_at),
            "longest_operation_ms": milliseconds(self.longest_operation),
            "wrong_values": self.wrong_values.len(),
            "stored_but_denied": self.stored_but_denied,
            "lost_writes": self.lost_writes.len(),
            "started_unix_ms": self.started_unix_ms as u64,
            "bucket_ms": BUCKET.as_millis() as u64,
            "buckets": self.buckets,
        })
    }
}

/// A message without what differs from one operation to the next.
pub(crate) fn kind(message: &str) -> String {
    let mut kind = String::new();
    for character in message.chars() {
        let character = if character.is_ascii_digit() { '#' } else { character };
        if character != '#' || !kind.ends_with('#') {
            kind.push(character);
        }
    }
    kind
}
