//! Large values, read and written in chunks.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use hotrod_core::cluster::MemberId;
use hotrod_core::vocabulary::Chunk;
use hotrod_core::wire::{Expiration, Metadata, Operation, Request};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::codec::{Codec, Encode, Raw};
use crate::conversion::Decoder;
use crate::{Cache, Conditional, Error};

/// Length of a chunk in bytes.
const CHUNK: usize = 64 << 10;

/// Condition of a [`Cache::write_stream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WriteIf {
    /// None: stores the value, whether or not there is one.
    #[default]
    Always,
    /// There is no entry.
    Absent,
    /// The entry still has this version.
    Unmodified(u64),
}

impl WriteIf {
    /// The version that the protocol has for it.
    fn entry_version(self) -> u64 {
        match self {
            Self::Always => 0,
            Self::Absent => u64::MAX,
            Self::Unmodified(version) => version,
        }
    }
}

impl<K: Codec, V: Codec> Cache<K, V> {
    /// Opens the value of a key for reading in chunks of 64 KiB (4.1 and later); `None` if there is none. Its bytes
    /// are not decoded.
    ///
    /// ```no_run
    /// # async fn example(cache: hotrod_tokio::Cache) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(mut value) = cache.read_stream("film").await? {
    ///     tokio::io::copy(&mut value, &mut tokio::io::sink()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_stream<Q>(&self, key: Q) -> Result<Option<ValueReader>, Error>
    where
        K: Encode<Q>,
    {
        let request = Request::StartGetStream { key: self.encode_key(key)?, chunk_length: CHUNK as u32 };
        let (member, first): (_, Option<Chunk>) = self.run_on(None, request).await?;
        let Some(Chunk { stream_id, complete, metadata, chunk }) = first else { return Ok(None) };
        let cache = self.converted(self.handle.clone(), Raw, Raw);
        let state = if complete { State::Ended } else { State::Open };
        let metadata = metadata.unwrap_or_default();
        Ok(Some(ValueReader { cache, member, stream_id, metadata, chunk, next: None, state }))
    }

    /// Opens the value of a key for writing in chunks of 64 KiB (4.1 and later). It is stored by
    /// [`finish`](ValueWriter::finish) or a shutdown of the writer. Its bytes are not encoded. Servers
    /// refuse an empty value here (16.0.7); `put` stores it.
    ///
    /// ```no_run
    /// use hotrod_tokio::WriteIf;
    /// use hotrod_tokio::core::wire::Expiration;
    ///
    /// # async fn example(cache: hotrod_tokio::Cache) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut value = cache.write_stream("film", Expiration::DEFAULT, WriteIf::Absent).await?;
    /// tokio::io::copy(&mut &b"frames"[..], &mut value).await?;
    /// assert!(value.finish().await?.executed);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_stream<Q>(
        &self,
        key: Q,
        expiration: Expiration,
        condition: WriteIf,
    ) -> Result<ValueWriter<V>, Error>
    where
        K: Encode<Q>,
    {
        let key = self.encode_key(key)?;
        let key_length = key.len();
        let request = Request::StartPutStream { key, expiration, entry_version: condition.entry_version() };
        let (member, stream_id): (_, i64) = self.run_on(None, request).await?;
        let cache = self.converted(self.handle.clone(), Raw, self.values.clone());
        let stream_id = stream_id as i32;
        let (held, state) = (BytesMut::new(), State::Open);
        Ok(ValueWriter { cache, member, stream_id, key_length, held, sending: None, outcome: None, state })
    }
}

/// A request of a stream in flight.
type Step<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// State of a stream on its member.
#[derive(Clone)]
enum State {
    Open,
    /// The last chunk was received or sent.
    Ended,
    /// A chunk may be lost: the stream can't continue.
    Failed(Error),
}

/// A value that is read in chunks, from [`Cache::read_stream`]. Dropping it early ends the stream on its member.
///
/// A failed read returns the [`Error`] in an [`io::Error`], and every further read the same: the stream is bound to
/// one member.
pub struct ValueReader {
    cache: Cache,
    member: Option<MemberId>,
    stream_id: i32,
    metadata: Metadata,
    chunk: Bytes,
    next: Option<Step<Option<Chunk>>>,
    state: State,
}

impl ValueReader {
    /// Version and lifetimes of the entry.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Waits for the next chunk.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (cache, member) = (&self.cache, self.member);
        let step = self.next.get_or_insert_with(|| {
            let (cache, request) = (cache.clone(), Request::NextGetStream { stream_id: self.stream_id });
            Box::pin(async move { Ok(cache.run_on(member, request).await?.1) })
        });
        let received = ready!(step.as_mut().poll(cx));
        self.next = None;
        let missing = Error::UnexpectedAnswer { operation: Operation::NextGetStream };
        match received.and_then(|chunk| chunk.ok_or(missing)) {
            Ok(chunk) => {
                self.chunk = chunk.chunk;
                if chunk.complete {
                    self.state = State::Ended;
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.state = State::Failed(error.clone());
                Poll::Ready(Err(error))
            }
        }
    }
}

