//! Which mechanism to use.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::credentials::Credentials;
use super::error::SaslError;
use super::mechanism::Mechanism;
use super::text::printable;

/// What the link and the user's settings allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// Whether the host encrypts the link. Without it no token is sent and no certificate counts. Default: no.
    pub encrypted: bool,
    /// The mechanism that the user has named: then that one or none, encrypted or not. Default: none.
    pub mechanism: Option<Mechanism>,
    /// Whether there is a [`ChannelBinding`](super::ChannelBinding) for the link. Without it no -PLUS mechanism is used.
    /// Default: no.
    pub channel_binding: bool,
    /// Whether nothing but -PLUS mechanisms is used. Default: no.
    pub requires_channel_binding: bool,
}

/// The strongest mechanism that both sides know, that the credentials can do and that the policy allows.
///
/// A password goes by SCRAM or by what the user has named, over TLS as well: a certificate says who the server is, and
/// not that it may have the password. A token is for OAUTHBEARER alone, so who gives one has named that.
///
/// # Errors
///
/// [`SaslError::NotOffered`] if the named one isn't offered, [`SaslError::BelowFloor`] if all that would do are weaker
/// than SCRAM, [`SaslError::Unencrypted`] if they need an encrypted link, [`SaslError::NoCommonMechanism`] if none
/// would do anyway.
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

/// The offer for a message: as much of it as a person will read, and nothing that upsets a terminal.
fn listed(offered: &[&str]) -> String {
    if offered.is_empty() {
        return "nothing".to_string();
    }
    printable(offered.join(", ").as_bytes(), 400)
}
