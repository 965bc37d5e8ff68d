//! Identity of the member in NODE.

use alloc::string::String;

use super::pair::{Pair, node};
use crate::carriage::registry::HOT_ROD_MESSAGE_ERROR;
use crate::carriage::{ClientEvent, LinkEnd, Node};

/// an endpoint without a name for its member can't be asked for it by name.
#[test]
fn a_member_without_a_name_ends_the_session() {
    let mut pair = Pair::framed();
    let (channel, stream) = pair.open();
    pair.server.send_node(stream, &Node { host: String::new(), port: 0, ..node() });
    pair.exchange();
    assert!(matches!(pair.to_client[..], [ClientEvent::Node { .. }]), "{:?}", pair.to_client);
    pair.to_client.clear();
    pair.server.send_node(stream, &Node { name: String::new(), ..node() });
    pair.exchange();
    let ended = ClientEvent::Ended { channel, end: LinkEnd::Violation(HOT_ROD_MESSAGE_ERROR) };
    assert_eq!(pair.to_client, [ended]);
}
