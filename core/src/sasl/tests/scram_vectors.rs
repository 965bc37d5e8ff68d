//! Examples of RFC 5802 §5 and RFC 7677 §3; with SHA-384 and SHA-512 computed with Python's hashlib.

use super::*;
use crate::sasl::mechanism::Kind;
use crate::sasl::scram::ScramClient;

fn exchange(mechanism: Mechanism, nonce: &str, server_first: &str, client_final: &str, server_final: &str) {
    let Kind::Scram(hash) = mechanism.kind() else { panic!("{mechanism} is not SCRAM") };
    let credentials = Credentials::password("user", "pencil");
    let limits = ClientLimits::default();
    let mut cache = SaltedPasswordCache::default();
    let mut scram = ScramClient::new(mechanism, hash, &credentials, nonce.into(), Binding::Unsupported).unwrap();
    assert_eq!(scram.first(), ["n,,n=user,r=", nonce].concat());
    let step = scram.step(server_first.as_bytes(), false, &limits, &mut cache).unwrap();
    assert!(step == Step::Respond(client_final.as_bytes().to_vec()), "{mechanism}");
    assert_eq!(scram.step(server_final.as_bytes(), false, &limits, &mut cache), Ok(Step::Done), "{mechanism}");
}

#[test]
fn rfc_5802_section_5() {
    exchange(
        Mechanism::ScramSha1,
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    );
}

/// The exchange of RFC 7677 §3, up to the proofs.
fn rfc_7677(mechanism: Mechanism, client_proof: &str, server_final: &str) {
    let server_nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    exchange(
        mechanism,
        "rOprNGfwEbeRWgbNEkqO",
        &["r=", server_nonce, ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"].concat(),
        &["c=biws,r=", server_nonce, ",p=", client_proof].concat(),
        server_final,
    );
}

#[test]
fn rfc_7677_section_3() {
    rfc_7677(
        Mechanism::ScramSha256,
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    );
}

#[test]
fn sha_384_and_512_by_hashlib() {
    rfc_7677(
        Mechanism::ScramSha384,
        "38QOLqcXFnyvjFUdM4HfSjz5ppcQ02OwnS5CmEK4PniDQJkN2DCKR1oAI+y+NRKq",
        "v=v1W3CC5HNLFnGJ2Zbpb5jeIDxX1hpghXPjWlFWLvikI2N0FYuk/W6bRRifnIXxTe",
    );
    rfc_7677(
        Mechanism::ScramSha512,
        "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
        "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    );
}
