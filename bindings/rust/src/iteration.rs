//! Iterating over the entries of a cache.

use std::sync::Arc;
use std::vec;

use hotrod_core::wire::{Body, IterationEntry, Operation, Request, RequestOptions};

use crate::{Error, Session};

/// Entries of a cache, one after the other. Dropping it early ends the iteration in the server.
pub struct Iteration {
    session: Session,
    options: Arc<RequestOptions>,
    id: String,
    batch: vec::IntoIter<IterationEntry>,
    finished: bool,
}

impl Iteration {
    pub(crate) fn new(session: Session, options: Arc<RequestOptions>, id: String) -> Self {
        Self { session, options, id, batch: Vec::new().into_iter(), finished: false }
    }

    /// The next entry; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<IterationEntry>, Error> {
        loop {
            if let Some(entry) = self.batch.next() {
                return Ok(Some(entry));
            }
            if self.finished {
                return Ok(None);
            }
            let request = Request::IterationNext { iteration_id: self.id.clone() };
            let reply = self.session.execute(&self.options, &request, None).await?;
            match reply.body {
                Body::Iteration(batch) if reply.status.is_success() => {
                    self.finished = batch.entries.is_empty();
                    if self.finished {
                        self.end();
                    }
                    self.batch = batch.entries.into_iter();
                }
                // The server forgot the iteration: what was read so far is not everything.
                _ => {
                    self.finished = true;
                    let (server, operation) = (self.session.server().clone(), Operation::IterationNext);
                    return Err(Error::UnexpectedAnswer { server, operation });
                }
            }
        }
    }

    fn end(&self) {
        let request = Request::IterationEnd { iteration_id: self.id.clone() };
        self.session.submit_and_forget(&self.options, &request);
    }
}

impl Drop for Iteration {
    fn drop(&mut self) {
        if !self.finished {
            self.end();
        }
    }
}
