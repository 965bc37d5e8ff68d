use bytes::Bytes;
use hotrod_core::wire::{Body, Change, Modification, Operation, Request, RequestOptions, Seen, Xid};

use crate::conversation::{Conversation, immortal};

/// X/Open XA codes.
const XA_OK: i32 = 0;
const XA_RDONLY: i32 = 3;

pub async fn conversation(c: &Conversation) {
    if !c.has(Operation::PrepareTx) {
        return;
    }
    two_phases(c).await;
    one_phase(c).await;
    rolled_back(c).await;
    if c.has(Operation::PrepareTx2) {
        recovery(c).await;
    }
}

fn xid(c: &Conversation, number: u8) -> Xid {
    let version = c.version.to_byte();
    Xid {
        format_id: -17,
        global_transaction_id: [&[b'g', version, number], c.who().as_bytes()].concat().into(),
        branch_qualifier: Bytes::copy_from_slice(&[b'b', number]),
    }
}

fn write(key: &Bytes, seen: Seen, value: &'static str) -> Modification {
    Modification { key: key.clone(), seen, change: Change::Put { expiration: immortal(), value: value.into() } }
}

async fn code(c: &Conversation, request: Request) -> i32 {
    match c.ask_with(&RequestOptions::cache("tx"), request).await.body {
        Body::XaCode(code) => code,
        other => panic!("{other:?}"),
    }
}

async fn value(c: &Conversation, key: &Bytes) -> Option<Bytes> {
    match c.ask_with(&RequestOptions::cache("tx"), Request::Get { key: key.clone() }).await.body {
        Body::Value(value) => Some(value),
        _ => None,
    }
}

async fn two_phases(c: &Conversation) {
    let (first, second) = (c.key("tx one"), c.key("tx two"));
    let modifications = vec![write(&first, Seen::NonExisting, "1"), write(&second, Seen::NotRead, "2")];
    let prepare = Request::PrepareTx { xid: xid(c, 1), one_phase_commit: false, modifications };
    assert_eq!(code(c, prepare).await, XA_OK);
    assert_eq!(code(c, Request::CommitTx { xid: xid(c, 1) }).await, XA_OK);
    assert_eq!(value(c, &first).await.as_deref(), Some(&b"1"[..]));
    assert_eq!(value(c, &second).await.as_deref(), Some(&b"2"[..]));
}

async fn one_phase(c: &Conversation) {
    let key = c.key("tx one");
    let modifications = vec![Modification { key: key.clone(), seen: Seen::NotRead, change: Change::Remove }];
    let prepare = Request::PrepareTx { xid: xid(c, 2), one_phase_commit: true, modifications };
    assert_eq!(code(c, prepare).await, XA_OK);
    assert_eq!(value(c, &key).await, None);
    let nothing = Request::PrepareTx { xid: xid(c, 3), one_phase_commit: true, modifications: Vec::new() };
    assert_eq!(code(c, nothing).await, XA_RDONLY);
}

async fn rolled_back(c: &Conversation) {
    let key = c.key("tx never");
    let modifications = vec![write(&key, Seen::NonExisting, "never")];
    let prepare = Request::PrepareTx { xid: xid(c, 4), one_phase_commit: false, modifications };
    assert_eq!(code(c, prepare).await, XA_OK);
    assert_eq!(code(c, Request::RollbackTx { xid: xid(c, 4) }).await, XA_OK);
    assert_eq!(value(c, &key).await, None);
    // Another version than the one that is there: the prepare is refused with a rollback code.
    let present = c.key("tx two");
    let modifications = vec![write(&present, Seen::Version(12_345), "stale")];
    let prepare = Request::PrepareTx { xid: xid(c, 5), one_phase_commit: false, modifications };
    let refused = code(c, prepare).await;
    assert!((100..=107).contains(&refused), "XA code {refused}");
    assert_eq!(value(c, &present).await.as_deref(), Some(&b"2"[..]));
}

async fn recovery(c: &Conversation) {
    let key = c.key("tx recovered");
    let modifications = vec![write(&key, Seen::NonExisting, "recovered")];
    let prepare = Request::PrepareTx2 {
        xid: xid(c, 6),
        one_phase_commit: false,
        recoverable: true,
        timeout: 60_000,
        modifications,
    };
    assert_eq!(code(c, prepare).await, XA_OK);
    // Only transactions that nobody has asked for in a while are told.
    let Body::Xids(_) = c.ask_with(&RequestOptions::cache("tx"), Request::FetchTxRecovery {}).await.body else {
        panic!()
    };
    assert_eq!(code(c, Request::CommitTx { xid: xid(c, 6) }).await, XA_OK);
    let forgotten = c.ask_with(&RequestOptions::cache("tx"), Request::ForgetTx { xid: xid(c, 6) }).await;
    assert!(forgotten.status.is_success(), "{forgotten:?}");
    assert_eq!(value(c, &key).await.as_deref(), Some(&b"recovered"[..]));
}
