//! Sockets and a clock for an [embedded cluster](crate), on tokio.

mod link;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotrod_core::time::Instant;
use hotrod_core::wire;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use crate::{Cluster, ClusterOptions, ConnectionId, Deadlines, MemberId, Moment};

/// Interval at which expired entries are removed and their events sent.
const TICK: Duration = Duration::from_millis(100);
/// Pause after a failed accept, for instance with too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time for links to send their remaining bytes when the node stops.
const GRACE: Duration = Duration::from_secs(5);

/// Settings of an [`Embedded`] cluster.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Caches and limits.
    pub cluster: ClusterOptions,
    /// Members, at least 1. Default 1.
    pub members: usize,
    /// Address of the first member; the others listen at the ports after it. With port 0 each listens at a free port.
    /// Default 127.0.0.1:11222.
    pub listen: SocketAddr,
    /// Host of all members in topologies. Default: that of `listen`, and 127.0.0.1 if that is unspecified.
    pub advertise: Option<String>,
    /// Time for the first request of a link or session to arrive whole, and for each further one from its first byte to its
    /// last, with a second more for each 16 KiB of it. Overrides [`ClusterOptions::deadlines`]. Default 10 s.
    pub handshake_timeout: Duration,
    /// Idle timeout of a link or session. Overrides [`ClusterOptions::deadlines`]. Default: `None`, unlimited.
    pub idle_timeout: Option<Duration>,
    /// Time after which a link is closed whose client reads nothing while bytes wait for it. Default 60 s.
    pub send_timeout: Duration,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            cluster: ClusterOptions::default(),
            members: 1,
            listen: SocketAddr::from(([127, 0, 0, 1], 11222)),
            advertise: None,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: None,
            send_timeout: Duration::from_secs(60),
        }
    }
}

/// A running in-memory cluster, each member at a port of its own.
///
/// Members are numbered from 0 in the order in which they were started; no number is used twice. Dropping it ends all
/// links at once; [`stop`](Self::stop) sends their remaining bytes first.
pub struct Embedded {
    shared: Arc<Shared>,
    members: Vec<Running>,
    options: EmbeddedOptions,
    ticker: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    /// Ends when the last link has ended.
    links: mpsc::Receiver<()>,
    /// The other end of `links`, with a clone in each link.
    alive: mpsc::Sender<()>,
}

