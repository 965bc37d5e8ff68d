//! Serves plain Hot Rod without HTTP.

use std::time::Duration;

use hotrod_core::carriage::NodeSelector;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::connection::{ConnectionEnd, Incoming};
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::opening::Opening;
use crate::relay::relay;

/// Time limit for the shutdown of a connection without a session.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Serves a client that speaks Hot Rod.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming<'_>) -> ConnectionEnd {
    let Incoming { mut stream, source, first, over_limit, budget, .. } = incoming;
    if let Some(over_limit) = over_limit {
        shared.metrics.refused(over_limit.reason());
        let mut opening = Opening::new(shared.config.limits.request);
        // After a fault the error reply that names it is queued.
        let _ = opening.receive(&first);
        opening.refuse(shared, &mut stream, &over_limit.to_string()).await;
        return ConnectionEnd::early(over_limit);
    }
    let mut opening = match Opening::read((shared, &budget), &mut stream, first).await {
        Ok(opening) => opening,
        Err(reason) => {
            let _ = timeout(SHUTDOWN, stream.shutdown()).await;
            return ConnectionEnd::early(reason);
        }
    };
    let mut upstream = match shared.connect((source, &budget), NodeSelector::Any, Carriage::Raw).await {
        Ok(upstream) => upstream,
        Err(refusal) => {
            opening.refuse(shared, &mut stream, &refusal.to_string()).await;
            return ConnectionEnd::early(refusal);
        }
    };
    let relayed = relay(&mut stream, &mut upstream, opening, shared.relay_config(&budget)).await;
    ConnectionEnd {
        member: Some(upstream.member().clone()),
        to_member: relayed.to_member,
        to_client: relayed.to_client,
        reason: relayed.end.to_string(),
    }
}
