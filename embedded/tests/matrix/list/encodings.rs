//! Conversions between the media types that requests declare and those in which a cache stores.
//!
//! `encodings.txt` has what Infinispan 16.0.7 answers: for each media type of storage and each declared one, some values, and
//! what reads get of them; `!` begins an error. With a path in `HOTROD_RECORD_ENCODINGS` the test against the real server writes the
//! file.

use std::fmt::Write as _;

use bytes::Bytes;
use hotrod_core::protostream::{TypeName, Value, encode};
use hotrod_core::wire::{Body, EntryChange, Expiration, Flags, ListenerOptions, MediaType, Reply, Request, Status};

use super::{Checked, Peer, Refused};

const RECORDED: &str = include_str!("encodings.txt");

const NONE: &str = "none";
const TEXT: &str = "text";
const LATIN: &str = "latin";
const OCTETS: &str = "octets";
const JSON: &str = "json";
const PROTOSTREAM: &str = "protostream";
const OBJECT: &str = "object";
const PNG: &str = "png";

fn media_type(name: &str) -> MediaType {
    let full = match name {
        NONE => return MediaType::Unspecified,
        TEXT => "text/plain",
        LATIN => "text/plain; charset=ISO-8859-1",
        OCTETS => "application/octet-stream",
        JSON => "application/json",
        PROTOSTREAM => "application/x-protostream",
        OBJECT => "application/x-java-object",
        PNG => "image/png",
        other => unreachable!("{other}"),
    };
    full.parse().expect("a media type")
}

const STORAGES: [&str; 7] = [NONE, TEXT, LATIN, OCTETS, JSON, PROTOSTREAM, OBJECT];
const DECLARED: [&str; 8] = [NONE, TEXT, LATIN, OCTETS, JSON, PROTOSTREAM, OBJECT, PNG];

fn samples(declared: &str) -> Vec<Vec<u8>> {
    let plain = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match declared {
        NONE => vec![b"a".to_vec(), b"\xff".to_vec(), b"\"a\"".to_vec(), protostream(&Value::String("a")), Vec::new()],
        TEXT => [plain(&["a", "ä", "𝄞", "7", "{\"a\":1}", ""]), vec![b"\xff".to_vec()]].concat(),
        LATIN => vec![b"a".to_vec(), b"\xe4".to_vec(), b"\"\xe4\"".to_vec()],
        OCTETS => vec![b"a".to_vec(), b"\xff".to_vec(), "\"ä\"".as_bytes().to_vec(), Vec::new()],
        JSON => plain(&[
            "\"a\"",
            "7",
            "true",
            "{\"a\":\"ä\"}",
            "{\"a\":[1, 2.5, null]} ",
            "{\"_type\":\"string\",\"_value\":\"a\"}",
            "{\"_type\":\"string\",\"_value\":7}",
            "{\"_type\":\"string\",\"_value\":\"\\u00e4\\n\"}",
            "{\"_type\":\"string\"}",
            "{\"_value\":\"a\",\"_type\":\"string\"}",
            "{\"_type\":\"int32\",\"_value\":-7}",
            "{\"_type\":\"int32\",\"_value\":\"7\"}",
            "{\"_type\":\"int32\",\"_value\":7.5}",
            "{\"_type\":\"int32\",\"_value\":\"a\"}",
            "{\"_type\":\"int64\",\"_value\":7}",
            "{\"_type\":\"double\",\"_value\":1.5}",
            "{\"_type\":\"float\",\"_value\":1.5}",
            "{\"_type\":\"bool\",\"_value\":true}",
            "{\"_type\":\"bytes\",\"_value\":\"YQ==\"}",
            "{\"_type\":\"uint32\",\"_value\":7}",
            "{\"_type\":\"sint64\",\"_value\":7}",
            "{\"_type\":\"fixed32\",\"_value\":7}",
            "{\"_type\":\"shop.Unknown\",\"a\":1}",
            "{}",
            "[1]",
            "null",
            "1 2",
            "7.5",
            "{\"a\":",
            "[01]",
            "a",
            "",
        ]),
        PROTOSTREAM => protostreams(),
        OBJECT | PNG => vec![b"a".to_vec()],
        other => unreachable!("{other}"),
    }
}

