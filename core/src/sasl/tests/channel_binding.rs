//! SCRAM-PLUS: RFC 5802 §6, RFC 5929 §4, RFC 9266.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::sasl::mechanism::Kind;
use crate::sasl::scram::ScramClient;

const PLUS: [Mechanism; 4] =
    [Mechanism::ScramSha1Plus, Mechanism::ScramSha256Plus, Mechanism::ScramSha384Plus, Mechanism::ScramSha512Plus];

fn channel_of(byte: u8) -> ChannelBinding {
    ChannelBinding::tls_exporter(&[byte; 32]).unwrap()
}

fn client_with(mechanism: Mechanism, binding: Binding<'_>) -> Result<Client, SaslError> {
    let credentials = Credentials::password("user", "pencil");
    Client::with_binding(mechanism, &credentials, ("infinispan", "hotrod"), [1; 32], FAST, binding)
}

fn server_with(mechanism: Mechanism, channel_bindings: Vec<ChannelBinding>) -> Server {
    Server::new(mechanism, ServerConfig { channel_bindings, ..fast_server() }, [2; 32])
}

fn meet(client: Client, mut server: Server) -> Result<Option<String>, SaslError> {
    let mut client = client;
    converse(&mut client, &mut server, &OneUser::new("user", "pencil"))
}

#[test]
fn both_ends_of_one_channel_find_each_other() {
    for mechanism in PLUS {
        let name = meet(
            client_with(mechanism, Binding::Channel(&channel_of(7))).unwrap(),
            server_with(mechanism, vec![channel_of(7)]),
        );
        assert_eq!(name.unwrap().as_deref(), Some("user"), "{mechanism}");
    }
}

/// A man in the middle has terminated TLS on both sides.
#[test]
fn ends_of_two_channels_do_not() {
    for mechanism in PLUS {
        let refused = meet(
            client_with(mechanism, Binding::Channel(&channel_of(7))).unwrap(),
            server_with(mechanism, vec![channel_of(8)]),
        );
        assert!(matches!(refused, Err(SaslError::ChannelBinding { .. })), "{mechanism}: {refused:?}");
    }
}

/// A man in the middle has removed the PLUS mechanisms from the server's offer.
#[test]
fn a_changed_offer_is_noticed() {
    let client = || client_with(Mechanism::ScramSha256, Binding::NotOffered).unwrap();
    assert!(meet(client(), server_with(Mechanism::ScramSha256, vec![])).is_ok());
    let refused = meet(client(), server_with(Mechanism::ScramSha256, vec![channel_of(7)]));
    assert!(matches!(refused, Err(SaslError::ChannelBinding { .. })), "{refused:?}");
    // A client without channel binding is accepted all the same.
    let plain = client_with(Mechanism::ScramSha256, Binding::Unsupported).unwrap();
    assert!(meet(plain, server_with(Mechanism::ScramSha256, vec![channel_of(7)])).is_ok());
}

#[test]
fn the_flag_and_the_mechanism_belong_together() {
    let first =
        |mechanism, binding| String::from_utf8(client_with(mechanism, binding).unwrap().initial_response()).unwrap();
    assert!(first(Mechanism::ScramSha256, Binding::Unsupported).starts_with("n,,"));
    assert!(first(Mechanism::ScramSha256, Binding::NotOffered).starts_with("y,,"));
    assert!(first(Mechanism::ScramSha256Plus, Binding::Channel(&channel_of(1))).starts_with("p=tls-exporter,,"));
    for binding in [Binding::Unsupported, Binding::NotOffered] {
        let refused = client_with(Mechanism::ScramSha256Plus, binding);
        assert_eq!(refused.err(), Some(SaslError::NoChannelBinding { mechanism: Mechanism::ScramSha256Plus }));
    }
    for (mechanism, message) in [
        (Mechanism::ScramSha256Plus, "n,,n=user,r=abc"),
        (Mechanism::ScramSha256Plus, "y,,n=user,r=abc"),
        (Mechanism::ScramSha256Plus, "p=tls-unique,,n=user,r=abc"),
        (Mechanism::ScramSha256Plus, "p=tls-server-end-point,,n=user,r=abc"),
        (Mechanism::ScramSha256, "p=tls-exporter,,n=user,r=abc"),
        (Mechanism::ScramSha256, "p=,,n=user,r=abc"),
        (Mechanism::ScramSha256, "x,,n=user,r=abc"),
    ] {
        let mut server = server_with(mechanism, vec![channel_of(7)]);
        let refused =
            server.step(message.as_bytes(), &OneUser::new("user", "pencil"), &mut SaltedPasswordCache::default());
        assert!(refused.is_err(), "{mechanism} {message}");
    }
}

