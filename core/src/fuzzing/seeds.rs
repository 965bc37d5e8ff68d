//! Seeds of the fuzz targets: a message of every kind, and scripts for the machines.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;

use super::http2::http2_seeds;
use super::input::Input;
use super::script::{
    ANSWER, ANSWER_OLDEST, CANCEL, CORRUPT, EVENT, POLL, POLL_ALL, RARELY, RAW, RECEIVE, RECEIVE_ALL, SUBMIT, TIMEOUT,
    TRANSMIT, TRANSMIT_ALL, WAIT,
};
use super::{carriage, hpack, protostream, sample_requests, samples};
use crate::sasl::Mechanism;
use crate::wire::{
    Body, Envelope, Intelligence, Operation, Reply, ReplyContext, RequestOptions, SendBuffer, Status, Version,
    write_counter_event, write_event, write_reply, write_request,
};

/// Seed of a target.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Name of the target.
    pub target: &'static str,
    /// File name of the seed.
    pub name: String,
    /// Input bytes.
    pub bytes: Vec<u8>,
}

/// Chunking: 7 and 2 bytes in turn, read in place.
const PIECES: [u8; 3] = [0x0a, 6, 1];

fn position<T: PartialEq>(of: &T, all: &[T]) -> u8 {
    all.iter().position(|one| one == of).unwrap_or_default() as u8
}

/// Input of the target `reply` for these bytes from a server.
pub fn reply_seed(operation: Operation, version: Version, intelligence: Intelligence, bytes: &[u8]) -> Vec<u8> {
    let operation = operation as u8;
    let version = position(&version, &Version::ALL);
    let choices = [operation, operation, version, 3 - intelligence.to_byte(), 0];
    [&choices[..], &PIECES, bytes].concat()
}

/// Input of the target `request` for these bytes from a client.
pub fn request_seed(bytes: &[u8]) -> Vec<u8> {
    [&[0][..], &PIECES, bytes].concat()
}

/// Input of the target `scanner` from an input of `reply` or `request`.
fn scanner_seed(of: &Seed) -> Option<Seed> {
    let choice = match of.target {
        "reply" => 0,
        "request" => 1,
        _ => return None,
    };
    let bytes = [&[choice], &of.bytes[..]].concat();
    Some(Seed { target: "scanner", name: format!("{}-{}", of.target, of.name), bytes })
}

/// Input of the target `event` for these bytes from a server.
pub fn event_seed(bytes: &[u8]) -> Vec<u8> {
    // Zeros select the two generated events.
    [&EVENT_CHOICES[..], &[0], &PIECES, bytes].concat()
}

/// Input of the target `http1_client` for these bytes from a server. (`http1_server` uses the form of `request`.)
pub fn answer_seed(by_connect: bool, bytes: &[u8]) -> Vec<u8> {
    [&[by_connect.into(), 0][..], &PIECES, bytes].concat()
}

/// Number of bytes from which `samples` selects the smallest event of each kind.
const EVENT_CHOICES: [u8; 42] = [0; 42];

/// All seeds, in a deterministic order.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = messages();
    let latest = format!("-{}", Version::LATEST);
    let scanned: Vec<Seed> = seeds.iter().filter(|seed| seed.name.contains(&latest)).filter_map(scanner_seed).collect();
    seeds.extend(scanned);
    seeds.extend(long_values());
    seeds.extend(scripts());
    seeds.extend(exchanges());
    seeds.extend(clusters());
    seeds.extend(heads());
    seeds.extend(http2_seeds());
    seeds.extend(hpack::seeds());
    seeds.extend(protostream::seeds());
    seeds.extend(carriage::seeds());
    seeds
}

