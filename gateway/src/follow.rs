//! The gateway's own connection to the cluster: whether a member is there, and who the members are.

use std::sync::Arc;
use std::time::Duration;

use hotrod_core::sasl::Credentials;
use hotrod_core::session::{Authentication, Config, Disconnect, OperationError};
use hotrod_core::wire::{Body, Intelligence, Member, Reply, Request, RequestOptions, Topology};
use hotrod_tokio::{Error, Session};
use tokio::net::lookup_host;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::config::{Account, Proof, Role, TopologyConfig};
use crate::drain::{Drain, Phase};
use crate::gateway::{CacheTopology, Topologies};
use crate::membership::Membership;
use crate::tls::Use;
use crate::upstream::Dialer;

/// Pause after the first failure; it doubles with each further one.
const MIN_PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two requests of the gateway's own connection, however many hints there are.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// An account that was refused is tried again after so long: the realm may lock one that is refused often.
const ACCOUNT_PAUSE: Duration = Duration::from_secs(60);

/// How the gateway finds the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// The member that answered last, while it does.
    pub(crate) answering: Option<Member>,
    /// What is wrong, whether a member answers or not.
    pub(crate) problem: Option<String>,
    /// Whether the cluster wants its clients to authenticate; `None` while no member has told.
    pub(crate) wants_authentication: Option<bool>,
}

/// Follows the cluster until the gateway's end.
pub(crate) struct Follower {
    role: Role,
    settings: TopologyConfig,
    dialer: Arc<Dialer>,
    membership: Arc<Membership>,
    topologies: Topologies,
    refresh: Refresh,
    health: watch::Sender<Health>,
}

/// Has the gateway's own connection ask for the topology ahead of its interval. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Refresh(Arc<Notify>);

impl Refresh {
    /// Requests further ahead than [`LEAST_INTERVAL`] from the last one wait; any number of them is one.
    pub(crate) fn request(&self) {
        self.0.notify_one();
    }
}

impl Follower {
    pub(crate) fn new(
        config: &crate::config::Config,
        dialer: Arc<Dialer>,
        membership: Arc<Membership>,
        topologies: Topologies,
        refresh: Refresh,
    ) -> (Self, watch::Receiver<Health>) {
        let problem = Some("no member has answered yet".into());
        let nothing_yet = Health { answering: None, problem, wants_authentication: None };
        let (health, seen) = watch::channel(nothing_yet);
        let (role, settings) = (config.role.clone(), config.topology.clone());
        (Self { role, settings, dialer, membership, topologies, refresh, health }, seen)
    }

    /// Runs until sessions are cut off; readiness is told until then.
    pub(crate) async fn run(self, mut drain: Drain) {
        tokio::select! {
            () = self.follow() => {}
            _ = drain.beyond(Phase::Draining) => {}
        }
    }

