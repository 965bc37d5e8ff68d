//! Errors, with messages for the user who has to repair them.

use alloc::string::String;

use super::mechanism::Mechanism;

/// Reason for which authentication failed. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// All suitable mechanisms of the server require an encrypted link.
    #[error(
        "the server offers {offered}; none is allowed over an unencrypted link; name one with sasl_mechanism=… to \
         allow it, or use TLS"
    )]
    Unencrypted {
        /// Mechanisms offered by the server.
        offered: String,
    },
    /// All offered mechanisms for a password are weaker than SCRAM, the weakest one used without explicit
    /// configuration.
    #[error(
        "the server offers {offered}; nothing weaker than SCRAM is used for a password unless it is named with \
         sasl_mechanism=…"
    )]
    BelowFloor {
        /// Mechanisms offered by the server.
        offered: String,
    },
    /// No offered mechanism suits the credentials.
    #[error("the server offers {offered}; none of it can be done with {credentials}")]
    NoCommonMechanism {
        /// Mechanisms offered by the server.
        offered: String,
        /// Description of the credentials.
        credentials: &'static str,
    },
    /// The server does not offer the configured mechanism.
    #[error("the server does not offer {named}, which was asked for by name; it offers {offered}")]
    NotOffered {
        /// Configured mechanism.
        named: Mechanism,
        /// Mechanisms offered by the server.
        offered: String,
    },
    /// Channel binding is required, and the server or the configured mechanism does not support it.
    #[error("the server offers {offered}; channel_binding=required allows SCRAM mechanisms with -PLUS alone, over TLS")]
    BindingRequired {
        /// Mechanisms offered by the server, or the configured one.
        offered: String,
    },
    /// The mechanism requires channel binding, and there is no channel binding data.
    #[error(
        "{mechanism} needs channel binding: TLS that ends at the server itself, and a host that knows the connection's \
         exporter or the server's certificate"
    )]
    NoChannelBinding {
        /// Mechanism without a channel.
        mechanism: Mechanism,
    },
    /// In the server's role: the two ends see different channels, or the client received another offer.
    #[error("channel binding: {problem}")]
    ChannelBinding {
        /// Description of the mismatch.
        problem: &'static str,
    },
    /// The mechanism requires a credential that is absent.
    #[error("{mechanism} needs {needs}")]
    CredentialsMissing {
        /// Selected mechanism.
        mechanism: Mechanism,
        /// Missing credential.
        needs: &'static str,
    },
    /// A credential is not valid for the mechanism.
    #[error("the {what} can't be used: {problem}")]
    Credential {
        /// Name of the credential.
        what: &'static str,
        /// Description of the error.
        problem: &'static str,
    },
    /// The server does not offer the configured realm.
    #[error("the server does not offer the realm {realm:?}; it offers {offered}")]
    RealmNotOffered {
        /// Configured realm.
        realm: String,
        /// Realms offered by the server.
        offered: String,
    },
    /// A message of the peer exceeds its limit.
    #[error("{message} of {length} bytes; the limit is {limit}")]
    TooLong {
        /// Name of the message, or of its part.
        message: &'static str,
        /// Length of the message, in bytes.
        length: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// A message of the peer violates the mechanism's grammar.
    #[error("{message} can't be understood: {problem}")]
    Malformed {
        /// Name of the message.
        message: &'static str,
        /// Description of the error.
        problem: &'static str,
    },
    /// The peer sent a message after the mechanism's last one.
    #[error("a message too many: {mechanism} has nothing to say at this point")]
    Unexpected {
        /// Mechanism of the exchange.
        mechanism: Mechanism,
    },
    /// The number of iterations is so low that an eavesdropper could find the password by trying (RFC 5802 §5.1, RFC
    /// 7677 §4).
    #[error("the server asks for {iterations} iterations of the password's hash; fewer than {minimum} are unsafe")]
    TooFewIterations {
        /// Number requested by the server.
        iterations: u64,
        /// Configured minimum.
        minimum: u32,
    },
    /// The number of iterations is so high that computing them would be an attack on the client (RFC 5802 §9).
    #[error(
        "the server asks for {iterations} iterations of the password's hash; no more than {maximum} are computed; \
         sasl_max_iterations=… allows more"
    )]
    TooManyIterations {
        /// Number requested by the server; saturates at `u64::MAX`.
        iterations: u64,
        /// Configured maximum.
        maximum: u32,
    },
    /// The peer's nonce is wrong: the message belongs to another exchange.
    #[error("the peer's nonce is not of this exchange: the message may be a replay")]
    WrongNonce,
    /// The server ended the exchange without proving that it knows the password.
    #[error("the server says that authentication is complete, but has not proven that it knows the password")]
    ServerUnproven,
    /// The server's proof is wrong: it does not know the password.
    #[error("the server's proof is wrong: it does not know the password, so it may not be the server that it says")]
    ServerProofWrong,
    /// The server refused the client and sent a reason.
    #[error("the server refused: {reason}")]
    Refused {
        /// Reason of the server, within the mechanism.
        reason: String,
    },
    /// In the server's role: the user is unknown or the proof is wrong; the error does not distinguish the two.
    #[error("the user is unknown, or the password or token is wrong")]
    Denied,
    /// In the server's role: the user may not act as the requested identity.
    #[error("{username:?} may not act as {authorization_id:?}")]
    NotAuthorized {
        /// Authenticated user.
        username: String,
        /// Requested identity.
        authorization_id: String,
    },
}
