//! The time until the first member is ready, or none can be.

use hotrod_core::cluster::Event;
use hotrod_core::session::Disconnect;
use hotrod_core::wire::Member;
use tokio::sync::oneshot;

use crate::Error;
use crate::error::DialError;

/// Waits for the first session.
pub(crate) struct Startup {
    ready: Option<oneshot::Sender<Result<(), Error>>>,
    /// Servers that have not failed yet.
    left: Vec<Member>,
    failures: Vec<DialError>,
}

impl Startup {
    pub(crate) fn new(servers: Vec<Member>) -> (Self, oneshot::Receiver<Result<(), Error>>) {
        let (ready, outcome) = oneshot::channel();
        (Self { ready: Some(ready), left: servers, failures: Vec::new() }, outcome)
    }

    /// Answers whether it is over.
    pub(crate) fn handle(&mut self, event: &Event) -> bool {
        match event {
            Event::MemberReady { .. } => self.finish(Ok(())),
            Event::MemberUnavailable { address: server, reason, .. } => {
                self.left.retain(|left| left != server);
                let name = server.to_string();
                if let Disconnect::LinkLost(problem) = &**reason {
                    self.failures.push(DialError { server: name, problem: problem.clone() });
                } else if !self.left.is_empty() {
                    self.failures.push(DialError { server: name, problem: reason.to_string() });
                } else {
                    // What a server says tells more than that others can't be reached.
                    return self.finish(Err(Error::Handshake { server: name, reason: reason.clone() }));
                }
                self.left.is_empty() && {
                    let failures = std::mem::take(&mut self.failures);
                    self.finish(Err(Error::Unreachable(failures.into())))
                }
            }
            _ => false,
        }
    }

    fn finish(&mut self, outcome: Result<(), Error>) -> bool {
        if let Some(ready) = self.ready.take() {
            // Nobody waits: the connect was given up.
            let _ = ready.send(outcome);
        }
        true
    }
}
