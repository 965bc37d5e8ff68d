//! Memory that C reads: values and lists that stay in place until the arena is cleared.

use std::any::Any;

/// A list in C's form: a pointer to the first item and a count.
pub(crate) trait List: Copy {
    type Item: 'static;
    /// Borrows `items` without a lifetime; valid while the items exist.
    fn of(items: &[Self::Item]) -> Self;
}

/// Owns the values that outputs, failures and inspections point to.
#[derive(Default)]
pub(crate) struct Arena(Vec<Box<dyn Any>>);

impl Arena {
    /// Stores a value; it does not move until the arena is cleared.
    pub(crate) fn keep<T: 'static>(&mut self, value: T) -> *const T {
        let value = Box::new(value);
        let pointer: *const T = &raw const *value;
        self.0.push(value);
        pointer
    }

    /// Stores a list; its items do not move until the arena is cleared.
    pub(crate) fn list<L: List>(&mut self, items: Vec<L::Item>) -> L {
        let list = L::of(&items);
        self.0.push(Box::new(items));
        list
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
