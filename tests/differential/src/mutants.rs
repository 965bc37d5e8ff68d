//! Requests of every operation and version, and mutants of them.

use fastrand::Rng;
use hotrod_core::fuzzing::{Mark, Primitive, Sample, sample_request};
use hotrod_core::wire::{Operation, Version};

/// A stream of requests, one of them mutated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The stream.
    pub bytes: Vec<u8>,
    /// Where it is cut into pieces, in ascending order.
    pub cuts: Vec<usize>,
}

/// Numbers at which something changes: signs, lengths of encodings, limits.
const NUMBERS: [u64; 24] = [
    0,
    1,
    2,
    3,
    5,
    8,
    13,
    14,
    18,
    0x7e,
    0x7f,
    0x80,
    0xff,
    0x3fff,
    0x4000,
    0xffff,
    1 << 20,
    11 << 20,
    1 << 24,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 63,
];
/// Bytes that mean something somewhere.
const BYTES: [u8; 16] = [0, 1, 2, 3, 4, 7, 8, 0x0f, 0x20, 0x70, 0x7f, 0x80, 0x81, 0xa0, 0xc8, 0xff];
/// Message ids of the requests behind the mutant.
const BEHIND: u64 = 0x4000;

/// An endless supply, the same for each seed: every operation in turn, of a version by chance.
pub struct Mutants {
    rng: Rng,
    made: usize,
    operations: Vec<Operation>,
}

impl Mutants {
    /// Those of a seed.
    pub fn new(seed: u64) -> Self {
        let operations = (0..=u8::MAX).filter_map(Operation::from_request_opcode).collect();
        Self { rng: Rng::with_seed(seed), made: 0, operations }
    }

    fn sample(&mut self, message_id: u64, operation: Operation) -> Sample {
        let version = self.rng.choice(Version::ALL).unwrap_or(Version::LATEST);
        // Choices of 128 and more make contents of up to 8 KiB.
        let largest = if self.rng.u8(..8) == 0 { u8::MAX } else { 0x7f };
        let choices: Vec<u8> = (0..96).map(|_| self.rng.u8(..=largest)).collect();
        sample_request(message_id, operation, version, &choices)
    }

    fn mutate(&mut self, sample: &mut Sample) {
        // From the end: marks before a mutation stay where they are.
        let count = self.rng.usize(..4);
        let mut marks: Vec<usize> = (0..count).map(|_| self.rng.usize(..sample.marks.len())).collect();
        marks.sort_unstable();
        marks.dedup();
        for mark in marks.into_iter().rev() {
            let Mark { primitive, at, length } = sample.marks[mark];
            let new = self.another(primitive, &sample.bytes[at..at + length]);
            sample.bytes.splice(at..at + length, new);
        }
        if self.rng.u8(..4) == 0 {
            self.scramble(&mut sample.bytes);
        }
    }

    /// Something else in place of a primitive.
    fn another(&mut self, primitive: Primitive, old: &[u8]) -> Vec<u8> {
        match primitive {
            Primitive::Byte if self.rng.bool() => vec![self.rng.choice(BYTES).unwrap_or_default()],
            Primitive::Byte => vec![self.rng.u8(..)],
            Primitive::VInt | Primitive::VLong => self.another_number(old),
            Primitive::Fixed => {
                old.iter().map(|_| self.rng.choice([0, 0x7f, 0x80, 0xff]).unwrap_or_default()).collect()
            }
            Primitive::Contents => self.other_contents(old),
        }
    }

    fn another_number(&mut self, old: &[u8]) -> Vec<u8> {
        let old_value = old.iter().rev().fold(0u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
        let value = match self.rng.u8(..4) {
            0 => old_value,
            1 => old_value.wrapping_add_signed(self.rng.i64(-2..3)),
            _ => self.rng.choice(NUMBERS).unwrap_or_default(),
        };
        let mut bytes = Vec::new();
        let mut rest = value;
        while rest > 0x7f {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        if self.rng.u8(..4) == 0 {
            // The same number in more bytes than it takes, also in more than may be.
            for _ in 0..self.rng.usize(1..11) {
                if let Some(last) = bytes.last_mut() {
                    *last |= 0x80;
                }
                bytes.push(0);
            }
            if self.rng.u8(..4) == 0
                && let Some(last) = bytes.last_mut()
            {
                *last = self.rng.u8(..);
            }
        }
        bytes
    }

    fn other_contents(&mut self, old: &[u8]) -> Vec<u8> {
        let mut new = old.to_vec();
        match self.rng.u8(..4) {
            0 => new.truncate(self.rng.usize(..=new.len())),
            1 => new.extend((0..self.rng.usize(1..5)).map(|_| 0xa0)),
            2 => new.fill(self.rng.choice([0x80, 0xc0, 0xf8, 0xff]).unwrap_or_default()),
            // A request in place of a value.
            _ => new = sample_request(BEHIND + 9, Operation::Ping, Version::LATEST, &[]).bytes,
        }
        new
    }

    /// Mutations that know nothing of the grammar.
    fn scramble(&mut self, bytes: &mut Vec<u8>) {
        let at = self.rng.usize(..bytes.len());
        match self.rng.u8(..5) {
            0 => bytes[at] ^= 1 << self.rng.u8(..8),
            1 => bytes.insert(at, self.rng.u8(..)),
            2 => drop(bytes.remove(at)),
            3 => {
                let end = (at + self.rng.usize(..16)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
}

impl Iterator for Mutants {
    type Item = Mutant;

    fn next(&mut self) -> Option<Mutant> {
        let operation = self.operations[self.made % self.operations.len()];
        self.made += 1;
        let message_id = 1 + self.rng.u64(..200);
        let mut sample = self.sample(message_id, operation);
        self.mutate(&mut sample);
        let mut bytes = sample.bytes;
        // What follows shows where the server goes on.
        let follower = self.rng.choice(self.operations.clone()).unwrap_or(Operation::Ping);
        bytes.extend(self.sample(BEHIND, follower).bytes);
        for id in 1..3 {
            bytes.extend(sample_request(BEHIND + id, Operation::Ping, Version::LATEST, &[]).bytes);
        }
        let mut cuts: Vec<usize> = (0..self.rng.usize(..4)).map(|_| self.rng.usize(..bytes.len())).collect();
        cuts.sort_unstable();
        Some(Mutant { bytes, cuts })
    }
}
