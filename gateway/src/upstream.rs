//! Connections with members, one for each session.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hotrod_core::carriage::NodeSelector;
use hotrod_core::wire::Member;
use hotrod_tokio::shared::connect;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use tracing::warn;

use crate::budget::{Exhausted, LinkBudget, Reservation, SESSION, TLS, TLS_OUTPUT};
use crate::config::{Config, Role, UpstreamConfig};
use crate::drain::Drain;
use crate::loss::LossDetector;
use crate::mechanisms;
use crate::membership::{KnownBy, Membership};
use crate::metrics::{Carriage, Metrics, OpenSession};
use crate::sources::{SourceLimit, SourceSession};
use crate::stream::{Socket, Stream, prepare};
use crate::tls::{TlsFiles, Use};

/// Connects sessions with members.
pub(crate) struct Upstreams {
    dialer: Arc<Dialer>,
    role: Role,
    membership: Arc<Membership>,
    places: Arc<Semaphore>,
    metrics: Metrics,
    drain: Drain,
    /// Round robin over members, for sessions that request none.
    next: AtomicUsize,
}

/// A session's connection with its member. Counts as a session until dropped.
pub(crate) struct Upstream {
    stream: Stream,
    member: Member,
    name: String,
    /// Detects the end of the connection while it is not read.
    loss: Option<LossDetector>,
    /// Memory reserved for it.
    memory: Option<Reservation>,
    _open: OpenSession,
    _place: OwnedSemaphorePermit,
    /// Counts the session for its source; set by [`keep`](Self::keep).
    of_source: Option<SourceSession>,
}

/// Reason why a session gets no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoUpstream {
    #[error("the gateway has as many sessions as it may have (max-sessions)")]
    Full,
    #[error("{0}")]
    Memory(Exhausted),
    #[error("{0}")]
    SourceFull(SourceLimit),
    #[error("the gateway is about to stop")]
    Draining,
    #[error("{0:?} is no member of the cluster")]
    UnknownMember(String),
    #[error("the members of the cluster are not known yet")]
    NotKnownYet,
    /// Another member than that of the sidecar was requested.
    #[error("{wanted:?} is another member than {own}, before which this gateway stands")]
    AnotherMember {
        /// The requested member.
        wanted: String,
        /// Name of the sidecar's member.
        own: String,
    },
    /// EXTERNAL would authenticate the client as the gateway, whose certificate the connection shows.
    #[error(
        "member {member} offers EXTERNAL, and sessions show upstream-client-cert: a client could act as the gateway. \
         Remove EXTERNAL from the server's mechanisms, or the certificate (account-cert is for the gateway's own connection)"
    )]
    OffersExternal { member: Member },
    #[error("member {member} can't be reached: {error}")]
    Unreachable { member: Member, error: io::Error },
}

impl NoUpstream {
    /// Label of the metric `refusals`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Full => "sessions",
            Self::Memory(_) => "memory",
            Self::SourceFull(limit) => limit.reason(),
            Self::Draining => "draining",
            Self::UnknownMember(_) => "unknown_member",
            Self::NotKnownYet => "not_known_yet",
            Self::AnotherMember { .. } => "another_member",
            Self::OffersExternal { .. } => "external_offered",
            Self::Unreachable { .. } => "unreachable",
        }
    }
}

impl Upstreams {
    pub(crate) fn new(
        config: &Config,
        dialer: Arc<Dialer>,
        membership: Arc<Membership>,
        metrics: Metrics,
        drain: Drain,
    ) -> Self {
        let places = Arc::new(Semaphore::new(config.limits.sessions.min(Semaphore::MAX_PERMITS)));
        Self { dialer, role: config.role.clone(), membership, places, metrics, drain, next: AtomicUsize::new(0) }
    }

    /// Connects a session with the requested member; with any reachable one if it requests none.
    ///
    /// Dials only the sidecar's member, or present members of the cluster. Counts a refusal in metrics.
    pub(crate) async fn connect(&self, wanted: NodeSelector<'_>, carriage: Carriage) -> Result<Upstream, NoUpstream> {
        let connected = self.try_connect(wanted, carriage).await;
        connected.inspect_err(|refusal| self.metrics.refused(refusal.reason()))
    }

    /// Checks that a session which is connected later requests a member that can be there.
    pub(crate) fn check(&self, wanted: NodeSelector<'_>) -> Result<(), NoUpstream> {
        let checked = self.candidates(wanted).map(drop);
        checked.inspect_err(|refusal| self.metrics.refused(refusal.reason()))
    }

