//! Secrets are not shown.

use alloc::string::String;
use core::fmt::Write;

use super::*;

#[test]
fn debug_never_shows_a_secret() {
    let user = OneUser { name: "visible".into(), password: "hidden-pw".into(), token: "hidden-tk".into() };
    let mut shown = String::new();
    let mut show = |what: &dyn core::fmt::Debug| writeln!(shown, "{what:?} {what:#?}").unwrap();
    show(&Credentials::password("visible", "hidden-pw"));
    show(&Credentials::token("hidden-tk").with_realm("realm"));
    show(&Secret::from("hidden-pw"));
    for mechanism in Mechanism::ALL {
        let mut cache = SaltedPasswordCache::default();
        let config = ServerConfig { certificate_name: Some("visible".into()), ..fast_server() };
        show(&config);
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        let mut server = Server::new(mechanism, config, [2; 32]);
        let mut response = client.initial_response();
        loop {
            show(&client);
            show(&server);
            show(&cache);
            let reply = server.step(&response, &user, &mut cache).unwrap();
            let step = client.step(&reply.challenge, reply.complete, &mut cache).unwrap();
            show(&step);
            match step {
                Step::Respond(next) => response = next,
                Step::Resume => panic!("few iterations"),
                Step::Done => break,
            }
        }
    }
    assert!(shown.contains("visible") && !shown.contains("hidden"), "{shown}");
    // Not in the form of a byte vector either.
    assert!(!shown.contains("104, 105, 100"), "{shown}");
}

#[test]
fn secrets_are_equal_when_their_text_is() {
    assert_eq!(Secret::from("a"), Secret::from(String::from("a")));
    assert_ne!(Secret::from("a"), Secret::from("b"));
    assert_ne!(Secret::from("a"), Secret::from(""));
    assert_eq!(Secret::from(zeroize::Zeroizing::new(String::from("a"))).expose(), "a");
}
