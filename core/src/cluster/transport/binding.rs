//! Channel binding: what a session can be bound to, and when it is.

use core::str::FromStr;

use crate::carriage::Carriage;
use crate::cluster::machine::Cluster;
use crate::cluster::transport::link::LinkId;
use crate::sasl::{BindingKind, ChannelBinding};

/// When SCRAM is bound to the TLS connection (RFC 5802 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BindingPolicy {
    /// Where the server offers it, and Hot Rod goes over TLS with nothing between: not over HTTP, where gateways and routers
    /// end TLS before the server.
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

impl Cluster {
    /// What TLS exports on a link for [`EXPORTER_LABEL`](crate::sasl::EXPORTER_LABEL) with an empty context, in TLS 1.3;
    /// call it before [`handle_connected`](Self::handle_connected). Counts for more than the server's certificate. Bytes of
    /// another length than [`EXPORTER_LENGTH`](crate::sasl::EXPORTER_LENGTH) are ignored.
    pub fn set_tls_exporter(&mut self, link: LinkId, exported: &[u8]) {
        if let (Some(open), Some(binding)) = (self.links.get_mut(link), ChannelBinding::tls_exporter(exported)) {
            open.channel_binding = Some(binding);
        }
    }

    /// The certificate, in DER, by which the server at the other end of a link has proven itself; call it before
    /// [`handle_connected`](Self::handle_connected).
    pub fn set_server_certificate(&mut self, link: LinkId, certificate: &[u8]) {
        let Some(open) = self.links.get_mut(link) else { return };
        let is_bound = open.channel_binding.as_ref().is_some_and(|known| known.kind() == BindingKind::TlsExporter);
        if !is_bound {
            open.channel_binding = ChannelBinding::tls_server_end_point(certificate);
        }
    }

    /// What a new session on a link is bound to.
    pub(in crate::cluster) fn channel_of(&self, link: LinkId) -> Option<ChannelBinding> {
        let open = self.links.get(link)?;
        let may_be_bound = match self.config.channel_binding {
            BindingPolicy::Auto => open.carriage == Some(Carriage::Raw),
            BindingPolicy::Off => false,
            BindingPolicy::Required => true,
        };
        open.channel_binding.clone().filter(|_| may_be_bound)
    }
}
