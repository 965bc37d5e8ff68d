//! Peers that send arbitrary messages.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select as one_of};

use super::*;

/// Random bytes, or random combinations of the grammars' elements.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "r=",
        "s=",
        "i=",
        "v=",
        "e=",
        "m=",
        "p=",
        "c=biws",
        "n,,",
        "n=user",
        "a=",
        ",",
        "=",
        "=2C",
        "=3",
        "\"",
        "\\",
        "4096",
        "1",
        "AAAA",
        "QQ==",
        "realm=",
        "nonce=",
        "qop=\"auth\"",
        "charset=utf-8",
        "algorithm=md5-sess",
        "rspauth=",
        "username=\"user\"",
        "nc=00000001",
        "cnonce=\"x\"",
        "digest-uri=\"hotrod/infinispan\"",
        "response=",
        "\u{1}",
        "auth=Bearer ",
        "t0ken",
        "{\"status\":\"",
        "\0",
        "user",
        "pencil",
        "ü",
        " ",
        "NONCE",
    ];
    prop_oneof![
        vec(any::<u8>(), 0..64),
        vec(one_of(pieces.to_vec()), 0..16).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

/// Replaces `NONCE` by the nonce of the exchange, to reach later steps.
fn with_nonce(message: &[u8], nonce: &str) -> Vec<u8> {
    match core::str::from_utf8(message) {
        Ok(text) => text.replace("NONCE", nonce).into_bytes(),
        Err(_) => message.to_vec(),
    }
}

fn nonce_in(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.rsplit_once("r=").map_or("", |(_, nonce)| nonce.split(',').next().unwrap_or("")).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_server_panics_the_client_or_passes_for_one_that_knows_the_password(
        mechanism in one_of(&Mechanism::ALL),
        messages in vec((message(), any::<bool>()), 1..5),
    ) {
        let user = OneUser::new("user", "pencil");
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        let nonce = nonce_in(&client.initial_response());
        let mut cache = SaltedPasswordCache::default();
        for (message, complete) in messages {
            let step = client.step(&with_nonce(&message, &nonce), complete, &mut cache);
            let mutual = mechanism <= Mechanism::ScramSha512 && mechanism != Mechanism::Plain;
            prop_assert!(!(mutual && step == Ok(Step::Done)));
        }
    }

    #[test]
    fn no_client_panics_the_server_or_gets_in_without_the_password(
        mechanism in one_of(&Mechanism::ALL),
        messages in vec(message(), 1..5),
    ) {
        // Password and token do not occur in the elements, and there is no certificate.
        let user = OneUser { token: "another".into(), ..OneUser::new("user", "unguessable") };
        let mut server = Server::new(mechanism, fast_server(), [2; 32]);
        let mut cache = SaltedPasswordCache::default();
        let mut nonce = String::new();
        for message in messages {
            let reply = server.step(&with_nonce(&message, &nonce), &user, &mut cache);
            if let Ok(reply) = reply {
                prop_assert_eq!(reply.authenticated, None);
                nonce = nonce_in(&reply.challenge);
            }
        }
    }

    /// A valid exchange with one byte of one message changed, inserted or removed.
    #[test]
    fn a_message_damaged_on_the_way_does_no_harm(
        mechanism in one_of(&Mechanism::ALL),
        which in 0..4_usize,
        place in any::<Index>(),
        byte in any::<u8>(),
        how in 0..3,
    ) {
        let user = OneUser::new("user", "pencil");
        let damage = |message: &mut Vec<u8>| match how {
            0 => message.insert(place.index(message.len() + 1), byte),
            _ if message.is_empty() => {}
            1 => { message.remove(place.index(message.len())); }
            _ => { let index = place.index(message.len()); message[index] = byte; }
        };
        let config = ServerConfig { certificate_name: Some("user".into()), ..fast_server() };
        let mut server = Server::new(mechanism, config, [2; 32]);
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        let mut cache = SaltedPasswordCache::default();
        let mut message = client.initial_response();
        for turn in (0..).step_by(2) {
            if turn == which { damage(&mut message); }
            let Ok(mut reply) = server.step(&message, &user, &mut cache) else { break };
            if turn + 1 == which { damage(&mut reply.challenge); }
            match client.step(&reply.challenge, reply.complete, &mut cache) {
                Ok(Step::Respond(next)) => message = next,
                Ok(Step::Resume) => panic!("few iterations"),
                Ok(Step::Done) | Err(_) => break,
            }
        }
    }
}

#[test]
fn long_messages_are_refused_before_they_are_read() {
    let user = OneUser::new("user", "pencil");
    for mechanism in Mechanism::ALL {
        let mut cache = SaltedPasswordCache::default();
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        let error = client.step(&[b'x'; 8193], false, &mut cache).unwrap_err();
        assert_eq!(format!("{error}"), "a challenge of 8193 bytes; the limit is 8192");
        let mut server = Server::new(mechanism, fast_server(), [2; 32]);
        let error = server.step(&vec![b'x'; 65_537], &user, &mut cache).unwrap_err();
        assert_eq!(format!("{error}"), "a response of 65537 bytes; the limit is 65536");
    }
}
