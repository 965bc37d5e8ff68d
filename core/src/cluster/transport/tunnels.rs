//! From a connection to a link that carries sessions: a proxy's tunnel, TLS, the carriage, and the way down from one
//! carriage to the next.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use super::link::{LinkId, Stage};
use super::open_session::SessionId;
use super::{Scope, Transport};
use crate::carriage::registry::{INSIDE_FIELD, NODE_FIELD};
use crate::carriage::{Carriage, Choice, Inside, LinkEnd, SessionRequest};
use crate::cluster::discovery::endpoint::Endpoint;
use crate::cluster::output::{Event, Output};
use crate::http1::{self, ClientEvent, ClientExchange, Fields, Trailing};
use crate::session::Disconnect;

impl Transport {
    /// The host has established a connection or TLS on it. Returns the reason for which the link ends, if it does.
    pub(in crate::cluster) fn handle_connected(
        &mut self,
        scope: &mut Scope<'_>,
        link: LinkId,
        alpn: Option<&[u8]>,
    ) -> Result<(), Disconnect> {
        let Some(open) = self.links.get_mut(link) else { return Ok(()) };
        match (&open.stage, &scope.config.proxy) {
            (Stage::Connecting, Some(proxy)) => {
                let tunnel = proxy.tunnel_to(&open.endpoint).map_err(Disconnect::Proxy)?;
                open.stage = Stage::Tunnelling(Box::new(tunnel));
                self.report_transmit(scope, link);
                Ok(())
            }
            (Stage::Connecting, None) | (Stage::Securing, _) => self.open_link(scope, link, alpn),
            (
                Stage::Tunnelling(_)
                | Stage::AwaitingResponse(..)
                | Stage::Raw(_)
                | Stage::Carried(_)
                | Stage::Closing(_),
                _,
            ) => Ok(()),
        }
    }

    /// Takes bytes of a proxy's answer. When the tunnel is open the link leads to its endpoint.
    pub(super) fn handle_proxy_filled(&mut self, scope: &mut Scope<'_>, link: LinkId) -> Result<(), Disconnect> {
        let Some(open) = self.links.get_mut(link) else { return Ok(()) };
        let Stage::Tunnelling(tunnel) = &mut open.stage else { return Ok(()) };
        if !tunnel.handle_filled().map_err(Disconnect::Proxy)? {
            return Ok(());
        }
        let Some(tls) = self.links.get(link).and_then(|open| self.tls_for(scope.config, &open.endpoint, open.carriage))
        else {
            return self.open_link(scope, link, None);
        };
        if let Some(open) = self.links.get_mut(link) {
            open.stage = Stage::Securing;
        }
        scope.outputs.push_back(Output::StartTls { link, tls: Box::new(tls) });
        Ok(())
    }

    /// Begins to carry sessions on a link that leads to its endpoint.
    fn open_link(&mut self, scope: &mut Scope<'_>, link: LinkId, alpn: Option<&[u8]>) -> Result<(), Disconnect> {
        let Some(open) = self.links.get(link) else { return Ok(()) };
        let carriage = open.carriage.unwrap_or_else(|| self.carriage_of(scope.config, &open.endpoint, alpn));
        let Some(open) = self.links.get_mut(link) else { return Ok(()) };
        open.alpn = alpn.map(|id| String::from_utf8_lossy(id).into_owned());
        open.carriage = Some(carriage);
        if carriage.is_http2() {
            self.carry_over_http2(scope, link, carriage);
            return Ok(());
        }
        open.takes_sessions = false;
        let Some(&session) = open.sessions.first() else { return Ok(()) };
        // It was to be shared, and can't be.
        let others = open.sessions.split_off(1);
        let endpoint = open.endpoint.clone();
        let opened = if carriage == Carriage::Raw {
            self.carry_raw(scope, link, session);
            Ok(())
        } else {
            self.request_tunnel(scope, link, session, carriage)
        };
        others.into_iter().for_each(|session| self.carry_elsewhere(scope, session, endpoint.clone(), None));
        opened
    }

    fn carry_raw(&mut self, scope: &mut Scope<'_>, link: LinkId, session: SessionId) {
        if let Some(open) = self.links.get_mut(link) {
            open.stage = Stage::Raw(session);
        }
        self.open_session(scope, session);
    }

    /// Requests a tunnel by HTTP/1.1.
    fn request_tunnel(
        &mut self,
        scope: &mut Scope<'_>,
        link: LinkId,
        session: SessionId,
        carriage: Carriage,
    ) -> Result<(), Disconnect> {
        let (Some(open), Some(endpoint)) = (self.sessions.get(session), self.endpoint_of(link)) else { return Ok(()) };
        let request = scope.session_request(session, open.member, endpoint);
        let exchange = exchange(&request, carriage, scope.config.carriage.inside).map_err(Disconnect::Request)?;
        if let Some(open) = self.links.get_mut(link) {
            open.stage = Stage::AwaitingResponse(Box::new(exchange), session);
        }
        self.report_transmit(scope, link);
        Ok(())
    }

    /// The answer to the request for a tunnel, once it is there.
    pub(in crate::cluster) fn poll_exchange(&mut self, link: LinkId) -> Option<(SessionId, ClientEvent)> {
        match &mut self.links.get_mut(link)?.stage {
            Stage::AwaitingResponse(exchange, session) => Some((*session, exchange.poll_event()?)),
            _ => None,
        }
    }

    /// Begins to carry a session through a tunnel that was granted.
    pub(in crate::cluster) fn open_tunnel(&mut self, scope: &mut Scope<'_>, link: LinkId, session: SessionId) {
        self.report_carriage(scope, link);
        if scope.config.carriage.inside == Inside::Frames {
            self.carry_over_http2(scope, link, Carriage::Frames);
        } else {
            self.carry_raw(scope, link, session);
        }
    }

