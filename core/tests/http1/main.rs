//! The HTTP/1.1 exchanges, both roles: the table of heads, what goes from one role to the other, and any bytes.

#![allow(unreachable_pub)]

mod heads;
mod hostile;
mod round_trips;
