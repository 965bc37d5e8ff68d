//! Hot Rod, the binary client/server protocol of Infinispan, as Sans-IO state machines.
//!
//! Hot Rod is the protocol of [Infinispan](https://infinispan.org), a distributed key/value store. This crate
//! implements versions 2.0 to 4.1 for clients, servers and proxies, on raw connections and over HTTP. It is *Sans-IO*:
//! a machine turns bytes and time into bytes and events. It has no sockets, threads, clock, random source or
//! callbacks; its *host* has those. The same machines run under tokio, asyncio, libuv, `poll(2)`, or in a simulation.
//!
//! # Machines
//!
//! | machine | role | input | output |
//! |---|---|---|---|
//! | [`cluster::Cluster`] | client of a whole cluster | operations, links, bytes, time | connections to open, bytes, results, events |
//! | [`session::Session`] | client of one member | operations, bytes, time | bytes, results, events |
//! | [`session::ServerSession`] | server of one client | bytes, replies | requests, bytes |
//! | [`carriage::ClientLink`], [`carriage::ServerLink`] | many sessions on one HTTP/2 link | messages, bytes, time | messages, bytes |
//! | [`http2::Connection`] | HTTP/2 endpoint, both roles | commands, bytes, time | events, bytes |
//! | [`http1::ClientExchange`], [`http1::ServerExchange`] | HTTP/1.1 upgrade and CONNECT | bytes | events, bytes |
//! | [`happy_eyeballs::ConnectionAttempts`] | connecting to a host with several addresses | failures, time | attempts to begin |
//! | [`sasl::Client`], [`sasl::Server`] | authentication | challenges, responses | responses, challenges |
//! | [`wire::ReplyDecoder`], [`wire::RequestDecoder`] | decoders of the protocol | bytes | messages |
//! | [`wire::ReplyScanner`], [`wire::RequestScanner`] | message boundaries, for proxies | bytes | pieces of messages |
//!
//! # Which layer to use
//!
//! - **A client of a cluster**: [`cluster`]. It opens sessions with all members, sends each operation to the owner of
//!   its key, retries where that is safe, and keeps listeners, near caches and iterations alive across failures.
//!   Settings come from a [connection URI](uri). The crate `hotrod-tokio` is a complete host.
//! - **A binding for another language**: [`vocabulary`], the same machine with numbers and closed sets of shapes.
//! - **A client of one server**: [`session`]. A server for tests, or a protocol bridge: [`session::ServerSession`].
//! - **A proxy**: the scanners of [`wire`], and [`carriage`] for Hot Rod over HTTP.
//! - **A tool that decodes recorded bytes**: the decoders of [`wire`]. The owner of a key: [`routing`].
//! - **HTTP/2, HPACK or SASL without Hot Rod**: [`http2`], [`http2::hpack`] and [`sasl`] depend on nothing above them.
//!
//! # The loop
//!
//! All machines have the same verbs. A host repeats these steps, for each link that it has open:
//!
//! 1. Report what happened: `handle_received` with bytes from the socket (or `receive_buffer` and `handle_filled`,
//!    which save a copy), `handle_link_lost` at the end of the connection, `handle_timeout` at a deadline.
//! 2. Give commands: `submit`, `cancel`, `close`, …
//! 3. Poll `poll_event` (a cluster: `poll_output`) until it returns `None`, and handle each result.
//! 4. Write the bytes of `transmit` to the socket, and report the number written with `transmitted`.
//! 5. Wait for the socket, for a command of the application, or for the deadline of `poll_timeout`, then repeat.
//!
//! Any number of reports and commands may come before a poll, in any order. Poll after each of them or after a batch;
//! only the delay differs. Read from a socket only while `wants_read` is true: that is the backpressure.
//!
//! # Example: a session
//!
//! A client and a server in one program. The network between them is two byte vectors.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use bytes::Bytes;
//! use hotrod_core::session::{Call, Config, Event, ServerSession, Session};
//! use hotrod_core::time::Instant;
//! use hotrod_core::wire::{Body, Expiration, Limits, Ping, Reply, Request, RequestOptions, Status, Version};
//!
//! /// The application of the server: executes one request.
//! fn execute(request: Request, entries: &mut HashMap<Bytes, Bytes>) -> (Status, Body) {
//!     match request {
//!         Request::Ping {} => {
//!             let ping = Ping { server_version: Some(Version::LATEST.to_byte()), ..Ping::default() };
//!             (Status::SUCCESS, Body::Ping(Box::new(ping)))
//!         }
//!         Request::Put { key, value, .. } => {
//!             entries.insert(key, value);
//!             (Status::SUCCESS, Body::Nothing)
//!         }
//!         Request::Get { key } => match entries.get(&key) {
//!             Some(value) => (Status::SUCCESS, Body::Value(value.clone())),
//!             None => (Status::KEY_DOES_NOT_EXIST, Body::Nothing),
//!         },
//!         _ => (Status::UNKNOWN_OPERATION, Body::Error("not implemented".into())),
//!     }
//! }
//!
//! // The time and the seed come from the host. A real host uses its clock and its random source.
//! let now = Instant::EPOCH;
//! let mut client = Session::new(Config::default(), [7; 32], now);
//! let mut server = ServerSession::new(Limits::default(), 1 << 20);
//! let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
//! let mut entries = HashMap::new();
//! let options = RequestOptions::cache("dist");
//! let mut results = Vec::new();
//!
//! loop {
//!     // The client's host: report received bytes, handle events, give commands, send.
//!     client.handle_received(now, &to_client);
//!     to_client.clear();
//!     while let Some(event) = client.poll_event() {
//!         match event {
//!             Event::Ready(ready) => {
//!                 assert_eq!(ready.version, Version::LATEST);
//!                 let put = Request::Put { key: "k".into(), expiration: Expiration::DEFAULT, value: "v".into() };
//!                 // Pipelining: all three are sent at once, and answered in order.
//!                 client.submit(now, Call { token: 1, ..Call::new(&put, &options) })?;
//!                 for (token, key) in [(2, "k"), (3, "absent")] {
//!                     let get = Request::Get { key: key.into() };
//!                     client.submit(now, Call { token, ..Call::new(&get, &options) })?;
//!                 }
//!             }
//!             Event::Completed { token, result, .. } => results.push((token, result?.body)),
//!             other => panic!("unexpected: {other:?}"),
//!         }
//!     }
//!     to_server.extend_from_slice(&client.transmit().to_bytes());
//!     client.transmitted(client.transmit().len());
//!     if to_server.is_empty() {
//!         break;
//!     }
//!
//!     // The server's host.
//!     server.handle_received(&to_server);
//!     to_server.clear();
//!     while let Some((header, request)) = server.poll_request() {
//!         let operation = request.operation();
//!         let (status, body) = execute(request, &mut entries);
//!         let reply = Reply { message_id: header.message_id, status, topology: None, body };
//!         server.reply(&header, operation, &reply);
//!     }
//!     to_client.extend_from_slice(&server.transmit().to_bytes());
//!     server.transmitted(server.transmit().len());
//! }
//! assert_eq!(results, [(1, Body::Nothing), (2, Body::Value("v".into())), (3, Body::Nothing)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Example: a cluster
//!
//! The client of a whole cluster, against three servers of the crate `hotrod-embedded`, which is Sans-IO as well. The
//! network is a function that moves bytes, and the clock is a number: a run of seconds takes no time, and every run is
//! the same.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use hotrod_core::cluster::{Call, Cluster, Config, LinkId, Output};
//! use hotrod_core::time::Instant;
//! use hotrod_core::wire::{Body, Expiration, Member, Request, RequestOptions};
//! use hotrod_embedded::{Cluster as Servers, ClusterOptions, Link, MemberId, Moment};
//!
//! /// A client, the servers, and the connections between them.
//! struct World {
//!     client: Cluster,
//!     servers: Servers,
//!     members: BTreeMap<String, MemberId>,
//!     connections: BTreeMap<LinkId, Link>,
//!     now: Instant,
//! }
//!
//! impl World {
//!     /// Time of the servers: the client's, and that of a calendar for the lifetimes of entries.
//!     fn moment(&self) -> Moment {
//!         Moment { now: self.now, unix_ms: 1_800_000_000_000 + self.now.as_micros() / 1_000 }
//!     }
//!
//!     /// Executes the client's outputs. Returns the result of an operation that has completed.
//!     fn execute(&mut self) -> Option<Result<Body, String>> {
//!         let mut completed = None;
//!         while let Some(output) = self.client.poll_output() {
//!             match output {
//!                 Output::Connect { link, dial, .. } => {
//!                     match Link::open(&mut self.servers, self.members[&dial.host]) {
//!                         Ok(connection) => {
//!                             self.connections.insert(link, connection);
//!                             self.client.handle_connected(self.now, link, None);
//!                         }
//!                         Err(refused) => self.client.handle_link_lost(self.now, link, refused.to_string()),
//!                     }
//!                 }
//!                 Output::Close { link } => {
//!                     if let Some(connection) = self.connections.remove(&link) {
//!                         connection.close(&mut self.servers);
//!                     }
//!                 }
//!                 Output::Completed { result, .. } => {
//!                     completed = Some(result.map(|reply| reply.body).map_err(|error| error.to_string()));
//!                 }
//!                 // `exchange` asks every link for its bytes. Events are information.
//!                 _ => {}
//!             }
//!         }
//!         completed
//!     }
//!
//!     /// Moves bytes in both directions. Returns false if there were none.
//!     fn exchange(&mut self) -> bool {
//!         let (moment, mut has_moved, mut lost) = (self.moment(), false, Vec::new());
//!         for (&link, connection) in &mut self.connections {
//!             let request = self.client.transmit(link).map(|out| out.to_bytes()).unwrap_or_default();
//!             self.client.transmitted(link, request.len());
//!             connection.handle_received(&request);
//!             connection.process(&mut self.servers, moment);
//!             let reply = connection.transmit().to_bytes();
//!             connection.transmitted(reply.len());
//!             self.client.handle_received(moment.now, link, &reply);
//!             has_moved |= !request.is_empty() || !reply.is_empty();
//!             if connection.is_finished() {
//!                 lost.push(link);
//!             }
//!         }
//!         for link in lost {
//!             self.connections.remove(&link).into_iter().for_each(|ended| ended.close(&mut self.servers));
//!             self.client.handle_link_lost(self.now, link, "the server closed the connection");
//!             has_moved = true;
//!         }
//!         has_moved
//!     }
//!
//!     /// Runs until an operation has completed. The clock moves only while there is nothing else to do.
//!     fn run(&mut self) -> Result<Body, String> {
//!         loop {
//!             if let Some(result) = self.execute() {
//!                 return result;
//!             }
//!             if !self.exchange() {
//!                 self.now = self.client.poll_timeout().expect("a deadline of the operation");
//!                 self.client.handle_timeout(self.now);
//!             }
//!         }
//!     }
//! }
//!
//! let now = Instant::EPOCH;
//! let mut servers = Servers::new(ClusterOptions::default(), Moment { now, unix_ms: 1_800_000_000_000 });
//! let addresses = [1, 2, 3].map(|n| Member { host: format!("10.0.0.{n}"), port: 11222 });
//! let ids = servers.add_members(addresses.clone());
//! let members = addresses.iter().map(|address| address.host.clone()).zip(ids).collect();
//!
//! // The settings name one server; the others come with the first topology.
//! let mut client = Cluster::new(Config::new(addresses[..1].to_vec()), [7; 32], now);
//! let cache = client.cache(now, RequestOptions::cache("dist"));
//! let mut world = World { client, servers, members, connections: BTreeMap::new(), now };
//!
//! let put = Request::Put { key: "k".into(), expiration: Expiration::DEFAULT, value: "v".into() };
//! world.client.submit(now, Call::new(&cache, put))?;
//! assert_eq!(world.run()?, Body::Nothing);
//! assert_eq!(world.client.view(&cache).expect("a topology").members().len(), 3);
//!
//! // The client opens sessions with the other members ahead of need.
//! while world.exchange() {
//!     world.execute();
//! }
//! assert!(world.client.members().all(|member| member.ready));
//! assert_eq!(world.now, now, "no deadline was needed");
//!
//! // The owner of the key crashes. The client sends the operation again, to another member.
//! let owner = world.servers.owners("dist", b"k")[0];
//! world.servers.crash_member(owner);
//! let get = || Request::Get { key: "k".into() };
//! world.client.submit(world.now, Call::new(&cache, get()))?;
//! assert_eq!(world.run()?, Body::Value("v".into()));
//! assert_eq!(world.client.counters().retries, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! - **No panic on input.** No bytes from a peer make a machine panic, loop or recurse without bound. Fuzz targets
//!   cover every decoder and every machine.
//! - **Receiving never fails.** A violation of the protocol is the last event of a machine, after the events of all
//!   valid bytes before it. A machine that has ended accepts every call, and does nothing.
//! - **Limits.** Lengths and counts are compared with their limits ([`wire::Limits`], [`http1::Limits`],
//!   [`http2::Config`], …) before memory is allocated for them. Every queue has a limit; a full one rejects commands,
//!   or sets `wants_read` to false.
//! - **Linear work.** The total work of decoding is linear in the bytes received, for any chunking. The work per
//!   operation does not depend on the number of operations in flight.
//! - **Few copies.** Keys and values are slices of the receive buffer, and large values to send stay the caller's
//!   [`Bytes`](bytes::Bytes).
//! - **Determinism.** Equal inputs, times and seeds give equal outputs, byte for byte. A recorded run can be replayed.
//! - **Certain outcomes.** Each failed operation says whether the server may have executed it ([`session::Applied`]).
//! - **Secrets** are wiped from memory after use, compared in constant time, and hidden from `Debug`.
//!
//! The crate is `no_std` (with `alloc`) and has no unsafe code.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod carriage;
pub mod cluster;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod happy_eyeballs;
pub mod http1;
pub mod http2;
pub mod protostream;
pub mod routing;
pub mod sasl;
mod send_buffer;
pub mod session;
pub mod time;
pub mod uri;
pub mod vocabulary;
pub mod wire;
