//! What a run has found.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Explanations, Mutant, Verdict};

/// Mutants of one cause.
struct Class {
    count: usize,
    /// The shortest.
    example: Mutant,
}

/// Counts, and the causes of disagreement.
#[derive(Default)]
pub struct Report {
    mutants: usize,
    agreed: usize,
    failed: usize,
    refused: BTreeMap<String, Class>,
    astray: BTreeMap<String, Class>,
}

impl Report {
    /// Adds what came of a mutant, which counts once however often it was received.
    pub fn add(&mut self, mutant: &Mutant, verdicts: &[Verdict]) {
        self.mutants += 1;
        let worst = verdicts.iter().max_by_key(|verdict| match verdict {
            Verdict::Agree { .. } => 0,
            Verdict::Refused(_) => 1,
            Verdict::Astray(_) => 2,
        });
        let (classes, cause) = match worst {
            None => return,
            Some(Verdict::Agree { failed }) => {
                self.agreed += 1;
                self.failed += usize::from(*failed > 0);
                return;
            }
            Some(Verdict::Refused(why)) => (&mut self.refused, why),
            Some(Verdict::Astray(cause)) => (&mut self.astray, cause),
        };
        let class = classes.entry(cause.clone()).or_insert_with(|| Class { count: 0, example: mutant.clone() });
        class.count += 1;
        if mutant.bytes.len() < class.example.bytes.len() {
            class.example = mutant.clone();
        }
    }

    /// Causes that nobody has explained.
    pub fn unexplained<'a>(&'a self, explanations: &Explanations) -> Vec<&'a str> {
        self.astray.keys().map(String::as_str).filter(|cause| explanations.of(cause).is_none()).collect()
    }

    /// The table, with the explanations that are known.
    pub fn table(&self, explanations: &Explanations) -> String {
        let refused: usize = self.refused.values().map(|class| class.count).sum();
        let astray: usize = self.astray.values().map(|class| class.count).sum();
        let mut table = format!(
            "{:>9}  mutants\n{:>9}  both find the same requests ({} with a request that the server answers with an error)\n\
             {refused:>9}  refused by the scanner before the server reads anything otherwise\n\
             {astray:>9}  read otherwise by the server\n",
            self.mutants, self.agreed, self.failed
        );
        table += "\nRefused by the scanner:\n";
        table.extend(self.refused.iter().map(|(why, class)| format!("{:>9}  {why}\n", class.count)));
        table += "\nRead otherwise by the server:\n";
        table.extend(self.astray.iter().map(|(cause, class)| {
            let why = explanations.of(cause).unwrap_or("NOT EXPLAINED");
            format!("{:>9}  {cause}\n           {why}\n           e.g. {}\n", class.count, class.example)
        }));
        table
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 200;
        self.bytes.iter().take(MOST).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.bytes.len() > MOST { write!(f, "... ({} bytes)", self.bytes.len()) } else { Ok(()) }
    }
}
