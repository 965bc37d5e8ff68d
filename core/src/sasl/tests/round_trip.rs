//! Exchanges between both roles.

use proptest::prelude::*;
use proptest::sample::select as one_of;

use super::*;
use crate::sasl::saslprep::prepare;

/// Passwords with every character that has a meaning in the grammars, as far as SASLprep allows them.
fn text() -> impl Strategy<Value = String> {
    let allowed = "\\PC{1,20}".prop_filter("SASLprep", |text| prepare("text", text).is_ok());
    prop_oneof!["[a-c,=\"\\\\:/ 0-9]{1,12}".boxed(), allowed.boxed()]
}

/// Names in their prepared form: a server knows its users by it.
fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| prepare("text", &text).unwrap().into_owned()).prop_filter("empty", |name| !name.is_empty())
}

fn server(mechanism: Mechanism, user: &OneUser) -> Server {
    let config = ServerConfig { certificate_name: Some(user.name.clone()), ..fast_server() };
    Server::new(mechanism, config, [2; 32])
}

proptest! {
    #[test]
    fn who_knows_the_secret_is_let_in(
        mechanism in one_of(&Mechanism::ALL),
        name in name(),
        password in text(),
        other in any::<bool>(),
    ) {
        let user = OneUser::new(&name, &password);
        let mut credentials = credentials_for(mechanism, &user);
        if other {
            credentials = credentials.with_authorization_id("someone else");
        }
        let mut client = client(mechanism, &credentials).unwrap();
        let name = converse(&mut client, &mut server(mechanism, &user), &user);
        let expected = if other { "someone else" } else { &user.name };
        prop_assert_eq!(name, Ok(Some(expected.into())));
    }

    #[test]
    fn who_does_not_is_not(
        mechanism in one_of(&Mechanism::ALL),
        name in name(),
        password in text(),
        wrong in text(),
        unknown in any::<bool>(),
    ) {
        prop_assume!(mechanism != Mechanism::External && prepare("", &password).unwrap() != prepare("", &wrong).unwrap());
        let user = OneUser::new(&name, &password);
        let mut impostor = OneUser::new(&name, &wrong);
        impostor.token = "another".into();
        if unknown {
            // Password that a server without this user might use by mistake.
            impostor = OneUser { name: [&*name, &*name].concat(), password: "0".into(), token: "another".into() };
        }
        let mut client = client(mechanism, &credentials_for(mechanism, &impostor)).unwrap();
        let result = converse(&mut client, &mut server(mechanism, &user), &user);
        let refused = matches!(result, Err(SaslError::Denied | SaslError::Refused { .. }));
        prop_assert!(refused, "{:?}", result);
    }

    #[test]
    fn nobody_may_act_as_just_anyone(mechanism in one_of(&Mechanism::ALL)) {
        let user = OneUser::new("user", "password");
        let credentials = credentials_for(mechanism, &user).with_authorization_id("root");
        let mut client = client(mechanism, &credentials).unwrap();
        let result = converse(&mut client, &mut server(mechanism, &user), &user);
        prop_assert!(matches!(result, Err(SaslError::NotAuthorized { .. })), "{:?}", result);
    }
}

#[test]
fn the_server_says_complete_only_where_infinispan_does() {
    let user = OneUser::new("user", "password");
    for mechanism in Mechanism::ALL {
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        let mut server = server(mechanism, &user);
        let mut cache = SaltedPasswordCache::default();
        let mut response = client.initial_response();
        let last = loop {
            let reply = server.step(&response, &user, &mut cache).unwrap();
            match client.step(&reply.challenge, reply.complete, &mut cache).unwrap() {
                Step::Respond(next) => response = next,
                Step::Resume => panic!("few iterations"),
                Step::Done => break reply,
            }
        };
        assert_eq!(last.complete, mechanism == Mechanism::Plain, "{mechanism}");
        // Further steps repeat the result.
        let again = server.step(b"", &user, &mut cache).unwrap();
        assert_eq!(again, ServerStep { challenge: [].into(), complete: true, authenticated: last.authenticated });
        assert_eq!(client.step(&again.challenge, again.complete, &mut cache), Ok(Step::Done));
        let unexpected = SaslError::Unexpected { mechanism };
        assert_eq!(server.step(b"x", &user, &mut cache), Err(unexpected.clone()));
        assert_eq!(client.step(b"x", false, &mut cache), Err(unexpected));
    }
}

#[test]
fn a_client_that_waits_to_be_asked_is_asked() {
    let user = OneUser::new("user", "password");
    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::OAuthBearer] {
        let mut server = server(mechanism, &user);
        let reply = server.step(b"", &user, &mut SaltedPasswordCache::default()).unwrap();
        assert_eq!(reply, ServerStep { challenge: [].into(), complete: false, authenticated: None });
        let mut client = client(mechanism, &credentials_for(mechanism, &user)).unwrap();
        assert_eq!(converse(&mut client, &mut server, &user), Ok(Some("user".into())));
    }
}

#[test]
fn an_unknown_user_has_no_password_at_all() {
    let user = OneUser::new("user", "password");
    for mechanism in [Mechanism::ScramSha256, Mechanism::DigestSha256] {
        let mut client = client(mechanism, &Credentials::password("nobody", "")).unwrap();
        assert_eq!(converse(&mut client, &mut server(mechanism, &user), &user), Err(SaslError::Denied));
    }
}