    /// Connects a session if the link's budget has room for it.
    pub(crate) async fn connect_within(
        &self,
        budget: &LinkBudget,
        wanted: NodeSelector<'_>,
        carriage: Carriage,
    ) -> Result<Upstream, NoUpstream> {
        let constant = SESSION + if self.dialer.config.tls.is_some() { TLS } else { 0 };
        let reserved = budget.reserve(constant).map_err(NoUpstream::Memory);
        let memory = reserved.inspect_err(|refusal| self.metrics.refused(refusal.reason()))?;
        let mut upstream = self.connect(wanted, carriage).await?;
        upstream.memory = Some(memory);
        Ok(upstream)
    }

    async fn try_connect(&self, wanted: NodeSelector<'_>, carriage: Carriage) -> Result<Upstream, NoUpstream> {
        if self.drain.is_draining() {
            return Err(NoUpstream::Draining);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| NoUpstream::Full)?;
        let mut refusal = NoUpstream::NotKnownYet;
        for member in self.candidates(wanted)? {
            match self.dialer.dial_for_session(&member).await {
                Ok(stream) => {
                    let open = self.metrics.session(carriage);
                    let name = self.name(&member);
                    return Ok(Upstream {
                        stream,
                        member,
                        name,
                        loss: None,
                        memory: None,
                        _open: open,
                        _place: place,
                        of_source: None,
                    });
                }
                Err(new) => refusal = new,
            }
        }
        Err(refusal)
    }

    /// Members to dial, in order: the requested one, or all of them by round robin.
    fn candidates(&self, wanted: NodeSelector<'_>) -> Result<Vec<Member>, NoUpstream> {
        let members = self.membership.present();
        let known = |wanted: &str| match wanted {
            _ if members.known_by != KnownBy::Settings => NoUpstream::UnknownMember(wanted.into()),
            _ => NoUpstream::NotKnownYet,
        };
        match (&self.role, wanted.text()) {
            (Role::Sidecar { upstream, .. }, None) => Ok(vec![upstream.clone()]),
            (Role::Sidecar { upstream, node_name, .. }, Some(text)) => {
                let is_named = wanted.names().any(|name| name == node_name);
                let is_own = is_named || members.own.as_ref().is_some_and(|own| members.find(wanted) == Some(own));
                if is_own {
                    Ok(vec![upstream.clone()])
                } else {
                    Err(NoUpstream::AnotherMember { wanted: text.into(), own: node_name.clone() })
                }
            }
            (Role::Front { .. }, Some(text)) => match members.find(wanted) {
                Some(member) => Ok(vec![member.clone()]),
                None => Err(known(text)),
            },
            (Role::Front { .. }, None) => {
                let mut all = members.all;
                let turn = self.next.fetch_add(1, Ordering::Relaxed) % all.len().max(1);
                all.rotate_left(turn);
                Ok(all)
            }
        }
    }

    /// Name by which sessions request a member: a sidecar has a name for its own, a front only addresses.
    fn name(&self, member: &Member) -> String {
        match &self.role {
            Role::Sidecar { node_name, .. } => node_name.clone(),
            Role::Front { .. } => member.to_string(),
        }
    }
}

impl Upstream {
    /// Keeps the count of the session for its source until its end.
    pub(crate) fn keep(&mut self, of_source: SourceSession) {
        self.of_source = Some(of_source);
    }

    /// Its member, with the address that was dialled.
    pub(crate) fn member(&self) -> &Member {
        &self.member
    }

    /// Name by which sessions request this member (spec/hotrod-over-http.md, 11.1).
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Ready at the end of the connection, also behind unread bytes.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let socket = self.stream.socket();
        self.loss.get_or_insert_with(|| LossDetector::new(socket)).poll(cx)
    }

    /// The stream, after stopping the detection of its end.
    fn stream(self: Pin<&mut Self>) -> Pin<&mut Stream> {
        let upstream = self.get_mut();
        upstream.loss = None;
        Pin::new(&mut upstream.stream)
    }
}

/// Establishes connections with members.
pub(crate) struct Dialer {
    config: UpstreamConfig,
    tls: Arc<TlsFiles>,
    membership: Arc<Membership>,
    metrics: Metrics,
}

