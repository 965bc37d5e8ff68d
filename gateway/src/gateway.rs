//! A running gateway: its ports, its tasks, its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hotrod_core::carriage::NodeSelector;
use hotrod_core::wire::{Limits, Topology};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::budget::{Budget, LinkBudget};
use crate::config::Config;
use crate::deadlines::Times;
use crate::drain::{Drain, DrainSwitch, Phase};
use crate::follow::{Follower, Health, Refresh};
use crate::membership::Membership;
use crate::metrics::Carriage;
use crate::metrics::Metrics;
use crate::monitor::request_limits;
use crate::relay::RelayConfig;
use crate::sources::{Source, Sources};
use crate::tls::{TlsError, TlsFiles};
use crate::upstream::{Dialer, NoUpstream, Upstream, Upstreams};
use crate::{admin, listen};

/// Backlog of the admin port.
const ADMIN_BACKLOG: u32 = 64;
/// Time limit for the end of sessions that are cut off.
const GOODBYE: Duration = Duration::from_secs(1);

/// State that all tasks of a gateway share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Address of the port for clients.
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<TlsFiles>,
    pub(crate) upstreams: Upstreams,
    pub(crate) membership: Arc<Membership>,
    pub(crate) health: watch::Receiver<Health>,
    pub(crate) metrics: Metrics,
    pub(crate) budget: Budget,
    pub(crate) drain: Drain,
    /// Permits for connections: `max-connections`.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) sources: Sources,
    pub(crate) tasks: TaskTracker,
    /// Topologies that the gateway's own connection has received.
    pub(crate) topologies: Topologies,
    refresh: Refresh,
}

/// Capacity of the broadcast of topologies; the newest one supersedes all others.
const TOPOLOGIES: usize = 16;

pub(crate) struct CacheTopology {
    pub(crate) cache: String,
    pub(crate) topology: Box<Topology>,
}

/// Broadcasts the topologies of the gateway's own connection, and no others, to all links. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Topologies(broadcast::Sender<Arc<CacheTopology>>);

impl Topologies {
    fn new() -> Self {
        Self(broadcast::Sender::new(TOPOLOGIES))
    }

