//! The gateway's own connection to the cluster: checks that a member answers, and follows the topology.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hotrod_core::sasl::Credentials;
use hotrod_core::session::{Authentication, Config, Disconnect, OperationError, SubmitError};
use hotrod_core::wire::{Body, Intelligence, Member, Reply, Request, RequestOptions, Topology};
use hotrod_tokio::{Error, Session};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::config::{Account, Proof, Role, TopologyConfig};
use crate::drain::{Drain, Phase};
use crate::gateway::{CacheTopology, Topologies};
use crate::membership::Membership;
use crate::tls::Use;
use crate::upstream::Dialer;

/// Backoff after the first failure; doubles with each further one.
const MIN_PAUSE: Duration = Duration::from_millis(100);
/// Shortest interval between two requests of the gateway's own connection, for any number of hints.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// Upper bound on the backoff.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Interval between attempts with a refused account: the realm may lock it after several failures.
const ACCOUNT_PAUSE: Duration = Duration::from_secs(60);

/// Health of the cluster, as the gateway's own connection sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// The member that answers; `None` after a failure.
    pub(crate) answering: Option<Member>,
    /// The present problem, if any, whether a member answers or not.
    pub(crate) problem: Option<String>,
    /// Whether the cluster wants clients to authenticate; `None` until a member has answered.
    pub(crate) wants_authentication: Option<bool>,
}

/// Follows the cluster's topology.
pub(crate) struct Follower {
    role: Role,
    settings: TopologyConfig,
    dialer: Arc<Dialer>,
    membership: Arc<Membership>,
    topologies: Topologies,
    refresh: Refresh,
    health: watch::Sender<Health>,
}

/// Requests the topology ahead of its interval. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Refresh(Arc<Notify>);

impl Refresh {
    /// Requests the topology at the earliest [`LEAST_INTERVAL`] after the last request; further calls until then have no effect.
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

    /// Runs, and updates the health, until sessions are cut off.
    pub(crate) async fn run(self, mut drain: Drain) {
        tokio::select! {
            () = self.follow() => {}
            _ = drain.beyond(Phase::Draining) => {}
        }
    }

    async fn follow(&self) {
        let mut pause = MIN_PAUSE;
        // Members whose outage has been logged.
        let mut out = BTreeSet::new();
        loop {
            self.resolve_further_seeds().await;
            for member in self.candidates() {
                // `Ok` means that another attempt is due at once.
                let error = loop {
                    if let Err(error) = self.follow_member(&member).await {
                        break error;
                    }
                };
                if self.health.borrow().answering.is_some() {
                    pause = MIN_PAUSE;
                    out.remove(&member);
                }
                let problem = problem_of(&member, &error);
                if out.insert(member) {
                    warn!("the cluster: {problem}");
                } else {
                    debug!("the cluster: {problem}");
                }
                self.report(None, Some(problem));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Resolves the seeds behind the first, so that the networks of all are known before a topology is received. Dialling the
    /// first seed resolves it.
    async fn resolve_further_seeds(&self) {
        let Role::Front { seeds, member_hosts: None, .. } = &self.role else { return };
        for seed in seeds.iter().skip(1) {
            // A name that can't be resolved now covers no network yet.
            let _ = self.dialer.resolve(seed).await;
        }
    }

    /// Members to connect with, in order: seeds first, so that a wrong topology can't keep the gateway from querying them
    ///
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

    /// Follows the topology of one member while it answers; returns `Ok` when the account is to be tried again.
    async fn follow_member(&self, member: &Member) -> Result<(), Error> {
        let account = self.settings.account.as_ref();
        let (session, refusal) = match self.start(member, account).await {
            // The member answers without the account, too, and possibly with the same topology.
            Err(error) if account.is_some() && is_refusal(&error) => {
                (self.start(member, None).await?, Some(format!("the gateway's own account is refused: {error}")))
            }
            started => (started?, None),
        };
        let version = session.ready().version;
        info!(%member, authenticated = account.is_some() && refusal.is_none(), %version, "following");
        self.query_mechanisms(&session).await?;
        let limit = if refusal.is_some() { ACCOUNT_PAUSE } else { Duration::MAX };
        timeout(limit, self.poll_topology(&session, member, refusal)).await.unwrap_or(Ok(()))
    }

    async fn start(&self, member: &Member, account: Option<&Account>) -> Result<Session, Error> {
        let unreachable = |error: std::io::Error| Error::Settings(error.to_string());
        let stream = self.dialer.dial(member, Use::Account).await.map_err(unreachable)?;
        // TOPOLOGY frames need the owners.
        let mut config = Config::default();
        config.intelligence = Intelligence::HashDistributionAware;
        config.operation_timeout = self.settings.interval.max(Duration::from_secs(5));
        config.authentication = account.map(|account| authentication(account, stream.is_encrypted()));
        Session::start(stream, &member.to_string(), config).await
    }

    /// Queries whether the cluster wants authentication: a member that offers no mechanism does not.
    async fn query_mechanisms(&self, session: &Session) -> Result<(), Error> {
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

    async fn poll_topology(&self, session: &Session, member: &Member, refused: Option<String>) -> Result<(), Error> {
        let options = RequestOptions::cache(self.settings.cache.clone());
        loop {
            match session.execute(&options, &Request::Ping {}, None).await {
                Ok(reply) => {
                    self.learn(reply.topology);
                    self.report_and_warn(member, refused.clone());
                }
                // The member answers, but has no such cache, or no access to it.
                Err(Error::Operation { error: error @ OperationError::Server { .. }, .. }) => {
                    self.report_and_warn(member, Some(format!("cache {:?}: {error}", self.settings.cache)));
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
                // The session has no listeners: the only event is its end.
                _ = session.next_event() => {}
            }
        }
    }

    fn learn(&self, topology: Option<Box<Topology>>) {
        // PING without a cache name is answered with the topology of the default cache, if there is one.
        if let Some(topology) = topology.filter(|_| !self.settings.cache.is_empty()) {
            self.membership.learn(&topology.members);
            self.topologies.send(CacheTopology { cache: self.settings.cache.clone(), topology });
        }
    }

    /// Reports a member that answers, and logs a problem that is new.
    fn report_and_warn(&self, member: &Member, problem: Option<String>) {
        let is_new = problem.is_some() && self.health.borrow().problem != problem;
        if let Some(problem) = problem.as_ref().filter(|_| is_new) {
            warn!("the cluster: {problem}");
        }
        self.report(Some(member), problem);
    }

    fn report(&self, answering: Option<&Member>, problem: Option<String>) {
        self.health.send_if_modified(|present| {
            let wants_authentication = present.wants_authentication;
            let new = Health { answering: answering.cloned(), problem, wants_authentication };
            let changed = *present != new;
            *present = new;
            changed
        });
    }
}

/// Describes a failure of the gateway's own connection, with the member's name once.
fn problem_of(member: &Member, error: &Error) -> String {
    let problem = match error {
        Error::Submit(SubmitError::Closed) => "the session of the gateway's own connection has ended".into(),
        error => error.to_string(),
    };
    let name = format!("{member}: ");
    if problem.starts_with(&name) { problem } else { name + &problem }
}

/// Whether the member has refused the account.
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