#[test]
fn plus_is_preferred_where_both_can_and_needed_where_it_is_required() {
    let password = Credentials::password("u", "p");
    let offer = ["SCRAM-SHA-512", "SCRAM-SHA-256-PLUS", "PLAIN"];
    let chosen = |policy: &Policy, offer: &[&str]| select(offer.iter().copied(), &password, policy);
    let can = Policy { encrypted: true, channel_binding: true, ..Policy::default() };
    assert_eq!(chosen(&can, &offer), Ok(Mechanism::ScramSha256Plus));
    assert_eq!(chosen(&Policy { channel_binding: false, ..can }, &offer), Ok(Mechanism::ScramSha512));
    let required = Policy { requires_channel_binding: true, ..can };
    assert_eq!(chosen(&required, &offer), Ok(Mechanism::ScramSha256Plus));
    let error = chosen(&required, &["SCRAM-SHA-512"]).unwrap_err().to_string();
    assert!(error.contains("SCRAM-SHA-512") && error.contains("channel_binding"), "{error}");
}

/// The exchange of RFC 7677 §3 with channel binding, computed with Python's hashlib.
#[test]
fn sha_256_plus_by_hashlib() {
    let mechanism = Mechanism::ScramSha256Plus;
    let Kind::Scram(hash) = mechanism.kind() else { panic!("it is SCRAM") };
    let channel = ChannelBinding::tls_exporter(&core::array::from_fn::<u8, 32, _>(|index| index as u8)).unwrap();
    let credentials = Credentials::password("user", "pencil");
    let (limits, mut cache) = (ClientLimits::default(), SaltedPasswordCache::default());
    let mut scram =
        ScramClient::new(mechanism, hash, &credentials, "rOprNGfwEbeRWgbNEkqO".into(), Binding::Channel(&channel))
            .unwrap();
    let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    let Step::Respond(last) = scram.step(server_first.as_bytes(), false, &limits, &mut cache).unwrap() else {
        panic!()
    };
    assert_eq!(
        String::from_utf8(last).unwrap(),
        "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M="
    );
    assert_eq!(
        scram.step(b"v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=", false, &limits, &mut cache),
        Ok(Step::Done)
    );
}

