//! Members that prepared transactions: they end them with the fewest hops.

use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::wire::{Request, Xid};

/// Maximum number of remembered transactions. Of more the first in the order of their ids is forgotten: any member can end
/// a transaction, with a hop more.
const MAX_TRANSACTIONS: usize = 10_000;

impl Cluster {
    /// Remembers the member that prepared a transaction, until it is ended.
    pub(in crate::cluster) fn remember_transaction(&mut self, request: &Request, xid: &Xid, member: Option<MemberId>) {
        let is_prepared = matches!(
            request,
            Request::PrepareTx { one_phase_commit: false, .. } | Request::PrepareTx2 { one_phase_commit: false, .. }
        );
        match member {
            Some(member) if is_prepared => {
                if self.transactions.len() >= MAX_TRANSACTIONS {
                    self.transactions.pop_first();
                }
                self.transactions.insert(xid.clone(), member);
            }
            Some(_) => drop(self.transactions.remove(xid)),
            None => {}
        }
    }
}

/// The transaction of a request.
pub(in crate::cluster) fn transaction(request: &Request) -> Option<&Xid> {
    match request {
        Request::PrepareTx { xid, .. }
        | Request::PrepareTx2 { xid, .. }
        | Request::CommitTx { xid }
        | Request::RollbackTx { xid }
        | Request::ForgetTx { xid } => Some(xid),
        _ => None,
    }
}