    /// Sends a topology to all links. One without segment owners can't be a TOPOLOGY frame (spec, 5.7).
    pub(crate) fn send(&self, view: CacheTopology) {
        if view.topology.hash.is_some() {
            // There may be no links.
            let _ = self.0.send(Arc::new(view));
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<CacheTopology>> {
        self.0.subscribe()
    }
}

impl Shared {
    /// Handles a topology in a reply to a client: a hint that the gateway's own connection should ask again, and nothing
    /// more. Clients can have members send what looks like one.
    pub(crate) fn hint(&self, topology: &Topology) {
        if topology.members != self.membership.present().all {
            self.refresh.request();
        }
    }

    /// Returns the limits on clients' requests.
    pub(crate) fn request_limits(&self) -> Limits {
        request_limits(self.config.limits.request)
    }

    /// Connects a session of that source with the member that it asks for, as [`Upstreams::connect_within`] does.
    pub(crate) async fn connect(
        &self,
        (source, budget): (&Source, &LinkBudget),
        wanted: NodeSelector<'_>,
        carriage: Carriage,
    ) -> Result<Upstream, NoUpstream> {
        let of_source = source.session().map_err(NoUpstream::SourceFull);
        let of_source = of_source.inspect_err(|refusal| {
            self.metrics.refused(refusal.reason());
            self.sources.log_refusal(source.address(), refusal.reason(), refusal);
        })?;
        let mut upstream = self.upstreams.connect_within(budget, wanted, carriage).await?;
        upstream.keep(of_source);
        Ok(upstream)
    }

    /// Whether the cluster wants its clients to authenticate; as long as that is not known it does.
    pub(crate) fn wants_authentication(&self) -> bool {
        self.health.borrow().wants_authentication != Some(false)
    }

    /// Returns the settings of sessions of plain Hot Rod.
    pub(crate) fn relay_config<'a>(&'a self, budget: &'a LinkBudget) -> RelayConfig<'a> {
        RelayConfig {
            buffer: self.config.limits.buffer,
            times: Times::of(&self.config.limits),
            wants_authentication: Box::new(|| self.wants_authentication()),
            metrics: &self.metrics,
            budget,
            drain: self.drain.clone(),
            hint: Box::new(|topology| self.hint(topology)),
        }
    }
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port can't be listened at.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A file of certificates or keys can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A running gateway. When dropped its ports are closed and its connections end; [`stop`](Self::stop) lets them end by
/// themselves.
pub struct Gateway {
    shared: Arc<Shared>,
    switch: DrainSwitch,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    acceptor: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

/// Whether the files that the settings name can be used, without starting anything.
pub fn check(config: &Config) -> Result<(), TlsError> {
    TlsFiles::read(config.tls.as_ref(), config.upstream.tls.as_ref()).map(drop)
}

impl Gateway {
    /// Listens and serves, on the present tokio runtime. Whether members can be reached shows later.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let metrics = Metrics::new();
        let topologies = Topologies::new();
        let tls = Arc::new(TlsFiles::read(config.tls.as_ref(), config.upstream.tls.as_ref())?);
        let (switch, drain) = DrainSwitch::new();
        let membership = Arc::new(Membership::new(config.role.clone(), metrics.clone()));
        let dialer = Arc::new(Dialer::new(config.upstream.clone(), tls.clone(), membership.clone(), metrics.clone()));
        let refresh = Refresh::default();
        let (follower, health) =
            Follower::new(&config, dialer.clone(), membership.clone(), topologies.clone(), refresh.clone());
        let listener = listen::bind(&config.listen, config.backlog).await?;
        let admin = match &config.admin {
            Some(address) => Some(listen::bind(address, ADMIN_BACKLOG).await?),
            None => None,
        };
        let address = listener.local_addr()?;
        let admin_address = admin.as_ref().map(TcpListener::local_addr).transpose()?;
        let shared = Arc::new(Shared {
            upstreams: Upstreams::new(&config, dialer, membership.clone(), metrics.clone(), drain.clone()),
            places: Arc::new(Semaphore::new(config.limits.connections.min(Semaphore::MAX_PERMITS))),
            sources: Sources::new(&config.limits),
            address,
            tls,
            membership,
            health,
            budget: Budget::of(&config.limits, metrics.held()),
            metrics,
            drain: drain.clone(),
            tasks: TaskTracker::new(),
            topologies,
            refresh,
            config,
        });
        info!(%address, admin = admin_address.map(|address| address.to_string()), "listening");
        let acceptor = tokio::spawn(listen::accept(shared.clone(), listener));
        let mut others = vec![tokio::spawn(follower.run(drain))];
        others.extend(admin.map(|listener| tokio::spawn(admin::serve(shared.clone(), listener))));
        Ok(Self { shared, switch, address, admin_address, acceptor, others })
    }

    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its admin port is.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Reads the files of certificates and keys again. Connections that are there keep what they have; if a file can't
    /// be used everything stays as it was.
    pub fn reload(&self) {
        let read = self.shared.tls.read_again();
        self.shared.metrics.reloaded(read.is_ok());
        match read {
            Ok(()) => info!("certificates are read again"),
            Err(error) => error!("certificates stay what they were: {error}"),
        }
    }

    /// Accepts nothing more, gives sessions the grace of the settings to end by themselves, then ends them. Answers
    /// whether all ended in time. The admin port is there until the end.
    ///
    /// If the future is dropped, everything ends at once.
    pub async fn stop(mut self) -> bool {
        let grace = self.shared.config.drain_timeout;
        self.shared.metrics.set_draining();
        self.switch.advance(Phase::Draining);
        self.shared.tasks.close();
        info!(connections = self.shared.tasks.len(), "draining for at most {} s", grace.as_secs_f32());
        // The port is closed when its task has ended.
        let _ = (&mut self.acceptor).await;
        let all_ended = timeout(grace, self.shared.tasks.wait()).await.is_ok();
        if !all_ended {
            warn!(connections = self.shared.tasks.len(), "cut off: the grace is over");
        }
        self.switch.advance(Phase::Closing);
        let _ = timeout(GOODBYE, self.shared.tasks.wait()).await;
        all_ended
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.acceptor.abort();
        self.others.iter().for_each(JoinHandle::abort);
        // Connections see that the switch is gone.
    }
}
