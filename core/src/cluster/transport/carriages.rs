//! Which carriage a link gets, and how it gets there.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::carriage::registry::{INSIDE_FIELD, NODE_FIELD};
use crate::carriage::{Carriage, Choice, ClientConfig, FrameBudgets, Inside, LinkEnd, Offer, Refusal, SessionRequest};
use crate::cluster::config::Config;
use crate::cluster::discovery::access::{AccessPath, Endpoint};
use crate::cluster::discovery::cookies::Asked;
use crate::cluster::machine::Cluster;
use crate::cluster::members::MemberId;
use crate::cluster::output::Output;
use crate::cluster::transport::conversation::{Conversation, SessionId};
use crate::cluster::transport::dial::{Dial, Tls};
use crate::cluster::transport::link::{Link, LinkId, Stage};
use crate::http1::{self, ClientEvent, ClientExchange, Fields, Trailing};
use crate::http2::{self, hpack::Field};
use crate::session::Disconnect;
use crate::time::Instant;

/// Octets of answers in fragments that all calls of a link may have on their way: enough for several large ones from far.
const CONNECTION_CREDIT: u32 = 4 << 20;

/// Octets that each tunnel over HTTP/2, and all of a link together, may have on their way to here: far away a smaller
/// window is what large values wait for.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How sessions travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriageConfig {
    /// Which carriage. Default: raw Hot Rod.
    pub choice: Choice,
    /// What tunnels carry. Default: Hot Rod as it is.
    pub inside: Inside,
    /// The path of Upgrade and Extended CONNECT. Default: `/`.
    pub path: alloc::string::String,
    /// What is offered for Hot Rod frames. Default: [`Offer::default`], with a connection credit of 4 MiB.
    pub offer: Offer,
}

impl Default for CarriageConfig {
    fn default() -> Self {
        let offer = Offer { connection_credit: CONNECTION_CREDIT, ..Offer::default() };
        Self { choice: Choice::default(), inside: Inside::default(), path: "/".into(), offer }
    }
}

impl Config {
    /// What a link's HTTP/2 is told, for a carriage that has it.
    pub(in crate::cluster) fn client_link(&self, carriage: Carriage) -> ClientConfig {
        let frames = matches!(carriage, Carriage::Frames).then_some(Offer {
            max_message_size: u32::try_from(self.session.limits.message).unwrap_or(u32::MAX).min(i32::MAX as u32),
            ..self.carriage.offer
        });
        let http2 = http2::Config::default();
        ClientConfig {
            frames,
            only_frames: frames.is_some() && self.carriage.choice != Choice::Auto,
            ordinary_connect: carriage == Carriage::ConnectHttp2,
            limits: self.session.limits.clone(),
            budgets: FrameBudgets::default(),
            http2: http2::Config {
                settings: http2::Settings { initial_window_size: STREAM_WINDOW, ..http2.settings },
                connection_window: CONNECTION_WINDOW,
                keep_alive: Some(http2::KeepAlive { interval: self.keep_alive, timeout: self.connect_timeout }),
                ..http2
            },
        }
    }
}

impl Cluster {
    /// The link that is to carry a session with a member: one that leads there and takes more, or a new one.
    ///
    /// A new one has the carriage, if one is given, and otherwise what the endpoint was found to offer, or the best.
    pub(in crate::cluster) fn link_to(
        &mut self,
        member: MemberId,
        endpoint: Endpoint,
        carriage: Option<Carriage>,
    ) -> LinkId {
        if let Some(link) = self.shared_link(member, &endpoint) {
            return link;
        }
        let shared = (self.site, endpoint.clone());
        let timeout = self.config.connect_timeout;
        let dial = self.dial(&endpoint, carriage);
        let link = self.links.insert(Link { carriage, ..Link::new(self.site, endpoint) });
        let is_http2 = carriage.unwrap_or_else(|| self.carriage_of(&shared.1, None)).is_http2();
        if is_http2 && !self.leads_to_one(&shared.1) {
            self.endpoints.share(shared.0, shared.1, link);
        }
        self.counters.connects += 1;
        self.outputs.push_back(Output::Connect { link, member, dial, timeout });
        link
    }

    /// A link that leads to a member and takes one more session.
    fn shared_link(&self, member: MemberId, endpoint: &Endpoint) -> Option<LinkId> {
        let has_room = |link: &LinkId| self.links.get(*link).is_some_and(Link::has_room);
        if self.leads_to_one(endpoint) {
            let known = self.members.get(member).filter(|known| !known.is_seed)?;
            let links = known.all_sessions().filter_map(|session| self.sessions.get(session)).map(|open| open.link);
            let is_there = |link: &LinkId| self.links.get(*link).is_some_and(|open| open.endpoint == *endpoint);
            return links.filter(is_there).find(has_room);
        }
        self.endpoints.shared_link(self.site, endpoint).filter(has_room)
    }

