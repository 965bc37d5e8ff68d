//! hotrod-core's HTTP/2 and the crate h2, each in either role.

mod h2_client;
mod h2_server;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use hotrod_core::http2::hpack::Field;
use hotrod_core::http2::{Config, Connection, Event, Misuse, StreamId};
use hotrod_http2_interop::Host;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

/// More than all windows and queues together.
const LARGE: usize = 3 << 20;

/// A link whose pieces are small and of an odd size.
fn link() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(7_777)
}

fn config() -> Config {
    let mut config = Config::default();
    config.extension_frames = vec![0xf0];
    config.settings.enable_connect_protocol = true;
    config.settings.extensions = vec![(0xf000, 1)];
    config
}

fn content(size: usize) -> Bytes {
    (0..size).map(|index| (index / 3) as u8).collect()
}

fn field(name: &'static str, value: &'static str) -> Field {
    Field::new(name, value)
}

fn value<'a>(fields: &'a [Field], name: &str) -> &'a [u8] {
    fields.iter().find(|field| field.name == name.as_bytes()).map_or(b"", |field| &field.value)
}

/// What is still to be sent on a stream.
#[derive(Default)]
struct Backlog {
    data: BytesMut,
    is_last: bool,
}

/// A stream's content on its way, as its queue takes it.
#[derive(Default)]
struct Backlogs(BTreeMap<StreamId, Backlog>);

impl Backlogs {
    fn push(&mut self, connection: &mut Connection, stream: StreamId, data: &[u8], is_last: bool) {
        let backlog = self.0.entry(stream).or_default();
        backlog.data.extend_from_slice(data);
        backlog.is_last |= is_last;
        self.send(connection, stream);
    }

    /// As much as there is room for; the rest waits for [`Event::Writable`].
    fn send(&mut self, connection: &mut Connection, stream: StreamId) {
        let Some(backlog) = self.0.get_mut(&stream) else { return };
        loop {
            let room = connection.send_capacity(stream).min(backlog.data.len());
            let is_last = backlog.is_last && room == backlog.data.len();
            let data = if room == 0 && !is_last {
                backlog.data.clone().freeze()
            } else {
                backlog.data.split_to(room).freeze()
            };
            match connection.send_data(stream, data, is_last) {
                Ok(()) if !backlog.data.is_empty() => {}
                Ok(()) => {
                    if is_last {
                        self.0.remove(&stream);
                    }
                    return;
                }
                Err(Misuse::Full { .. }) => return,
                Err(_) => {
                    self.0.remove(&stream);
                    return;
                }
            }
        }
    }
}

/// Our server: sends back what comes, trailers included. Ends with the connection, and answers the events that were no
/// part of a message.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut host: Host<S>) -> Vec<Event> {
    let mut others = Vec::new();
    let mut backlogs = Backlogs::default();
    loop {
        match host.event().await {
            Event::Request { stream, fields, end_stream } => {
                let path = Field::new("x-path", value(&fields, ":path").to_vec());
                let protocol = Field::new("x-protocol", value(&fields, ":protocol").to_vec());
                let response = [field(":status", "200"), path, protocol];
                // The client may have reset it since.
                let _ = host.connection.respond(stream, &response, end_stream);
                if value(&fields, ":path") == b"/drain" {
                    let now = host.now();
                    host.connection.drain(now);
                }
            }
            Event::Data { stream, data, end_stream } => {
                host.connection.release(stream, data.len());
                backlogs.push(&mut host.connection, stream, &data, end_stream);
            }
            Event::Writable { stream } => backlogs.send(&mut host.connection, stream),
            Event::Trailers { stream, fields } => {
                assert!(backlogs.0.get(&stream).is_none_or(|backlog| backlog.data.is_empty()));
                host.connection.send_trailers(stream, &fields).unwrap();
            }
            Event::Drained => host.connection.close(hotrod_core::http2::ErrorCode::NO_ERROR, b""),
            Event::Closed(reason) => {
                others.push(Event::Closed(reason));
                host.flush().await;
                return others;
            }
            other => others.push(other),
        }
    }
}
