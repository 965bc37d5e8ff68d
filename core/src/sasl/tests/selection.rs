//! Selection of the mechanism.

use super::*;

const OFFER: [&str; 9] = [
    "PLAIN",
    "GSSAPI",
    "SCRAM-SHA-1",
    "SCRAM-SHA-512",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512-PLUS",
    "DIGEST-MD5",
    "OAUTHBEARER",
    "EXTERNAL",
];

fn chosen(offered: &[&str], credentials: &Credentials, encrypted: bool) -> Result<Mechanism, SaslError> {
    select(offered.iter().copied(), credentials, &Policy { encrypted, ..Policy::default() })
}

#[test]
fn the_strongest_that_the_credentials_can_do() {
    let password = Credentials::password("u", "p");
    for encrypted in [false, true] {
        assert_eq!(chosen(&OFFER, &password, encrypted), Ok(Mechanism::ScramSha512));
    }
    assert_eq!(chosen(&OFFER, &Credentials::token("t"), true), Ok(Mechanism::OAuthBearer));
    assert_eq!(chosen(&OFFER, &Credentials::certificate(), true), Ok(Mechanism::External));
    assert_eq!(chosen(&["PLAIN", "SCRAM-SHA-1", "DIGEST-SHA-512"], &password, true), Ok(Mechanism::ScramSha1));
}

#[test]
fn the_order_is_the_documented_one() {
    let order = ["SCRAM-SHA-512", "SCRAM-SHA-384", "SCRAM-SHA-256", "SCRAM-SHA-1"];
    let password = Credentials::password("u", "p");
    for (index, name) in order.iter().enumerate() {
        assert_eq!(chosen(&order[index..], &password, true).map(Mechanism::name), Ok(*name));
    }
    assert!(Mechanism::ALL.is_sorted());
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
    }
    assert_eq!(Mechanism::from_name("scram-sha-512"), None);
}

/// Independent of the link and of the server's offer.
#[test]
fn a_password_goes_by_nothing_weaker_than_scram_that_is_not_named() {
    let password = Credentials::password("u", "p");
    let weaker = [
        "DIGEST-SHA-512",
        "DIGEST-SHA-384",
        "DIGEST-SHA-512-256",
        "DIGEST-SHA-256",
        "DIGEST-SHA",
        "DIGEST-MD5",
        "PLAIN",
    ];
    for encrypted in [false, true] {
        for name in weaker {
            let refused = chosen(&[name], &password, encrypted);
            assert!(matches!(refused, Err(SaslError::BelowFloor { .. })), "{name}: {refused:?}");
            let named = Policy { encrypted, mechanism: Mechanism::from_name(name), ..Policy::default() };
            assert_eq!(select([name].into_iter(), &password, &named).map(Mechanism::name), Ok(name));
        }
        let error = chosen(&["PLAIN", "DIGEST-MD5"], &password, encrypted).unwrap_err();
        let text = "the server offers PLAIN, DIGEST-MD5; nothing weaker than SCRAM is used for a password unless it is \
                    named with sasl_mechanism=…";
        assert_eq!(alloc::string::ToString::to_string(&error), text);
    }
}

#[test]
fn a_token_and_a_certificate_need_an_encrypted_link() {
    for credentials in [Credentials::token("t"), Credentials::certificate()] {
        let error = chosen(&OFFER, &credentials, false).unwrap_err();
        assert!(matches!(error, SaslError::Unencrypted { .. }), "{error}");
    }
}

#[test]
fn the_one_named_or_none() {
    let named = |name| Policy { mechanism: Mechanism::from_name(name), ..Policy::default() };
    let password = Credentials::password("u", "p");
    assert_eq!(select(OFFER.into_iter(), &password, &named("PLAIN")), Ok(Mechanism::Plain));
    let error = select(["PLAIN"].into_iter(), &password, &named("SCRAM-SHA-384")).unwrap_err();
    let text = "the server does not offer SCRAM-SHA-384, which was asked for by name; it offers PLAIN";
    assert_eq!(alloc::string::ToString::to_string(&error), text);
}

#[test]
fn what_is_missing_is_said() {
    let error = chosen(&["GSSAPI", "bad\n"], &Credentials::password("u", "p"), true).unwrap_err();
    let text = "the server offers GSSAPI, bad\u{fffd}; none of it can be done with a username and a password";
    assert_eq!(alloc::string::ToString::to_string(&error), text);
    let error = chosen(&[], &Credentials::token("t"), true).unwrap_err();
    assert_eq!(
        alloc::string::ToString::to_string(&error),
        "the server offers nothing; none of it can be done with a token"
    );
    for mechanism in [Mechanism::ScramSha1, Mechanism::DigestMd5, Mechanism::Plain, Mechanism::OAuthBearer] {
        let error = client(mechanism, &Credentials::certificate()).unwrap_err();
        assert!(matches!(error, SaslError::CredentialsMissing { .. }), "{error}");
    }
}
