//! Version negotiation and authentication.
//!
//! ```text
//!   PING 3.1 ──error──▶ PING of the next older version … ──▶ Disconnect
//!      │ success: version = newest supported by both sides
//!      ▼
//!   AUTH_MECH_LIST ──▶ AUTH ──▶ … ──▶ ready          (with credentials)
//!      └──────────────────────────▶ ready            (without)
//! ```
//!
//! A key derivation of SCRAM in several slices continues in [`Handshake::resume`], between a challenge and the next
//! AUTH.
//!
//! With credentials and no configured mechanism, AUTH_MECH_LIST is sent together with the first PING, which saves a
//! round trip.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::config::{Authentication, VersionChoice};
use super::error::Disconnect;
use crate::sasl::{self, Binding, ChannelBinding, Mechanism, SaltedPasswordCache, SaslError, Step};
use crate::wire::{AuthResponse, Body, Ping, Reply, Request, Status, Version};

/// Versions of the PING for [`VersionChoice::Newest`], in order.
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

/// Next action of the handshake.
pub(super) enum Action {
    /// Send this request in this version.
    Send(Request, Version),
    /// Wait for a reply.
    Wait,
    /// Call [`Handshake::resume`] for the next slice of a key derivation.
    Resume,
    /// The session is ready.
    Ready,
}

/// Handshake of a session.
pub(super) struct Handshake {
    stage: Stage,
    choice: VersionChoice,
    authentication: Option<Authentication>,
    seed: [u8; 32],
    /// Mechanisms offered by the server.
    offer: Offer,
    ping: Ping,
}

#[allow(clippy::large_enum_variant)] // one per session, boxed, and dropped when the session is ready
enum Stage {
    Negotiating { attempt: usize },
    AwaitingOffer { version: Version },
    Authenticating { version: Version, mechanism: Mechanism, client: sasl::Client },
    Ready { version: Version },
}

#[derive(PartialEq)]
enum Offer {
    NotRequested,
    Requested,
    Received(Vec<String>),
}

impl Handshake {
    pub(super) fn new(choice: VersionChoice, authentication: Option<Authentication>, seed: [u8; 32]) -> Self {
        let stage = Stage::Negotiating { attempt: 0 };
        Self { stage, choice, authentication, seed, offer: Offer::NotRequested, ping: Ping::default() }
    }

    /// First requests of the handshake.
    pub(super) fn begin(&mut self) -> impl Iterator<Item = (Request, Version)> + use<> {
        let version = self.handshake_version(0);
        let ask = self.authentication.as_ref().is_some_and(|authentication| authentication.mechanism.is_none());
        if ask {
            self.offer = Offer::Requested;
        }
        [(Request::Ping {}, version)].into_iter().chain(ask.then_some((Request::AuthMechList {}, version)))
    }

    fn handshake_version(&self, attempt: usize) -> Version {
        match self.choice {
            VersionChoice::Exactly(version) => version,
            VersionChoice::Newest => HANDSHAKE_VERSIONS[attempt],
        }
    }

