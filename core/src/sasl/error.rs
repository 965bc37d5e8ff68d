//! What can go wrong, in words for who has to repair it.

use alloc::string::String;

use super::mechanism::Mechanism;

/// Why authentication did not come about. None of it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// All that the server offers and that would do need an encrypted link.
    #[error(
        "the server offers {offered}; none is allowed over an unencrypted link; name one with sasl_mechanism=… to \
         allow it, or use TLS"
    )]
    Unencrypted {
        /// What the server offers.
        offered: String,
    },
    /// Every offered mechanism for a password is weaker than SCRAM, the weakest that is used without being named.
    #[error(
        "the server offers {offered}; nothing weaker than SCRAM is used for a password unless it is named with \
         sasl_mechanism=…"
    )]
    BelowFloor {
        /// What the server offers.
        offered: String,
    },
    /// Nothing of what the server offers can be done with these credentials.
    #[error("the server offers {offered}; none of it can be done with {credentials}")]
    NoCommonMechanism {
        /// What the server offers.
        offered: String,
        /// What there is to authenticate with.
        credentials: &'static str,
    },
    /// The user has named a mechanism that the server doesn't offer.
    #[error("the server does not offer {named}, which was asked for by name; it offers {offered}")]
    NotOffered {
        /// The mechanism named.
        named: Mechanism,
        /// What the server offers.
        offered: String,
    },
    /// Channel binding is required, and the server or the mechanism named does not have it.
    #[error("the server offers {offered}; channel_binding=required allows SCRAM mechanisms with -PLUS alone, over TLS")]
    BindingRequired {
        /// What the server offers, or the mechanism named.
        offered: String,
    },
    /// The mechanism binds the channel, and there is nothing to bind it to.
    #[error(
        "{mechanism} needs channel binding: TLS that ends at the server itself, and a host that knows the connection's \
         exporter or the server's certificate"
    )]
    NoChannelBinding {
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// In the server's role: the two ends see different channels, or the client has been shown another offer.
    #[error("channel binding: {problem}")]
    ChannelBinding {
        /// What does not fit.
        problem: &'static str,
    },
    /// The mechanism needs something that isn't there.
    #[error("{mechanism} needs {needs}")]
    CredentialsMissing {
        /// The mechanism.
        mechanism: Mechanism,
        /// What it needs.
        needs: &'static str,
    },
    /// A credential can't be used in this mechanism.
    #[error("the {what} can't be used: {problem}")]
    Credential {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The server knows other realms than the one asked for.
    #[error("the server does not offer the realm {realm:?}; it offers {offered}")]
    RealmNotOffered {
        /// The realm asked for.
        realm: String,
        /// The realms that the server offers.
        offered: String,
    },
    /// A message of the peer is longer than any should be.
    #[error("{message} of {length} bytes; the limit is {limit}")]
    TooLong {
        /// Which message, or which part of it.
        message: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A message of the peer breaks the mechanism's grammar.
    #[error("{message} can't be understood: {problem}")]
    Malformed {
        /// Which message.
        message: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The peer sent something where the mechanism has nothing more to say.
    #[error("a message too many: {mechanism} has nothing to say at this point")]
    Unexpected {
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// So few iterations that a listener could find the password by trying (RFC 5802 §5.1, RFC 7677 §4).
    #[error("the server asks for {iterations} iterations of the password's hash; fewer than {minimum} are unsafe")]
    TooFewIterations {
        /// What the server asks for.
        iterations: u64,
        /// The least that is accepted.
        minimum: u32,
    },
    /// So many iterations that computing them would be an attack on the client (RFC 5802 §9).
    #[error(
        "the server asks for {iterations} iterations of the password's hash; no more than {maximum} are computed; \
         sasl_max_iterations=… allows more"
    )]
    TooManyIterations {
        /// What the server asks for; `u64::MAX` stands for that and more.
        iterations: u64,
        /// The most that is accepted.
        maximum: u32,
    },
    /// The peer's nonce is not what it must be: the message belongs to another exchange.
    #[error("the peer's nonce is not of this exchange: the message may be a replay")]
    WrongNonce,
    /// The server ended the exchange without the proof that it knows the password.
    #[error("the server says that authentication is complete, but has not proven that it knows the password")]
    ServerUnproven,
    /// The server's proof is wrong: it doesn't know the password.
    #[error("the server's proof is wrong: it does not know the password, so it may not be the server that it says")]
    ServerProofWrong,
    /// The server refused, and said why.
    #[error("the server refused: {reason}")]
    Refused {
        /// The server's words, within the mechanism.
        reason: String,
    },
    /// In the server's role: an unknown user or a wrong proof; which of the two is not told.
    #[error("the user is unknown, or the password or token is wrong")]
    Denied,
    /// In the server's role: the user may not act as whom it asked to.
    #[error("{username:?} may not act as {authorization_id:?}")]
    NotAuthorized {
        /// Who is authenticated.
        username: String,
        /// Whom it wants to act as.
        authorization_id: String,
    },
}
