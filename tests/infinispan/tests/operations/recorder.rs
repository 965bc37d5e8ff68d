//! Keeps the bytes of a conversation, to be written as golden vectors (format: spec/vectors/README.md).

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hotrod_core::wire::{Incoming, Intelligence, Limits, ReplyContext, ReplyDecoder, Request, RequestDecoder, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::meaning;

#[derive(Default)]
struct Tape {
    sent: Vec<u8>,
    received: Vec<u8>,
    vectors: Vec<Value>,
    /// How many vectors of a name there are: names are used once.
    names: BTreeMap<String, usize>,
    /// How many vectors say the same kind of thing: an operation, a role, a status and a shape.
    kinds: BTreeMap<String, usize>,
}

/// More vectors of a kind would add to the tests' time and not to what they prove.
const OF_A_KIND: usize = 2;

/// Access to what a [`Recording`] keeps.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Tape>>);

/// A stream that keeps what passes.
pub struct Recording<S> {
    stream: S,
    tape: Arc<Mutex<Tape>>,
}

impl<S> Recording<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, tape: Arc::default() }
    }

    pub fn recorder(&self) -> Recorder {
        Recorder(self.tape.clone())
    }
}

impl Recorder {
    /// What has passed since the last call.
    pub fn take(&self) -> (Vec<u8>, Vec<u8>) {
        let mut tape = self.0.lock().unwrap();
        (std::mem::take(&mut tape.sent), std::mem::take(&mut tape.received))
    }

    /// Makes vectors of an exchange that has just ended.
    pub fn record(&self, part: &str, version: Version, request: &Request) {
        if std::env::var_os("HOTROD_RECORD").is_none() {
            return;
        }
        let (sent, received) = self.take();
        let mut tape = self.0.lock().unwrap();
        let operation = request.operation();
        let asked = ReplyContext { operation, version, intelligence: Intelligence::HashDistributionAware };
        let mut requests = RequestDecoder::new(Limits::default());
        requests.receive(&sent);
        if let Some(Ok((header, request))) = requests.poll() {
            let meaning = meaning::request(&header, &request);
            tape.add(part, asked, "request", &sent, meaning);
        }
        let mut replies = ReplyDecoder::new(Limits::default());
        let mut from = 0;
        replies.receive(&received);
        while let Some(Ok(incoming)) = replies.poll(|_| Some(asked)) {
            let to = received.len() - replies.buffered();
            let role = if matches!(incoming, Incoming::Reply(_)) { "reply" } else { "event" };
            tape.add(part, asked, role, &received[from..to], meaning::incoming(&incoming));
            from = to;
        }
    }

    /// Appends the vectors to the file of their version.
    pub fn save(&self, version: Version) {
        let Some(folder) = std::env::var_os("HOTROD_RECORD") else { return };
        let path = PathBuf::from(folder).join(format!("hotrod-{version}.json"));
        let mut all: Vec<Value> =
            std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        all.append(&mut self.0.lock().unwrap().vectors);
        let lines: Vec<String> = all.iter().map(Value::to_string).collect();
        std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
}

impl Tape {
    fn add(&mut self, part: &str, asked: ReplyContext, role: &str, bytes: &[u8], meaning: Value) {
        let operation = asked.operation.name();
        let kind = format!("{operation} {role} {} {}", meaning["status"], meaning["body"]["shape"]);
        let of_a_kind = self.kinds.entry(kind).or_default();
        *of_a_kind += 1;
        if *of_a_kind > OF_A_KIND {
            return;
        }
        let name = format!("{part}: {} {role}", operation.to_lowercase());
        let count = self.names.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name} {count}") };
        self.vectors.push(json!({
            "name": name,
            "version": asked.version.to_string(),
            "role": role,
            "operation": operation,
            "intelligence": asked.intelligence.to_byte(),
            "hex": meaning::hex(bytes),
            "meaning": meaning,
        }));
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recording<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.tape.lock().unwrap().received.extend_from_slice(&buffer.filled()[before..]);
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recording<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &result {
            self.tape.lock().unwrap().sent.extend_from_slice(&bytes[..*count]);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
