//! Channel binding of SCRAM to TLS.

use core::str::FromStr;

use super::Transport;
use super::link::LinkId;
use crate::carriage::Carriage;
use crate::cluster::config::Config;
use crate::sasl::{BindingKind, ChannelBinding};

/// When SCRAM is bound to the TLS connection (RFC 5802 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BindingPolicy {
    /// Where the server offers it and Hot Rod goes over TLS directly: not over HTTP, where gateways and routers end TLS before
    /// the server.
    #[default]
    Auto,
    /// Never: for endpoints that end TLS and open another TLS connection to a server that offers it.
    Off,
    /// Always, over HTTP as well: a session without it fails.
    Required,
}

impl FromStr for BindingPolicy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::Off),
            "required" => Ok(Self::Required),
            _ => Err(()),
        }
    }
}

impl Transport {
    /// Notes the keying material that TLS exports on a link. It counts for more than the server's certificate.
    pub(in crate::cluster) fn set_tls_exporter(&mut self, link: LinkId, exported: &[u8]) {
        if let (Some(open), Some(binding)) = (self.links.get_mut(link), ChannelBinding::tls_exporter(exported)) {
            open.channel_binding = Some(binding);
        }
    }

    /// Notes the certificate of the server at the other end of a link, in DER.
    pub(in crate::cluster) fn set_server_certificate(&mut self, link: LinkId, certificate: &[u8]) {
        let Some(open) = self.links.get_mut(link) else { return };
        let is_bound = open.channel_binding.as_ref().is_some_and(|known| known.kind() == BindingKind::TlsExporter);
        if !is_bound {
            open.channel_binding = ChannelBinding::tls_server_end_point(certificate);
        }
    }

    /// The channel binding of a new session on a link.
    pub(super) fn channel_binding_of(&self, config: &Config, link: LinkId) -> Option<ChannelBinding> {
        let open = self.links.get(link)?;
        let may_be_bound = match config.channel_binding {
            BindingPolicy::Auto => open.carriage == Some(Carriage::Raw),
            BindingPolicy::Off => false,
            BindingPolicy::Required => true,
        };
        open.channel_binding.clone().filter(|_| may_be_bound)
    }
}
