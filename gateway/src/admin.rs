//! The port for those who run the gateway: /healthz, /readyz, /metrics.

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
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::config::Role;
use crate::gateway::Shared;
use crate::metrics;

/// Connections at a time; more wait.
const MOST: usize = 64;
/// A client that has not sent the head of a request after so long is left.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is dropped.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                warn!("can't accept a connection at the admin port: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let response = answer(&shared, &request);
                async { Ok::<_, Infallible>(response) }
            });
            let mut server = http1::Builder::new();
            let server = server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(16 << 10);
            if let Err(error) = server.serve_connection(TokioIo::new(socket), answer).await {
                debug!("admin port: {error}");
            }
            drop(place);
        });
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

/// Whether new sessions would be served, and why not.
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
