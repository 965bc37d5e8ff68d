use hotrod_core::sasl::{Client, ClientLimits, Credentials, Mechanism, SaltedPasswordCache, Step};
use hotrod_core::wire::{AuthResponse, Body, Request, RequestOptions};

use crate::conversation::Conversation;

/// The operations that a session's handshake is made of, one by one.
pub async fn conversation(c: &Conversation) {
    let options = RequestOptions::default();
    let Body::Names(offered) = c.ask_with(&options, Request::AuthMechList {}).await.body else { panic!() };
    assert!(offered.contains(&"SCRAM-SHA-256".into()), "{offered:?}");
    let (status, _) = c.refused(&c.options, Request::Size {}).await;
    assert!(status.is_error(), "nobody is in yet");

    let credentials = Credentials::password("admin", "changeme");
    let limits = ClientLimits::default();
    let entropy = [c.version.to_byte(); 32];
    let mut client =
        Client::new(Mechanism::ScramSha256, &credentials, "infinispan", "hotrod", entropy, limits).unwrap();
    let mut response = client.initial_response();
    let mut cache = SaltedPasswordCache::default();
    loop {
        let auth = Request::Auth { mechanism: "SCRAM-SHA-256".into(), response: AuthResponse(response.clone().into()) };
        let Body::Challenge { complete, challenge } = c.ask_with(&options, auth).await.body else { panic!() };
        let mut step = client.step(&challenge, complete, &mut cache).unwrap();
        while step == Step::Resume {
            step = client.resume(&mut cache).unwrap();
        }
        match step {
            Step::Respond(next) => response = next,
            Step::Resume => unreachable!("it was resumed"),
            Step::Done => {
                assert!(!complete, "the server-final comes with complete=0");
                break;
            }
        }
    }
    c.ask(Request::Size {}).await;
}
