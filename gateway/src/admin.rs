//! The admin port: /healthz, /readyz, /metrics.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::config::Role;
use crate::gateway::Shared;
use crate::metrics;

/// Upper bound on connections. A further one closes the oldest.
const MOST: usize = 64;
/// Time limit for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for a connection: one request and its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until dropped; its connections end then.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let mut places = Places::default();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                if places.make_room() {
                    shared.metrics.refused("admin");
                }
                places.fill(answer_one(shared.clone(), socket));
            }
            Err(error) => {
                warn!("can't accept a connection at the admin port: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Open connections. Each has one request, so the oldest has been idle longest.
#[derive(Default)]
struct Places {
    connections: JoinSet<()>,
    /// In the order of acceptance; ended ones are removed lazily.
    by_age: VecDeque<AbortHandle>,
}

impl Places {
    /// Closes the oldest connection if there are [`MOST`] of them; returns whether it did.
    fn make_room(&mut self) -> bool {
        while self.connections.try_join_next().is_some() {}
        self.by_age.retain(|connection| !connection.is_finished());
        let oldest = if self.by_age.len() < MOST { None } else { self.by_age.pop_front() };
        if let Some(oldest) = &oldest {
            oldest.abort();
        }
        oldest.is_some()
    }

    fn fill(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        self.by_age.push_back(self.connections.spawn(connection));
    }
}

/// Answers one request. There is no keep-alive: probes do not need it, and idle connections would count against the bound.
async fn answer_one(shared: Arc<Shared>, socket: TcpStream) {
    let answer = service_fn(|request| {
        let response = answer(&shared, &request);
        async { Ok::<_, Infallible>(response) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(16 << 10).keep_alive(false);
    match timeout(ANSWER_TIMEOUT, server.serve_connection(TokioIo::new(socket), answer)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("admin port: {error}"),
        Err(_) => debug!("admin port: the answer was not taken within {} s", ANSWER_TIMEOUT.as_secs()),
    }
}

fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET or HEAD\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/healthz" => response(StatusCode::OK, "text/plain", "alive\n".into()),
        "/readyz" => {
            let (is_ready, body) = readiness(shared);
            let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            response(status, "application/json", format!("{body:#}\n"))
        }
        "/metrics" => response(StatusCode::OK, metrics::CONTENT_TYPE, shared.metrics.text()),
        _ => response(StatusCode::NOT_FOUND, "text/plain", "/healthz, /readyz, /metrics\n".into()),
    }
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Readiness: whether new sessions are served, with the reasons if not.
fn readiness(shared: &Shared) -> (bool, Value) {
    let health = shared.health.borrow().clone();
    let members = shared.membership.present();
    let is_draining = shared.drain.is_draining();
    let is_full = shared.places.available_permits() == 0;
    let mut reasons = Vec::new();
    if is_draining {
        reasons.push("the gateway is about to stop".to_string());
    }
    if is_full {
        reasons.push("there are as many connections as there may be".to_string());
    }
    if health.answering.is_none() {
        reasons.push(health.problem.clone().unwrap_or_else(|| "no member answers".into()));
    }
    let (role, node) = match &shared.config.role {
        Role::Sidecar { node_name, .. } => ("sidecar", Some(node_name)),
        Role::Front { node_name, .. } => ("front", node_name.as_ref()),
    };
    let body = json!({
        "ready": reasons.is_empty(),
        "reasons": reasons,
        "role": role,
        "node": node,
        "draining": is_draining,
        "upstream": {
            "answering": health.answering.map(|member| member.to_string()),
            "problem": health.problem,
        },
        "membership": {
            "known_by": members.known_by.name(),
            "own": members.own.map(|own| own.to_string()),
            "members": members.all.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "outside_member_hosts": members.refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
    });
    (reasons.is_empty(), body)
}
