//! What several clients have done to one key, and whether some order of it explains all answers.
//!
//! A history is linearizable if every operation can be thought to have happened at one moment between its submission
//! and its answer. One whose outcome nobody knows may have happened at any moment since its submission, or not at all.

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

/// A value, by its number; no two writes have the same.
pub type ValueId = u64;

/// An operation on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// What is there?
    Get,
    /// Store this.
    Put(ValueId),
    /// Store this if nothing is there.
    PutIfAbsent(ValueId),
    /// Store this if something is there.
    Replace(ValueId),
    /// Store the second if the first is there.
    ReplaceIfUnmodified(ValueId, ValueId),
    /// Remove what is there.
    Remove,
    /// Remove it if it is this.
    RemoveIfUnmodified(ValueId),
}

/// The answer: whether it was done, and what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// A read is always done.
    pub done: bool,
    /// The value that was there, `None` for none.
    pub before: Option<ValueId>,
}

/// An entry of a cache as it has to be: the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry(pub Option<ValueId>);

impl SequentialSpec for Entry {
    type Op = Asked;
    type Ret = Answer;

    fn invoke(&mut self, asked: &Asked) -> Answer {
        let before = self.0;
        let (done, after) = match *asked {
            Asked::Get => (true, before),
            Asked::Put(value) => (true, Some(value)),
            Asked::PutIfAbsent(value) => (before.is_none(), Some(value)),
            Asked::Replace(value) => (before.is_some(), Some(value)),
            Asked::ReplaceIfUnmodified(expected, value) => (before == Some(expected), Some(value)),
            Asked::Remove => (before.is_some(), None),
            Asked::RemoveIfUnmodified(expected) => (before == Some(expected), None),
        };
        if done {
            self.0 = after;
        }
        Answer { done, before }
    }
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered(Answer),
    /// It was not executed, and never will be.
    NotApplied,
    Unknown,
}

/// What happened, in the order in which it did.
#[derive(Debug, Clone, Copy)]
enum Step {
    Invoked(usize),
    Ended(usize),
}

/// All operations of one key.
#[derive(Debug, Default)]
pub struct History {
    steps: Vec<Step>,
    /// By whom, what, and what became of it.
    operations: Vec<(usize, Asked, Outcome)>,
}

impl History {
    /// An operation is submitted by a client that has no other in flight. Answers with its number.
    pub fn invoke(&mut self, client: usize, asked: Asked) -> usize {
        self.operations.push((client, asked, Outcome::Unknown));
        self.steps.push(Step::Invoked(self.operations.len() - 1));
        self.operations.len() - 1
    }

    /// It is answered.
    pub fn answer(&mut self, operation: usize, answer: Answer) {
        self.operations[operation].2 = Outcome::Answered(answer);
        self.steps.push(Step::Ended(operation));
    }

    /// It was not executed.
    pub fn not_applied(&mut self, operation: usize) {
        self.operations[operation].2 = Outcome::NotApplied;
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many writes may still take effect: each of them makes the search longer.
    pub fn unknown(&self) -> usize {
        let is_unknown = |(_, asked, outcome): &&(usize, Asked, Outcome)| {
            *asked != Asked::Get && matches!(outcome, Outcome::Unknown)
        };
        self.operations.iter().filter(is_unknown).count()
    }

    /// Whether it is linearizable. The error shows it.
    pub fn check(&self) -> Result<(), String> {
        let mut tester = LinearizabilityTester::new(Entry::default());
        for step in &self.steps {
            self.retell(*step, &mut tester)?;
        }
        if tester.is_consistent() { Ok(()) } else { Err(format!("no order of these explains their answers:{self}")) }
    }

    fn retell(&self, step: Step, tester: &mut LinearizabilityTester<usize, Entry>) -> Result<(), String> {
        let (Step::Invoked(operation) | Step::Ended(operation)) = step;
        let (client, asked, outcome) = self.operations[operation];
        match (step, outcome) {
            (Step::Invoked(_), Outcome::Answered(_)) => tester.on_invoke(client, asked)?,
            // It holds up nobody: the client goes on with others, so this one has a thread of its own for ever.
            (Step::Invoked(_), Outcome::Unknown) if asked != Asked::Get => {
                tester.on_invoke(usize::MAX - operation, asked)?
            }
            (Step::Ended(_), Outcome::Answered(answer)) => tester.on_return(client, answer)?,
            _ => return Ok(()),
        };
        Ok(())
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.steps {
            match *step {
                Step::Invoked(operation) => {
                    let (client, asked, outcome) = self.operations[operation];
                    write!(f, "\n  client {client} asks ({operation}) {asked:?}")?;
                    if !matches!(outcome, Outcome::Answered(_)) {
                        write!(f, ", {outcome:?}")?;
                    }
                }
                Step::Ended(operation) => {
                    let (client, _, outcome) = self.operations[operation];
                    write!(f, "\n  client {client} hears ({operation}) {outcome:?}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn done(before: Option<ValueId>) -> Answer {
        Answer { done: true, before }
    }

    #[test]
    fn a_write_of_unknown_outcome_may_take_effect_late_and_once() {
        let mut history = History::default();
        history.invoke(0, Asked::Put(1));
        for before in [None, Some(1)] {
            let read = history.invoke(1, Asked::Get);
            history.answer(read, done(before));
        }
        assert_eq!(history.check(), Ok(()));
        let removed = history.invoke(1, Asked::Remove);
        history.answer(removed, done(Some(1)));
        let again = history.invoke(1, Asked::Get);
        history.answer(again, done(Some(1)));
        assert!(history.check().is_err(), "it was removed, and takes effect only once");
    }

    #[test]
    fn what_was_not_applied_is_never_seen() {
        let mut history = History::default();
        let write = history.invoke(0, Asked::Put(1));
        history.not_applied(write);
        let read = history.invoke(0, Asked::Get);
        history.answer(read, done(Some(1)));
        assert!(history.check().is_err());
    }

    #[test]
    fn an_acknowledged_write_is_seen_by_whoever_asks_later() {
        let mut history = History::default();
        let write = history.invoke(0, Asked::Put(1));
        let early = history.invoke(1, Asked::Get);
        history.answer(write, done(None));
        let late = history.invoke(2, Asked::Get);
        history.answer(early, done(None));
        assert_eq!(history.check(), Ok(()), "the early one may have come first");
        history.answer(late, done(None));
        assert!(history.check().is_err(), "{history}");
    }

    #[test]
    fn of_two_that_put_if_absent_one_succeeds() {
        let mut history = History::default();
        let both = [history.invoke(0, Asked::PutIfAbsent(1)), history.invoke(1, Asked::PutIfAbsent(2))];
        both.into_iter().for_each(|operation| history.answer(operation, done(None)));
        assert!(history.check().is_err());
    }
}
