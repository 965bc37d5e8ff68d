//! Tests of both ends of a link.

mod agreement;
mod calls;
mod cancel;
mod credit;
mod floods;
mod limits;
mod node;
mod opening;
mod pair;
mod reach;
mod ready;
mod rules;
mod urgency;
