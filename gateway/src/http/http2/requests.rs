//! Events of the HTTP/2 machine: sessions that clients request, and their frames.

use hotrod_core::carriage::registry::INSIDE_FIELD;
use hotrod_core::carriage::{Form, Fragment, ReceivedSessionRequest, Refusal, ServerEvent, answer_ordinary_http2};
use hotrod_core::http2::{ErrorCode, StreamId};
use tokio::time::Instant as Clock;

use super::Server;
use crate::budget::STREAM;
use crate::connection::ConnectionLimit;
use crate::drain::Phase;
use crate::http::HERE;
use crate::http::endpoint::{RequestedMember, refusal_of};
use crate::http::session::Session;
use crate::metrics::Carriage;

impl Server<'_> {
    pub(super) fn handle_events(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                ServerEvent::SessionRequested { stream, request } => self.begin(stream, request),
                ServerEvent::Ordinary { stream, method, path } => self.answer(stream, &method, &path),
                ServerEvent::Request { stream, fragment } => self.request(stream, fragment),
                ServerEvent::Bytes { stream, bytes } => {
                    if let Some(session) = self.sessions.get_mut(&stream) {
                        session.bytes(bytes);
                    }
                }
                ServerEvent::Cancelled { stream, call, .. } => {
                    self.with_end(stream, |session, machine| session.cancelled(call, machine));
                }
                ServerEvent::Finished { stream } => {
                    self.with_end(stream, Session::finished);
                }
                ServerEvent::Ended { stream, .. } => self.remove(stream),
                ServerEvent::Drained => {
                    self.machine.close(ErrorCode::NO_ERROR, b"");
                    self.end("drained".into());
                }
                ServerEvent::Closed(reason) => {
                    self.end(reason.to_string());
                }
                // `Writable` needs no action: `poll_sessions` serves every session after the events. Further events are
                // information.
                _ => {}
            }
        }
    }

    fn request(&mut self, stream: StreamId, fragment: Fragment) {
        let (queued, max_queued) = (self.queued, self.receive_limits.max_queued());
        self.with(stream, |session, machine| {
            let room = (max_queued + session.queued_bytes()).saturating_sub(queued);
            session.request(fragment, room, machine);
        });
    }

    /// Begins a requested session, or refuses it.
    fn begin(&mut self, stream: StreamId, request: ReceivedSessionRequest) {
        let is_h2_inside =
            request.fields.iter().any(|field| field.name == INSIDE_FIELD.as_bytes() && field.value == "h2");
        if let Some(refusal) = self.refusal(&request) {
            self.shared.metrics.refused(self.context.over_limit.map_or("request", ConnectionLimit::reason));
            return refusal.answer_http2(&mut self.machine, stream);
        }
        let Some(counted) = self.context.session() else {
            self.shared.metrics.refused("tunnels");
            let why = "this connection has as many sessions as it may have (max-tunnels)";
            self.shared.sources.log_refusal(self.context.source.address(), "tunnels", &why);
            return Refusal::temporary(429).answer_http2(&mut self.machine, stream);
        };
        let memory = match self.budget.reserve(STREAM) {
            Ok(memory) => memory,
            Err(why) => {
                tracing::debug!(?stream, %why, "session refused");
                self.shared.metrics.refused("memory");
                return Refusal::temporary(429).answer_http2(&mut self.machine, stream);
            }
        };
        let requested = RequestedMember::of(self.shared, request.node.as_deref(), request.target.as_deref());
        let requested = match &self.context.inside {
            Some(outer) => requested.or(outer),
            None => requested,
        };
        if is_h2_inside && let Err(refusal) = self.shared.upstreams.check(requested.wanted()) {
            return refusal_of(&refusal).answer_http2(&mut self.machine, stream);
        }
        let is_framed = self.machine.form(stream) == Some(Form::Frames);
        let carriage = match request.target {
            _ if is_framed => Carriage::Frames,
            Some(_) => Carriage::Connect,
            None => Carriage::ExtendedConnect,
        };
        let mut session =
            Session::new(self.shared, stream, requested, carriage, self.context.clone(), (counted, memory));
        if is_h2_inside && !is_framed && self.context.inside.is_none() && self.phase == Phase::Serving {
            session.open(&mut self.machine);
        } else {
            session.connect();
        }
        self.sessions.insert(stream, session);
    }

    /// Refusal of a session that does not depend on its member.
    fn refusal(&self, request: &ReceivedSessionRequest) -> Option<Refusal> {
        if self.context.over_limit.is_some() {
            Some(Refusal::temporary(429))
        } else if request.is_foreign {
            Some(Refusal::new(501))
        } else if self.context.inside.is_some() && request.target.is_some() {
            Some(Refusal::new(405))
        } else if request.is_malformed || request.has_unknown_inside() {
            Some(Refusal::new(400))
        } else {
            None
        }
    }

    /// Answers an ordinary request.
    fn answer(&mut self, stream: StreamId, method: &str, path: &str) {
        self.empty_since = Clock::now();
        answer_ordinary_http2(&mut self.machine, stream, method, path, HERE);
    }
}
