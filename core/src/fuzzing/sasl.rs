//! SASL between both roles, with a man in the middle controlled by the input.

use alloc::string::String;
use alloc::vec::Vec;

use super::input::Input;
use crate::sasl::{
    Accounts, Binding, ChannelBinding, Client, ClientLimits, Credentials, Mechanism, SaltedPasswordCache, Secret,
    Server, ServerConfig, Step,
};

/// PBKDF2 iterations, few enough for a fuzzer.
const FAST: ClientLimits = ClientLimits { min_iterations: 1, max_iterations: 64, max_salt: 64, max_challenge: 8192 };

/// Password that an input can't guess.
const PASSWORD: &str = "1uY9$f7w-Qd3/mN0x+Zb5&Kc8=Tg2";
const WRONG_PASSWORD: &str = "4hR6!s2v-Lp1/jX7q+Wa9&Mf3=Ye8";
const TOKEN: &str = "7cB5~o4z-Hk6/uD8e+Vi0&Pn1=Jr3";

/// Users of the server.
struct Users(Vec<(&'static str, &'static str)>);

impl Accounts for Users {
    fn password(&self, username: &str) -> Option<Secret> {
        self.0.iter().find(|(name, _)| *name == username).map(|(_, password)| Secret::from(*password))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        (token == TOKEN && !self.0.is_empty()).then(|| "user".into())
    }
}

/// A client and a server, and the user authenticated by the server.
struct Exchange {
    mechanism: Mechanism,
    client: Client,
    server: Server,
    users: Users,
    of_client: SaltedPasswordCache,
    of_server: SaltedPasswordCache,
    /// Whether no message was changed.
    untouched: bool,
}

impl Exchange {
    fn new(input: &mut Input<'_>, users: Vec<(&'static str, &'static str)>) -> Self {
        let mechanism = input.pick(&Mechanism::ALL);
        let credentials = match mechanism {
            Mechanism::OAuthBearer => Credentials::token(TOKEN),
            Mechanism::External => Credentials::certificate(),
            _ => Credentials::password("user", PASSWORD),
        };
        let config = ServerConfig {
            iterations: 1 + input.below(3) as u32,
            certificate_name: (mechanism == Mechanism::External && !users.is_empty()).then(|| "user".into()),
            ..ServerConfig::default()
        };
        let entropy = [input.byte(); 32];
        let channel = ChannelBinding::tls_exporter(&[9; 32]).expect("of the right length");
        let config = ServerConfig { channel_bindings: [channel.clone()].to_vec(), ..config };
        let binding = if mechanism.binds_channel() { Binding::Channel(&channel) } else { Binding::Unsupported };
        let client = Client::with_binding(mechanism, &credentials, ("infinispan", "hotrod"), entropy, FAST, binding);
        Self {
            mechanism,
            client: client.expect("credentials that suit the mechanism"),
            server: Server::new(mechanism, config, [input.byte() ^ 0xff; 32]),
            users: Users(users),
            of_client: SaltedPasswordCache::default(),
            of_server: SaltedPasswordCache::default(),
            untouched: true,
        }
    }

    /// Whether both sides prove to each other that they know the password.
    fn is_mutual(&self) -> bool {
        !matches!(self.mechanism, Mechanism::Plain | Mechanism::OAuthBearer | Mechanism::External)
    }

    /// Passes on a message, possibly changed.
    fn pass(&mut self, message: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
        let passed = tampered(&message, input);
        self.untouched &= passed == message;
        passed
    }
}

fn tampered(message: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let kind = input.byte();
    let at = |input: &mut Input<'_>| input.below(message.len() + 1).min(message.len());
    match kind % 8 {
        // Usually unchanged, so that later messages are reached.
        0..3 => message.to_vec(),
        3 => {
            let size = input.size();
            input.slice(size).to_vec()
        }
        4 => {
            let (at, size) = (at(input), input.below(32));
            [&message[..at], input.slice(size), &message[at..]].concat()
        }
        5 => message[..at(input)].to_vec(),
        6 => {
            let (from, to) = (at(input), at(input));
            let (from, to) = (from.min(to), from.max(to));
            let size = input.below(32);
            [&message[..from], input.slice(size), &message[to..]].concat()
        }
        _ => {
            let (at, change) = (at(input), input.byte());
            let mut message = message.to_vec();
            if let Some(byte) = message.get_mut(at) {
                *byte ^= change;
            }
            message
        }
    }
}

