//! Members that prepared transactions: they end them with the fewest hops.

use alloc::collections::BTreeMap;

use crate::cluster::members::MemberId;
use crate::wire::{TransactionStep, Xid};

/// Maximum number of remembered transactions. Of more the first in the order of their ids is forgotten: any member can end
/// a transaction, with a hop more.
const MAX_TRANSACTIONS: usize = 10_000;

/// The member that prepared each transaction.
#[derive(Default)]
pub(in crate::cluster) struct PreparedTransactions(BTreeMap<Xid, MemberId>);

impl PreparedTransactions {
    /// The member that prepared a transaction, if it is remembered.
    pub(in crate::cluster) fn member_of(&self, xid: &Xid) -> Option<MemberId> {
        self.0.get(xid).copied()
    }

    /// Remembers the member that prepared a transaction, until the transaction is ended.
    pub(in crate::cluster) fn note(&mut self, step: TransactionStep<'_>, member: MemberId) {
        match step {
            TransactionStep::Prepares(xid) => {
                if self.0.len() >= MAX_TRANSACTIONS {
                    self.0.pop_first();
                }
                self.0.insert(xid.clone(), member);
            }
            TransactionStep::Ends(xid) => drop(self.0.remove(xid)),
            TransactionStep::None => {}
        }
    }
}
