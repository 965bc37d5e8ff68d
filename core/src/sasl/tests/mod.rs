//! Tests of whole exchanges.

mod channel_binding;
mod digest_vectors;
mod elytron;
mod hostile;
mod one_message;
mod round_trip;
mod scram_rules;
mod scram_vectors;
mod secrets;
mod selection;
mod slices;

use alloc::string::String;

use super::*;

/// One user with a password and a token.
struct OneUser {
    name: String,
    password: String,
    token: String,
}

impl OneUser {
    fn new(name: &str, password: &str) -> Self {
        Self { name: name.into(), password: password.into(), token: "t0ken".into() }
    }
}

impl Accounts for OneUser {
    fn password(&self, username: &str) -> Option<Secret> {
        (username == self.name).then(|| Secret::from(self.password.as_str()))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        (token == self.token).then(|| self.name.clone())
    }

    fn may_act_as(&self, _: &str, authorization_id: &str) -> bool {
        authorization_id == "someone else"
    }
}

/// Few iterations, to keep tests short; insecure for real passwords.
const FAST: ClientLimits = ClientLimits { min_iterations: 1, max_iterations: 4096, max_salt: 256, max_challenge: 8192 };

fn fast_server() -> ServerConfig {
    ServerConfig { iterations: 3, channel_bindings: [channel()].to_vec(), ..ServerConfig::default() }
}

/// Channel binding of both ends.
fn channel() -> ChannelBinding {
    ChannelBinding::tls_exporter(&[9; 32]).unwrap()
}

fn client(mechanism: Mechanism, credentials: &Credentials) -> Result<Client, SaslError> {
    let channel = channel();
    let binding = if mechanism.binds_channel() { Binding::Channel(&channel) } else { Binding::Unsupported };
    Client::with_binding(mechanism, credentials, ("infinispan", "hotrod"), [1; 32], FAST, binding)
}

fn credentials_for(mechanism: Mechanism, user: &OneUser) -> Credentials {
    match mechanism {
        Mechanism::OAuthBearer => Credentials::token(user.token.as_str()),
        Mechanism::External => Credentials::certificate(),
        _ => Credentials::password(user.name.as_str(), user.password.as_str()),
    }
}

/// Runs the exchange to the client's end, and returns the user authenticated by the server.
fn converse(client: &mut Client, server: &mut Server, accounts: &dyn Accounts) -> Result<Option<String>, SaslError> {
    let (mut of_client, mut of_server) = (SaltedPasswordCache::default(), SaltedPasswordCache::default());
    let mut response = client.initial_response();
    loop {
        let reply = server.step(&response, accounts, &mut of_server)?;
        match client.step(&reply.challenge, reply.complete, &mut of_client)? {
            Step::Respond(next) => response = next,
            Step::Resume => panic!("few iterations"),
            Step::Done => return Ok(reply.authenticated),
        }
    }
}
