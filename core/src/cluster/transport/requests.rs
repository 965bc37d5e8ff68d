//! The request by which a session is opened over HTTP: how the endpoint learns which member is meant.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::Scope;
use super::open_session::SessionId;
use crate::carriage::SessionRequest;
use crate::cluster::discovery::access::AccessPath;
use crate::cluster::discovery::cookies::RequestTarget;
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::members::MemberId;
use crate::http2::hpack::Field;

impl Scope<'_> {
    /// The request for a session at an endpoint.
    pub(super) fn session_request(&self, session: SessionId, member: MemberId, endpoint: &Endpoint) -> SessionRequest {
        let mut request = SessionRequest {
            encrypted: self.config.tls.is_some(),
            authority: endpoint.authority(),
            path: self.config.carriage.path.clone(),
            node: None,
            fields: Vec::new(),
        };
        match self.discovery.path() {
            AccessPath::Connect => self.name_to_proxy(member, &mut request),
            path if path.is_searched() => {
                let target = RequestTarget { endpoint, path: &request.path, encrypted: request.encrypted };
                let cookies = self.discovery.cookies_for(session, target, self.now);
                request.fields.extend(cookies.map(|value| Field::new(Bytes::from_static(b"cookie"), value)));
            }
            _ => request.node = self.node_of(member),
        }
        request
    }

    /// Names the member to a proxy before unmodified servers: by the authority, or by a header field.
    fn name_to_proxy(&self, member: MemberId, request: &mut SessionRequest) {
        let access = &self.config.access;
        let named = self.node_of(member).and_then(|_| self.members.get(member)).map(|known| &known.address);
        if let Some(any) = &access.connect_authority {
            request.authority = named.unwrap_or(any).to_string();
        } else if let Some(address) = named {
            let value = Bytes::from(access.connect_header.encoding.write(address));
            request.fields.push(Field::new(Bytes::copy_from_slice(access.connect_header.name.as_bytes()), value));
        }
    }

    /// The name of a member in a request; `None` for a seed that has not been identified as a member.
    fn node_of(&self, member: MemberId) -> Option<String> {
        let known = self.members.get(member)?;
        let is_member = self.members.current().contains(&member) || !known.is_seed;
        is_member.then(|| known.address.to_string())
    }
}