/// Certificates by `openssl req -x509`, hashes by `openssl dgst`.
#[test]
fn the_end_point_is_the_hash_of_the_certificate_by_its_signatures_hash() {
    for (certificate, expected) in [
        (
            "MIIBbTCCAROgAwIBAgIURzxbHBt5VtUBp1MGSHSUdGYV4LcwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAeFw0yNjEyMDExMDI1NTdaFw0zNjExMjgxMDI1NTdaMAwxCjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ6IrifGTXm0J/FVPPf1w8jXGrxBIIMXJ1o5hMC3BcyKfn6YvVVTCIWG7o7ZPJVGgPwKHDWVYABJYIFK21DgrhZo1MwUTAdBgNVHQ4EFgQUUCPLBdYEEElF8yCGy+WZR0Q79MQwHwYDVR0jBBgwFoAUUCPLBdYEEElF8yCGy+WZR0Q79MQwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAuKW1dY3YaoeDvEhukXYlwU8lDwBXrChobIGAxEySMY8CIBv6Mw6d1fCmmb+Gwsqn5b/v2ato9vKLqnIMS8pjFWFj",
            Some("0b33c410ed9c925fb273786bff8f5b95348c34c0c1a3d69e0865fc48a4a15ee0"),
        ),
        (
            "MIIBbjCCAROgAwIBAgIUedfNoiKHHHMNmeGvGFSEYXvsBLgwCgYIKoZIzj0EAwMwDDEKMAgGA1UEAwwBYTAeFw0yNjEyMDExMDI1NTdaFw0zNjExMjgxMDI1NTdaMAwxCjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASB+ak1vVWQj+A5xHUEQs4AWkYSY81s4RrLZ+lr2y46ijKUW4kfmn8WNUPo26bAEhnr2610Y5SX/4IQ/3D796/ao1MwUTAdBgNVHQ4EFgQUBM7yQ6igaz4XMdzbbzi8rUDNTpcwHwYDVR0jBBgwFoAUBM7yQ6igaz4XMdzbbzi8rUDNTpcwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAwNJADBGAiEA+9OmdDuv2AJtHzG//Zykh5ZYy+B3ZYKUBL0pxBf8znoCIQD2wKFbFShZEWwJR5JBzdcRU5WZ0g6nQmmLcVQenQ6ocw==",
            Some("73e128599db3660bea3dc2a9e696d91c5db4fc3100a239314cc15317f15fb6e841a95cc40c2bdc77181afecee34dc71e"),
        ),
        (
            "MIIB9DCCAV2gAwIBAgIUCeDD22516Ma3bLYsw61mYwagrE4wDQYJKoZIhvcNAQEFBQAwDDEKMAgGA1UEAwwBYTAeFw0yNjEyMDExMDI1NTdaFw0zNjExMjgxMDI1NTdaMAwxCjAIBgNVBAMMAWEwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBANmn8xs3Ey4slfG9gSt25W15E/b2GFM7OmLFDxxnzofOP6+NAzPoCdjOzfBHoLGu3KYyut2R1u+MfByuL1Uhh7joFFT+uv8JGCfUlDZlcO09YlrGZkJSXLASUBTfo6wO/aW/zAvbCgQtiKgBVGmAlFtaJUPPsIOYhkucT6xIpSR5AgMBAAGjUzBRMB0GA1UdDgQWBBR8dC2MWXNFt6IPFi2k1PNgKB2W0jAfBgNVHSMEGDAWgBR8dC2MWXNFt6IPFi2k1PNgKB2W0jAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBBQUAA4GBAIGyVhlB1w1mlGYkoa+gFJI3kJe/PKMcSr4Oeg6wpvPwew5fxtr9z6toJnqpG+qW1Fz41YYFFNCgfjVmNq/1JtA63e9QnjFFp5SAjANA1oaEOA8SPlblBogf3Mmw25Rt8vOiLI8c9bGhPCov1lcWLJUxr/Ztq5vEgKMy282Rlk1n",
            Some("de7b729dc049607782c1433e92492f42b3e3e529ca341597b1e3c71dd8d4d25d"),
        ),
        (
            "MIIB9DCCAV2gAwIBAgIUAlGozNzdx8E5SOFrydwvz4QPKTkwDQYJKoZIhvcNAQENBQAwDDEKMAgGA1UEAwwBYTAeFw0yNjEyMDExMDI1NTdaFw0zNjExMjgxMDI1NTdaMAwxCjAIBgNVBAMMAWEwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBANKDJuPMxbcrWq4F9BmeH6dPcEM4wY4dH2KKFx2PCWB4OypBI5oN0PTKAS4i1x+OlM1Xl7SaWyYN9J1+7HFYEhmGcf/lLWZb63MVDtQFeDrmR10XhkToAXNSawjA9FGueCfIhUyYqOXNrBuloNwFXbI5CS95k0HOsLjUsj416cIJAgMBAAGjUzBRMB0GA1UdDgQWBBT8SznpZ2hvQJk3Ki7qbXhozdXfYjAfBgNVHSMEGDAWgBT8SznpZ2hvQJk3Ki7qbXhozdXfYjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBDQUAA4GBABruBGrMwJ0jk09ykvQ73F7RWlIYDKYTeq7IV07YShjqAmG5R2n5bgeC71TUEtMxIfp+FlHz1uRyYuuK75JeelO1sRAq8VSllmUZUJzrI4nuxtwmChv/1d5g8mt2PuUsBzJA/u/M1/+UUAdYv7AKPeo5laOLcc1HYSkSwufs/G0u",
            Some(
                "08f0c311ef259a149dca4a0f4018417ecccda3d44a91d5a804086d81ad957c2f92c91680639c9ff5ba1d13fe9517eb1ed377314ab6ea0dbd8d348258e903f83b",
            ),
        ),
        (
            "MIICXDCCAZGgAwIBAgIUD2BXfhrSwl8jRhUmcGJcmRHPrGowQQYJKoZIhvcNAQEKMDSgDzANBglghkgBZQMEAgIFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgIFAKIDAgEwMAwxCjAIBgNVBAMMAWEwHhcNMjYxMjAxMTAyNTU3WhcNMzYxMTI4MTAyNTU3WjAMMQowCAYDVQQDDAFhMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDoTNU2De04Mj/0nyNr2zpbZBjZbWi+HxA9C9RPQX1TW3ZteYNKzSdjMuiVhu19BBG0Kctyu2Jn8oXVhbE57c+/2F+yqv84I2PvB/8u2+Bm3W7R/+dd8FzwDUYKauJU2MDBSU2WlEhilGmBD1y0eCZd8def1Fq1OBvUdsgbB4NWVwIDAQABo1MwUTAdBgNVHQ4EFgQU8UZ6uXmLqlST3MD7sWhZ1WL3jwEwHwYDVR0jBBgwFoAU8UZ6uXmLqlST3MD7sWhZ1WL3jwEwDwYDVR0TAQH/BAUwAwEB/zBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAgUAoRwwGgYJKoZIhvcNAQEIMA0GCWCGSAFlAwQCAgUAogMCATADgYEAsss08gF60VBKOk31h0AoDAMpXaqchtql0GrSd0Dau8iEoJop4iKW2TSNy5stDAwFwAZUBRh0ctJEtWfKl3uvgNBfsHzILJuAkO9sYflhCBkoWmhtzVNoTJv6MUBOyJ8rcStzMCL9Av/SWNeqCgQp41mXMQ3C3HBW2gflLbQzH1I=",
            Some("ee1a6e68046923c969c693c04c3ac619ec3b8d7ac1274ef4773fb79750468967b2a7656fcd5c96d110eef059cf4c2644"),
        ),
        (
            "MIIBLDCB36ADAgECAhR6D9WK0JMxK4JykdzPSbMAxA2e0TAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNjEyMDExMDI1NTdaFw0zNjExMjgxMDI1NTdaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQAZi5TgjKLxf1UvhYFjyXtaXzSP65RLOTUEQuC+n+HWDKNTMFEwHQYDVR0OBBYEFLyMs4h/MAuptmmzpFth3/gjun5sMB8GA1UdIwQYMBaAFLyMs4h/MAuptmmzpFth3/gjun5sMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAlya4dhS5dTPfhmJYmjGCbLaBbACwJ5lhbnu1ap8BoVwWIYlMTivpY/9lJN+ftG9TW742PuD8yokhSp1Y0yBGCA==",
            None,
        ),
    ] {
        let certificate = crate::sasl::text::from_base64(certificate).unwrap();
        let found =
            ChannelBinding::tls_server_end_point(&certificate).map(|found| crate::sasl::text::hex(found.data()));
        assert_eq!(found.as_deref(), expected);
    }
}

#[test]
fn what_is_no_certificate_has_no_end_point() {
    for wrong in [&b""[..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 1, 1, 1, 1], &[0x30, 3, 0x30, 5, 0], &[0xff; 64]] {
        assert_eq!(ChannelBinding::tls_server_end_point(wrong), None, "{wrong:?}");
    }
    assert_eq!(ChannelBinding::tls_exporter(&[0; 31]), None);
}
