//! Steps of transactions.

use bytes::Bytes;
use hotrod_core::wire::{Body, Change, Expiration, Modification, Request, Seen, Status, Xid};

use super::single::{has, put_to};
use super::{Checked, Peer};

/// X/Open XA codes.
const XA_OK: i32 = 0;
const XA_RDONLY: i32 = 3;

fn xid(peer: &Peer, number: u8) -> Xid {
    Xid {
        format_id: -17,
        global_transaction_id: peer.key("matrix"),
        branch_qualifier: Bytes::copy_from_slice(&[number]),
    }
}

fn write(key: &Bytes, value: &'static str) -> Vec<Modification> {
    let change = Change::Put { expiration: Expiration::DEFAULT, value: value.into() };
    vec![Modification { key: key.clone(), seen: Seen::NotRead, change }]
}

fn code(code: i32) -> Body {
    Body::XaCode(code)
}

pub(super) fn prepare(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let (key, xid) = (peer.key("k"), xid(peer, 1));
    let nothing = Request::PrepareTx { xid: xid.clone(), one_phase_commit: true, modifications: Vec::new() };
    peer.expect(nothing, Status::SUCCESS, code(XA_RDONLY))?;
    let one_phase = Request::PrepareTx { xid, one_phase_commit: true, modifications: write(&key, "one") };
    peer.expect(one_phase, Status::SUCCESS, code(XA_OK))?;
    has(peer, &key, Some("one"))
}

pub(super) fn prepare_2(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let (key, xid) = (peer.key("k"), xid(peer, 1));
    let prepare = Request::PrepareTx2 {
        xid: xid.clone(),
        one_phase_commit: false,
        recoverable: true,
        timeout: 60_000,
        modifications: write(&key, "one"),
    };
    peer.expect(prepare, Status::SUCCESS, code(XA_OK))?;
    peer.expect(Request::CommitTx { xid: xid.clone() }, Status::SUCCESS, code(XA_OK))?;
    peer.expect(Request::ForgetTx { xid }, Status::SUCCESS, Body::Nothing)?;
    has(peer, &key, Some("one"))
}

pub(super) fn commit(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let (key, xid) = (peer.key("k"), xid(peer, 1));
    let unknown = peer.ask(Request::CommitTx { xid: self::xid(peer, 9) })?;
    assert!(!matches!(unknown.body, Body::XaCode(XA_OK)), "{unknown:?}");
    let prepare = Request::PrepareTx { xid: xid.clone(), one_phase_commit: false, modifications: write(&key, "one") };
    peer.expect(prepare, Status::SUCCESS, code(XA_OK))?;
    peer.expect(Request::CommitTx { xid }, Status::SUCCESS, code(XA_OK))?;
    has(peer, &key, Some("one"))
}

pub(super) fn rollback(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let (key, xid) = (peer.key("k"), xid(peer, 1));
    let unknown = peer.ask(Request::RollbackTx { xid: self::xid(peer, 9) })?;
    assert!(!matches!(unknown.body, Body::XaCode(XA_OK)), "{unknown:?}");
    put_to(peer, &key, "one")?;
    let prepare = Request::PrepareTx { xid: xid.clone(), one_phase_commit: false, modifications: write(&key, "two") };
    peer.expect(prepare, Status::SUCCESS, code(XA_OK))?;
    peer.expect(Request::RollbackTx { xid }, Status::SUCCESS, code(XA_OK))?;
    has(peer, &key, Some("one"))
}

pub(super) fn forget(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let xid = xid(peer, 9);
    peer.expect(Request::ForgetTx { xid }, Status::SUCCESS, Body::Nothing)
}

pub(super) fn recovery(peer: &mut Peer) -> Checked {
    peer.use_cache("tx");
    let reply = peer.ask(Request::FetchTxRecovery {})?;
    assert!(matches!(reply.body, Body::Xids(_)), "{reply:?}");
    Ok(())
}
