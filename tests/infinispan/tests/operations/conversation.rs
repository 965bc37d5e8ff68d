//! A conversation in one protocol version, whose operations are checked, and recorded where it is a session's.

use std::time::Duration;

use bytes::Bytes;
use hotrod_core::session::{Config, Disconnect, OperationError, VersionChoice};
use hotrod_core::wire::{
    Body, Expiration, Flags, Lifetime, Operation, Reply, Request, RequestOptions, Status, Version,
};
use hotrod_tokio::{Client, Error, Session};
use infinispan_harness::Cluster;
use tokio::net::TcpStream;

use crate::recorder::{Recorder, Recording};
use crate::speaker::{Speaker, WholeClient};

pub struct Conversation {
    pub speaker: Speaker,
    pub version: Version,
    pub options: RequestOptions,
    pub recorder: Recorder,
    /// Before every name; empty for a session.
    who: String,
    part: String,
}

impl Conversation {
    /// `None` if the server is too old for the version.
    pub async fn begin(cluster: &Cluster, version: Version, part: &str) -> Option<Self> {
        let endpoint = &cluster.endpoints()[0];
        let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let recording = Recording::new(stream);
        let recorder = recording.recorder();
        let mut config = Config::default();
        config.version = VersionChoice::Exactly(version);
        let session = match Session::start(recording, "infinispan", config).await {
            Ok(session) => session,
            Err(Error::Handshake { reason, .. }) => {
                // An older server says so; anything else is a failure.
                assert!(infinispan_harness::is_older_line(), "{version}: {reason}");
                assert!(matches!(*reason, Disconnect::VersionRefused { .. }), "{version}: {reason}");
                return None;
            }
            Err(error) => panic!("{version}: {error}"),
        };
        recorder.take();
        let options = RequestOptions::cache("local");
        Some(Self {
            speaker: Speaker::Session(session),
            version,
            options,
            recorder,
            who: String::new(),
            part: part.into(),
        })
    }

    /// By a whole client over a carriage.
    pub fn by_client(client: Client, version: Version, carriage: &str, part: &str) -> Self {
        let (speaker, options) = (Speaker::Client(WholeClient::new(client)), RequestOptions::cache("local"));
        let (who, part) = (format!("{carriage}-"), part.into());
        Self { speaker, version, options, recorder: Recorder::default(), who, part }
    }

    pub async fn end(&self) {
        self.recorder.save(self.version);
        self.speaker.close().await;
    }

    /// Whether this version (and the server) has the operation.
    pub fn has(&self, operation: Operation) -> bool {
        let row = operation.row();
        let known = self.speaker.operations();
        row.since <= self.version && (known.is_empty() || known.contains(&row.request_opcode.into()))
    }

    /// A key that no other part, version or carriage uses.
    pub fn key(&self, name: &str) -> Bytes {
        Bytes::from(format!("{}{}-{}-{name}", self.who, self.part, self.version))
    }

    /// What tells this conversation from those over other carriages; empty for a session.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// A name that no other version or carriage uses.
    pub fn name(&self, kind: &str) -> String {
        format!("{}{kind}-{}", self.who, self.version)
    }

    /// Executes an operation that succeeds or tells "no" by its status.
    pub async fn ask(&self, request: Request) -> Reply {
        self.ask_with(&self.options, request).await
    }

    pub async fn ask_with(&self, options: &RequestOptions, request: Request) -> Reply {
        let operation = request.operation();
        self.try_ask(options, request).await.unwrap_or_else(|error| panic!("{operation} in {}: {error}", self.version))
    }

    pub async fn try_ask(&self, options: &RequestOptions, request: Request) -> Result<Reply, Error> {
        let result = self.speaker.execute(options, &request, Some(Duration::from_secs(20))).await;
        self.recorder.record(&self.part, self.version, &request);
        result
    }

    /// The error with which the client refuses a request; the vectors have none of it.
    pub async fn not_sent(&self, request: Request) -> String {
        self.speaker.execute(&self.options, &request, None).await.expect_err("it was sent").to_string()
    }

    /// The error with which the server answers.
    pub async fn refused(&self, options: &RequestOptions, request: Request) -> (Status, String) {
        match self.try_ask(options, request).await {
            Err(Error::Operation { error: OperationError::Server { status, message, .. }, .. }) => (status, message),
            other => panic!("expected an error of the server, got {other:?}"),
        }
    }

    pub async fn put(&self, key: &Bytes, value: &'static str) {
        let reply = self.ask(Request::Put { key: key.clone(), expiration: immortal(), value: value.into() }).await;
        assert_eq!((reply.status, reply.body), (Status::SUCCESS, Body::Nothing));
    }

    pub async fn get(&self, key: &Bytes) -> Option<Bytes> {
        match self.ask(Request::Get { key: key.clone() }).await.body {
            Body::Value(value) => Some(value),
            Body::Nothing => None,
            other => panic!("{other:?}"),
        }
    }

    /// Options that ask for the previous value.
    pub fn with_previous(&self) -> RequestOptions {
        let mut options = self.options.clone();
        options.flags = Flags::FORCE_RETURN_VALUE;
        options
    }
}

pub fn immortal() -> Expiration {
    Expiration { lifespan: Lifetime::Infinite, max_idle: Lifetime::Infinite }
}

/// The value in a body that carries a previous one.
pub fn previous(body: &Body) -> Option<&Bytes> {
    match body {
        Body::Previous(previous) => previous.as_ref().map(|previous| &previous.value),
        other => panic!("expected a previous value, got {other:?}"),
    }
}