    /// Tries another way to the member after the loss of a link. Returns false if there is none.
    pub(in crate::cluster) fn survive_loss(&mut self, scope: &mut Scope<'_>, link: LinkId) -> bool {
        let Some(open) = self.links.get(link) else { return false };
        let has_received = open.sessions.iter().any(|session| self.has_received(*session));
        // Infinispan up to 16 selects this id, and then closes (spec/hotrod-over-http.md, "ALPN").
        let selected_hr = open.alpn.as_deref() == Some("HR");
        if selected_hr && !has_received && self.endpoints.leave_out_alpn(open.endpoint.clone()) {
            self.move_to_new_links(scope, link, None);
            return true;
        }
        let is_requested = matches!(open.stage, Stage::AwaitingResponse(..) | Stage::Carried(_));
        is_requested && self.step_down(scope, link, &LinkEnd::Finished, false)
    }

    fn has_received(&self, session: SessionId) -> bool {
        let protocol = self.sessions.get(session).and_then(|open| open.protocol.as_deref());
        protocol.is_some_and(|protocol| protocol.received() > 0)
    }

    fn is_carried(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|open| open.protocol.is_some())
    }

    /// Tries another carriage for a session that its link has not come to carry in time. Returns false if there is none.
    pub(super) fn survive_silence(&mut self, scope: &mut Scope<'_>, session: SessionId) -> bool {
        let Some(link) = self.sessions.get(session).map(|open| open.link) else { return false };
        let is_silent = match self.links.get(link).map(|open| &open.stage) {
            Some(Stage::AwaitingResponse(..)) => true,
            // One that has sent its settings is only slow.
            Some(Stage::Carried(carried)) => !carried.has_peer_settings(),
            _ => false,
        };
        is_silent && self.step_down(scope, link, &LinkEnd::Silence, false)
    }

    /// Goes on with the next best carriage, if the settings allow one: on a new link, with the same sessions.
    ///
    /// `is_answer` if the endpoint has answered that it does not offer the present one.
    pub(in crate::cluster) fn step_down(
        &mut self,
        scope: &mut Scope<'_>,
        link: LinkId,
        end: &LinkEnd,
        is_answer: bool,
    ) -> bool {
        let Some(open) = self.links.get(link) else { return false };
        let Some(carriage) = open.carriage else { return false };
        // One that has carried a session is one that the endpoint offers.
        let has_carried = open.sessions.iter().any(|session| self.is_carried(*session));
        let choice = scope.config.carriage.choice;
        let mut next = choice.fallback(carriage).filter(|_| !has_carried);
        if open.carried().is_some_and(|carried| !carried.has_peer_settings()) {
            // It is no HTTP/2, and so offers nothing that needs it.
            while next.is_some_and(Carriage::is_http2) {
                next = next.and_then(|next| choice.fallback(next));
            }
        }
        let Some(next) = next else { return false };
        let endpoint = open.endpoint.clone();
        self.choose_carriage(scope, &endpoint, next, alloc::format!("{carriage}: {end}"), is_answer);
        self.move_to_new_links(scope, link, Some(next));
        true
    }

    /// Remembers the carriage of an endpoint, if the endpoint has answered so: whoever can cut a link could choose for it
    /// otherwise. A remembered one that failed is forgotten.
    pub(super) fn choose_carriage(
        &mut self,
        scope: &mut Scope<'_>,
        endpoint: &Endpoint,
        carriage: Carriage,
        reason: String,
        is_answer: bool,
    ) {
        if is_answer {
            self.endpoints.set_carriage(endpoint.clone(), carriage);
        } else {
            self.endpoints.forget_carriage(endpoint);
        }
        self.report_chosen(scope, endpoint, carriage, reason);
    }

    /// Notifies the application that a link carries sessions, once for each carriage of its endpoint.
    pub(in crate::cluster) fn report_carriage(&mut self, scope: &mut Scope<'_>, link: LinkId) {
        let Some(open) = self.links.get(link) else { return };
        let Some(carriage) = open.carriage.filter(|_| scope.config.carriage.choice == Choice::Auto) else { return };
        if !self.endpoints.is_reported(&open.endpoint, carriage) {
            let endpoint = open.endpoint.clone();
            self.report_chosen(scope, &endpoint, carriage, String::new());
        }
    }

    fn report_chosen(&mut self, scope: &mut Scope<'_>, endpoint: &Endpoint, carriage: Carriage, reason: String) {
        self.endpoints.note_reported(endpoint.clone(), carriage);
        let (endpoint, carriage) = (endpoint.authority(), carriage.name().to_string());
        scope.outputs.push_back(Output::Event(Event::CarriageChosen { endpoint, carriage, reason }));
    }
}

/// The HTTP/1.1 request for a tunnel.
fn exchange(request: &SessionRequest, carriage: Carriage, inside: Inside) -> Result<ClientExchange, http1::Misuse> {
    let mut fields = Fields::new();
    if let Some(node) = &request.node {
        fields.push(NODE_FIELD, node.clone())?;
    }
    for field in &request.fields {
        fields.push(core::str::from_utf8(&field.name).unwrap_or_default(), field.value.clone())?;
    }
    if inside == Inside::Frames {
        fields.push(INSIDE_FIELD, "h2")?;
    }
    let limits = http1::Limits::default();
    if carriage == Carriage::Connect {
        let target = request.node.as_ref().unwrap_or(&request.authority);
        ClientExchange::connect(target, &fields, Trailing::Tunnelled, limits)
    } else {
        ClientExchange::upgrade(&request.authority, &request.path, &fields, limits)
    }
}
