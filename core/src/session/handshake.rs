//! Negotiation and authentication: what happens on a link before it is a session.
//!
//! ```text
//!   PING 3.1 ──error──▶ PING of the next older version … ──▶ Disconnect
//!      │ success: version = newest that both know
//!      ▼
//!   AUTH_MECH_LIST ──▶ AUTH ──▶ … ──▶ ready          (with credentials)
//!      └──────────────────────────▶ ready            (without)
//! ```
//!
//! A derivation of SCRAM that takes several slices goes on in [`Handshake::resume`], between a challenge and the next AUTH.
//!
//! With credentials and no mechanism named, the mechanisms are asked for together with the first PING: a session costs
//! one round trip less.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Authentication, VersionChoice};
use super::error::Disconnect;
use crate::sasl::{self, Binding, ChannelBinding, Mechanism, SaltedPasswordCache, SaslError, Step};
use crate::wire::{AuthResponse, Body, Ping, Reply, Request, Status, Version};

/// Versions tried when the newest is wanted, in this order.
const HANDSHAKE_VERSIONS: [Version; 12] = [
    Version::V3_1,
    Version::V3_0,
    Version::V2_9,
    Version::V2_8,
    Version::V2_7,
    Version::V2_6,
    Version::V2_5,
    Version::V2_4,
    Version::V2_3,
    Version::V2_2,
    Version::V2_1,
    Version::V2_0,
];

/// What the handshake wants next.
pub(super) enum Next {
    /// Send this, in that version.
    Send(Request, Version),
    /// Nothing: an answer is awaited.
    Wait,
    /// Call [`Handshake::resume`]: a derivation has more slices.
    Resume,
    /// The session is ready.
    Ready,
}

/// The handshake of a session.
pub(super) struct Handshake {
    stage: Stage,
    choice: VersionChoice,
    authentication: Option<Authentication>,
    seed: [u8; 32],
    /// The offer that was asked for with the PING, once it has come.
    offer: Offer,
    ping: Ping,
}

#[allow(clippy::large_enum_variant)] // one of its kind in a session, boxed, and gone when the session is ready
enum Stage {
    Negotiating { tried: usize },
    AwaitingOffer { version: Version },
    Authenticating { version: Version, mechanism: Mechanism, client: sasl::Client },
    Ready { version: Version },
}

#[derive(PartialEq)]
enum Offer {
    NotAsked,
    Asked,
    Known(Vec<String>),
}

impl Handshake {
    pub(super) fn new(choice: VersionChoice, authentication: Option<Authentication>, seed: [u8; 32]) -> Self {
        let stage = Stage::Negotiating { tried: 0 };
        Self { stage, choice, authentication, seed, offer: Offer::NotAsked, ping: Ping::default() }
    }

    /// The requests to begin with.
    pub(super) fn begin(&mut self) -> impl Iterator<Item = (Request, Version)> + use<> {
        let version = self.handshake_version(0);
        let ask = self.authentication.as_ref().is_some_and(|authentication| authentication.mechanism.is_none());
        if ask {
            self.offer = Offer::Asked;
        }
        [(Request::Ping {}, version)].into_iter().chain(ask.then_some((Request::AuthMechList {}, version)))
    }

    fn handshake_version(&self, tried: usize) -> Version {
        match self.choice {
            VersionChoice::Exactly(version) => version,
            VersionChoice::Newest => HANDSHAKE_VERSIONS[tried],
        }
    }

