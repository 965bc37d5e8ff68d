//! PLAIN, OAUTHBEARER and EXTERNAL: mechanisms with one client message.

use alloc::vec::Vec;

use super::*;

fn message(mechanism: Mechanism, credentials: &Credentials) -> Vec<u8> {
    client(mechanism, credentials).unwrap().initial_response()
}

#[test]
fn rfc_4616_section_4() {
    let credentials = Credentials::password("tim", "tanstaaftanstaaf");
    assert_eq!(message(Mechanism::Plain, &credentials), b"\0tim\0tanstaaftanstaaf");
    let credentials = Credentials::password("Kurt", "xipj3plmq").with_authorization_id("Ursel");
    assert_eq!(message(Mechanism::Plain, &credentials), b"Ursel\0Kurt\0xipj3plmq");
}

#[test]
fn plain_refuses_what_its_grammar_has_no_place_for() {
    for (username, password) in [("a\0b", "p"), ("a", "p\0"), ("a", ""), ("", "p")] {
        let result = client(Mechanism::Plain, &Credentials::password(username, password));
        let error = result.unwrap_err();
        assert!(matches!(error, SaslError::Credential { .. } | SaslError::CredentialsMissing { .. }), "{error}");
    }
    let accounts = OneUser::new("a", "p");
    for wrong in [&b"a\0p"[..], b"\0a\0p\0", b"\xff\0a\0p"] {
        let mut server = Server::new(Mechanism::Plain, fast_server(), [2; 32]);
        let result = server.step(wrong, &accounts, &mut SaltedPasswordCache::default());
        assert!(matches!(result, Err(SaslError::Malformed { .. })), "{result:?}");
    }
}

#[test]
fn rfc_7628_section_3_1() {
    let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
    let credentials = Credentials::token(token).with_username("user@example.com");
    let message = message(Mechanism::OAuthBearer, &credentials);
    let message = core::str::from_utf8(&message).unwrap();
    let (header, pairs) = message.split_once('\u{1}').unwrap();
    assert_eq!(header, "n,a=user@example.com,");
    let mut pairs: Vec<&str> = pairs.split('\u{1}').collect();
    assert_eq!(pairs.remove(0), ["auth=Bearer ", token].concat());
    // Pairs end with 0x01, and so does their list.
    assert_eq!(pairs.split_off(1), ["", ""]);
    // Elytron's pair is valid in the RFC's grammar: letters, `=`, visible characters and spaces.
    let (key, value) = pairs[0].split_once('=').unwrap();
    assert!(key.bytes().all(|byte| byte.is_ascii_alphabetic()));
    assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
}

/// Reads the message as `OAuth2Server.getValue` does.
#[test]
fn elytron_finds_the_token_between_literal_delimiters() {
    let message = message(Mechanism::OAuthBearer, &Credentials::token("abc.def-ghi"));
    let message = core::str::from_utf8(&message).unwrap();
    let found = message.strip_prefix("n,,").unwrap().split("%x01").find_map(|pair| {
        let mut parts = pair.split('=');
        (parts.next() == Some("auth")).then(|| parts.next()).flatten()
    });
    assert_eq!(found, Some("Bearer abc.def-ghi"));
}

/// Message of Elytron's client (2.7.0), which Infinispan's own clients use.
#[test]
fn our_server_takes_elytrons_delimiters_too() {
    for message in [&b"n,,%x01auth=Bearer t0ken%x01"[..], b"n,a=u,%x01auth=Bearer t0ken%x01%x01"] {
        let mut server = Server::new(Mechanism::OAuthBearer, fast_server(), [2; 32]);
        let reply = server.step(message, &OneUser::new("u", "p"), &mut SaltedPasswordCache::default()).unwrap();
        assert_eq!(reply.authenticated, Some("u".into()));
    }
}

#[test]
fn a_token_that_would_break_the_message_is_refused() {
    for token in ["", "a b", "a\u{1}b", "tökén", "a\r\n"] {
        let result = client(Mechanism::OAuthBearer, &Credentials::token(token));
        assert!(matches!(result.unwrap_err(), SaslError::Credential { what: "token", .. }));
    }
}

#[test]
fn a_refused_token_is_acknowledged_and_the_status_told() {
    // Raw as in RFC 7628 §3.2.2, in base64 as from Elytron, and without a status.
    let refusals: [(&[u8], &str); 4] = [
        (b"{\"status\":\"invalid_token\",\"scope\":\"example_scope\"}", "invalid_token"),
        (b"{ \"x\": \"status\", \"status\" : \"insufficient_scope\"}", "insufficient_scope"),
        (b"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=", "invalid_token"),
        (b"no JSON\n\xff", "no JSON\u{fffd}\u{fffd}"),
    ];
    for (challenge, expected) in refusals {
        let mut cache = SaltedPasswordCache::default();
        let mut client = client(Mechanism::OAuthBearer, &Credentials::token("t")).unwrap();
        client.initial_response();
        assert_eq!(client.step(challenge, false, &mut cache), Ok(Step::Respond(b"\x01".to_vec())));
        let refused = SaslError::Refused { reason: expected.into() };
        assert_eq!(client.refusal(), Some(&refused));
        assert_eq!(client.step(b"", true, &mut cache), Err(refused));
    }
}

#[test]
fn our_server_refuses_a_token_as_the_rfc_has_it() {
    let accounts = OneUser::new("u", "p");
    let mut cache = SaltedPasswordCache::default();
    let mut client = client(Mechanism::OAuthBearer, &Credentials::token("wrong")).unwrap();
    let mut server = Server::new(Mechanism::OAuthBearer, fast_server(), [2; 32]);
    let reply = server.step(&client.initial_response(), &accounts, &mut cache).unwrap();
    assert_eq!(reply.authenticated, None);
    let Ok(Step::Respond(answer)) = client.step(&reply.challenge, reply.complete, &mut cache) else { panic!() };
    assert_eq!(server.step(&answer, &accounts, &mut cache), Err(SaslError::Denied));
    assert_eq!(client.refusal(), Some(&SaslError::Refused { reason: "invalid_token".into() }));
}

#[test]
fn external_says_whom_to_act_as_or_nothing() {
    assert_eq!(message(Mechanism::External, &Credentials::certificate()), b"");
    assert_eq!(message(Mechanism::External, &Credentials::certificate().with_authorization_id("x")), b"x");
    // Infinispan does not set the complete flag of its empty reply.
    for complete in [false, true] {
        let mut client = client(Mechanism::External, &Credentials::certificate()).unwrap();
        assert_eq!(client.step(b"", complete, &mut SaltedPasswordCache::default()), Ok(Step::Done));
    }
    // Without a certificate no user is authenticated.
    let mut server = Server::new(Mechanism::External, fast_server(), [2; 32]);
    let result = server.step(b"", &OneUser::new("u", "p"), &mut SaltedPasswordCache::default());
    assert_eq!(result, Err(SaslError::Denied));
}

#[test]
fn a_challenge_after_the_one_message_is_an_error() {
    let mut client = client(Mechanism::Plain, &Credentials::password("u", "p")).unwrap();
    let error = SaslError::Unexpected { mechanism: Mechanism::Plain };
    assert_eq!(client.step(b"?", false, &mut SaltedPasswordCache::default()), Err(error));
}