fn protostreams() -> Vec<Vec<u8>> {
    let values = [
        Value::String("a"),
        Value::String("ä"),
        Value::String(""),
        Value::String("\"\\/\u{1}\u{7f}\n\r\t\u{8}\u{c}<>&='\u{2028}\u{85}𝄞"),
        Value::Bytes(b"a"),
        Value::Bytes(b""),
        Value::Int32(-7),
        Value::Int64(1 << 40),
        Value::Short(-7),
        Value::Byte(-7),
        Value::Char('a' as u16),
        Value::Bool(true),
        Value::Double(1.5),
        Value::Double(1e10),
        Value::Double(-1.25e-7),
        Value::Double(f64::NAN),
        Value::Float(0.1),
        Value::Float(16_777_216.0),
        Value::Instant { seconds: 1_800_000_000, nanos: 5 },
        Value::DateMillis(1_800_000_000_000),
        Value::Instant { seconds: -1, nanos: 1_000_000 },
        Value::Instant { seconds: 951_782_400, nanos: 0 },
        Value::UInt32(u32::MAX),
        Value::UInt64(u64::MAX),
        Value::SInt32(-7),
        Value::SInt64(-7),
        Value::Fixed32(7),
        Value::Fixed64(7),
        Value::SFixed32(-7),
        Value::SFixed64(-7),
        Value::Double(5e-324),
        Value::Double(1e7),
        Value::Double(0.001),
        Value::Double(-0.0),
        Value::Double(f64::NEG_INFINITY),
        Value::Message { of: TypeName::Name("shop.Unknown"), bytes: b"\x08\x01" },
    ];
    let mut all: Vec<_> = values.iter().map(protostream).collect();
    all.push(b"a".to_vec());
    all.push(Vec::new());
    all
}

fn protostream(value: &Value<'_>) -> Vec<u8> {
    encode(value).expect("a value")
}

/// A cache of the row that stores keys and values in these media types.
fn create(peer: &mut Peer, name: &str, key: &str, value: &str) -> Result<(), Refused> {
    let types = [("key", key), ("value", value)].into_iter().filter(|(_, media_type)| *media_type != NONE);
    let encoding: String = types.map(|(of, name)| format!("<{of} media-type=\"{}\"/>", media_type(name))).collect();
    let configuration = format!("<local-cache><encoding>{encoding}</encoding></local-cache>");
    peer.use_cache("");
    (peer.options.key_type, peer.options.value_type) = (MediaType::TEXT, MediaType::TEXT);
    let parameters = [("name", name), ("configuration", &configuration)];
    let parameters = parameters.map(|(name, value)| (name.into(), Bytes::copy_from_slice(value.as_bytes())));
    peer.ask(Request::Exec { task: "@@cache@getorcreate".into(), parameters: parameters.into() })?;
    peer.use_cache(name);
    Ok(())
}

pub(super) fn table(peer: &mut Peer) -> Checked {
    let mut table = String::new();
    for storage in STORAGES {
        let name = peer.name(storage);
        create(peer, &name, if storage == NONE { NONE } else { OCTETS }, storage)?;
        for declared in DECLARED {
            let _ = writeln!(table, "{declared} in {storage}");
            for value in samples(declared) {
                let _ =
                    writeln!(table, "  {}: {}", value.escape_ascii(), of_value(peer, declared, value.clone().into()));
            }
        }
    }
    if let Some(path) = std::env::var_os("HOTROD_RECORD_ENCODINGS") {
        std::fs::write(path, &table).expect("written");
    } else {
        compare(&table);
    }
    Ok(())
}