impl Dialer {
    pub(crate) fn new(
        config: UpstreamConfig,
        tls: Arc<TlsFiles>,
        membership: Arc<Membership>,
        metrics: Metrics,
    ) -> Self {
        Self { config, tls, membership, metrics }
    }

    /// Connects a client's session.
    ///
    /// Refuses a connection that shows a certificate if the member offers EXTERNAL, by which a client would act as the gateway
    /// . The member is queried before the client's first byte: scanning the client's bytes is no defence, because
    /// server and gateway can disagree about where a request ends.
    async fn dial_for_session(&self, member: &Member) -> Result<Stream, NoUpstream> {
        let unreachable = |error| NoUpstream::Unreachable { member: member.clone(), error };
        let mut stream = self.dial(member, Use::Session).await.map_err(unreachable)?;
        let shows_certificate = self.config.tls.as_ref().is_some_and(|tls| tls.certificate.is_some());
        if shows_certificate {
            let limit = self.config.connect_timeout;
            let offered = timeout(limit, mechanisms::offered(&mut stream)).await.unwrap_or_else(|_| Err(late(limit)));
            if offered.map_err(unreachable)?.iter().any(|mechanism| mechanism.eq_ignore_ascii_case("EXTERNAL")) {
                let refusal = NoUpstream::OffersExternal { member: member.clone() };
                warn!("{refusal}");
                return Err(refusal);
            }
        }
        Ok(stream)
    }

    /// Connects within the connect timeout.
    pub(crate) async fn dial(&self, member: &Member, purpose: Use) -> io::Result<Stream> {
        let limit = self.config.connect_timeout;
        let dialled = timeout(limit, self.establish(member, purpose)).await.unwrap_or_else(|_| Err(late(limit)));
        match &dialled {
            Ok(_) => self.metrics.upstream_connected(),
            Err(error) => self.metrics.upstream_failed(kind(error)),
        }
        dialled
    }

    /// Looks up the addresses of a member's host. Notes those of a seed: by default members may be in their networks.
    pub(crate) async fn resolve(&self, member: &Member) -> io::Result<Vec<SocketAddr>> {
        let addresses: Vec<SocketAddr> = lookup_host((member.host.as_str(), member.port)).await?.collect();
        addresses.iter().for_each(|address| self.membership.seed_resolved(member, address.ip()));
        Ok(addresses)
    }

    /// Connects to the first of the addresses of a member's host that answers, within the hosts that may be dialled.
    async fn connect(&self, member: &Member) -> io::Result<TcpStream> {
        let (permitted, outside): (Vec<_>, Vec<_>) = self
            .resolve(member)
            .await?
            .into_iter()
            .partition(|address| self.membership.may_be_at(member, address.ip()));
        match outside.first().filter(|_| permitted.is_empty()) {
            Some(address) => {
                let outside = format!("{} is {}, outside of member-hosts", member.host, address.ip());
                Err(io::Error::new(io::ErrorKind::PermissionDenied, outside))
            }
            None => connect(&permitted).await,
        }
    }

    async fn establish(&self, member: &Member, purpose: Use) -> io::Result<Stream> {
        let socket = self.connect(member).await?;
        prepare(&socket, self.config.keep_alive)?;
        let Some((config, server_name)) = self.tls.client(purpose) else { return Ok(Stream::Plain(socket.into())) };
        let server_name = server_name.unwrap_or(&member.host).to_string();
        let server_name =
            ServerName::try_from(server_name).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut stream = TlsConnector::from(config).connect(server_name, Socket::from(socket)).await?;
        stream.get_mut().1.set_buffer_limit(Some(TLS_OUTPUT));
        Ok(Stream::Tls(Box::new(stream.into())))
    }
}

fn late(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))
}

fn kind(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::TimedOut => "timeout",
        // Errors of rustls.
        io::ErrorKind::InvalidData => "tls",
        io::ErrorKind::PermissionDenied => "outside_member_hosts",
        _ => "other",
    }
}

