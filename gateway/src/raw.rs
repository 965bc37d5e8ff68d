//! Hot Rod as it is: every byte is passed on.

use std::time::Duration;

use hotrod_core::carriage::NodeSelector;
use hotrod_core::session::ServerSession;
use hotrod_core::wire::{Body, Limits, Operation, Reply, RequestHeader, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::connection::{Ended, Incoming};
use crate::gateway::Shared;
use crate::metrics::Carriage;
use crate::opening::Opening;
use crate::relay::relay;
use crate::stream::Stream;

/// The first request of a client that is turned away: longer ones are not answered.
const FIRST_REQUEST: usize = 64 << 10;
/// Time for it to come, and for the answer to go.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves a client that speaks Hot Rod.
pub(crate) async fn serve(shared: &Shared, incoming: Incoming<'_>) -> Ended {
    let Incoming { mut stream, source, mut first, surplus, budget, .. } = incoming;
    if let Some(surplus) = surplus {
        shared.metrics.refused(surplus.reason());
        refuse(&mut stream, &first, &surplus.to_string()).await;
        return Ended::early(surplus);
    }
    let opening = match Opening::read((shared, &budget), &mut stream, &mut first).await {
        Ok(opening) => opening,
        Err(reason) => {
            let _ = timeout(PATIENCE, stream.shutdown()).await;
            return Ended::early(reason);
        }
    };
    let mut upstream = match shared.connect((source, &budget), NodeSelector::Any, Carriage::Raw).await {
        Ok(upstream) => upstream,
        Err(refusal) => {
            refuse(&mut stream, &first, &refusal.to_string()).await;
            return Ended::early(refusal);
        }
    };
    drop(first);
    let relayed = relay(&mut stream, &mut upstream, opening, shared.relaying(&budget)).await;
    Ended {
        member: Some(upstream.member().clone()),
        to_member: relayed.to_member,
        to_client: relayed.to_client,
        reason: relayed.end.to_string(),
    }
}

/// Answers the first request with an error that tells a client to try another server, or later, and closes.
async fn refuse(stream: &mut Stream, first: &[u8], why: &str) {
    let answered = async {
        let mut session = ServerSession::new(Limits { message: FIRST_REQUEST, ..Limits::default() }, FIRST_REQUEST);
        session.handle_received(first);
        while session.fault().is_none() {
            if let Some((header, request)) = session.poll_request() {
                answer(&mut session, &header, request.operation(), why);
                break;
            }
            if session.fault().is_none() && stream.read_buf(session.receive_buffer()).await? == 0 {
                break;
            }
        }
        stream.write_all(&session.transmit().to_bytes()).await?;
        stream.shutdown().await
    };
    // Whoever does not wait for it has no need of it.
    let _ = timeout(PATIENCE, answered).await;
}

fn answer(session: &mut ServerSession, header: &RequestHeader, operation: Operation, why: &str) {
    let reply = Reply {
        message_id: header.message_id,
        status: Status::ILLEGAL_LIFECYCLE_STATE,
        topology: None,
        body: Body::Error(why.into()),
    };
    session.reply(header, operation, &reply);
}