fn compare(table: &str) {
    let (mut section, mut differences) = ("", String::new());
    for (found, recorded) in table.lines().zip(RECORDED.lines()) {
        section = if found.starts_with(' ') { section } else { found };
        if found != recorded {
            let _ = writeln!(differences, "{section}\n-{recorded}\n+{found}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(table.lines().count(), RECORDED.lines().count());
}

/// Declares the media type of keys and values of the next requests.
fn declare(peer: &mut Peer, name: &str) {
    (peer.options.key_type, peer.options.value_type) = (media_type(name), media_type(name));
}

fn string(text: &str) -> Bytes {
    protostream(&Value::String(text)).into()
}

/// Every operation converts keys and values: texts, of a cache that stores ProtoStream strings.
pub(super) fn operations(peer: &mut Peer) -> Checked {
    let name = peer.name("operations");
    create(peer, &name, PROTOSTREAM, PROTOSTREAM)?;
    declare(peer, TEXT);
    single(peer)?;
    bulk(peer)?;
    streams(peer)?;
    multimap(peer)
}

fn single(peer: &mut Peer) -> Checked {
    let (k, forever) = (Bytes::from("k"), Expiration::DEFAULT);
    let stored = |peer: &mut Peer, value: &str| {
        declare(peer, NONE);
        let get = Request::Get { key: string("k") };
        peer.expect(get, Status::SUCCESS, Body::Value(string(value)))?;
        declare(peer, TEXT);
        Ok(())
    };
    peer.expect(
        Request::PutIfAbsent { key: k.clone(), expiration: forever, value: "1".into() },
        Status::SUCCESS,
        Body::Nothing,
    )?;
    stored(peer, "1")?;
    peer.expect(
        Request::Replace { key: k.clone(), expiration: forever, value: "2".into() },
        Status::SUCCESS,
        Body::Nothing,
    )?;
    stored(peer, "2")?;
    let Body::VersionedValue { version, value } = peer.ask(Request::GetWithVersion { key: k.clone() })?.body else {
        panic!()
    };
    assert_eq!(value, "2");
    let replace =
        Request::ReplaceIfUnmodified { key: k.clone(), expiration: forever, entry_version: version, value: "3".into() };
    peer.expect(replace, Status::SUCCESS, Body::Nothing)?;
    stored(peer, "3")?;
    let Body::ValueWithMetadata { metadata, value } = peer.ask(Request::GetWithMetadata { key: k.clone() })?.body
    else {
        panic!()
    };
    assert_eq!(value, "3");
    peer.expect(Request::ContainsKey { key: k.clone() }, Status::SUCCESS, Body::Nothing)?;
    peer.options.flags = Flags::FORCE_RETURN_VALUE;
    let put = Request::Put { key: k.clone(), expiration: forever, value: "4".into() };
    let Body::Previous(Some(previous)) = peer.ask(put)?.body else { panic!() };
    assert_eq!(previous.value, "3");
    let remove = Request::RemoveIfUnmodified { key: k.clone(), entry_version: metadata.version };
    let Body::Previous(Some(present)) = peer.ask(remove)?.body else { panic!() };
    assert_eq!(present.value, "4");
    let Body::Previous(Some(previous)) = peer.ask(Request::Remove { key: k.clone() })?.body else { panic!() };
    assert_eq!(previous.value, "4");
    peer.options.flags = Flags::NONE;
    peer.expect(Request::ContainsKey { key: k }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

fn bulk(peer: &mut Peer) -> Checked {
    let entries: Vec<(Bytes, Bytes)> = [("a", "1"), ("b", "2")].map(|(key, value)| (key.into(), value.into())).into();
    let keys: Vec<Bytes> = entries.iter().map(|(key, _)| key.clone()).collect();
    let put = Request::PutAll { expiration: Expiration::DEFAULT, entries: entries.clone() };
    peer.expect(put, Status::SUCCESS, Body::Nothing)?;
    let Body::Entries(mut found) = peer.ask(Request::GetAll { keys: keys.clone() })?.body else { panic!() };
    found.sort();
    assert_eq!(found, entries, "GET_ALL");
    let Body::Entries(mut found) = peer.ask(Request::BulkGet { count: 0 })?.body else { panic!() };
    found.sort();
    assert_eq!(found, entries, "BULK_GET");
    let Body::Keys(mut found) = peer.ask(Request::BulkGetKeys { scope: 0 })?.body else { panic!() };
    found.sort();
    assert_eq!(found, keys, "BULK_GET_KEYS");
    assert_eq!(iterate(peer)?, entries);
    declare(peer, NONE);
    let stored: Vec<(Bytes, Bytes)> = [("a", "1"), ("b", "2")].map(|(key, value)| (string(key), string(value))).into();
    assert_eq!(iterate(peer)?, stored);
    declare(peer, JSON);
    let json = |text: &str| Bytes::from(format!("{{\"_type\":\"string\",\"_value\":\"{text}\"}}"));
    let as_json: Vec<(Bytes, Bytes)> = [("a", "1"), ("b", "2")].map(|(key, value)| (json(key), json(value))).into();
    assert_eq!(iterate(peer)?, as_json);
    declare(peer, TEXT);
    peer.expect(Request::Size {}, Status::SUCCESS, Body::Size(2))
}

/// Entries in the order of keys.
fn iterate(peer: &mut Peer) -> Result<Vec<(Bytes, Bytes)>, Refused> {
    let start =
        Request::IterationStart { segments: None, filter_converter: None, batch_size: 9, include_metadata: false };
    let Body::IterationId(iteration_id) = peer.ask(start)?.body else { panic!() };
    let Body::Iteration(batch) = peer.ask(Request::IterationNext { iteration_id: iteration_id.clone() })?.body else {
        panic!()
    };
    peer.ask(Request::IterationEnd { iteration_id })?;
    let mut entries: Vec<_> = batch.entries.into_iter().map(|mut entry| (entry.key, entry.values.remove(0))).collect();
    entries.sort();
    Ok(entries)
}

fn streams(peer: &mut Peer) -> Checked {
    let key = Bytes::from("stream");
    let put = Request::StartPutStream { key: key.clone(), expiration: Expiration::DEFAULT, entry_version: 0 };
    let Body::PutStreamId(stream_id) = peer.ask(put)?.body else { panic!() };
    for (chunk, last) in [("in ", false), ("chunks", true)] {
        peer.expect(Request::NextPutStream { stream_id, last, chunk: chunk.into() }, Status::SUCCESS, Body::Nothing)?;
    }
    declare(peer, NONE);
    peer.expect(Request::Get { key: string("stream") }, Status::SUCCESS, Body::Value(string("in chunks")))?;
    declare(peer, TEXT);
    let get = Request::StartGetStream { key, chunk_length: 4 };
    let Body::StreamStart { stream_id, chunk, .. } = peer.ask(get)?.body else { panic!() };
    assert_eq!(chunk, "in c");
    let Body::StreamChunk { chunk, .. } = peer.ask(Request::NextGetStream { stream_id })?.body else { panic!() };
    assert_eq!(chunk, "hunk");
    peer.expect(Request::EndGetStream { stream_id }, Status::SUCCESS, Body::Nothing)
}

/// The server converts neither keys nor values of multimaps.
fn multimap(peer: &mut Peer) -> Checked {
    let key = Bytes::from("multimap");
    let put = Request::PutMultimap {
        key: key.clone(),
        expiration: Expiration::DEFAULT,
        value: "v".into(),
        supports_duplicates: false,
    };
    peer.expect(put, Status::SUCCESS, Body::Nothing)?;
    let get = Request::GetMultimap { key: key.clone(), supports_duplicates: false };
    peer.expect(get.clone(), Status::SUCCESS, Body::Values(vec!["v".into()]))?;
    declare(peer, NONE);
    peer.expect(get, Status::SUCCESS, Body::Values(vec!["v".into()]))?;
    peer.expect(Request::ContainsKey { key: key.clone() }, Status::SUCCESS, Body::Nothing)?;
    peer.expect(Request::ContainsKey { key: string("multimap") }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)
}

/// Events have keys in the media type that their listener declares.
pub(super) fn listeners(peer: &mut Peer) -> Checked {
    let name = peer.name("listened");
    create(peer, &name, PROTOSTREAM, PROTOSTREAM)?;
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    for (declared, key) in [(TEXT, text("k")), (NONE, string("k"))] {
        declare(peer, NONE);
        let put = Request::Put { key: string("k"), expiration: Expiration::DEFAULT, value: string("v") };
        peer.expect(put.clone(), Status::SUCCESS, Body::Nothing)?;
        declare(peer, declared);
        let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
        let listener_id = peer.key(declared);
        peer.expect(
            Request::AddClientListener { listener_id: listener_id.clone(), options },
            Status::SUCCESS,
            Body::Nothing,
        )?;
        assert_eq!(peer.entry_event(), (EntryChange::Created, key.clone()), "{declared}");
        declare(peer, NONE);
        peer.expect(put, Status::SUCCESS, Body::Nothing)?;
        assert_eq!(peer.entry_event(), (EntryChange::Modified, key.clone()), "{declared}");
        peer.expect(Request::Remove { key: string("k") }, Status::SUCCESS, Body::Nothing)?;
        assert_eq!(peer.entry_event(), (EntryChange::Removed, key), "{declared}");
        peer.expect(Request::RemoveClientListener { listener_id }, Status::SUCCESS, Body::Nothing)?;
    }
    bloom_filter(peer)?;
    refused_listeners(peer)
}

/// A listener for which keys can't be converted fails the writes of others, and the transfer of the current state.
fn refused_listeners(peer: &mut Peer) -> Checked {
    for (storage, declared, key, error) in [
        (JSON, NONE, Bytes::from("7"), "ISPN000497: JsonTranscoder cannot convert content"),
        (TEXT, JSON, "k".into(), "ISPN000655: Unable to convert text content to JSON: 'k'"),
        (JSON, PROTOSTREAM, "7".into(), "CacheException: Invalid top level object! Found token: VALUE_NUMBER_INT"),
        (PROTOSTREAM, OCTETS, string("k"), "CacheException: Cannot invoke"),
    ] {
        let name = peer.name(&format!("{storage}-{declared}"));
        create(peer, &name, storage, storage)?;
        declare(peer, storage);
        let put = Request::Put { key: key.clone(), expiration: Expiration::DEFAULT, value: key.clone() };
        peer.expect(put.clone(), Status::SUCCESS, Body::Nothing)?;
        declare(peer, declared);
        let options = ListenerOptions { include_current_state: true, ..ListenerOptions::default() };
        let with_state = Request::AddClientListener { listener_id: peer.key("with state"), options };
        peer.expect_error(with_state, Status::SERVER_ERROR, error.trim_start_matches("CacheException: "))?;
        let listener_id = peer.key(declared);
        let options = ListenerOptions::default();
        peer.expect(Request::AddClientListener { listener_id, options }, Status::SUCCESS, Body::Nothing)?;
        declare(peer, storage);
        peer.expect_error(put, Status::SERVER_ERROR, error)?;
        peer.expect_error(Request::Remove { key: key.clone() }, Status::SERVER_ERROR, error)?;
        peer.expect(Request::Get { key }, Status::KEY_DOES_NOT_EXIST, Body::Nothing)?;
    }
    Ok(())
}

/// A near cache's filter has the keys as its client reads them.
fn bloom_filter(peer: &mut Peer) -> Checked {
    let put = |text: &str| Request::Put { key: string(text), expiration: Expiration::DEFAULT, value: string("v") };
    peer.expect(put("read"), Status::SUCCESS, Body::Nothing)?;
    declare(peer, TEXT);
    let listener_id = peer.key("bloom");
    let add = Request::AddBloomFilterListener { listener_id: listener_id.clone(), bloom_bits: 1000 };
    peer.expect(add, Status::SUCCESS, Body::Nothing)?;
    peer.ask(Request::GetWithMetadata { key: "read".into() })?;
    declare(peer, NONE);
    peer.expect(put("not read"), Status::SUCCESS, Body::Nothing)?;
    peer.expect(put("read"), Status::SUCCESS, Body::Nothing)?;
    assert_eq!(peer.entry_event(), (EntryChange::Modified, "read".into()));
    peer.expect(Request::RemoveClientListener { listener_id }, Status::SUCCESS, Body::Nothing)
}

/// Requests whose keys can't be converted.
pub(super) fn refused_keys(peer: &mut Peer) -> Checked {
    let name = peer.name("refused");
    create(peer, &name, OCTETS, OCTETS)?;
    let error = Status::SERVER_ERROR;
    declare(peer, JSON);
    let key = Bytes::from("\"k\"");
    for request in [
        Request::Get { key: key.clone() },
        Request::ContainsKey { key: key.clone() },
        Request::Remove { key: key.clone() },
        Request::GetAll { keys: vec![key.clone()] },
        Request::PutAll { expiration: Expiration::DEFAULT, entries: vec![(key.clone(), "1".into())] },
        Request::StartGetStream { key: key.clone(), chunk_length: 1 },
    ] {
        peer.expect_error(request, error, "from application/json to application/octet-stream")?;
    }
    declare(peer, PNG);
    peer.expect_error(Request::Size {}, error, "ISPN000492: Cannot find transcoder between 'image/png'")?;
    peer.expect_error(Request::Clear {}, error, "ISPN000492: Cannot find transcoder between 'image/png'")?;
    Ok(())
}

/// Writes a value, and reads it in each media type.
fn of_value(peer: &mut Peer, declared: &str, value: Bytes) -> String {
    let key = peer.key("k");
    peer.options.value_type = MediaType::Unspecified;
    let _ = peer.ask(Request::Remove { key: key.clone() });
    peer.options.value_type = media_type(declared);
    if let Err(refused) = peer.ask(Request::Put { key: key.clone(), expiration: Expiration::DEFAULT, value }) {
        return describe(&refused);
    }
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for read in DECLARED {
        peer.options.value_type = media_type(read);
        let answer = match peer.ask(Request::Get { key: key.clone() }) {
            Ok(Reply { body: Body::Value(value), .. }) => shown(&value),
            Ok(other) => format!("{:?}", other.status),
            Err(refused) => describe(&refused),
        };
        match found.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, reads)) => reads.push(read),
            None => found.push((answer, vec![read])),
        }
    }
    found.into_iter().map(|(answer, reads)| format!("[{}] {answer}", reads.join(" "))).collect::<Vec<_>>().join("; ")
}

/// A value in ASCII. Java's text of an array of bytes is its address.
fn shown(value: &[u8]) -> String {
    let text = value.escape_ascii().to_string();
    if text.contains("[B@") { "[B@".into() } else { text }
}

/// The exception and code of an error. Java's messages may name addresses.
fn describe(refused: &Refused) -> String {
    let (class, message) = refused.message.split_once(": ").unwrap_or((&refused.message, ""));
    let class = class.rsplit('.').next().unwrap_or_default();
    let code = message.split(':').next().filter(|code| code.starts_with("ISPN")).unwrap_or_default();
    format!("!{:#04x} {class} {code}", refused.status.0)
}
