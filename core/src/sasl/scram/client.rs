//! SCRAM in the client's role (RFC 5802 §5).
//!
//! ```text
//!   client-first ──▶ server-first ──▶ client-final ──▶ server-final
//!   n,,n=user,r=…    r=…,s=…,i=…      c=biws,r=…,p=…   v=…            done, once v is right
//!                      └─ derivation, resumed slice by slice ─┘
//! ```

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use subtle::ConstantTimeEq;

use super::keys::Keys;
use super::message::{ServerFirst, server_signature, server_text};
use super::name;
use crate::sasl::binding::Binding;
use crate::sasl::cache::SaltedPasswordCache;
use crate::sasl::client::{ClientLimits, Step};
use crate::sasl::credentials::Credentials;
use crate::sasl::derivation::{Derivation, Origin, SLICE};
use crate::sasl::error::SaslError;
use crate::sasl::hash::{Hash, WipedBytes};
use crate::sasl::mechanism::Mechanism;
use crate::sasl::saslprep::prepare;
use crate::sasl::secret::Secret;
use crate::sasl::text::base64;

/// One exchange in the client's role.
pub(in crate::sasl) struct ScramClient {
    mechanism: Mechanism,
    hash: Hash,
    username: String,
    password: Secret,
    gs2_header: String,
    /// GS2 header followed by the channel binding data (RFC 5802 §7, `cbind-input`).
    channel: WipedBytes,
    nonce: String,
    stage: Stage,
}

enum Stage {
    /// Expects the server-first message.
    Begun,
    /// Derives the salted password after the server-first message.
    Deriving(Box<Deriving>),
    /// Expects this signature from the server, after the client's proof.
    Proven(WipedBytes),
}

struct Deriving {
    derivation: Derivation,
    proof: ClientFinal,
}

/// Client-final message without its proof.
struct ClientFinal {
    without_proof: String,
    /// `client-first-bare,server-first,client-final-without-proof`: the text that both sides sign.
    signed: String,
}

impl ScramClient {
    pub(in crate::sasl) fn new(
        mechanism: Mechanism,
        hash: Hash,
        credentials: &Credentials,
        nonce: String,
        binding: Binding<'_>,
    ) -> Result<Self, SaslError> {
        let (username, password) = credentials.require_password(mechanism)?;
        let username = prepare("username", username)?.into_owned();
        let password = match prepare("password", password.expose())? {
            Cow::Borrowed(_) => password.clone(),
            Cow::Owned(prepared) => Secret::from(prepared),
        };
        let authorization_id = credentials.authorization_id().map(|id| prepare("authorization id", id)).transpose()?;
        let authorization_id = authorization_id.as_deref();
        let gs2_header = match binding {
            Binding::Channel(channel) if mechanism.binds_channel() => {
                name::gs2_header(&["p=", channel.kind().name()].concat(), authorization_id)
            }
            _ if mechanism.binds_channel() => return Err(SaslError::NoChannelBinding { mechanism }),
            Binding::NotOffered => name::gs2_header("y", authorization_id),
            Binding::Unsupported | Binding::Channel(_) => name::gs2_header("n", authorization_id),
        };
        let data = match binding {
            Binding::Channel(channel) if mechanism.binds_channel() => channel.data(),
            _ => &[],
        };
        let channel = WipedBytes::from([gs2_header.as_bytes(), data].concat());
        Ok(Self { mechanism, hash, username, password, gs2_header, channel, nonce, stage: Stage::Begun })
    }

    /// Creates the client-first message.
    pub(in crate::sasl) fn first(&self) -> String {
        format!("{}{}", self.gs2_header, self.first_bare())
    }

    fn first_bare(&self) -> String {
        format!("n={},r={}", name::escape(&self.username), self.nonce)
    }

    pub(in crate::sasl) fn step(
        &mut self,
        challenge: &[u8],
        complete: bool,
        limits: &ClientLimits,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Step, SaslError> {
        if challenge.is_empty() && complete {
            return Err(SaslError::ServerUnproven);
        }
        let text = server_text(challenge)?;
        match &self.stage {
            // Independent of the complete flag: Infinispan does not set it.
            Stage::Proven(awaited) => {
                let right: bool = server_signature(text)?.ct_eq(awaited).into();
                if right { Ok(Step::Done) } else { Err(SaslError::ServerProofWrong) }
            }
            // No AUTH is outstanding.
            Stage::Deriving(_) => Err(SaslError::Unexpected { mechanism: self.mechanism }),
            Stage::Begun if complete => Err(SaslError::ServerUnproven),
            Stage::Begun => self.prove(text, limits, cache),
        }
    }

    /// Computes the next slice of the derivation.
    pub(in crate::sasl) fn resume(&mut self, cache: &mut SaltedPasswordCache) -> Result<Step, SaslError> {
        let Stage::Deriving(mut deriving) = core::mem::replace(&mut self.stage, Stage::Begun) else {
            return Err(SaslError::Unexpected { mechanism: self.mechanism });
        };
        if deriving.derivation.advance(&self.password, SLICE) {
            let Deriving { derivation, proof } = *deriving;
            return Ok(self.respond(&proof, &cache.keep(derivation)));
        }
        self.stage = Stage::Deriving(deriving);
        Ok(Step::Resume)
    }

    /// Creates the client-final message from the server-first message.
    fn prove(
        &mut self,
        server_first: &str,
        limits: &ClientLimits,
        cache: &mut SaltedPasswordCache,
    ) -> Result<Step, SaslError> {
        let ServerFirst { nonce, salt, iterations } = ServerFirst::parse(server_first)?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err(SaslError::WrongNonce);
        }
        if salt.len() > limits.max_salt {
            return Err(SaslError::TooLong { message: "a salt", length: salt.len(), limit: limits.max_salt });
        }
        let iterations = accepted(iterations, limits)?;
        let without_proof = format!("c={},r={nonce}", base64(&self.channel));
        let signed = [&self.first_bare(), ",", server_first, ",", &without_proof].concat();
        let proof = ClientFinal { without_proof, signed };
        let origin = Origin::new(self.hash, &self.username, &self.password, &salt, iterations);
        if let Some(salted_password) = cache.find(&origin) {
            return Ok(self.respond(&proof, &salted_password));
        }
        self.stage = Stage::Deriving(Box::new(Deriving { derivation: Derivation::new(origin), proof }));
        self.resume(cache)
    }

    fn respond(&mut self, ClientFinal { without_proof, signed }: &ClientFinal, salted_password: &[u8]) -> Step {
        let keys = Keys::new(self.hash, salted_password);
        let signed = [signed.as_bytes()];
        let proof = base64(&keys.client_proof(&signed));
        self.stage = Stage::Proven(keys.server_signature(&signed));
        Step::Respond(format!("{without_proof},p={proof}").into_bytes())
    }
}

fn accepted(iterations: u64, limits: &ClientLimits) -> Result<u32, SaslError> {
    if iterations < u64::from(limits.min_iterations) {
        return Err(SaslError::TooFewIterations { iterations, minimum: limits.min_iterations });
    }
    let maximum = limits.max_iterations;
    let within = u32::try_from(iterations).ok().filter(|count| *count <= maximum);
    within.ok_or(SaslError::TooManyIterations { iterations, maximum })
}
