//! Operations on the server and its caches.

use bytes::Bytes;
use hotrod_core::wire::{AuthResponse, Body, MediaType, Operation, Request, Status, Version};

use super::{Checked, Peer, Refused};

pub(super) fn statistics(peer: &mut Peer) -> Checked {
    let Body::Statistics(found) = peer.ask(Request::Stats {})?.body else { panic!() };
    for name in ["currentNumberOfEntries", "hits", "misses", "removeHits", "removeMisses", "retrievals", "stores"] {
        assert!(found.iter().any(|(found, _)| found == name), "{name} of {found:?}");
    }
    Ok(())
}

pub(super) fn ping(peer: &mut Peer) -> Checked {
    let Body::Ping(ping) = peer.ask(Request::Ping {})?.body else { panic!() };
    assert_eq!((&ping.key_type, &ping.value_type), (&MediaType::Unspecified, &MediaType::Unspecified));
    let newest = (peer.version >= Version::V3_0).then(|| Version::LATEST.to_byte());
    assert_eq!(ping.server_version, newest, "{}", peer.version);
    let offers = |operation: Operation| ping.operations.contains(&operation.row().request_opcode.into());
    assert_eq!(offers(Operation::Get), newest.is_some());
    Ok(())
}

pub(super) fn ping_of_an_encoded_cache(peer: &mut Peer) -> Checked {
    peer.use_cache("text");
    let Body::Ping(ping) = peer.ask(Request::Ping {})?.body else { panic!() };
    assert_eq!((&ping.key_type, &ping.value_type), (&MediaType::TEXT, &MediaType::TEXT));
    Ok(())
}

pub(super) fn ping_of_an_unknown_cache(peer: &mut Peer) -> Checked {
    peer.use_cache("no such cache");
    peer.expect_error(Request::Ping {}, Status::PARSE_ERROR, "CacheNotFoundException")
}

pub(super) fn mechanisms(peer: &mut Peer) -> Checked {
    peer.expect(Request::AuthMechList {}, Status::SUCCESS, Body::Names(Vec::new()))
}

pub(super) fn authentication(peer: &mut Peer) -> Checked {
    let response = AuthResponse(Bytes::new());
    peer.expect_error(Request::Auth { mechanism: "NOPE".into(), response }, Status::SERVER_ERROR, "")
}

fn exec(peer: &mut Peer, task: &str, parameters: &[(&str, &str)]) -> Request {
    peer.options.cache = String::new();
    if peer.version >= Version::V2_8 {
        (peer.options.key_type, peer.options.value_type) = (MediaType::TEXT, MediaType::TEXT);
    }
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), Bytes::copy_from_slice(value.as_bytes())));
    Request::Exec { task: task.into(), parameters: parameters.collect() }
}

fn create(peer: &mut Peer, task: &str, name: &str) -> Result<hotrod_core::wire::Reply, Refused> {
    let configuration = r#"<local-cache><encoding media-type="text/plain"/></local-cache>"#;
    let request = exec(peer, task, &[("name", name), ("configuration", configuration)]);
    peer.ask(request)
}

pub(super) fn create_and_remove(peer: &mut Peer) -> Checked {
    let name = peer.name("made");
    assert_eq!(create(peer, "@@cache@create", &name)?.status, Status::SUCCESS);
    assert_eq!(create(peer, "@@cache@getorcreate", &name)?.status, Status::SUCCESS);
    let again = create(peer, "@@cache@create", &name).expect_err("it exists");
    assert!(again.message.contains("ISPN000507"), "{}", again.message);
    peer.use_cache(&name);
    let Body::Ping(ping) = peer.ask(Request::Ping {})?.body else { panic!() };
    let text = if peer.version >= Version::V2_9 { MediaType::TEXT } else { MediaType::Unspecified };
    assert_eq!((&ping.key_type, &ping.value_type), (&text, &text), "{}", peer.version);
    let remove = exec(peer, "@@cache@remove", &[("name", &name)]);
    assert_eq!(peer.ask(remove)?.status, Status::SUCCESS);
    peer.use_cache(&name);
    peer.expect_error(Request::Ping {}, Status::PARSE_ERROR, "CacheNotFoundException")
}

pub(super) fn nonsense(peer: &mut Peer) -> Checked {
    let name = peer.name("never");
    let request = exec(peer, "@@cache@create", &[("name", &name), ("configuration", "<nonsense/>")]);
    peer.expect_error(request, Status::SERVER_ERROR, "ISPN000327: Cannot find a parser for element 'nonsense'")?;
    peer.use_cache(&name);
    peer.expect_error(Request::Ping {}, Status::PARSE_ERROR, "CacheNotFoundException")
}

pub(super) fn names(peer: &mut Peer) -> Checked {
    let request = exec(peer, "@@cache@names", &[]);
    let Body::Value(names) = peer.ask(request)?.body else { panic!() };
    let names = String::from_utf8(names.to_vec()).expect("text");
    for name in ["\"___protobuf_metadata\"", "\"___script_cache\"", "\"matrix\"", "\"tx\""] {
        assert!(names.contains(name), "{name} of {names}");
    }
    assert!(!names.contains("org.infinispan"), "{names}");
    Ok(())
}

pub(super) fn unknown_task(peer: &mut Peer) -> Checked {
    let request = exec(peer, "no such task", &[("no", "value")]);
    peer.expect_error(request, Status::SERVER_ERROR, "ISPN027002: Unknown task 'no such task'")
}

pub(super) fn query(peer: &mut Peer) -> Checked {
    // QueryRequest { queryString = "FROM" }.
    let query = Bytes::from_static(b"\x0a\x04FROM");
    peer.expect_error(Request::Query { query }, Status::SERVER_ERROR, "")
}