/// Heads of Upgrade, CONNECT, pipelined and chunked requests, and of responses; the fuzzers also get the heads of `spec/vectors`.
fn heads() -> Vec<Seed> {
    let requests = [
        ("upgrade", "GET /a HTTP/1.1\r\nHost: x:1\r\nConnection: Upgrade\r\nUpgrade: h2c, hotrod\r\n\r\nbehind"),
        ("connect", "CONNECT [::1]:1 HTTP/1.1\r\nHost: x\r\n\r\nbehind"),
        (
            "pipelined",
            "POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\nHEAD / HTTP/1.1\r\nHost:\r\n\r\n",
        ),
        ("chunked", "POST /%41?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ];
    let answers = [
        ("switched", "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: HotRod\r\nSet-Cookie: a=b\r\n\r\nbehind"),
        ("connected", "HTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.0 200 OK\r\n\r\n"),
        ("refused", "HTTP/1.1 503 x\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: 1 Jan 94 0:0:0\r\n\r\n"),
    ];
    let seed = |target, name: &str, bytes| Seed { target, name: name.into(), bytes };
    let requests = requests.map(|(name, text)| seed("http1_server", name, request_seed(text.as_bytes())));
    let answers =
        answers.map(|(name, text)| seed("http1_client", name, answer_seed(name == "connected", text.as_bytes())));
    requests.into_iter().chain(answers).collect()
}

/// Scripts of a client with several members: steps in different orders.
fn clusters() -> Vec<Seed> {
    let step = |seed: usize, n: usize| (n * n * (2 * seed + 1) + n * 7 + seed) as u8;
    let life = |seed| (0..600).map(|n| step(seed, n)).collect();
    // Opens links and replies to the machine's requests before the other steps.
    let settled = |seed| [vec![0; 6], [6, 0, 3, 0].repeat(8), life(seed)].concat();
    (0..20).map(|seed| Seed { target: "cluster", name: format!("life-{seed}"), bytes: settled(seed) }).collect()
}

/// A request and some replies of every operation in every version, and some events.
fn messages() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for row in Operation::table() {
        for version in Version::ALL {
            let name = format!("{}-{version}", row.name.to_ascii_lowercase());
            let bytes = request_seed(&request(row.operation, version));
            seeds.push(Seed { target: "request", name: name.clone(), bytes });
            for status in [Status::SUCCESS, Status::SUCCESS_WITH_PREVIOUS, Status::SERVER_ERROR] {
                let intelligence = Intelligence::HashDistributionAware;
                let bytes = reply(status, ReplyContext { operation: row.operation, version, intelligence });
                let bytes = reply_seed(row.operation, version, intelligence, &bytes);
                seeds.push(Seed { target: "reply", name: format!("{name}-{:02x}", status.0), bytes });
            }
        }
    }
    for (index, bytes) in events().into_iter().enumerate() {
        seeds.push(Seed { target: "event", name: format!("{index}"), bytes: event_seed(&bytes) });
    }
    seeds
}

/// Values longer than a scanner buffers, with and without fields behind them.
fn long_values() -> Vec<Seed> {
    let value = Bytes::from(vec![b'v'; 3000]);
    let entries = Body::Entries(vec![(value.clone(), value.clone()), (value.clone(), Bytes::new())]);
    let bodies = [(Operation::Get, Body::Value(value)), (Operation::GetAll, entries)];
    let seed = |(operation, body)| {
        let (version, intelligence) = (Version::LATEST, Intelligence::Basic);
        let reply = Reply { message_id: 1, status: Status::SUCCESS, topology: None, body };
        let mut out = SendBuffer::new();
        write_reply(&reply, ReplyContext { operation, version, intelligence }, &mut out);
        let bytes = reply_seed(operation, version, intelligence, &out.to_bytes());
        let name = format!("{}-long", operation.name().to_ascii_lowercase());
        scanner_seed(&Seed { target: "reply", name, bytes })
    };
    bodies.into_iter().filter_map(seed).collect()
}

/// Choices varied enough to make every field non-trivial.
fn choices() -> Vec<u8> {
    (1..=255).map(|index: u8| index.wrapping_mul(37) & 0x1f).collect()
}

fn request(operation: Operation, version: Version) -> Vec<u8> {
    let request = sample_requests::request(operation, version, &mut Input::new(&choices()));
    let envelope = Envelope { message_id: 300, version, intelligence: Intelligence::Basic, topology_id: 7 };
    let mut out = SendBuffer::new();
    write_request(envelope, &RequestOptions::cache("dist"), &request, &mut out);
    out.to_bytes().to_vec()
}

/// A reply with a topology, and one without.
fn reply(status: Status, context: ReplyContext) -> Vec<u8> {
    let choices = choices();
    let mut out = SendBuffer::new();
    for (message_id, skipped) in [(1, 0), (300, 1)] {
        let mut input = Input::new(&choices[skipped..]);
        let topology = samples::topology(context.intelligence, &mut input).map(Box::new);
        let body = samples::body(status, context, &mut input);
        write_reply(&Reply { message_id, status, topology, body }, context, &mut out);
    }
    out.to_bytes().to_vec()
}

fn events() -> Vec<Vec<u8>> {
    let choices = choices();
    let written = (0..32).map(|skipped| {
        let mut input = Input::new(&choices[skipped..]);
        let mut out = SendBuffer::new();
        write_event(&samples::event(&mut input), &mut out);
        write_counter_event(&samples::counter_event(&mut input), &mut out);
        out.to_bytes().to_vec()
    });
    written.collect()
}

/// Settings of a session: version, intelligence, authentication, operations in flight, bytes to send, events; the end.
type Settings = [u8; 7];

const USUAL: Settings = [0; 7];

fn scripts() -> Vec<Seed> {
    // No topology, no media types, the newest version, no operations.
    let ping = &[TRANSMIT_ALL, ANSWER_OLDEST, 1, 0, 0, 0, 0, RECEIVE_ALL, 0, POLL_ALL];
    let get = &[SUBMIT, Operation::Get as u8, 16, b'k', 0];
    let put = &[SUBMIT, Operation::Put as u8, 16, b'k', 0, 0, 7, 7, 64, b'v', 0];
    let add_listener = &[SUBMIT, Operation::AddClientListener as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    let value = &[TRANSMIT_ALL, ANSWER_OLDEST, 1, 64, b'v'];
    let received = &[RECEIVE_ALL, 1, POLL_ALL];
    let done = &[TRANSMIT_ALL, ANSWER_OLDEST, 1, RECEIVE_ALL, 0, POLL_ALL];
    let offer = &[TRANSMIT_ALL, ANSWER_OLDEST, 1, 1, 16, RECEIVE_ALL, 0];
    let challenge = &[TRANSMIT_ALL, ANSWER_OLDEST, 1, 1, 0, 0, RECEIVE_ALL, 0, POLL_ALL];
    let event = &[&[EVENT, 0][..], &[0; 23]].concat();
    let all: [(&str, Settings, &[&[u8]]); 22] = [
        ("handshake", USUAL, &[ping]),
        ("get", USUAL, &[ping, get, value, received]),
        ("put", USUAL, &[ping, put, done]),
        ("pipelined", USUAL, &[ping, get, get, put, value, value, done]),
        ("bytewise", USUAL, &[ping, get, value, &[RECEIVE, 3, 0, RECEIVE, 20, 1, POLL], &[RECEIVE, 200, 1, POLL]]),
        ("failed", USUAL, &[ping, get, &[TRANSMIT_ALL, ANSWER, 0, 6, 1, b'e'], received]),
        ("cancelled", USUAL, &[ping, get, &[CANCEL, 2], value, received]),
        ("timed-out", USUAL, &[ping, get, &[TRANSMIT, 9, TIMEOUT, POLL], value, received]),
        ("stalled", USUAL, &[ping, get, &[TIMEOUT, TIMEOUT, TIMEOUT, POLL_ALL]]),
        ("waited-for", USUAL, &[ping, get, &[WAIT, 9, 1, WAIT, 100, 0], value, received]),
        ("closed", USUAL, &[ping, get, &[RARELY, 0], value, received]),
        ("lost", USUAL, &[ping, get, put, &[TRANSMIT, 30, RARELY, 16]]),
        ("aborted", USUAL, &[ping, get, &[TRANSMIT, 30, RARELY, 8, POLL_ALL]]),
        ("lost-track", USUAL, &[ping, get, &[TRANSMIT_ALL, RARELY, 24, 0, 0], received]),
        ("garbage", USUAL, &[ping, get, &[TRANSMIT_ALL, RAW, 4, 0xa1, 2, 9, 9], received]),
        ("corrupt", USUAL, &[ping, get, value, &[CORRUPT, 2, 7], received]),
        ("listener", USUAL, &[ping, add_listener, done, event, received]),
        ("full", [0, 0, 0, 2, 0, 2, 2], &[ping, get, get, value, received, value, received]),
        ("exactly-2.0", [14, 0, 0, 0, 0, 0, 2], &[done, get, value, received]),
        ("external", [0, 0, 2, 0, 0, 0, 0], &[ping, challenge, get, value, received]),
        ("plain", [0, 0, 3, 0, 0, 0, 0], &[ping, challenge, get, value, received]),
        ("offered", [0, 0, 1, 0, 0, 0, 0], &[ping, offer, challenge, get, value, received]),
    ];
    let seed = |(name, settings, steps): (&str, Settings, &[&[u8]])| {
        let bytes = [&settings[..], &steps.concat()].concat();
        Seed { target: "session", name: name.into(), bytes }
    };
    all.into_iter().map(seed).collect()
}

/// Every mechanism undisturbed, with each kind of peer, and with each kind of disturbance.
fn exchanges() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for mechanism in Mechanism::ALL {
        let index = position(&mechanism, &Mechanism::ALL);
        for peer in 0..4 {
            for disturbance in [0, 3, 4, 5, 6, 7] {
                let name = format!("{}-{peer}-{disturbance}", mechanism.name().to_ascii_lowercase());
                let bytes = vec![peer, index, 2, 5, 6, 0, 0, disturbance, 20, 9, b'x', b'=', b',', b'"'];
                seeds.push(Seed { target: "sasl_client", name: name.clone(), bytes: bytes.clone() });
                seeds.push(Seed { target: "sasl_server", name, bytes });
            }
        }
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::script::World;
    use crate::session::Event;

    /// Detects seeds that end early because the meaning of a choice has changed.
    #[test]
    fn scripts_lead_where_their_names_say() {
        for seed in scripts() {
            let log = World::new(&seed.bytes, false).run().log;
            let name = seed.name.as_str();
            assert!(matches!(log[0], Event::Ready(_)), "{name}");
            let done = log.iter().filter(|event| matches!(event, Event::Completed { result: Ok(_), .. })).count();
            let expected = match name {
                "pipelined" => 3,
                "handshake" | "failed" | "cancelled" | "timed-out" | "stalled" | "lost" | "aborted" | "lost-track"
                | "garbage" | "corrupt" => 0,
                _ => 1,
            };
            assert_eq!(done, expected, "{name}");
            assert_eq!(log.iter().any(|event| matches!(event, Event::Entry(_))), name == "listener", "{name}");
        }
    }
}
