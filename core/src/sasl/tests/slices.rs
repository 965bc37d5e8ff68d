//! Key derivations of more than one slice.

use alloc::vec::Vec;

use super::*;

fn started(iterations: u32) -> (Client, Server, Vec<u8>) {
    let user = OneUser::new("user", "pencil");
    let credentials = credentials_for(Mechanism::ScramSha256, &user);
    let limits = ClientLimits::default();
    let mut client =
        Client::new(Mechanism::ScramSha256, &credentials, "infinispan", "hotrod", [1; 32], limits).unwrap();
    let config = ServerConfig { iterations, ..ServerConfig::default() };
    let mut server = Server::new(Mechanism::ScramSha256, config, [2; 32]);
    let challenge = server.step(&client.initial_response(), &user, &mut SaltedPasswordCache::default());
    (client, server, challenge.unwrap().challenge)
}

/// Number of steps up to and including the client-final message; then completes the exchange.
fn steps(iterations: u32, cache: &mut SaltedPasswordCache) -> usize {
    let (mut client, mut server, challenge) = started(iterations);
    let mut step = client.step(&challenge, false, cache);
    let mut steps = 1;
    while step == Ok(Step::Resume) {
        assert!(cache.is_empty() && cache.derivations() == 0, "nothing is kept before the end");
        step = client.resume(cache);
        steps += 1;
    }
    let Ok(Step::Respond(last)) = step else { panic!("{step:?}") };
    let user = OneUser::new("user", "pencil");
    let last = server.step(&last, &user, &mut SaltedPasswordCache::default()).unwrap();
    assert_eq!(client.step(&last.challenge, false, cache), Ok(Step::Done));
    steps
}

#[test]
fn each_step_does_one_slice() {
    for (iterations, expected) in [(4_096, 1), (10_000, 1), (10_001, 2), (45_000, 5)] {
        let cache = &mut SaltedPasswordCache::default();
        assert_eq!(steps(iterations, cache), expected, "{iterations}");
        assert_eq!((cache.derivations(), cache.len()), (1, 1));
        assert_eq!(steps(iterations, cache), 1, "and none where it is known");
        assert_eq!(cache.derivations(), 1);
    }
}

#[test]
fn a_challenge_during_a_derivation_is_one_too_many() {
    let cache = &mut SaltedPasswordCache::default();
    let (mut client, _, challenge) = started(45_000);
    assert_eq!(client.step(&challenge, false, cache), Ok(Step::Resume));
    let failed = Err(SaslError::Unexpected { mechanism: Mechanism::ScramSha256 });
    assert_eq!(client.step(&challenge, false, cache), failed);
    assert_eq!(client.resume(cache), failed, "and it stays failed");
    assert!(cache.is_empty());
}

#[test]
fn there_is_nothing_to_resume_before_and_after_a_derivation() {
    let cache = &mut SaltedPasswordCache::default();
    let unexpected = |mechanism| Err(SaslError::Unexpected { mechanism });
    for mechanism in Mechanism::ALL {
        let user = OneUser::new("user", "pencil");
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        assert_eq!(client.resume(cache), unexpected(mechanism));
    }
    let (mut client, _, challenge) = started(4_096);
    assert!(matches!(client.step(&challenge, false, cache), Ok(Step::Respond(_))));
    assert_eq!(client.resume(cache), unexpected(Mechanism::ScramSha256));
}
