//! Both ends of a link beside each other.

mod agreement;
mod calls;
mod cancel;
mod credit;
mod node;
mod pair;
