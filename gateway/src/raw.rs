//! Serves plain Hot Rod without HTTP.

use std::fmt;
use std::time::Duration;

use hotrod_core::carriage::NodeSelector;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::connection::{ConnectionEnd, Incoming};
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::opening::Opening;
use crate::relay::relay;
use crate::stream::Stream;

/// Time limit for the shutdown of a connection without a session.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// Closes a session that gets no member, as if its connection had been refused: a client would take an error for the answer
/// of a member, to its first PING for "version not supported", and would not try another.
async fn close_unanswered(mut stream: Stream, why: impl fmt::Display) -> ConnectionEnd {
    let _ = timeout(SHUTDOWN, stream.shutdown()).await;
    ConnectionEnd::early(why)
}

/// Serves a client that speaks Hot Rod.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming<'_>) -> ConnectionEnd {
    let Incoming { mut stream, source, first, over_limit, budget, .. } = incoming;
    if let Some(over_limit) = over_limit {
        shared.metrics.refused(over_limit.reason());
        return close_unanswered(stream, over_limit).await;
    }
    let opening = match Opening::read((shared, &budget), &mut stream, first).await {
        Ok(opening) => opening,
        Err(reason) => {
            let _ = timeout(SHUTDOWN, stream.shutdown()).await;
            return ConnectionEnd::early(reason);
        }
    };
    let mut upstream = match shared.connect((source, &budget), NodeSelector::Any, Carriage::Raw).await {
        Ok(upstream) => upstream,
        Err(refusal) => return close_unanswered(stream, refusal).await,
    };
    let relayed = relay(&mut stream, &mut upstream, opening, shared.relay_config(&budget)).await;
    ConnectionEnd {
        member: Some(upstream.member().clone()),
        to_member: relayed.to_member,
        to_client: relayed.to_client,
        reason: relayed.end.to_string(),
    }
}
