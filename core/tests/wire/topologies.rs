//! The topology section of replies (gotcha 4 and 6).

use hotrod_core::wire::{
    Body, Hash, Incoming, Intelligence, Operation, Reply, ReplyContext, SegmentOwners, Topology, Version,
};

use crate::decode::{self, context, request, written};
use crate::hand::Hand;

const VERSION: Version = Version::LATEST;

fn context_of(intelligence: Intelligence) -> ReplyContext {
    ReplyContext { intelligence, ..context(Operation::Get, VERSION) }
}

/// A GET reply for this intelligence; `topology` follows the marker, and the value "v" follows it.
fn reply(intelligence: Intelligence, topology: fn(Hand) -> Hand) -> Reply {
    let context = context_of(intelligence);
    let bytes = topology(Hand::reply_before_topology(1, 0x04, 0x00)).array("v").done();
    let reply = decode::reply(&bytes, context);
    assert_eq!(reply.body, Body::Value("v".into()), "what follows the topology");
    assert_eq!(written(&Incoming::Reply(reply.clone()), context), bytes, "as the server writes it");
    reply
}

fn topology(intelligence: Intelligence, topology: fn(Hand) -> Hand) -> Topology {
    *reply(intelligence, topology).topology.expect("a topology")
}

fn hash(members: fn(Hand) -> Hand) -> Hash {
    topology(Intelligence::HashDistributionAware, members).hash.expect("a hash")
}

/// Gotcha 4: the id is a hash code, any 32 bits; -1 and -2 (at a client's start and after a switch) take five bytes.
#[test]
fn a_topology_id_is_any_32_bits() {
    let id = |head: fn(Hand) -> Hand| topology(Intelligence::TopologyAware, head).id as i32;
    assert_eq!(id(|hand| hand.u8(1).raw(&[0xff, 0xff, 0xff, 0xff, 0x0f]).vint(0)), -1);
    assert_eq!(id(|hand| hand.u8(1).raw(&[0xfe, 0xff, 0xff, 0xff, 0x0f]).vint(0)), -2);
    assert_eq!(id(|hand| hand.u8(1).raw(&[0x80, 0x80, 0x80, 0x80, 0x08]).vint(0)), i32::MIN);
    assert_eq!(id(|hand| hand.u8(1).vint(0).vint(0)), 0);
    for known in [0, 1, -1, -2, i32::MIN, i32::MAX, 0x1234_5678] {
        let head = Hand::new().u8(0xa0).vlong(1).u8(VERSION.to_byte()).u8(0x17).text("").vint(0).u8(3);
        let (header, _) = request(&head.vint(known as u32).raw(&[0, 0, 0]).done());
        assert_eq!(header.topology_id as i32, known);
    }
}

/// Gotcha 4: the order of ids has no meaning; only equal ids are the same topology.
#[test]
fn views_are_told_apart_by_inequality() {
    let view = |id: fn(Hand) -> Hand| topology(Intelligence::TopologyAware, id);
    let greater = view(|hand| hand.u8(1).vint(8).vint(1).text("h").short(1));
    let smaller = view(|hand| hand.u8(1).vint(7).vint(1).text("h").short(1));
    let negative = view(|hand| hand.u8(1).vint(u32::MAX).vint(1).text("h").short(1));
    assert!(greater.id != smaller.id && smaller.id != negative.id && greater.id != negative.id);
    assert_eq!(greater, view(|hand| hand.u8(1).vint(8).vint(1).text("h").short(1)));
}

/// Gotcha 6: a cache without hash distribution announces function 0, and a number of segments all the same.
#[test]
fn hash_function_0_comes_with_the_number_of_segments() {
    let none = hash(|hand| hand.u8(1).vint(7).vint(1).text("h").short(1).u8(0).vint(0));
    assert_eq!(none, Hash { function: 0, segments: 0, owners: SegmentOwners::default() });
    let segments = hash(|hand| hand.u8(1).vint(7).vint(1).text("h").short(1).u8(0).vint(256));
    assert_eq!(segments, Hash { function: 0, segments: 256, owners: SegmentOwners::default() });
}

/// Gotcha 2 and 6: intelligence 2 has no hash block, not even a byte for the function.
#[test]
fn a_client_that_is_only_topology_aware_is_sent_no_hash() {
    let members = topology(Intelligence::TopologyAware, |hand| hand.u8(1).vint(7).vint(1).text("h").short(1));
    assert_eq!((members.members.len(), members.hash), (1, None));
}

#[test]
fn a_basic_client_is_sent_no_topology() {
    assert_eq!(reply(Intelligence::Basic, |hand| hand.u8(0)).topology, None);
    let reply = reply(Intelligence::HashDistributionAware, |hand| hand.u8(1).vint(7).vint(0).u8(3).vint(0));
    let context = context_of(Intelligence::Basic);
    let written = written(&Incoming::Reply(reply), context);
    assert_eq!(decode::reply(&written, context).topology, None, "even if the server has one");
}

/// Gotcha 6: during a rebalance a segment may have no owner, and a member may own nothing.
#[test]
fn a_segment_may_have_no_owner() {
    let hash = hash(|hand| {
        let hand = hand.u8(1).vint(7).vint(3).times(3, |hand| hand.text("h").short(1));
        hand.u8(3).vint(4).u8(0).u8(2).vint(2).vint(0).u8(0).u8(1).vint(0)
    });
    let owners: Vec<&[u16]> = (0..5).map(|segment| hash.owners.of(segment)).collect();
    assert_eq!(owners, [&[][..], &[2, 0], &[], &[0], &[]], "and a fifth segment does not exist");
    assert_eq!((hash.segments, hash.owners.len()), (4, 4));
}

/// A replicated cache in a large cluster: the maximum count of owners in a byte, and two-byte indices.
#[test]
fn a_segment_may_have_255_owners() {
    let hash = hash(|hand| {
        let hand = hand.u8(1).vint(7).vint(255).times(255, |hand| hand.text("h").short(1)).u8(3).vint(1).u8(255);
        (0..255).fold(hand, Hand::vint)
    });
    assert_eq!(hash.owners.of(0), (0..255).collect::<Vec<u16>>());
}

/// Gotcha 8: scoped IPv6 addresses and host names are returned unchanged.
#[test]
fn hosts_are_names_or_addresses_of_either_kind() {
    let topology = topology(Intelligence::TopologyAware, |hand| {
        let hand = hand.u8(1).vint(7).vint(3).text("fe80::1%eth0").short(11222);
        hand.text("node-0.infinispan.svc").short(0).text("10.0.0.1").short(65535)
    });
    let members: Vec<String> =
        topology.members.iter().map(|member| format!("{} {}", member.host, member.port)).collect();
    assert_eq!(members, ["fe80::1%eth0 11222", "node-0.infinispan.svc 0", "10.0.0.1 65535"]);
}

/// Any reply may contain a new topology, even one without a value.
#[test]
fn a_topology_comes_with_any_status() {
    let context = context_of(Intelligence::TopologyAware);
    let head = Hand::reply_before_topology(1, 0x04, 0x02).u8(1).vint(7).vint(1).text("h").short(1);
    let reply = decode::reply(&head.done(), context);
    assert_eq!((reply.body, reply.topology.map(|topology| topology.id)), (Body::Nothing, Some(7)));
}