impl AsyncRead for ValueReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let reader = self.get_mut();
        while reader.chunk.is_empty() {
            match &reader.state {
                State::Open => ready!(reader.poll_chunk(cx)).map_err(io::Error::other)?,
                State::Ended => return Poll::Ready(Ok(())),
                State::Failed(error) => return Poll::Ready(Err(io::Error::other(error.clone()))),
            }
        }
        let length = reader.chunk.len().min(out.remaining());
        out.put_slice(&reader.chunk[..length]);
        reader.chunk.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl Drop for ValueReader {
    fn drop(&mut self) {
        if !matches!(self.state, State::Ended) {
            end(&self.cache, self.member, Request::EndGetStream { stream_id: self.stream_id });
        }
    }
}

/// A value that is written in chunks, from [`Cache::write_stream`]. Dropped before the value is stored, it ends the
/// stream on its member, and nothing is stored.
///
/// The last chunk stays in the writer until [`finish`](Self::finish) or a shutdown, whatever is flushed: the protocol
/// marks it. A failed write returns the [`Error`] in an [`io::Error`], and every further write the same.
pub struct ValueWriter<V: Codec = Raw> {
    cache: Cache<Raw, V>,
    member: Option<MemberId>,
    stream_id: i32,
    key_length: usize,
    held: BytesMut,
    sending: Option<Step<Conditional>>,
    outcome: Option<Conditional>,
    state: State,
}

impl<V: Codec> ValueWriter<V> {
    /// Stores the value. Its outcome is that of [`put_if_absent`](Cache::put_if_absent) or of a `put`: `executed` is
    /// false if the condition did not hold.
    pub async fn finish(mut self) -> Result<Conditional<V::Value>, Error> {
        poll_fn(|cx| self.poll_finish(cx)).await?;
        let unexpected = Error::UnexpectedAnswer { operation: Operation::NextPutStream };
        let outcome = self.outcome.clone().ok_or(unexpected)?;
        Decoder { cache: &self.cache, key_length: Some(self.key_length) }.conditional(outcome)
    }

    /// Waits for the answer to the chunk in flight.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(step) = &mut self.sending {
            let outcome = ready!(step.as_mut().poll(cx));
            self.sending = None;
            match outcome {
                Ok(outcome) if matches!(self.state, State::Ended) => self.outcome = Some(outcome),
                Ok(_) => {}
                Err(error) => self.state = State::Failed(error),
            }
        }
        Poll::Ready(match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::Open | State::Ended => Ok(()),
        })
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.poll_sent(cx))?;
        if matches!(self.state, State::Open) {
            self.send(true);
            self.state = State::Ended;
        }
        self.poll_sent(cx)
    }

    /// Sends what is held.
    fn send(&mut self, last: bool) {
        let chunk = self.held.split().freeze();
        let request = Request::NextPutStream { stream_id: self.stream_id, last, chunk };
        let (cache, member) = (self.cache.clone(), self.member);
        self.sending = Some(Box::pin(async move { Ok(cache.run_on(member, request).await?.1) }));
    }
}

impl<V: Codec> AsyncWrite for ValueWriter<V> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let writer = self.get_mut();
        if matches!(writer.state, State::Ended) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the value is already stored")));
        }
        if writer.held.len() == CHUNK || matches!(writer.state, State::Failed(_)) {
            ready!(writer.poll_sent(cx)).map_err(io::Error::other)?;
            writer.send(false);
            // Starts the request; its answer is awaited with the next chunk.
            if let Poll::Ready(Err(error)) = writer.poll_sent(cx) {
                return Poll::Ready(Err(io::Error::other(error)));
            }
        }
        let length = bytes.len().min(CHUNK - writer.held.len());
        writer.held.extend_from_slice(&bytes[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_sent(cx).map_err(io::Error::other)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx).map_err(io::Error::other)
    }
}

impl<V: Codec> Drop for ValueWriter<V> {
    fn drop(&mut self) {
        if self.outcome.is_none() {
            end(&self.cache, self.member, Request::EndPutStream { stream_id: self.stream_id });
        }
    }
}

/// No field is pinned.
impl<V: Codec> Unpin for ValueWriter<V> {}

/// Ends a stream in a task of its own; without an answer the server ends it by its own rules.
fn end<K: Codec, V: Codec>(cache: &Cache<K, V>, member: Option<MemberId>, request: Request) {
    let cache = cache.clone();
    let shared = cache.client.shared.clone();
    shared.spawn(async move {
        let _ = cache.execute_on(member, request).await;
    });
}