struct Running {
    id: MemberId,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

/// State that all links share.
struct Shared {
    state: Mutex<State>,
    started: std::time::Instant,
    send_timeout: Duration,
}

struct State {
    cluster: Cluster,
    wakers: BTreeMap<ConnectionId, Arc<Notify>>,
}

impl Embedded {
    /// Binds all ports and starts to serve. Needs a tokio runtime.
    pub async fn start(options: EmbeddedOptions) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(&options));
        let (alive, links) = mpsc::channel(1);
        let (stopping, _) = watch::channel(false);
        let ticker = tokio::spawn(tick(shared.clone()));
        let members = options.members.max(1);
        let mut node = Self { shared, members: Vec::new(), options, ticker, stopping, links, alive };
        for _ in 0..members {
            node.add_member().await?;
        }
        Ok(node)
    }

    /// Returns the addresses of the running members, in the order in which they were started.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.members.iter().filter(|member| member.acceptor.is_some()).map(|member| member.address).collect()
    }

    /// Returns the cluster's id of a member.
    pub fn member_id(&self, number: usize) -> Option<MemberId> {
        self.members.get(number).map(|member| member.id)
    }

    /// Adds a member; returns its address.
    pub async fn add_member(&mut self) -> io::Result<SocketAddr> {
        let mut wanted = self.options.listen;
        if wanted.port() != 0 {
            let port = usize::from(wanted.port()) + self.members.len();
            let port = u16::try_from(port).map_err(|_| io::Error::other("there is no port after 65535"))?;
            wanted.set_port(port);
        }
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("can't listen at {wanted}: {error}")))?;
        let address = listener.local_addr()?;
        let advertised = wire::Member { host: self.advertised_host(address.ip()), port: address.port() };
        info!(
            "member {} listens at {address}, clients are told {}:{}",
            self.members.len(),
            advertised.host,
            advertised.port
        );
        let id = self.shared.with(|state, _| state.cluster.add_member(advertised));
        let acceptor = Acceptor {
            shared: self.shared.clone(),
            listener,
            member: id,
            stopping: self.stopping.subscribe(),
            alive: self.alive.clone(),
        };
        let acceptor = Some(tokio::spawn(acceptor.run()));
        self.members.push(Running { id, address, acceptor });
        Ok(address)
    }

    /// Kills a member: closes its port and links, and excludes it from the view. Returns whether it was running.
    pub async fn kill_member(&mut self, number: usize) -> bool {
        self.end_member(number, |cluster, id| {
            cluster.crash_member(id);
            cluster.exclude_crashed();
        })
        .await
    }

    /// Shuts a member down: the others keep its entries. Returns whether it was running.
    pub async fn remove_member(&mut self, number: usize) -> bool {
        self.end_member(number, Cluster::remove_member).await
    }

    /// Calls `work` with the cluster, between two requests.
    pub fn with_cluster<R>(&self, work: impl FnOnce(&mut Cluster, Moment) -> R) -> R {
        self.shared.with(|state, moment| work(&mut state.cluster, moment))
    }

    /// Stops accepting and reading, sends the remaining bytes of all links, and ends.
    pub async fn stop(mut self) {
        for member in &mut self.members {
            close(member.acceptor.take()).await;
        }
        self.stopping.send_replace(true);
        let Self { ref mut links, .. } = self;
        let (unused, _) = mpsc::channel(1);
        self.alive = unused;
        if tokio::time::timeout(GRACE, links.recv()).await.is_err() {
            warn!("some connections did not take what was left for them within {} s", GRACE.as_secs());
        }
    }

    async fn end_member(&mut self, number: usize, end: impl FnOnce(&mut Cluster, MemberId)) -> bool {
        let Some(member) = self.members.get_mut(number) else { return false };
        let Some(acceptor) = member.acceptor.take() else { return false };
        close(Some(acceptor)).await;
        self.shared.with(|state, _| end(&mut state.cluster, member.id));
        info!("member {number} at {} is gone", member.address);
        true
    }

    fn advertised_host(&self, ip: IpAddr) -> String {
        match &self.options.advertise {
            Some(host) => host.clone(),
            None if ip.is_unspecified() => "127.0.0.1".into(),
            None => ip.to_string(),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.ticker.abort();
        self.members.iter().filter_map(|member| member.acceptor.as_ref()).for_each(JoinHandle::abort);
    }
}

/// Ends an acceptor and closes its listening socket.
async fn close(acceptor: Option<JoinHandle<()>>) {
    if let Some(acceptor) = acceptor {
        acceptor.abort();
        let _ = acceptor.await;
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.with(|state, moment| {
            if state.cluster.poll_timeout(moment).is_some_and(|deadline| deadline <= moment.now) {
                state.cluster.handle_timeout(moment);
            }
        });
    }
}

struct Acceptor {
    shared: Arc<Shared>,
    listener: TcpListener,
    member: MemberId,
    stopping: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
}

impl Acceptor {
    async fn run(self) {
        loop {
            match self.listener.accept().await {
                Ok((socket, client)) => self.serve(socket, client),
                Err(error) => {
                    warn!("can't accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, socket: TcpStream, client: SocketAddr) {
        if let Err(error) = socket.set_nodelay(true) {
            debug!("{client}: {error}");
        }
        match link::Link::open(self.shared.clone(), socket, self.member, self.stopping.clone()) {
            Ok(link) => {
                let alive = self.alive.clone();
                tokio::spawn(async move {
                    link.run(client).await;
                    drop(alive);
                });
            }
            Err(refused) => warn!("{client} is not served: {refused}"),
        }
    }
}

impl Shared {
    fn new(options: &EmbeddedOptions) -> Self {
        let started = std::time::Instant::now();
        let deadlines = Deadlines { request: Some(options.handshake_timeout), idle: options.idle_timeout };
        let cluster = Cluster::new(ClusterOptions { deadlines, ..options.cluster.clone() }, moment(started));
        Self {
            state: Mutex::new(State { cluster, wakers: BTreeMap::new() }),
            started,
            send_timeout: options.send_timeout,
        }
    }

    /// Calls `work` with the cluster, then wakes the links that have events to send or have ended.
    fn with<R>(&self, work: impl FnOnce(&mut State, Moment) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut state, moment(self.started));
        while let Some(id) = state.cluster.poll_wakeup() {
            if let Some(waker) = state.wakers.get(&id) {
                waker.notify_one();
            }
        }
        result
    }
}

fn moment(started: std::time::Instant) -> Moment {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment {
        now: Instant::from_micros(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)),
        unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
    }
}
