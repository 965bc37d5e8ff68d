//! Selection of the mechanism.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::credentials::Credentials;
use super::error::SaslError;
use super::mechanism::Mechanism;
use super::text::printable;

/// Restrictions by the link and by the user's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Policy {
    /// Whether the link is encrypted; required for tokens and client certificates. Default: no.
    pub encrypted: bool,
    /// Mechanism configured by the user: the only one allowed, whether the link is encrypted or not. Default: none.
    pub mechanism: Option<Mechanism>,
    /// Whether [`ChannelBinding`](super::ChannelBinding) data of the link is available; required for -PLUS mechanisms.
    /// Default: no.
    pub channel_binding: bool,
    /// Whether only -PLUS mechanisms are allowed. Default: no.
    pub requires_channel_binding: bool,
}

/// Selects the strongest mechanism that both sides support, that suits the credentials and that the policy allows.
///
/// A password is used with SCRAM or with the configured mechanism only, over TLS too: a certificate proves the
/// server's identity, not that the server may have the password. Giving a token implies OAUTHBEARER, the only
/// mechanism for tokens.
///
/// # Errors
///
/// [`SaslError::NotOffered`] if the configured mechanism is not offered, [`SaslError::BelowFloor`] if all suitable
/// ones are weaker than SCRAM, [`SaslError::Unencrypted`] if they require an encrypted link,
/// [`SaslError::NoCommonMechanism`] if none is suitable.
pub fn select<'a>(
    offered: impl Iterator<Item = &'a str>,
    credentials: &Credentials,
    policy: &Policy,
) -> Result<Mechanism, SaslError> {
    let offered: Vec<&str> = offered.collect();
    if let Some(named) = policy.mechanism {
        let found = offered.contains(&named.name());
        return found.then_some(named).ok_or_else(|| SaslError::NotOffered { named, offered: listed(&offered) });
    }
    let can_be_bound = |mechanism: &Mechanism| policy.channel_binding || !mechanism.binds_channel();
    let known = offered.iter().filter_map(|name| Mechanism::from_name(name)).filter(can_be_bound);
    let possible: Vec<Mechanism> = known.filter(|mechanism| credentials.suit(*mechanism)).collect();
    let allowed = |mechanism: &Mechanism| mechanism.needs_no_naming(policy.encrypted);
    match possible.iter().copied().filter(allowed).max() {
        Some(best) if policy.requires_channel_binding && !best.binds_channel() => {
            Err(SaslError::BindingRequired { offered: listed(&offered) })
        }
        Some(best) => Ok(best),
        None if possible.is_empty() => {
            let credentials = credentials.description();
            Err(SaslError::NoCommonMechanism { offered: listed(&offered), credentials })
        }
        None if possible.iter().any(|mechanism| mechanism.is_weaker_than_scram()) => {
            Err(SaslError::BelowFloor { offered: listed(&offered) })
        }
        None => Err(SaslError::Unencrypted { offered: listed(&offered) }),
    }
}

/// Formats the offer for a message: of limited length, and without control characters.
fn listed(offered: &[&str]) -> String {
    if offered.is_empty() {
        return "nothing".to_string();
    }
    printable(offered.join(", ").as_bytes(), 400)
}