impl AsyncRead for Upstream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upstream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::{DrainSwitch, Phase};
    use tokio::net::TcpListener;

    struct Stand {
        upstreams: Upstreams,
        membership: Arc<Membership>,
        metrics: Metrics,
        switch: DrainSwitch,
    }

    fn stand(role: Role, sessions: usize) -> Stand {
        let upstream =
            UpstreamConfig { tls: None, connect_timeout: Duration::from_secs(30), keep_alive: Duration::from_secs(60) };
        let metrics = Metrics::new();
        let (switch, drain) = DrainSwitch::new();
        let membership = Arc::new(Membership::new(role.clone(), metrics.clone()));
        let tls = Arc::new(TlsFiles::read(None, None).unwrap());
        let upstreams = Upstreams {
            dialer: Arc::new(Dialer::new(upstream, tls, membership.clone(), metrics.clone())),
            role,
            membership: membership.clone(),
            places: Arc::new(Semaphore::new(sessions)),
            metrics: metrics.clone(),
            drain,
            next: AtomicUsize::new(0),
        };
        Stand { upstreams, membership, metrics, switch }
    }

    async fn listening() -> (TcpListener, Member) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, Member { host: "127.0.0.1".into(), port })
    }

    async fn refusal(stand: &Stand, wanted: NodeSelector<'_>) -> NoUpstream {
        stand.upstreams.connect(wanted, Carriage::Raw).await.err().expect("it was connected")
    }

    #[tokio::test]
    async fn a_sidecar_leads_to_its_member_and_to_no_other() {
        let (_listener, upstream) = listening().await;
        let advertised = Member { host: "pod-0.svc".into(), port: 11222 };
        let role = Role::Sidecar {
            upstream: upstream.clone(),
            node_name: "node-0".into(),
            advertised: Some(advertised.clone()),
        };
        let stand = stand(role, 100);
        let other = Member { host: "pod-1.svc".into(), port: 11222 };
        stand.membership.learn(std::slice::from_ref(&advertised));
        for wanted in [
            NodeSelector::Any,
            NodeSelector::Node("node-0"),
            NodeSelector::Authority("node-0:443"),
            NodeSelector::Node("pod-0.svc:11222"),
            NodeSelector::Node("pod-0"),
        ] {
            let connected = stand.upstreams.connect(wanted, Carriage::Raw).await.unwrap();
            assert_eq!((connected.member(), connected.name.as_str()), (&upstream, "node-0"), "{wanted:?}");
        }
        stand.membership.learn(&[advertised, other]);
        for wanted in ["pod-1.svc:11222", "pod-1", "nobody", "Node-0"] {
            let refused = refusal(&stand, NodeSelector::Node(wanted)).await;
            assert!(matches!(refused, NoUpstream::AnotherMember { .. }), "{wanted}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_front_dials_nothing_that_is_no_member_at_the_moment() {
        let ((one, first), (_two, second)) = (listening().await, listening().await);
        let stand = stand(Role::Front { seeds: vec![first.clone()], node_name: None, member_hosts: None }, 100);
        let [first_name, second_name] = [&first, &second].map(ToString::to_string);
        let wanted = NodeSelector::Node(&second_name);
        assert!(matches!(refusal(&stand, wanted).await, NoUpstream::NotKnownYet), "there it is, and nobody knows it");
        stand.membership.learn(std::slice::from_ref(&second));
        let connected = stand.upstreams.connect(wanted, Carriage::Raw).await.unwrap();
        assert_eq!((connected.member(), &connected.name), (&second, &second_name));
        for wanted in
            [NodeSelector::Node(&first_name), NodeSelector::Authority(&first_name), NodeSelector::Node("localhost:22")]
        {
            assert!(matches!(refusal(&stand, wanted).await, NoUpstream::UnknownMember(_)), "{wanted:?}");
        }
        // The seed was not dialled.
        let accepted = tokio::time::timeout(Duration::from_millis(50), one.accept()).await;
        assert!(accepted.is_err());
        assert!(stand.metrics.text().contains("refusals_total{reason=\"unknown_member\"} 3"));
    }

    #[tokio::test]
    async fn a_session_has_its_place_until_it_ends() {
        let (_listener, upstream) = listening().await;
        let stand = stand(Role::Sidecar { upstream, node_name: "n".into(), advertised: None }, 1);
        let session = stand.upstreams.connect(NodeSelector::Any, Carriage::Raw).await.unwrap();
        assert!(matches!(refusal(&stand, NodeSelector::Any).await, NoUpstream::Full));
        drop(session);
        let session = stand.upstreams.connect(NodeSelector::Any, Carriage::Raw).await.unwrap();
        stand.switch.advance(Phase::Draining);
        assert!(matches!(refusal(&stand, NodeSelector::Any).await, NoUpstream::Draining));
        assert!(stand.metrics.text().contains("sessions_open{carriage=\"raw\"} 1"));
        drop(session);
        assert!(stand.metrics.text().contains("sessions_open{carriage=\"raw\"} 0"));
    }
}
