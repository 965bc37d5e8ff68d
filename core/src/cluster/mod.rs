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
//! member; it carries one session.

mod access;
mod access_choice;
mod answers;
mod backoff;
mod balancing;
mod binding;
mod bulk;
mod cache;
mod carriages;
mod carried;
mod config;
mod conversation;
mod cookies;
mod counters;
mod coverage;
mod dial;
mod discovery;
mod dispatch;
mod failure;
mod from_uri;
mod host_template;
mod identity;
mod iteration;
mod lanes;
mod link;
mod links;
mod listener;
mod listener_queue;
mod machine;
mod member;
mod member_hosts;
mod near_cache;
mod operation;
mod output;
mod permitted;
mod probe_cache;
mod segments;
mod session_queue;
mod sessions;
mod site;
mod startup;
mod view;

#[cfg(test)]
mod tests;

pub use access::{Access, AccessPath, AddressEncoding, ConnectHeader, Endpoint};
pub use balancing::Balancing;
pub use binding::BindingPolicy;
pub use cache::{CacheHandle, CacheId, ReadFrom};
pub use carriages::CarriageConfig;
pub use config::{Config, Site};
pub use counters::{Counters, Latency};
pub use coverage::{Coverage, Uncovered};
pub use dial::{ClientCertificate, Dial, Proxy, Tls, TlsConfig};
pub use from_uri::SettingsError;
pub use host_template::{HostTemplate, TemplateError};
pub use iteration::{IterationId, IterationOptions};
pub use link::LinkId;
pub use listener::{ListenerId, ListenerKind};
pub use machine::Cluster;
pub use member::{MemberId, MemberInfo};
pub use member_hosts::{MemberHosts, MemberHostsError};
pub use near_cache::NearCacheOptions;
pub use operation::{Call, OperationId};
pub use output::{ClusterError, Event, Output, PartFailure, Partial, SubmitError};
pub use startup::{DialError, StartError};
pub use view::View;