    /// Description of the current stage.
    pub(super) fn stage(&self) -> &'static str {
        match self.stage {
            Stage::Negotiating { .. } => "negotiation (PING)",
            Stage::AwaitingOffer { .. } => "list of authentication mechanisms",
            Stage::Authenticating { .. } => "authentication",
            Stage::Ready { .. } => "handshake",
        }
    }

    /// Results of a complete handshake.
    pub(super) fn into_results(self) -> (Ping, Option<Authentication>) {
        (self.ping, self.authentication)
    }

    /// Negotiated version; `None` before the end of negotiation.
    pub(super) fn version(&self) -> Option<Version> {
        match self.stage {
            Stage::Negotiating { .. } => None,
            Stage::AwaitingOffer { version } | Stage::Authenticating { version, .. } | Stage::Ready { version } => {
                Some(version)
            }
        }
    }

    /// Handles the reply to a request of the handshake.
    pub(super) fn handle_reply(&mut self, request: HandshakeRequest, reply: Reply) -> Result<Action, Disconnect> {
        match (request, reply.body) {
            (HandshakeRequest::Ping, Body::Ping(ping)) => self.negotiated(*ping),
            (HandshakeRequest::Ping, Body::Error(message)) => self.try_older_version(reply.status, message),
            (HandshakeRequest::Offer, Body::Names(names)) => {
                self.offer = Offer::Received(names);
                self.authenticate()
            }
            // The PING sent with it was refused as well; it is sent again in a version that the server supports.
            (HandshakeRequest::Offer, Body::Error(_)) if matches!(self.stage, Stage::Negotiating { .. }) => {
                self.offer = Offer::NotRequested;
                Ok(Action::Wait)
            }
            (HandshakeRequest::Step, Body::Challenge { complete, challenge }) => self.step(&challenge, complete),
            (HandshakeRequest::Step, Body::Error(message)) => Err(self.refused(message)),
            (_, Body::Error(message)) => Err(Disconnect::Refused { status: reply.status, message }),
            (_, _) => Err(Disconnect::Refused { status: reply.status, message: String::new() }),
        }
    }

    fn negotiated(&mut self, ping: Ping) -> Result<Action, Disconnect> {
        let Stage::Negotiating { attempt } = self.stage else { return Ok(Action::Wait) };
        let current = self.handshake_version(attempt);
        let version = match (self.choice, ping.server_version) {
            // A server of 3.0 or later replies to a PING of an unknown version, in a version that it supports.
            (VersionChoice::Exactly(version), Some(newest)) if newest < version.to_byte() => {
                let detail = format!("its newest is {}.{}", newest / 10, newest % 10);
                return Err(Disconnect::VersionRefused { wanted: version, detail });
            }
            (VersionChoice::Exactly(version), _) => version,
            (VersionChoice::Newest, Some(newest)) => Version::newest_up_to(newest).unwrap_or(current),
            (VersionChoice::Newest, None) => current,
        };
        self.ping = ping;
        if self.authentication.is_none() {
            self.stage = Stage::Ready { version };
            return Ok(Action::Ready);
        }
        self.stage = Stage::AwaitingOffer { version };
        self.authenticate()
    }

    fn try_older_version(&mut self, status: Status, message: String) -> Result<Action, Disconnect> {
        let Stage::Negotiating { attempt } = &mut self.stage else { return Ok(Action::Wait) };
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
        *attempt += 1;
        let attempt = *attempt;
        match self.choice {
            VersionChoice::Newest if attempt < HANDSHAKE_VERSIONS.len() => {
                Ok(Action::Send(Request::Ping {}, HANDSHAKE_VERSIONS[attempt]))
            }
            VersionChoice::Newest => Err(Disconnect::VersionRefused { wanted: Version::V2_0, detail: message }),
            VersionChoice::Exactly(version) => Err(Disconnect::VersionRefused { wanted: version, detail: message }),
        }
    }

    /// Continues the authentication as far as the received data allow.
    fn authenticate(&mut self) -> Result<Action, Disconnect> {
        let (Stage::AwaitingOffer { version }, Some(authentication)) = (&self.stage, &self.authentication) else {
            return Ok(Action::Wait);
        };
        let version = *version;
        let mechanism = match (authentication.mechanism, &self.offer) {
            (Some(named), _) if authentication.requires_channel_binding && !named.binds_channel() => {
                let offered = named.name().into();
                return Err(Disconnect::Sasl(SaslError::BindingRequired { offered }));
            }
            (Some(named), _) => named,
            (None, Offer::Received(offered)) => {
                let policy = sasl::Policy {
                    encrypted: authentication.encrypted,
                    mechanism: None,
                    channel_binding: authentication.channel_binding.is_some(),
                    requires_channel_binding: authentication.requires_channel_binding,
                };
                sasl::select(offered.iter().map(String::as_str), &authentication.credentials, &policy)
                    .map_err(Disconnect::Sasl)?
            }
            (None, Offer::Requested) => return Ok(Action::Wait),
            (None, Offer::NotRequested) => {
                self.offer = Offer::Requested;
                return Ok(Action::Send(Request::AuthMechList {}, version));
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
        Ok(Action::Send(auth(mechanism, response), version))
    }

    fn step(&mut self, challenge: &[u8], complete: bool) -> Result<Action, Disconnect> {
        self.advance(|client, cache| client.step(challenge, complete, cache))
    }

    /// Computes the next slice of a key derivation.
    pub(super) fn resume(&mut self) -> Result<Action, Disconnect> {
        self.advance(sasl::Client::resume)
    }

    fn advance(
        &mut self,
        step: impl FnOnce(&mut sasl::Client, &mut SaltedPasswordCache) -> Result<Step, SaslError>,
    ) -> Result<Action, Disconnect> {
        let (Stage::Authenticating { version, mechanism, client }, Some(authentication)) =
            (&mut self.stage, &mut self.authentication)
        else {
            return Ok(Action::Wait);
        };
        match step(client, &mut authentication.salted_passwords).map_err(Disconnect::Sasl)? {
            Step::Respond(response) => Ok(Action::Send(auth(*mechanism, response), *version)),
            Step::Resume => Ok(Action::Resume),
            // Done even without the server's "complete": a SCRAM server-final comes without it, and another AUTH would
            // begin a new exchange.
            Step::Done => {
                self.stage = Stage::Ready { version: *version };
                Ok(Action::Ready)
            }
        }
    }

    fn refused(&self, message: String) -> Disconnect {
        let mechanism = match &self.stage {
            Stage::Authenticating { mechanism, client, .. } => {
                // OAUTHBEARER reports the reason one step earlier.
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

/// Kind of a handshake request, to interpret its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandshakeRequest {
    Ping,
    Offer,
    Step,
}

/// Channel binding flag for the server. `NotOffered` requires a received offer without -PLUS mechanisms.
fn binding<'a>(mechanism: Mechanism, channel: Option<&'a ChannelBinding>, offer: &Offer) -> Binding<'a> {
    match (channel, offer) {
        (Some(channel), _) if mechanism.binds_channel() => Binding::Channel(channel),
        (Some(_), Offer::Received(offered)) if !offered.iter().any(|name| name.ends_with("-PLUS")) => {
            Binding::NotOffered
        }
        _ => Binding::Unsupported,
    }
}

fn auth(mechanism: Mechanism, response: Vec<u8>) -> Request {
    Request::Auth { mechanism: mechanism.name().into(), response: AuthResponse(response.into()) }
}