    fn leads_to_one(&self, endpoint: &Endpoint) -> bool {
        self.config.access.path.is_searched()
            && (self.config.carriage.inside == Inside::Frames || self.endpoints.has_one_member_links(endpoint))
    }

    /// Where a member is dialled; `None` if it may not be, or nobody knows.
    pub(in crate::cluster) fn endpoint_of(&self, member: MemberId) -> Option<Endpoint> {
        let known = self.members.get(member).filter(|known| !self.is_outside(known))?;
        let access = &self.config.access;
        if known.is_seed {
            return Some(access.seed_endpoint(&known.address));
        }
        if access.path.is_searched() {
            return access
                .endpoint(&known.address)
                .or_else(|| self.jar.of(member).map(|(endpoint, _)| endpoint.clone()));
        }
        access.endpoint(&known.address).or_else(|| {
            // Another gateway after each failure, and none that has asked to wait if there is another.
            let seeds = self.seeds();
            let in_turn = seeds.iter().cycle().skip(known.failures as usize % seeds.len().max(1)).take(seeds.len());
            let seeds = in_turn.filter_map(|seed| self.members.get(*seed));
            let mut endpoints = seeds.map(|seed| access.seed_endpoint(&seed.address));
            let first = endpoints.next()?;
            let is_free = |endpoint: &Endpoint| self.endpoints.paused_until(member, endpoint, self.now).is_none();
            Some(if is_free(&first) { first } else { endpoints.find(is_free).unwrap_or(first) })
        })
    }

    /// Time before which no endpoint may be asked for a member; `None` if one may be asked now.
    pub(in crate::cluster) fn paused_until(&self, member: MemberId) -> Option<Instant> {
        self.endpoints.paused_until(member, &self.endpoint_of(member)?, self.now)?;
        self.endpoints.first_pause(member, self.now)
    }

    /// The carriage for an endpoint: what it was found to offer, or the best.
    fn carriage_of(&self, endpoint: &Endpoint, alpn: Option<&[u8]>) -> Carriage {
        let known = self.endpoints.carriage_of(endpoint);
        known.unwrap_or_else(|| self.config.carriage.choice.first(alpn))
    }

    /// How to establish TLS with an endpoint, for a link that is to have that carriage, or the one that was found there.
    ///
    /// Where the choice is made already only that carriage's ids are offered: what the server would select of others is not
    /// what is spoken then.
    pub(in crate::cluster) fn tls_for(&self, endpoint: &Endpoint, carriage: Option<Carriage>) -> Option<Tls> {
        let decided = carriage.or_else(|| self.endpoints.carriage_of(endpoint));
        let mut tls = self.config.tls_for(endpoint, decided.map_or(self.config.carriage.choice, Choice::Only))?;
        if self.endpoints.is_without_alpn(endpoint) {
            tls.alpn.clear();
        }
        Some(tls)
    }

    fn dial(&self, endpoint: &Endpoint, carriage: Option<Carriage>) -> Dial {
        self.config.dial(endpoint, self.tls_for(endpoint, carriage))
    }

    /// The link leads to where it should: it can carry sessions.
    pub(in crate::cluster) fn open_link(&mut self, link: LinkId, alpn: Option<&[u8]>) {
        let Some(open) = self.links.get(link) else { return };
        let carriage = open.carriage.unwrap_or_else(|| self.carriage_of(&open.endpoint, alpn));
        let Some(open) = self.links.get_mut(link) else { return };
        open.alpn = alpn.map(|id| alloc::string::String::from_utf8_lossy(id).into_owned());
        open.carriage = Some(carriage);
        if carriage.is_http2() {
            return self.carry_over_http2(link, carriage);
        }
        open.takes_sessions = false;
        let Some(&session) = open.sessions.first() else { return };
        // It was to be shared, and can't be.
        let others = open.sessions.split_off(1);
        let endpoint = open.endpoint.clone();
        if carriage == Carriage::Raw {
            open.stage = Stage::Raw(session);
            self.open_session(session);
        } else {
            self.ask_for_tunnel(link, session, carriage);
        }
        others.into_iter().for_each(|session| self.carry_elsewhere(session, endpoint.clone(), None));
    }

