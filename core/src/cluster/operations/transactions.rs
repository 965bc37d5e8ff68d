//! Members that prepared transactions: they end them with the fewest hops.

use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::wire::TransactionStep;

/// Maximum number of remembered transactions. Of more the first in the order of their ids is forgotten: any member can end
/// a transaction, with a hop more.
const MAX_TRANSACTIONS: usize = 10_000;

impl Cluster {
    /// Remembers the member that prepared a transaction, until the transaction is ended.
    pub(in crate::cluster) fn remember_transaction(&mut self, step: TransactionStep<'_>, member: MemberId) {
        match step {
            TransactionStep::Prepares(xid) => {
                if self.transactions.len() >= MAX_TRANSACTIONS {
                    self.transactions.pop_first();
                }
                self.transactions.insert(xid.clone(), member);
            }
            TransactionStep::Ends(xid) => drop(self.transactions.remove(xid)),
            TransactionStep::None => {}
        }
    }
}