    async fn follow(&self) {
        let mut pause = MIN_PAUSE;
        loop {
            self.resolve_seeds().await;
            for member in self.candidates() {
                // It ends without an error where another attempt is due at once.
                let error = loop {
                    if let Err(error) = self.converse(&member).await {
                        break error;
                    }
                };
                if self.health.borrow().answering.is_some() {
                    pause = MIN_PAUSE;
                }
                self.tell(None, Some(format!("{member}: {error}")));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Notes the networks of all seeds, of which only the first may be dialled.
    async fn resolve_seeds(&self) {
        let Role::Front { seeds, member_hosts: None, .. } = &self.role else { return };
        for seed in seeds {
            // A name that can't be resolved now covers no network yet.
            for address in lookup_host((seed.host.as_str(), seed.port)).await.into_iter().flatten() {
                self.membership.seed_resolved(seed, address.ip());
            }
        }
    }

    /// Members to connect to, in order: those of the settings first, so that a wrong topology can't keep the gateway from
    /// asking them.
    fn candidates(&self) -> Vec<Member> {
        match &self.role {
            Role::Sidecar { upstream, .. } => vec![upstream.clone()],
            Role::Front { seeds, .. } => {
                let mut candidates = seeds.clone();
                candidates.extend(self.membership.present().all.into_iter().filter(|member| !seeds.contains(member)));
                candidates
            }
        }
    }

    /// Talks to one member for as long as it answers; ends without an error when the account is to be shown again.
    async fn converse(&self, member: &Member) -> Result<(), Error> {
        let account = self.settings.account.as_ref();
        let (session, refusal) = match self.start(member, account).await {
            // Without it the member answers as well, and may tell no less.
            Err(error) if account.is_some() && is_refusal(&error) => {
                (self.start(member, None).await?, Some(format!("the gateway's own account is refused: {error}")))
            }
            started => (started?, None),
        };
        let version = session.ready().version;
        info!(%member, authenticated = account.is_some() && refusal.is_none(), %version, "following");
        self.ask_for_mechanisms(&session).await?;
        let limit = if refusal.is_some() { ACCOUNT_PAUSE } else { Duration::MAX };
        timeout(limit, self.ask_again_and_again(&session, member, refusal)).await.unwrap_or(Ok(()))
    }

    async fn start(&self, member: &Member, account: Option<&Account>) -> Result<Session, Error> {
        let unreachable = |error: std::io::Error| Error::Settings(error.to_string());
        let stream = self.dialer.dial(member, Use::Account).await.map_err(unreachable)?;
        // What sessions are told has to be whole: owners as well.
        let mut config = Config { intelligence: Intelligence::HashDistributionAware, ..Config::default() };
        config.operation_timeout = self.settings.interval.max(Duration::from_secs(5));
        config.authentication = account.map(|account| authentication(account, stream.is_encrypted()));
        Session::start(stream, &member.to_string(), config).await
    }

    /// A member that offers no mechanism wants nobody to authenticate.
    async fn ask_for_mechanisms(&self, session: &Session) -> Result<(), Error> {
        let wanted = match session.execute(&RequestOptions::default(), &Request::AuthMechList {}, None).await {
            Ok(Reply { body: Body::Names(mechanisms), .. }) => Some(!mechanisms.is_empty()),
            Ok(_) | Err(Error::Operation { error: OperationError::Server { .. }, .. }) => None,
            Err(error) => return Err(error),
        };
        self.health.send_if_modified(|present| {
            let changed = present.wants_authentication != wanted;
            present.wants_authentication = wanted;
            changed
        });
        Ok(())
    }

    async fn ask_again_and_again(
        &self,
        session: &Session,
        member: &Member,
        refused: Option<String>,
    ) -> Result<(), Error> {
        let options = RequestOptions::cache(self.settings.cache.clone());
        loop {
            match session.execute(&options, &Request::Ping {}, None).await {
                Ok(reply) => {
                    self.learn(reply.topology);
                    self.tell(Some(member), refused.clone());
                }
                // It is there, and has no such cache, or not for us.
                Err(Error::Operation { error: error @ OperationError::Server { .. }, .. }) => {
                    self.tell(Some(member), Some(format!("cache {:?}: {error}", self.settings.cache)));
                }
                Err(error) => return Err(error),
            }
            let pause = async {
                let least = LEAST_INTERVAL.min(self.settings.interval);
                sleep(least).await;
                tokio::select! {
                    () = sleep(self.settings.interval.saturating_sub(least)) => {}
                    () = self.refresh.0.notified() => {}
                }
            };
            tokio::select! {
                () = pause => {}
                // No listener was added: there are no events, only the end.
                _ = session.next_event() => {}
            }
        }
    }

    fn learn(&self, topology: Option<Box<Topology>>) {
        if let Some(topology) = topology {
            self.membership.learn(&topology.members);
            self.topologies.send(CacheTopology { cache: self.settings.cache.clone(), topology });
        }
    }

    fn tell(&self, answering: Option<&Member>, problem: Option<String>) {
        self.health.send_if_modified(|present| {
            let wants_authentication = present.wants_authentication;
            let new = Health { answering: answering.cloned(), problem, wants_authentication };
            let changed = *present != new;
            if let Some(problem) = new.problem.as_ref().filter(|_| changed) {
                warn!("the cluster: {problem}");
            }
            *present = new;
            changed
        });
    }
}

/// Whether the member is there and does not want the account.
fn is_refusal(error: &Error) -> bool {
    let Error::Handshake { reason, .. } = error else { return false };
    matches!(**reason, Disconnect::AuthenticationFailed { .. } | Disconnect::Sasl(_))
}

fn authentication(account: &Account, encrypted: bool) -> Authentication {
    let credentials = match &account.proof {
        Proof::Password(password) => Credentials::password(account.user.clone().unwrap_or_default(), password.clone()),
        Proof::Certificate => Credentials::certificate(),
        Proof::Token(token) => {
            let credentials = Credentials::token(token.clone());
            match &account.user {
                Some(user) => credentials.with_username(user),
                None => credentials,
            }
        }
    };
    let credentials = match &account.realm {
        Some(realm) => credentials.with_realm(realm),
        None => credentials,
    };
    let mut authentication = Authentication::new(Arc::new(credentials), encrypted);
    authentication.mechanism = account.mechanism;
    authentication
}
