//! The codec of the crate h2, which it shows behind its feature "unstable".

use std::hint::black_box;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use h2::Codec;
use h2::frame::{Data, Frame, Headers, Ping, Pseudo, StreamId, WindowUpdate};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::mix::{CONTENT, Client, DATA, EXCHANGES, FRAMES, OPAQUE, request};
use crate::meter::part;

pub fn receive() -> Box<dyn FnMut()> {
    let client = Client::new();
    let mut codec = Codec::<_, Bytes>::new(Memory::default());
    read(&mut codec, client.first_frames());
    let bytes = client.exchanges(|| 3);
    Box::new(move || {
        let count = part(|| read(&mut codec, black_box(&bytes)));
        assert_eq!(count, FRAMES * EXCHANGES as u64);
    })
}

fn read(codec: &mut Codec<Memory, Bytes>, bytes: &[u8]) -> u64 {
    let mut count = 0;
    let memory = codec.get_mut();
    memory.incoming.clear();
    memory.incoming.extend_from_slice(bytes);
    memory.read = 0;
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut *codec).poll_next(&mut context) {
        drop(black_box(frame.expect("a frame")));
        count += 1;
    }
    count
}

pub fn send() -> Box<dyn FnMut()> {
    let mut codec = Codec::<_, Bytes>::new(Memory::default());
    write(&mut codec, exchange());
    Box::new(move || {
        let frames: Vec<_> = (0..EXCHANGES).flat_map(|_| exchange()).collect();
        part(|| write(&mut codec, frames));
    })
}

fn write(codec: &mut Codec<Memory, Bytes>, frames: Vec<Frame<Bytes>>) {
    let mut context = Context::from_waker(Waker::noop());
    for frame in frames {
        assert!(codec.poll_ready(&mut context).is_ready(), "memory is always ready");
        codec.buffer(frame).expect("room");
    }
    assert!(codec.flush(&mut context).is_ready(), "memory is always ready");
    black_box(codec.get_ref().written);
}

/// As [`mix::exchange`](super::mix::exchange).
fn exchange() -> Vec<Frame<Bytes>> {
    let stream = StreamId::from(3);
    let mut fields = HeaderMap::new();
    for field in &request()[4..] {
        let name = http::HeaderName::from_bytes(&field.name).expect("a name");
        fields.insert(name, HeaderValue::from_bytes(&field.value).expect("a value"));
    }
    let uri = Uri::from_static("https://hotrod.apps.example.com/hotrod");
    let mut frames: Vec<Frame<Bytes>> =
        vec![Headers::new(stream, Pseudo::request(Method::POST, uri, None), fields).into()];
    for n in 1..=DATA {
        let mut data = Data::new(stream, CONTENT);
        data.set_end_stream(n == DATA);
        frames.push(data.into());
    }
    let increment = (DATA * CONTENT.len()) as u32;
    frames.push(WindowUpdate::new(stream, increment).into());
    frames.push(WindowUpdate::new(StreamId::zero(), increment).into());
    frames.push(Ping::new(OPAQUE.to_be_bytes()).into());
    frames
}

/// What it reads and writes: always ready, but for bytes that are not there.
#[derive(Default)]
struct Memory {
    incoming: Vec<u8>,
    read: usize,
    written: usize,
}

impl AsyncRead for Memory {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = &self.incoming[self.read..];
        if left.is_empty() {
            return Poll::Pending;
        }
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        self.read += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written += bytes.len();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = parts.iter().map(|part| part.len()).sum();
        self.written += count;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