    /// What a session asks its endpoint for.
    pub(in crate::cluster) fn session_request(&self, session: &Conversation) -> SessionRequest {
        let endpoint = self.links.get(session.link).map(|open| &open.endpoint);
        let mut request = SessionRequest {
            encrypted: self.config.tls.is_some(),
            authority: endpoint.map(Endpoint::authority).unwrap_or_default(),
            path: self.config.carriage.path.clone(),
            node: None,
            fields: Vec::new(),
        };
        match self.config.access.path {
            AccessPath::Connect => self.name_to_proxy(session.member, &mut request),
            path if path.is_searched() => {
                let (path, encrypted) = (request.path.as_str(), request.encrypted);
                let asked = endpoint.map(|endpoint| Asked { endpoint, path, encrypted });
                let cookies = asked.and_then(|asked| session.cookies.field(self.now, asked));
                request.fields.extend(cookies.map(|value| Field::new(Bytes::from_static(b"cookie"), value)));
            }
            _ => request.node = self.node_of(session.member),
        }
        request
    }

    /// How a proxy before unmodified servers is told which member is meant: by the authority, or by a header field.
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

    /// How an endpoint is told which member is meant; `None` of a seed, of which nobody knows which member it is.
    fn node_of(&self, member: MemberId) -> Option<alloc::string::String> {
        let known = self.members.get(member)?;
        let is_member = self.current.contains(&member) || !known.is_seed;
        is_member.then(|| known.address.to_string())
    }

    /// Asks for a tunnel by HTTP/1.1.
    fn ask_for_tunnel(&mut self, link: LinkId, session: SessionId, carriage: Carriage) {
        let Some(open) = self.sessions.get(session) else { return };
        let request = self.session_request(open);
        match exchange(&request, carriage, self.config.carriage.inside) {
            Ok(exchange) => {
                if let Some(open) = self.links.get_mut(link) {
                    open.stage = Stage::Asking(Box::new(exchange), session);
                }
                self.tell_to_transmit(link);
            }
            Err(misuse) => self.end_link(link, &Disconnect::Request(misuse)),
        }
    }

    /// The answer to a request for a tunnel, if it has come.
    pub(in crate::cluster) fn handle_exchange(&mut self, link: LinkId) {
        let Some(open) = self.links.get_mut(link) else { return };
        let Stage::Asking(exchange, session) = &mut open.stage else { return };
        let session = *session;
        match exchange.poll_event() {
            None => self.tell_to_transmit(link),
            Some(ClientEvent::Accepted(accepted)) => {
                self.handle_accepted(session, &accepted.fields);
                self.tunnel_is_there(link, session, &accepted.trailing);
            }
            Some(ClientEvent::Refused(refused)) => {
                let refusal = Refusal {
                    status: refused.status,
                    retry_after: refused.retry_after().and_then(|seconds| u32::try_from(seconds).ok()),
                    node: None,
                };
                let is_no_tunnel = refused.status < 400 || matches!(refused.status, 400 | 405 | 426 | 501);
                let end = LinkEnd::Refused(refusal);
                self.note_access_refused(&end);
                if !(is_no_tunnel && self.step_down(link, &end, true)) {
                    self.end_link(link, &Disconnect::Carriage(end));
                }
            }
            Some(ClientEvent::Failed(violation)) => {
                if !self.step_down(link, &LinkEnd::NotHttp(violation.clone()), true) {
                    self.end_link(link, &Disconnect::Carriage(LinkEnd::NotHttp(violation)));
                }
            }
        }
    }

    fn tunnel_is_there(&mut self, link: LinkId, session: SessionId, trailing: &[u8]) {
        self.tell_found(link);
        if self.config.carriage.inside == Inside::Frames {
            self.carry_over_http2(link, Carriage::Frames);
        } else {
            if let Some(open) = self.links.get_mut(link) {
                open.stage = Stage::Raw(session);
            }
            self.open_session(session);
        }
        if !trailing.is_empty() {
            self.handle_received(self.now, link, trailing);
        }
    }

    /// Whether the loss of a link is no loss of its member: there is another way to it, and it is taken.
    pub(in crate::cluster) fn survives_loss(&mut self, link: LinkId) -> bool {
        let Some(open) = self.links.get(link) else { return false };
        let has_received = open.sessions.iter().any(|session| self.has_received(*session));
        // Infinispan up to 16 selects this id, and then closes (spec/hotrod-over-http.md, "ALPN").
        let selected_hr = open.alpn.as_deref() == Some("HR");
        if selected_hr && !has_received && self.endpoints.leave_out_alpn(open.endpoint.clone()) {
            self.move_to_new_links(link, None);
            return true;
        }
        let was_asked = matches!(open.stage, Stage::Asking(..) | Stage::Carried(_));
        was_asked && self.step_down(link, &LinkEnd::Finished, false)
    }

    fn has_received(&self, session: SessionId) -> bool {
        let machine = self.sessions.get(session).and_then(|open| open.machine.as_deref());
        machine.is_some_and(|machine| machine.received() > 0)
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
