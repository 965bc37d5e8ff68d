//! The whole client: one machine, many members, no IO.
//!
//! A [`Cluster`] knows the members, keeps links to them, sends each operation to the member that owns its key, and
//! tries again where that is safe. The host owns sockets, TLS, DNS and the clock:
//!
//! ```text
//!   submit, cancel                ┌─────────┐  poll_output: Connect, Transmit, Close, Completed, Event
//!   handle_connected, _received,  │ Cluster │  poll_timeout: when to call handle_timeout
//!   _link_lost, _timeout  ──────▶ └─────────┘
//! ```
//!
//! After any number of calls, poll in this order: [`poll_output`](Cluster::poll_output) until it is empty, then
//! [`poll_timeout`](Cluster::poll_timeout). `Transmit` is said once for a link that has bytes where it had none; from
//! then on the host writes [`transmit`](Cluster::transmit) until that is empty.
//!
//! A *member* is an identity: the address by which topologies know it. A *link* is one connection of the host's to a
//! member; it carries one session or many.
//!
//! # Example
//!
//! One operation against one server, which is at the other end of a byte vector.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use hotrod_core::cluster::{Call, Cluster, Config, Output};
//! use hotrod_core::session::ServerSession;
//! use hotrod_core::time::Instant;
//! use hotrod_core::wire::{Body, Limits, Ping, Reply, Request, RequestOptions, Status};
//!
//! let now = Instant::EPOCH;
//! let config = Config::from_uri(&"hotrod://one:7000".parse()?)?;
//! let mut cluster = Cluster::new(config, [7; 32], now);
//! let cache = cluster.cache(now, RequestOptions::cache("dist"));
//! let get = cluster.submit(now, Call::new(&cache, Request::Get { key: "k".into() }))?;
//!
//! let (mut servers, mut dialled, mut completed) = (HashMap::new(), Vec::new(), None);
//! while let Some(output) = cluster.poll_output() {
//!     match output {
//!         Output::Connect { link, dial, .. } => {
//!             dialled.push((dial.host, dial.port));
//!             servers.insert(link, ServerSession::new(Limits::default(), 1 << 20));
//!             cluster.handle_connected(now, link, None);
//!         }
//!         Output::Transmit { link } => {
//!             let bytes = cluster.transmit(link).map(|out| out.to_bytes()).unwrap_or_default();
//!             cluster.transmitted(link, bytes.len());
//!             let server = servers.get_mut(&link).expect("a connected link");
//!             server.handle_received(&bytes);
//!             while let Some((header, request)) = server.poll_request() {
//!                 let body = match request {
//!                     Request::Ping {} => Body::Ping(Box::new(Ping { server_version: Some(41), ..Ping::default() })),
//!                     _ => Body::Value("v".into()),
//!                 };
//!                 let reply = Reply { message_id: header.message_id, status: Status::SUCCESS, topology: None, body };
//!                 server.reply(&header, request.operation(), &reply);
//!             }
//!             cluster.handle_received(now, link, &server.transmit().to_bytes());
//!             server.transmitted(server.transmit().len());
//!         }
//!         Output::Completed { id, result, .. } => completed = Some((id, result?.body)),
//!         _ => {}
//!     }
//! }
//! assert_eq!(dialled, [("one".to_string(), 7000)]);
//! assert_eq!(completed, Some((get, Body::Value("v".into()))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backoff;
mod cache;
mod config;
mod counters;
mod degradation;
mod discover;
mod discovery;
mod features;
mod link_events;
mod machine;
mod members;
mod operations;
mod output;
mod session_end;
mod session_events;
mod site;
mod startup;
mod stored_form;
mod topology;
mod transport;
mod view;

#[cfg(test)]
mod tests;

pub use cache::{CacheHandle, CacheId, ReadFrom};
pub use config::{Config, Site};
pub use counters::{Counters, Latency};
pub use discovery::access::{Access, AccessPath, AddressEncoding, ConnectHeader};
pub use discovery::balancing::Balancing;
pub use discovery::coverage::{Coverage, Uncovered};
pub use discovery::endpoint::Endpoint;
pub use discovery::host_template::{HostTemplate, TemplateError};
pub use discovery::member_hosts::{MemberHosts, MemberHostsError};
pub use features::iteration::{IterationId, IterationOptions};
pub use features::listener::{ListenerId, ListenerKind};
pub use features::near_cache::NearCacheOptions;
pub use machine::Cluster;
pub use members::{MemberId, MemberInfo};
pub use operations::operation::{Call, OperationId};
pub use output::{
    ClusterError, Event, LostRequest, MemberFailure, Output, PartFailure, Partial, SizeLimit, SubmitError,
};
pub(crate) use output::{events, outputs};
pub use startup::{DialError, StartError};
pub use transport::binding::BindingPolicy;
pub use transport::carriages::CarriageConfig;
pub use transport::dial::{ClientCertificate, Dial, Proxy, Tls, TlsConfig};
pub use transport::link::LinkId;
pub use view::View;
