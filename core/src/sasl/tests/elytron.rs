//! Exchanges recorded with Elytron 2.7.0, the one in Infinispan 16.0.7, as the server.

use super::*;

/// Replays messages in turn: the client's first message, the server's reply, and so on.
fn replay(mechanism: Mechanism, messages: [&str; 4]) {
    let admin = Credentials::password("admin", "changeme");
    let limits = ClientLimits::default();
    let mut client = Client::new(mechanism, &admin, "infinispan", "hotrod", [7; 32], limits).unwrap();
    let mut cache = SaltedPasswordCache::default();
    let [first, challenge, last, proof] = messages.map(|message| message.as_bytes().to_vec());
    assert_eq!(client.initial_response(), first);
    let mut step = client.step(&challenge, false, &mut cache);
    if step == Ok(Step::Resume) {
        // Elytron's 20,000 iterations are two slices.
        step = client.resume(&mut cache);
    }
    assert!(step == Ok(Step::Respond(last)));
    assert_eq!(client.step(&proof, false, &mut cache), Ok(Step::Done));
}

#[test]
fn scram_with_every_character_in_the_nonce() {
    replay(
        Mechanism::ScramSha512,
        [
            "n,,n=admin,r=/HWPLI+aLlXB0UtEJ90obCRC8l+tQPBc1seDYVF2EEg",
            "r=/HWPLI+aLlXB0UtEJ90obCRC8l+tQPBc1seDYVF2EEgl^k4l^F:u=u;'HBHB|}h8o64DnzF,s=4LAklRaLsXa08a87,i=20000",
            "c=biws,r=/HWPLI+aLlXB0UtEJ90obCRC8l+tQPBc1seDYVF2EEgl^k4l^F:u=u;'HBHB|}h8o64DnzF,\
             p=T4HqaZAg2VP93ltwCeXJBYGlN34UroHeLpZ4K5OJzGREiln4EXj45sKQ/O8/MRfJtqxuQhsgG/KBKt0JHn7uKw==",
            "v=wTjCG0x8N99O2uT/jemg/LsYbW8AC3a20eyqzyroUkceLE/zr+j1S8kbIabnJ4B5ErimglDDyL+DwU0G3XpZMQ==",
        ],
    );
}

#[test]
fn digest_says_md5_and_means_sha_512() {
    replay(
        Mechanism::DigestSha512,
        [
            "",
            "realm=\"default\",nonce=\"RuLpsI6kB1gMNUcp0mcM0HZPnw5DkSKPbc+r43DT6+IfPuT0\",charset=utf-8,\
             algorithm=md5-sess",
            "charset=utf-8,username=\"admin\",realm=\"default\",\
             nonce=\"RuLpsI6kB1gMNUcp0mcM0HZPnw5DkSKPbc+r43DT6+IfPuT0\",nc=00000001,\
             cnonce=\"/HWPLI+aLlXB0UtEJ90obCRC8l+tQPBc1seDYVF2EEg\",digest-uri=\"hotrod/infinispan\",\
             response=087fc28719fc9085b17bee7a12a11cf4e67ddb937e2ae04c905e84ef9752f5b6\
             ba693afebdae691bbca37d29c55b3ec95efcf8bf0252df2ca2e6a48855018a46,qop=auth",
            "rspauth=98702b3a6e13c712446945d448230a4875f0856ac6a8d103517ff5f325f490db\
             8e30a4db620eed31a4c5aecc64767b276757e0d2c3866db7fc0e3795a9c25206",
        ],
    );
}
