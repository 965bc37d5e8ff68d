//! Everything that a run does, as one number: two runs that differ anywhere have different ones.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};

use hotrod_core::time::Instant;

/// The hash of what has happened so far, in order and with its times.
#[derive(Default)]
pub struct Trace {
    hash: DefaultHasher,
    /// Whether it is printed as well, for people.
    pub is_printed: bool,
}

impl Trace {
    /// Something happened.
    pub fn note(&mut self, now: Instant, what: fmt::Arguments<'_>) {
        self.hash.write_u64(now.as_micros());
        // It can't fail: the hash takes everything.
        let _ = self.write_fmt(what);
        self.explain(now, what);
    }

    /// Prints what explains the outputs; the hash is of what the clients do.
    pub fn explain(&self, now: Instant, what: fmt::Arguments<'_>) {
        if self.is_printed {
            eprintln!("{:>12} {what}", now.as_micros());
        }
    }

    /// Bytes went over a connection.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.hash.write_usize(bytes.len());
        self.hash.write(bytes);
    }

    /// The hash.
    pub fn finish(&self) -> u64 {
        self.hash.finish()
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hash.write(text.as_bytes());
        Ok(())
    }
}
