//! Our endpoint, a server: it gets requests with content, and answers with as much.

use std::hint::black_box;

use hotrod_core::http2::{Config, Connection, Event, StreamId};
use hotrod_core::time::Instant;

use super::mix::{CONTENT, Client, DATA, EXCHANGES, response};
use crate::meter::part;

const NOW: Instant = Instant::from_micros(1_000_000);

/// What of it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Receive,
    Send,
}

pub fn exchanges(side: Side) -> Box<dyn FnMut()> {
    let client = Client::new();
    let mut server = Connection::server(config(), NOW);
    let mut requests = Vec::with_capacity(EXCHANGES);
    receive(&mut server, &client.first, &mut requests);
    respond(&mut server, &mut requests);
    let mut last = 1;
    let mut next = move || {
        last += 2;
        last
    };
    Box::new(move || {
        let bytes = client.exchanges(&mut next);
        measured_if(side == Side::Receive, || receive(&mut server, black_box(&bytes), &mut requests));
        assert_eq!(requests.len(), EXCHANGES);
        measured_if(side == Side::Send, || respond(&mut server, &mut requests));
    })
}

fn measured_if(is_measured: bool, work: impl FnOnce()) {
    if is_measured { part(work) } else { work() }
}

/// Time stands still: what earns its budget by time has all of it at once.
fn config() -> Config {
    let pings = hotrod_core::http2::Budget { burst: u32::MAX, per_second: u32::MAX };
    let mut config = Config::default();
    config.flood.pings = pings;
    config
}

fn receive(server: &mut Connection, bytes: &[u8], requests: &mut Vec<StreamId>) {
    server.receive_buffer().extend_from_slice(bytes);
    server.handle_filled(NOW);
    while let Some(event) = server.poll_event() {
        match black_box(event) {
            Event::Data { stream, data, end_stream } => {
                server.release(stream, data.len());
                if end_stream {
                    requests.push(stream);
                }
            }
            Event::Reset { .. } | Event::Closed(_) => panic!("the requests are sound"),
            _ => {}
        }
    }
}

fn respond(server: &mut Connection, requests: &mut Vec<StreamId>) {
    let fields = response();
    for stream in requests.drain(..) {
        server.respond(stream, &fields, false).expect("a request");
        (1..=DATA).for_each(|n| server.send_data(stream, CONTENT, n == DATA).expect("room"));
    }
    while !server.transmit().is_empty() {
        server.transmitted(black_box(server.transmit()).len());
    }
}
