//! The HTTP/1.1 exchanges in both roles: the table of heads, round trips, and arbitrary bytes.

#![allow(unreachable_pub)]

mod heads;
mod hostile;
mod round_trips;
