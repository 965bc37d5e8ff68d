//! Transactions: both forms of ids, and the state read by each modification.

use bytes::Bytes;
use hotrod_core::wire::{
    Body, Change, Expiration, Incoming, Lifetime, Modification, Operation, Request, Seen, Version, Xid,
};

use crate::decode::{context, reply, request, written, written_request};
use crate::hand::Hand;

fn xid() -> Xid {
    let global_transaction_id = Bytes::from(vec![7; 64]);
    Xid { format_id: -3, global_transaction_id, branch_qualifier: Bytes::from_static(&[9]) }
}

/// In requests the lengths are bytes, in replies they are vInts; the format is zigzag in both.
#[test]
fn the_lengths_in_an_xid_are_bytes_in_requests_and_vints_in_replies() {
    let bytes = Hand::request(Version::V4_1, Operation::CommitTx).vint(5).u8(64).raw(&[7; 64]).u8(1).u8(9).done();
    let (header, commit) = request(&bytes);
    assert_eq!(commit, Request::CommitTx { xid: xid() });
    assert_eq!(written_request(&header, &commit), bytes);
    let long = Xid { branch_qualifier: vec![8; 65].into(), ..xid() };
    assert!(Request::CommitTx { xid: long }.fits().is_err(), "XA allows 64 bytes: such an id may be read and not sent");

    let context = context(Operation::FetchTxRecovery, Version::V4_1);
    let hand = Hand::reply(1, 0x7c, 0x00).vint(2).vint(5).vint(64).raw(&[7; 64]).vint(1).u8(9);
    let bytes = hand.vint(1).vint(200).raw(&[1; 200]).vint(1).raw(&[2]).done();
    let answer = reply(&bytes, context);
    let second = Xid { format_id: -1, global_transaction_id: vec![1; 200].into(), branch_qualifier: vec![2].into() };
    assert_eq!(answer.body, Body::Xids(vec![xid(), second]));
    assert_eq!(written(&Incoming::Reply(answer), context), bytes);
}

/// An entry that was not read or did not exist has no version; a removed entry has no value.
#[test]
fn a_modification_has_what_its_control_byte_says() {
    let head = Hand::request(Version::V2_7, Operation::PrepareTx).vint(0).u8(1).u8(7).u8(1).u8(8).u8(1).vint(4);
    let hand = head.array("a").u8(1).u8(0x77).array("1");
    let hand = hand.array("b").u8(2).u8(0x08).vlong(300).array("2");
    let bytes = hand.array("c").u8(0).long(9).u8(0x88).array("3").array("d").u8(4).long(10).done();
    let (header, prepare) = request(&bytes);
    assert_eq!(written_request(&header, &prepare), bytes);
    let Request::PrepareTx { one_phase_commit: true, modifications, .. } = prepare else { panic!("{prepare:?}") };
    let put = |lifespan, max_idle, value: &'static str| Change::Put {
        expiration: Expiration { lifespan, max_idle },
        value: value.into(),
    };
    let expected = [
        ("a", Seen::NotRead, put(Lifetime::Default, Lifetime::Default, "1")),
        ("b", Seen::NonExisting, put(Lifetime::seconds(300), Lifetime::Infinite, "2")),
        ("c", Seen::Version(9), put(Lifetime::Infinite, Lifetime::Infinite, "3")),
        ("d", Seen::Version(10), Change::Remove),
    ];
    let expected = expected.map(|(key, seen, change)| Modification { key: key.into(), seen, change });
    assert_eq!(modifications, expected);
}

#[test]
fn the_outcome_is_an_xa_code() {
    for code in [0, 3, 100, -3, i32::MIN] {
        let bytes = Hand::reply(1, 0x3c, 0x00).int(code).done();
        assert_eq!(reply(&bytes, context(Operation::PrepareTx, Version::V2_7)).body, Body::XaCode(code));
    }
}
