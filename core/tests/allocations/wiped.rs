//! Secrets are wiped before their memory is freed.

use hotrod_core::sasl::{Client, ClientLimits, Credentials, Mechanism, SaltedPasswordCache, Step};
use sha2::Sha256;

use crate::counting::given_back_with;

const SALT: &[u8] = b"0123456789abcdef";

/// A derivation that is resumed once and then dropped.
fn abandoned() {
    let credentials = Credentials::password("user", "pencil");
    let limits = ClientLimits::default();
    let mut client =
        Client::new(Mechanism::ScramSha256, &credentials, "infinispan", "hotrod", [1; 32], limits).unwrap();
    let mut cache = SaltedPasswordCache::default();
    let first = String::from_utf8(client.initial_response()).unwrap();
    let nonce = first.rsplit_once("r=").unwrap().1;
    let challenge = format!("r={nonce}x,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=45000");
    assert_eq!(client.step(challenge.as_bytes(), false, &mut cache), Ok(Step::Resume));
    assert_eq!(client.resume(&mut cache), Ok(Step::Resume));
}

fn derived(iterations: u32) -> [u8; 32] {
    pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(b"pencil", SALT, iterations)
}

/// State after the first and the second slice: the sum, which is the result for that number of iterations, and the
/// last HMAC, the difference to one iteration less.
#[test]
fn a_derivation_leaves_nothing_behind() {
    for iterations in [10_000, 20_000] {
        let sum = derived(iterations);
        let mut last = derived(iterations - 1);
        last.iter_mut().zip(sum).for_each(|(last, sum)| *last ^= sum);
        assert_eq!(given_back_with(sum, abandoned), 0, "the sum after {iterations}");
        assert_eq!(given_back_with(last, abandoned), 0, "the last HMAC after {iterations}");
    }
    let unwiped = || drop(std::hint::black_box([&[1], &derived(10_000)[..]].concat()));
    assert_eq!(given_back_with(derived(10_000), unwiped), 1, "the test itself would see it");
}