/// Runs a client with a server whose challenges are changed; half of the inputs use a server that does not know the
/// password.
///
/// Asserts that the client never accepts such a server, and that an undisturbed exchange with the right server
/// succeeds.
pub fn sasl_client(data: &[u8]) {
    let mut input = Input::new(data);
    let impostor = input.flag();
    let password = if impostor { WRONG_PASSWORD } else { PASSWORD };
    let mut exchange = Exchange::new(&mut input, alloc::vec![("user", password)]);
    let mut response = exchange.client.initial_response();
    let mut authenticated = None;
    for _ in 0..8 {
        let step = exchange.server.step(&response, &exchange.users, &mut exchange.of_server);
        let (challenge, complete) = match step {
            Ok(step) => {
                authenticated = step.authenticated.or(authenticated);
                (step.challenge, step.complete)
            }
            Err(error) => {
                assert!(impostor || !exchange.untouched, "{error}");
                (Vec::new(), true)
            }
        };
        let challenge = exchange.pass(challenge, &mut input);
        let flipped = input.byte() == 0xff;
        exchange.untouched &= !flipped;
        let complete = complete ^ flipped;
        match exchange.client.step(&challenge, complete, &mut exchange.of_client) {
            Ok(Step::Respond(next)) => {
                assert!(next.len() <= 2 * challenge.len() + 1024, "an answer far longer than the question");
                response = next;
            }
            Ok(Step::Resume) => panic!("at most 64 iterations, and more than one slice"),
            Ok(Step::Done) => {
                assert!(!(impostor && exchange.is_mutual()), "a server that doesn't know the password is believed");
                assert!(impostor || !exchange.untouched || authenticated.as_deref() == Some("user"));
                let again = exchange.client.step(&[], true, &mut exchange.of_client);
                assert_eq!(again, Ok(Step::Done));
                return;
            }
            Err(error) => {
                assert!(impostor || !exchange.untouched, "{error}");
                let again = exchange.client.step(&[], true, &mut exchange.of_client);
                assert_eq!(again, Err(error), "an exchange that has failed goes on");
                return;
            }
        }
    }
    assert!(impostor || !exchange.untouched, "an exchange without end");
}

/// Runs a server with a client whose responses are changed; half of the inputs use a server without users.
///
/// Asserts that a server without users authenticates no client, and that another one authenticates only its user.
pub fn sasl_server(data: &[u8]) {
    let mut input = Input::new(data);
    let users = match input.below(4) {
        0 => Vec::new(),
        1 => alloc::vec![("user", WRONG_PASSWORD), ("other", WRONG_PASSWORD)],
        _ => alloc::vec![("user", PASSWORD), ("other", WRONG_PASSWORD)],
    };
    let mut exchange = Exchange::new(&mut input, users);
    let client_is_known = exchange.users.0.contains(&("user", PASSWORD));
    let mut response = exchange.client.initial_response();
    for _ in 0..8 {
        response = exchange.pass(response, &mut input);
        let step = match exchange.server.step(&response, &exchange.users, &mut exchange.of_server) {
            Ok(step) => step,
            Err(error) => {
                assert!(!client_is_known || !exchange.untouched, "{error}");
                let again = exchange.server.step(&[], &exchange.users, &mut exchange.of_server);
                assert_eq!(again, Err(error), "an exchange that has failed goes on");
                return;
            }
        };
        assert!(step.challenge.len() <= 2 * response.len() + 1024, "an answer far longer than the question");
        if let Some(name) = step.authenticated {
            assert!(!exchange.users.0.is_empty(), "{name} is nobody");
            // With PLAIN an input may guess the other user's password.
            assert!(client_is_known && name == "user" || !exchange.is_mutual(), "{name} has not proven it");
            return;
        }
        match exchange.client.step(&step.challenge, step.complete, &mut exchange.of_client) {
            Ok(Step::Respond(next)) => response = next,
            Ok(Step::Resume) => panic!("at most 64 iterations, and more than one slice"),
            // The client stops; the man in the middle may continue.
            Ok(Step::Done) | Err(_) => response = Vec::new(),
        }
    }
}
