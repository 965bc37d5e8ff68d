//! An in-memory Hot Rod cluster, without IO: no sockets, no clock, no threads, no randomness.
//!
//! A [`Cluster`] is all members, their caches and the view that clients get of them. A [`Connection`] is one client's
//! conversation with one member, and a [`Link`] the same in whatever carriage the client speaks. The host owns sockets
//! and clock, and drives them so:
//!
//! 1. [`Link::open`] (or [`Connection::open`]) when a client has connected to a member;
//! 2. bytes from the client into [`Connection::handle_received`] (or [`Connection::receive_buffer`]), then
//!    [`Connection::process`];
//! 3. send what [`Connection::transmit`] holds, say how much went with [`Connection::transmitted`], then
//!    [`Connection::process`] again: answers may have waited for room;
//! 4. after every call that takes the cluster, [`Cluster::poll_wakeup`] names connections that have events to
//!    send or that have ended: call [`Connection::process`] for each;
//! 5. [`Cluster::handle_timeout`] at [`Cluster::poll_timeout`];
//! 6. when [`Connection::end`] says so and all is sent, or the client is gone, [`Connection::close`].
//!
//! The same calls with the same arguments in the same order give the same bytes. Members come and go with
//! [`Cluster::add_member`], [`Cluster::remove_member`], [`Cluster::crash_member`] and
//! [`Cluster::exclude_crashed`], at any point between calls.
//!
//! # What it does as an Infinispan server does, and what not
//!
//! Every operation on single keys, on many, iteration, streams, listeners, near-cache filters, counters, multimaps,
//! statistics and the creation and removal of caches; statuses, events and topologies follow the server's code.
//! There is one copy of a clustered cache, not one per owner: reads and writes at any member are executed on it and
//! counted at the member where they arrived, as direct hits (at the key's primary owner) or as forwarded.
//!
//! Not there: queries, scripts, transactions, filters and converters by name, conversion between media types, stores,
//! authentication. They are answered with a server error that says so. A change of the view is complete at
//! once: there is no rebalancing that takes time.

mod admin;
mod answer;
mod bulk;
mod cache;
mod cluster;
mod connection;
mod counters;
mod deadlines;
mod dispatch;
mod entry;
mod framed;
mod held;
mod http1;
mod http2;
mod iteration;
mod link;
mod listeners;
mod members;
mod multimap;
mod options;
mod ownership;
mod post;
mod single_key;
mod statistics;
mod store;
mod streams;

pub use cluster::{Cluster, Moment};
pub use connection::{Connection, Refused};
pub use deadlines::{Deadlines, Late};
pub use link::Link;
pub use members::{MemberId, MemberState};
pub use options::{CacheMode, CacheOptions, ClusterOptions, InvalidCache, NamedCache};
pub use post::{ConnectionId, End};
pub use statistics::Counts;
