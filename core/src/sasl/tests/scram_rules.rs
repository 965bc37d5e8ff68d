//! Rules that a SCRAM client enforces, and its cache.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;

const NONCE_IN_FIRST: &str = "n,,n=user,r=";

/// A client after its first message, and its nonce.
fn started(credentials: &Credentials) -> (Client, String) {
    let limits = ClientLimits { max_iterations: 5000, ..ClientLimits::default() };
    let mut client = Client::new(Mechanism::ScramSha256, credentials, "infinispan", "hotrod", [1; 32], limits).unwrap();
    let first = String::from_utf8(client.initial_response()).unwrap();
    let nonce = first.strip_prefix(NONCE_IN_FIRST).unwrap().into();
    (client, nonce)
}

fn answer_to(make: impl Fn(&str) -> String) -> Result<Step, SaslError> {
    let (mut client, nonce) = started(&Credentials::password("user", "pencil"));
    client.step(make(&nonce).as_bytes(), false, &mut SaltedPasswordCache::default())
}

#[test]
fn iterations_are_bounded_on_both_sides() {
    let with = |count: &str| answer_to(|nonce| format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i={count}"));
    assert_eq!(with("4095"), Err(SaslError::TooFewIterations { iterations: 4095, minimum: 4096 }));
    assert!(matches!(with("4096"), Ok(Step::Respond(_))));
    assert!(matches!(with("5000"), Ok(Step::Respond(_))));
    assert_eq!(with("5001"), Err(SaslError::TooManyIterations { iterations: 5001, maximum: 5000 }));
    assert_eq!(with("4294971392"), Err(SaslError::TooManyIterations { iterations: 4_294_971_392, maximum: 5000 }));
    let huge = "9".repeat(100);
    assert_eq!(with(&huge), Err(SaslError::TooManyIterations { iterations: u64::MAX, maximum: 5000 }));
    for wrong in ["0", "", "-1", "+4096", "04096", "4096x", " 4096"] {
        assert!(matches!(with(wrong), Err(SaslError::Malformed { .. })), "{wrong:?}");
    }
}

#[test]
fn the_nonce_must_extend_ours() {
    let tail = ",s=QSXCR+Q6sek8bf92,i=4096";
    assert_eq!(answer_to(|nonce| format!("r={nonce}{tail}")), Err(SaslError::WrongNonce));
    assert_eq!(answer_to(|nonce| format!("r={}{tail}", &nonce[1..])), Err(SaslError::WrongNonce));
    assert_eq!(answer_to(|nonce| format!("r=x{nonce}{tail}")), Err(SaslError::WrongNonce));
    assert_eq!(answer_to(|_| format!("r=another{tail}")), Err(SaslError::WrongNonce));
    assert!(matches!(answer_to(|nonce| format!("r={nonce} x{tail}")), Err(SaslError::Malformed { .. })));
}

#[test]
fn salt_and_message_are_bounded() {
    let with = |salt: &str| answer_to(|nonce| format!("r={nonce}x,s={salt},i=4096"));
    assert!(matches!(with(""), Err(SaslError::Malformed { .. })));
    assert!(matches!(with("*"), Err(SaslError::Malformed { .. })));
    assert!(matches!(with("QSXCR+Q6sek8bf9"), Err(SaslError::Malformed { .. })));
    assert!(matches!(with(&"AAAA".repeat(85)), Ok(Step::Respond(_))));
    assert_eq!(with(&"AAAA".repeat(86)), Err(SaslError::TooLong { message: "a salt", length: 258, limit: 256 }));
    let error = with(&"AAAA".repeat(3000)).unwrap_err();
    assert!(matches!(error, SaslError::TooLong { message: "a challenge", limit: 8192, .. }), "{error}");
}

#[test]
fn extensions_are_ignored_unless_mandatory() {
    let known = |nonce: &str| format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i=4096");
    assert!(matches!(answer_to(|nonce| known(nonce) + ",x=y"), Ok(Step::Respond(_))));
    assert!(matches!(answer_to(|nonce| format!("m=y,{}", known(nonce))), Err(SaslError::Malformed { .. })));
}

#[test]
fn the_servers_refusal_is_told() {
    let refused = SaslError::Refused { reason: "invalid-proof".into() };
    assert_eq!(answer_to(|_| "e=invalid-proof".into()), Err(refused));
}

/// Client and server before the server's last message is received.
fn almost_done() -> (Client, ServerStep) {
    let user = OneUser::new("user", "pencil");
    let mut cache = SaltedPasswordCache::default();
    let mut client = client(Mechanism::ScramSha256, &credentials_for(Mechanism::ScramSha256, &user)).unwrap();
    let mut server = Server::new(Mechanism::ScramSha256, fast_server(), [2; 32]);
    let first = server.step(&client.initial_response(), &user, &mut cache).unwrap();
    let Ok(Step::Respond(last)) = client.step(&first.challenge, false, &mut cache) else { panic!() };
    (client, server.step(&last, &user, &mut cache).unwrap())
}

#[test]
fn the_server_must_prove_itself() {
    let cache = &mut SaltedPasswordCache::default();
    let (mut client, last) = almost_done();
    assert_eq!(client.step(&last.challenge, false, cache), Ok(Step::Done));
    let (mut client, last) = almost_done();
    assert_eq!(client.step(&last.challenge, true, cache), Ok(Step::Done));
    // The complete flag without a proof: at the end, and at the beginning.
    let (mut client, _) = almost_done();
    assert_eq!(client.step(b"", true, cache), Err(SaslError::ServerUnproven));
    let (mut client, nonce) = started(&Credentials::password("user", "pencil"));
    assert_eq!(client.step(b"", true, cache), Err(SaslError::ServerUnproven));
    assert_eq!(client.step(b"", true, cache), Err(SaslError::ServerUnproven), "and it stays failed");
    let (mut client, _) = started(&Credentials::password("user", "pencil"));
    let first = format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i=4096");
    assert_eq!(client.step(first.as_bytes(), true, cache), Err(SaslError::ServerUnproven));
}

#[test]
fn a_proof_with_one_wrong_bit_is_no_proof() {
    let (_, last) = almost_done();
    for index in 0..last.challenge.len() {
        let (mut client, last) = almost_done();
        let mut tampered = last.challenge;
        tampered[index] ^= 1;
        let result = client.step(&tampered, false, &mut SaltedPasswordCache::default());
        assert!(matches!(result, Err(SaslError::ServerProofWrong | SaslError::Malformed { .. })), "{result:?}");
    }
    for wrong in [&b"v="[..], b"v=AAAA", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="] {
        let (mut client, _) = almost_done();
        let result = client.step(wrong, true, &mut SaltedPasswordCache::default());
        assert_eq!(result, Err(SaslError::ServerProofWrong));
    }
}

#[test]
fn control_characters_are_refused_by_saslprep() {
    for (username, password) in [("us\ner", "p"), ("user", "p\u{7f}"), ("user", "\u{85}")] {
        let result = client(Mechanism::ScramSha1, &Credentials::password(username, password));
        assert!(matches!(result.unwrap_err(), SaslError::Credential { .. }));
    }
}

#[test]
fn a_hundred_sessions_cost_one_derivation() {
    let mut cache = SaltedPasswordCache::default();
    let answer = |credentials: &Credentials, salt: &str, cache: &mut SaltedPasswordCache| -> Vec<u8> {
        let (mut client, nonce) = started(credentials);
        match client.step(format!("r={nonce}x,s={salt},i=4096").as_bytes(), false, cache) {
            Ok(Step::Respond(response)) => response,
            other => panic!("{other:?}"),
        }
    };
    let right = Credentials::password("user", "pencil");
    let first = answer(&right, "QSXC", &mut cache);
    for _ in 1..100 {
        assert_eq!(answer(&right, "QSXC", &mut cache), first);
    }
    assert_eq!((cache.derivations(), cache.len()), (1, 1));
    // An entry is not used for another password.
    let wrong = Credentials::password("user", "pencils");
    assert_ne!(answer(&wrong, "QSXC", &mut cache), first);
    assert_eq!(answer(&right, "QSXC", &mut cache), first);
    assert_ne!(answer(&right, "QSXD", &mut cache), first);
    assert_eq!((cache.derivations(), cache.len()), (3, 3));
    cache.clear();
    assert!(cache.is_empty());
}

#[test]
fn the_cache_keeps_the_ones_asked_for_last() {
    use crate::sasl::hash::Hash;
    let mut cache = SaltedPasswordCache::with_capacity(2);
    let mut ask = |name: &str| {
        cache.salted_password(Hash::Sha1, name, &"p".into(), b"salt", 1);
        (cache.derivations(), cache.len())
    };
    assert_eq!(ask("a"), (1, 1));
    assert_eq!(ask("b"), (2, 2));
    assert_eq!(ask("a"), (2, 2));
    assert_eq!(ask("c"), (3, 2), "b makes room");
    assert_eq!(ask("a"), (3, 2));
    assert_eq!(ask("b"), (4, 2));
    let mut none = SaltedPasswordCache::with_capacity(0);
    none.salted_password(Hash::Sha1, "a", &"p".into(), b"salt", 1);
    assert!(none.is_empty());
}

#[test]
fn the_servers_side_of_the_rules() {
    let user = OneUser::new("user", "pencil");
    let answer = |messages: &[&[u8]]| {
        let mut server = Server::new(Mechanism::ScramSha256, fast_server(), [2; 32]);
        let mut cache = SaltedPasswordCache::default();
        messages.iter().map(|message| server.step(message, &user, &mut cache)).last().unwrap()
    };
    let refused: [&[u8]; 8] = [
        b"n=user,r=abc",
        b"n,,m=x,n=user,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a c",
        b"n,b=x,n=user,r=abc",
        b"n,,r=abc,n=user",
        b"\xff",
    ];
    for first in refused {
        let result = answer(&[first]);
        assert!(matches!(result, Err(SaslError::Malformed { .. })), "{} {result:?}", first.escape_ascii());
    }
    let first = b"n,,n=user,r=abc";
    let challenge = String::from_utf8(answer(&[first]).unwrap().challenge).unwrap();
    let nonce = challenge.split(',').next().unwrap();
    let last = format!("c=biws,{nonce},p=AAAA");
    assert_eq!(answer(&[first, last.as_bytes()]), Err(SaslError::Denied));
    assert_eq!(answer(&[first, b"c=biws,r=abc,p=AAAA"]), Err(SaslError::WrongNonce));
    let bound = format!("c=eSws,{nonce},p=AAAA");
    assert!(matches!(answer(&[first, bound.as_bytes()]), Err(SaslError::ChannelBinding { .. })));
}