    /// What is waited for, in words.
    pub(super) fn stage(&self) -> &'static str {
        match self.stage {
            Stage::Negotiating { .. } => "negotiation (PING)",
            Stage::AwaitingOffer { .. } => "list of authentication mechanisms",
            Stage::Authenticating { .. } => "authentication",
            Stage::Ready { .. } => "handshake",
        }
    }

    /// What the server told of itself.
    pub(super) fn into_results(self) -> (Ping, Option<Authentication>) {
        (self.ping, self.authentication)
    }

    /// The version agreed on, once it is.
    pub(super) fn version(&self) -> Option<Version> {
        match self.stage {
            Stage::Negotiating { .. } => None,
            Stage::AwaitingOffer { version } | Stage::Authenticating { version, .. } | Stage::Ready { version } => {
                Some(version)
            }
        }
    }

    /// Takes the answer to one of the handshake's requests.
    pub(super) fn handle_reply(&mut self, request: Asking, reply: Reply) -> Result<Next, Disconnect> {
        match (request, reply.body) {
            (Asking::Ping, Body::Ping(ping)) => self.negotiated(ping),
            (Asking::Ping, Body::Error(message)) => self.step_down(reply.status, message),
            (Asking::Offer, Body::Names(names)) => {
                self.offer = Offer::Known(names);
                self.authenticate()
            }
            // The PING beside it was refused as well: it is asked again in a version that the server knows.
            (Asking::Offer, Body::Error(_)) if matches!(self.stage, Stage::Negotiating { .. }) => {
                self.offer = Offer::NotAsked;
                Ok(Next::Wait)
            }
            (Asking::Step, Body::Challenge { complete, challenge }) => self.step(&challenge, complete),
            (Asking::Step, Body::Error(message)) => Err(self.refused(message)),
            (_, Body::Error(message)) => Err(Disconnect::Refused { status: reply.status, message }),
            (_, _) => Err(Disconnect::Refused { status: reply.status, message: String::new() }),
        }
    }

    fn negotiated(&mut self, ping: Ping) -> Result<Next, Disconnect> {
        let Stage::Negotiating { tried } = self.stage else { return Ok(Next::Wait) };
        let spoken = self.handshake_version(tried);
        let version = match (self.choice, ping.server_version) {
            // A server of 3.0 or later answers a PING of a version that it doesn't know, in one that it does.
            (VersionChoice::Exactly(wanted), Some(newest)) if newest < wanted.to_byte() => {
                let detail = format!("its newest is {}.{}", newest / 10, newest % 10);
                return Err(Disconnect::VersionRefused { wanted, detail });
            }
            (VersionChoice::Exactly(wanted), _) => wanted,
            (VersionChoice::Newest, Some(newest)) => Version::newest_up_to(newest).unwrap_or(spoken),
            (VersionChoice::Newest, None) => spoken,
        };
        self.ping = ping;
        if self.authentication.is_none() {
            self.stage = Stage::Ready { version };
            return Ok(Next::Ready);
        }
        self.stage = Stage::AwaitingOffer { version };
        self.authenticate()
    }

    fn step_down(&mut self, status: Status, message: String) -> Result<Next, Disconnect> {
        let Stage::Negotiating { tried } = &mut self.stage else { return Ok(Next::Wait) };
        let not_understood = matches!(
            status,
            Status::INVALID_MAGIC_OR_MESSAGE_ID
                | Status::UNKNOWN_VERSION
                | Status::UNKNOWN_OPERATION
                | Status::PARSE_ERROR
        );
        if !not_understood {
            return Err(Disconnect::Refused { status, message });
        }
        *tried += 1;
        let tried = *tried;
        match self.choice {
            VersionChoice::Newest if tried < HANDSHAKE_VERSIONS.len() => {
                Ok(Next::Send(Request::Ping {}, HANDSHAKE_VERSIONS[tried]))
            }
            VersionChoice::Newest => Err(Disconnect::VersionRefused { wanted: Version::V2_0, detail: message }),
            VersionChoice::Exactly(wanted) => Err(Disconnect::VersionRefused { wanted, detail: message }),
        }
    }

    /// Goes on as far as what is known allows.
    fn authenticate(&mut self) -> Result<Next, Disconnect> {
        let (Stage::AwaitingOffer { version }, Some(authentication)) = (&self.stage, &self.authentication) else {
            return Ok(Next::Wait);
        };
        let version = *version;
        let mechanism = match (authentication.mechanism, &self.offer) {
            (Some(named), _) if authentication.requires_channel_binding && !named.binds_channel() => {
                let offered = named.name().into();
                return Err(Disconnect::Sasl(SaslError::BindingRequired { offered }));
            }
            (Some(named), _) => named,
            (None, Offer::Known(offered)) => {
                let policy = sasl::Policy {
                    encrypted: authentication.encrypted,
                    mechanism: None,
                    channel_binding: authentication.channel_binding.is_some(),
                    requires_channel_binding: authentication.requires_channel_binding,
                };
                sasl::select(offered.iter().map(String::as_str), &authentication.credentials, &policy)
                    .map_err(Disconnect::Sasl)?
            }
            (None, Offer::Asked) => return Ok(Next::Wait),
            (None, Offer::NotAsked) => {
                self.offer = Offer::Asked;
                return Ok(Next::Send(Request::AuthMechList {}, version));
            }
        };
        let mut client = sasl::Client::with_binding(
            mechanism,
            &authentication.credentials,
            (&authentication.server_name, "hotrod"),
            self.seed,
            sasl::ClientLimits { max_iterations: authentication.max_iterations, ..sasl::ClientLimits::default() },
            binding(mechanism, authentication.channel_binding.as_ref(), &self.offer),
        )
        .map_err(Disconnect::Sasl)?;
        let response = client.initial_response();
        self.stage = Stage::Authenticating { version, mechanism, client };
        Ok(Next::Send(auth(mechanism, response), version))
    }

    fn step(&mut self, challenge: &[u8], complete: bool) -> Result<Next, Disconnect> {
        self.advance(|client, cache| client.step(challenge, complete, cache))
    }

    /// Does the next slice of a derivation.
    pub(super) fn resume(&mut self) -> Result<Next, Disconnect> {
        self.advance(sasl::Client::resume)
    }

    fn advance(
        &mut self,
        step: impl FnOnce(&mut sasl::Client, &mut SaltedPasswordCache) -> Result<Step, SaslError>,
    ) -> Result<Next, Disconnect> {
        let (Stage::Authenticating { version, mechanism, client }, Some(authentication)) =
            (&mut self.stage, &mut self.authentication)
        else {
            return Ok(Next::Wait);
        };
        match step(client, &mut authentication.salted_passwords).map_err(Disconnect::Sasl)? {
            Step::Respond(response) => Ok(Next::Send(auth(*mechanism, response), *version)),
            Step::Resume => Ok(Next::Resume),
            // Also where the server has not said "complete": it does not with a SCRAM server-final, and one more AUTH
            // would begin a new exchange.
            Step::Done => {
                self.stage = Stage::Ready { version: *version };
                Ok(Next::Ready)
            }
        }
    }

    fn refused(&self, message: String) -> Disconnect {
        let mechanism = match &self.stage {
            Stage::Authenticating { mechanism, client, .. } => {
                // OAUTHBEARER tells the reason one step earlier.
                if let Some(reason) = client.refusal() {
                    return Disconnect::Sasl(reason.clone());
                }
                mechanism.name()
            }
            _ => "SASL",
        };
        let username = self.authentication.as_ref().map(|authentication| authentication.credentials.username());
        Disconnect::AuthenticationFailed { username: username.unwrap_or_default().to_string(), mechanism, message }
    }
}

/// Which of the handshake's requests an answer is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Ping,
    Offer,
    Step,
}

/// What the server is told of channel binding. Who has not seen the offer, and whoever picks another mechanism of one with
/// channel binding, can't say that it is not offered.
fn binding<'a>(mechanism: Mechanism, channel: Option<&'a ChannelBinding>, offer: &Offer) -> Binding<'a> {
    match (channel, offer) {
        (Some(channel), _) if mechanism.binds_channel() => Binding::Channel(channel),
        (Some(_), Offer::Known(offered)) if !offered.iter().any(|name| name.ends_with("-PLUS")) => Binding::NotOffered,
        _ => Binding::Unsupported,
    }
}

fn auth(mechanism: Mechanism, response: Vec<u8>) -> Request {
    Request::Auth { mechanism: mechanism.name().into(), response: AuthResponse(response.into()) }
}
