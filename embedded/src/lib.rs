//! An in-memory Hot Rod cluster, without IO: no sockets, no clock, no threads, no randomness.
//!
//! A [`Cluster`] holds all members, their caches and the topology that clients receive. A [`Connection`] is one client's
//! session with one member. A [`Link`] is the same over any carriage of Hot Rod over HTTP. The module `host` (feature
//! `host`, on by default) adds sockets and a clock, for tests and demos; start there unless you bring your own.
//!
//! # The loop
//!
//! 1. Open a [`Link`] (or a [`Connection`]) when a client has connected to a member.
//! 2. Pass received bytes to [`Link::handle_received`], or read into [`Link::receive_buffer`] and report the count with
//!    [`Link::handle_filled`]; then call [`Link::process`].
//! 3. Send the bytes of [`Link::transmit`], report the count with [`Link::transmitted`], and call [`Link::process`]
//!    again: answers may have waited for room.
//! 4. After each call that takes the cluster, call [`Link::process`] for each connection that [`Cluster::poll_wakeup`]
//!    returns: it has events to send or has ended.
//! 5. Call [`Cluster::handle_timeout`] at the time of [`Cluster::poll_timeout`], and [`Link::process`] at that of
//!    [`Link::poll_timeout`].
//! 6. Close the link when [`Link::is_finished`] returns true, or when the client is gone.
//!
//! The same calls with the same arguments in the same order produce the same bytes. Members join and leave with
//! [`Cluster::add_member`], [`Cluster::remove_member`], [`Cluster::crash_member`] and [`Cluster::exclude_crashed`], at any
//! point between calls.
//!
//! ```
//! use hotrod_core::session::{Config, Event, Session};
//! use hotrod_core::time::Instant;
//! use hotrod_core::wire::Member;
//! use hotrod_embedded::{Cluster, ClusterOptions, Link, Moment};
//!
//! let moment = Moment { now: Instant::EPOCH, unix_ms: 1_800_000_000_000 };
//! let mut cluster = Cluster::new(ClusterOptions::default(), moment);
//! let member = cluster.add_member(Member { host: "10.0.0.1".into(), port: 11222 });
//!
//! // A client's session; its bytes go straight to the member.
//! let mut session = Session::new(Config::default(), [7; 32], moment.now);
//! let mut link = Link::open(&mut cluster, member)?;
//! while !session.is_ready() {
//!     let request = session.transmit().to_bytes();
//!     session.transmitted(request.len());
//!     link.handle_received(&request);
//!     link.process(&mut cluster, moment);
//!     let answer = link.transmit().to_bytes();
//!     link.transmitted(answer.len());
//!     session.handle_received(moment.now, &answer);
//! }
//! assert!(matches!(session.poll_event(), Some(Event::Ready(_))));
//! link.close(&mut cluster);
//! # Ok::<(), hotrod_embedded::Refused>(())
//! ```
//!
//! # Scope
//!
//! It executes every operation on one key and on many, iteration, streams, listeners, near-cache filters, counters,
//! multimaps, statistics, and the creation and removal of caches. Keys and values are converted between the media types that
//! requests declare and those that caches store, and refused where a server refuses them. Statuses, events and topologies follow the code of an
//! Infinispan server. A clustered cache has one copy, not one per owner: reads and writes at any member use that copy, and
//! the member that receives an operation counts it as a direct hit (it is the key's primary owner) or as forwarded.
//!
//! It has no queries, scripts, transactions, named filters and converters, conversions that need a schema, stores, or
//! authentication, and answers them with a server error that says so. A change of the view is complete at once;
//! rebalancing takes no time.

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
mod event_queues;
mod framed;
#[cfg(feature = "host")]
pub mod host;
mod http1;
mod http2;
mod iteration;
mod link;
mod listeners;
mod members;
mod memory;
mod multimap;
mod options;
mod ownership;
mod single_key;
mod statistics;
mod store;
mod streams;
mod transcoding;

pub use cluster::{Cluster, Moment};
pub use connection::{Connection, Refused};
pub use deadlines::{Deadlines, Late};
pub use event_queues::{ConnectionId, End};
pub use link::Link;
pub use members::{MemberId, MemberState};
pub use options::{CacheMode, CacheOptions, ClusterOptions, InvalidCache, NamedCache};
pub use statistics::Counts;

/// Runs the example of the README with the tests.
#[cfg(all(doctest, feature = "host"))]
#[doc = include_str!("../README.md")]
struct Readme;
