//! How sessions travel: Hot Rod over HTTP (spec/hotrod-over-http.md), both ends, without IO.
//!
//! A *link* is one transport connection. Without HTTP it carries one session and needs nothing of this module. Over
//! HTTP/2 it carries many, each on a stream of its own that leads to one member: as messages in Hot Rod frames where both
//! ends speak them, else as plain bytes in DATA. [`ClientLink`] and [`ServerLink`] are the two ends.

mod calls;
mod choice;
mod client;
mod credit;
mod detect;
mod endpoint;
mod error;
mod event;
mod flood;
mod frame;
mod node_selector;
mod outgoing;
mod reach;
mod ready;
pub mod registry;
mod request;
mod scheduler;
mod served;
mod server;
mod terms;
mod writing;

pub use choice::{Carriage, Choice, Inside};
pub use client::{ChannelId, ClientConfig, ClientLink};
pub use detect::{Detected, detect};
pub use endpoint::{answer_ordinary, check_tunnel_fields};
pub use error::{LinkEnd, Refusal};
pub use event::ClientEvent;
pub use flood::FrameBudgets;
pub use frame::{Fragment, Frame, Knowledge, Mode, Node};
pub use node_selector::{NodeSelector, first_label};
pub use request::{Form, SessionRequest, names_at_most_one_node};
pub use server::{Asked, ServerConfig, ServerEvent, ServerLink};
pub use terms::Offer;

#[cfg(test)]
mod tests;
