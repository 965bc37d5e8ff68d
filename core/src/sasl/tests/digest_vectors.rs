//! Examples of RFC 2831 §4; with other hashes computed with Python's hashlib.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::sasl::digest::DigestClient;
use crate::sasl::mechanism::Kind;

const REALM: &str = "realm=\"elwood.innosoft.com\",";

struct Vector {
    mechanism: Mechanism,
    service: &'static str,
    nonces: [&'static str; 2],
    proofs: [&'static str; 2],
}

/// RFC 2831's IMAP example, with another hash.
fn imap(mechanism: Mechanism, client_proof: &'static str, server_proof: &'static str) -> Vector {
    let nonces = ["OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk"];
    Vector { mechanism, service: "imap", nonces, proofs: [client_proof, server_proof] }
}

impl Vector {
    fn client(&self, credentials: &Credentials) -> DigestClient {
        let Kind::Digest(hash) = self.mechanism.kind() else { panic!("{} is not DIGEST", self.mechanism) };
        let uri = format!("{}/elwood.innosoft.com", self.service);
        DigestClient::new(self.mechanism, hash, credentials, uri, self.nonces[1].into()).unwrap()
    }

    fn check(&self) {
        let [server_nonce, client_nonce] = self.nonces;
        let mut client = self.client(&Credentials::password("chris", "secret"));
        let challenge = format!("{REALM}nonce=\"{server_nonce}\",qop=\"auth\",algorithm=md5-sess,charset=utf-8");
        let expected = format!(
            "charset=utf-8,username=\"chris\",{REALM}nonce=\"{server_nonce}\",nc=00000001,cnonce=\"{client_nonce}\",\
             digest-uri=\"{}/elwood.innosoft.com\",response={},qop=auth",
            self.service, self.proofs[0]
        );
        assert_eq!(responded(client.step(challenge.as_bytes(), false)), expected);
        assert_eq!(client.step(format!("rspauth={}", self.proofs[1]).as_bytes(), false), Ok(Step::Done));
    }
}

fn responded(step: Result<Step, SaslError>) -> String {
    match step {
        Ok(Step::Respond(response)) => String::from_utf8(response).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc_2831_section_4() {
    let (client, server) = ("d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd");
    imap(Mechanism::DigestMd5, client, server).check();
    let nonces = ["OA9BSXrbuRhWay", "OA9BSuZWMSpW8m"];
    let proofs = ["6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"];
    Vector { mechanism: Mechanism::DigestMd5, service: "acap", nonces, proofs }.check();
}

#[test]
fn the_other_hashes_by_hashlib() {
    let (client, server) = ("a6ffe6b70253167b1c50c2d930757cdb36720e9c", "21bfc31837c4cf253f9f6831d775eed61754ae2b");
    imap(Mechanism::DigestSha, client, server).check();
    let client = "e5bff66997483a2333a48cb5d2adb46902400bf2892a1dcf686c548684a85eaf";
    let server = "d6144cbd5ab091295ed28cd12512d6cef59eaa5955046aec83984887463ea07e";
    imap(Mechanism::DigestSha256, client, server).check();
    let client = "02049b8599bef1cea0c019250283a81a138851da6e09775a5909d0c2bfb3bb06fc490a36291138d0395cb4e59bada803";
    let server = "632eedff1a538f8c4073c593d62469be07015e0df9d1335f13bc6e7cdb28ccc15bd0e1a919c4f93791ff13adf0824332";
    imap(Mechanism::DigestSha384, client, server).check();
    let client = "51f321db569e5c64c05216f30f4c1cf3b49bd505d25e8374a6f4a4c343f59446\
                  eb9290a65d323c0f5acac4dafeea45af1302dde0d664378747d0f77c7f961861";
    let server = "eeae69fb668afcd101d70eb80720d2e8955deb5b6be57061bd28f721928ce43c\
                  6a78b6d4e668211d3a6d7fca2c97927aba1c2dccd1c23c21977fed866a32975d";
    imap(Mechanism::DigestSha512, client, server).check();
    let client = "dca497fe79cc545674c54e2b2692fc3f7f26f5ae251a17a1e62f70ebfec43c85";
    let server = "44af4cd05e843f9f53982739f252984ab05deb9f8a8ec4e56e89040a3a0d4135";
    imap(Mechanism::DigestSha512_256, client, server).check();
}

#[test]
fn to_act_as_another_is_part_of_the_proof() {
    let vector = imap(Mechanism::DigestMd5, "23e90c577367d8f917efa6ba0cb7eebc", "9a3915030cc8922097cd627a25ee2b9e");
    let mut client = vector.client(&Credentials::password("chris", "secret").with_authorization_id("admin"));
    let challenge = format!("{REALM}nonce=\"{}\"", vector.nonces[0]);
    let response = responded(client.step(challenge.as_bytes(), false));
    assert!(response.contains(vector.proofs[0]) && response.ends_with(",authzid=\"admin\""), "{response}");
    assert_eq!(client.step(format!("rspauth={}", vector.proofs[1]).as_bytes(), true), Ok(Step::Done));
}

fn answer_to(challenge: &[u8], credentials: &Credentials) -> Result<Step, SaslError> {
    imap(Mechanism::DigestMd5, "", "").client(credentials).step(challenge, false)
}

#[test]
fn the_realm_is_the_one_wanted_or_the_first() {
    let two = b" realm = \"one\" ,, realm=two,nonce=n";
    let user = Credentials::password("u", "p");
    assert!(responded(answer_to(two, &user)).contains("realm=\"one\""));
    assert!(responded(answer_to(two, &user.clone().with_realm("two"))).contains("realm=\"two\""));
    assert!(!responded(answer_to(b"nonce=n", &user)).contains("realm"));
    assert!(responded(answer_to(b"nonce=n", &user.clone().with_realm("two"))).contains("realm=\"two\""));
    let error = answer_to(two, &user.with_realm("three")).unwrap_err();
    assert!(matches!(&error, SaslError::RealmNotOffered { realm, .. } if realm == "three"), "{error}");
}

#[test]
fn challenges_that_are_refused() {
    let user = Credentials::password("u", "p");
    let refused: [&[u8]; 12] = [
        b"",
        b"qop=auth",
        b"nonce=\"\"",
        b"nonce=a,nonce=b",
        b"nonce=a,qop=\"auth-int,auth-conf\"",
        b"nonce=a,algorithm=sha-256",
        b"nonce=a,charset=latin-9",
        b"nonce=\"a",
        b"nonce=\"a\\",
        b"nonce=\"a\"x",
        b"nonce",
        b"=a",
    ];
    for challenge in refused {
        let result = answer_to(challenge, &user);
        assert!(matches!(result, Err(SaslError::Malformed { .. })), "{} {result:?}", challenge.escape_ascii());
    }
}

#[test]
fn names_go_in_the_charset_of_the_challenge() {
    let response = |challenge: &[u8], username: &str| match answer_to(challenge, &Credentials::password(username, "p"))
    {
        Ok(Step::Respond(response)) => Ok(response),
        Ok(Step::Resume | Step::Done) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let contains = |response: Vec<u8>, part: &[u8]| response.windows(part.len()).any(|window| window == part);
    assert!(contains(response(b"nonce=n,charset=utf-8", "ü").unwrap(), b"username=\"\xc3\xbc\""));
    assert!(contains(response(b"nonce=n", "ü").unwrap(), b"username=\"\xfc\""));
    assert!(matches!(response(b"nonce=n", "Ω"), Err(SaslError::Credential { what: "username", .. })));
}
