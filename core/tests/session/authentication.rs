use std::sync::Arc;

use hotrod_core::sasl::{
    Accounts, ChannelBinding, Credentials, Mechanism, SaltedPasswordCache, Secret, Server, ServerConfig,
};
use hotrod_core::session::{Authentication, Config, Disconnect, Event};
use hotrod_core::wire::{Body, Operation, Request, RequestHeader, Status, Version};

use crate::server::Pair;

struct Admin;

impl Accounts for Admin {
    fn password(&self, username: &str) -> Option<Secret> {
        (username == "admin").then(|| "changeme".into())
    }
}

pub fn config(password: &str, encrypted: bool) -> Config {
    let credentials = Arc::new(Credentials::password("admin", password));
    let mut config = Config::default();
    config.authentication = Some(Authentication::new(credentials, encrypted));
    config
}

/// Replies as Infinispan does: an error for unknown users, `complete` only with an empty reply.
fn authenticate(pair: &mut Pair, offered: &[&str]) -> (Option<Mechanism>, usize) {
    authenticate_in_slices(pair, offered, Pair::derive)
}

/// The same, with a call of `derive` whenever the server has nothing to reply to; it returns whether to continue.
pub fn authenticate_in_slices(
    pair: &mut Pair,
    offered: &[&str],
    mut derive: impl FnMut(&mut Pair) -> bool,
) -> (Option<Mechanism>, usize) {
    let mut exchange: Option<Server> = None;
    let (mut cache, mut steps) = (SaltedPasswordCache::default(), 0);
    loop {
        pair.flush();
        let Some((header, request)) = pair.requests.pop_front() else {
            if derive(pair) {
                continue;
            }
            return (exchange.map(|exchange| exchange.mechanism()), steps);
        };
        match request {
            Request::Ping {} => {
                pair.requests.push_front((header, request));
                pair.answer_ping(Version::V4_1.to_byte());
            }
            Request::AuthMechList {} => {
                let names = Body::Names(offered.iter().map(ToString::to_string).collect());
                pair.answer(&header, Operation::AuthMechList, Status::SUCCESS, names);
            }
            Request::Auth { mechanism, response } => {
                steps += 1;
                if steps == 1 {
                    pair.first_response = response.0.to_vec();
                }
                let server = exchange.get_or_insert_with(|| {
                    let mechanism = Mechanism::from_name(&mechanism).unwrap();
                    let mut config = ServerConfig::default();
                    config.channel_bindings.clone_from(&pair.bindings);
                    config.iterations = pair.iterations;
                    Server::new(mechanism, config, [3; 32])
                });
                match server.step(&response.0, &Admin, &mut cache) {
                    Ok(step) => challenge(pair, &header, step.complete, step.challenge),
                    Err(error) => {
                        let body = Body::Error(error.to_string());
                        pair.answer(&header, Operation::Auth, Status::SERVER_ERROR, body);
                    }
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

fn challenge(pair: &mut Pair, header: &RequestHeader, complete: bool, challenge: Vec<u8>) {
    let body = Body::Challenge { complete, challenge: challenge.into() };
    pair.answer(header, Operation::Auth, Status::SUCCESS, body);
}

/// First challenge of a session with SCRAM-SHA-256, hand-written.
pub fn request_iterations(pair: &mut Pair, iterations: u32) {
    pair.flush();
    pair.answer_ping(41);
    pair.flush();
    let (header, request) = pair.next_request();
    let Request::Auth { response, .. } = request else { panic!("{request:?}") };
    let first = String::from_utf8(response.0.to_vec()).unwrap();
    let nonce = first.rsplit_once("r=").unwrap().1;
    challenge(pair, &header, false, format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i={iterations}").into_bytes());
}

pub fn end(pair: &mut Pair) -> Arc<Disconnect> {
    match pair.event() {
        Some(Event::Closed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_mechanisms_are_asked_for_beside_the_ping() {
    let mut pair = Pair::new(config("changeme", false));
    pair.flush();
    let operations: Vec<_> = pair.requests.iter().map(|(_, request)| request.operation()).collect();
    assert_eq!(operations, [Operation::Ping, Operation::AuthMechList]);
}

#[test]
fn a_named_mechanism_is_not_asked_for() {
    let mut config = config("changeme", false);
    config.authentication.as_mut().unwrap().mechanism = Some(Mechanism::ScramSha256);
    let mut pair = Pair::new(config);
    pair.flush();
    assert_eq!(pair.requests.len(), 1);
    assert_eq!(authenticate(&mut pair, &[]).0, Some(Mechanism::ScramSha256));
    assert!(matches!(pair.event(), Some(Event::Ready(_))));
}

/// The exchange uses channel binding if both ends can; otherwise the server learns that the client could.
#[test]
fn a_session_is_bound_to_its_link_where_both_can() {
    let channel = || ChannelBinding::tls_exporter(&[5; 32]);
    for (offered, binding, first, is_ready) in [
        (&["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"][..], channel(), "p=tls-exporter,,", true),
        (&["SCRAM-SHA-256"], channel(), "y,,", false),
        (&["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], None, "n,,", true),
    ] {
        let mut config = config("changeme", true);
        config.authentication.as_mut().unwrap().channel_binding = binding;
        let mut pair = Pair::new(config);
        pair.bindings = channel().into_iter().collect();
        authenticate(&mut pair, offered);
        assert!(pair.first_response.starts_with(first.as_bytes()), "{first}");
        // A server that supports channel binding has offered it, so its offer was changed.
        assert_eq!(matches!(pair.event(), Some(Event::Ready(_))), is_ready, "{first}");
    }
    let mut config = config("changeme", true);
    config.authentication.as_mut().unwrap().requires_channel_binding = true;
    let mut pair = Pair::new(config);
    assert_eq!(authenticate(&mut pair, &["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]), (None, 0));
    assert!(end(&mut pair).to_string().contains("channel_binding=required"));
}

/// Gotcha 14: the server-final of SCRAM has complete=0; another AUTH would begin a new exchange.
#[test]
fn scram_ends_with_the_servers_proof_and_sends_nothing_after_it() {
    let mut pair = Pair::new(config("changeme", false));
    let (mechanism, steps) = authenticate(&mut pair, &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "DIGEST-MD5"]);
    assert_eq!((mechanism, steps), (Some(Mechanism::ScramSha512), 2));
    assert!(matches!(pair.event(), Some(Event::Ready(_))));
    assert_eq!(pair.client.authentication().unwrap().salted_passwords.derivations(), 1);
}

#[test]
fn every_mechanism_leads_to_a_session() {
    for name in ["SCRAM-SHA-1", "SCRAM-SHA-384", "DIGEST-MD5", "DIGEST-SHA-256", "DIGEST-SHA-512", "PLAIN"] {
        let mut config = config("changeme", true);
        config.authentication.as_mut().unwrap().mechanism = Mechanism::from_name(name);
        let mut pair = Pair::new(config);
        assert_eq!(authenticate(&mut pair, &[name]).0.map(Mechanism::name), Some(name));
        assert!(matches!(pair.event(), Some(Event::Ready(_))), "{name}");
    }
}

#[test]
fn a_wrong_password_is_told_with_user_and_mechanism_and_without_the_password() {
    let mut pair = Pair::new(config("wrong-password", false));
    authenticate(&mut pair, &["SCRAM-SHA-256"]);
    let reason = end(&mut pair);
    assert!(matches!(&*reason, Disconnect::AuthenticationFailed { .. }), "{reason}");
    let text = format!("{reason} {reason:?}");
    assert!(text.contains("\"admin\"") && text.contains("SCRAM-SHA-256") && !text.contains("wrong-password"), "{text}");
}

/// Over TLS too: a trusted certificate does not justify sending the password.
#[test]
fn a_server_that_offers_nothing_as_strong_as_scram_gets_nothing() {
    for encrypted in [false, true] {
        for offered in [&["PLAIN"][..], &["DIGEST-MD5"], &["PLAIN", "DIGEST-MD5", "DIGEST-SHA-512"]] {
            let mut pair = Pair::new(config("changeme", encrypted));
            assert_eq!(authenticate(&mut pair, offered), (None, 0), "no AUTH was sent");
            let reason = end(&mut pair).to_string();
            assert!(reason.contains(&offered.join(", ")), "what is offered: {reason}");
            assert!(reason.contains("SCRAM") && reason.contains("sasl_mechanism"), "floor and property: {reason}");
        }
    }
}

/// 100,000 iterations take about 0.1 s; the next session of a hostile server would take as long again.
#[test]
fn more_iterations_than_the_setting_allows_are_not_computed() {
    for (setting, iterations, is_accepted) in
        [(None, 100_000, true), (None, 100_001, false), (Some(120_000), 120_000, true)]
    {
        let mut config = config("changeme", true);
        let authentication = config.authentication.as_mut().unwrap();
        authentication.max_iterations = setting.unwrap_or(authentication.max_iterations);
        authentication.mechanism = Some(Mechanism::ScramSha256);
        let mut pair = Pair::new(config);
        request_iterations(&mut pair, iterations);
        while pair.derive() {}
        pair.flush();
        if is_accepted {
            assert!(matches!(pair.next_request().1, Request::Auth { .. }), "{iterations}");
        } else {
            let reason = end(&mut pair).to_string();
            assert!(reason.contains("100001") && reason.contains("sasl_max_iterations"), "{reason}");
        }
    }
}

#[test]
fn a_server_that_says_complete_without_proof_is_not_believed() {
    let mut pair = Pair::new(config("changeme", false));
    pair.flush();
    pair.answer_ping(41);
    let (header, _) = pair.next_request();
    let names = Body::Names(vec!["SCRAM-SHA-256".into()]);
    pair.answer(&header, Operation::AuthMechList, Status::SUCCESS, names);
    pair.flush();
    let (header, _) = pair.next_request();
    challenge(&mut pair, &header, true, Vec::new());
    assert!(matches!(&*end(&mut pair), Disconnect::Sasl(_)));
}

/// A hundred sessions cost one derivation if the salt is constant.
#[test]
fn salted_passwords_are_handed_on_to_the_next_session() {
    let mut known = SaltedPasswordCache::default();
    for _ in 0..3 {
        let mut config = config("changeme", false);
        config.authentication.as_mut().unwrap().salted_passwords = known;
        let mut pair = Pair::new(config);
        authenticate(&mut pair, &["SCRAM-SHA-256"]);
        assert!(matches!(pair.event(), Some(Event::Ready(_))));
        known = pair.client.authentication().unwrap().salted_passwords.clone();
    }
    assert_eq!(known.derivations(), 1);
}

#[test]
fn the_password_is_in_no_debug_output() {
    let config = config("changeme", true);
    assert!(!format!("{config:?}").contains("changeme"));
    let request = Request::Auth {
        mechanism: "PLAIN".into(),
        response: hotrod_core::wire::AuthResponse("\0admin\0changeme".into()),
    };
    assert!(!format!("{request:?}").contains("changeme"));
}
