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

/// How often entries that have ended are removed, and with them the events of that.
const TICK: Duration = Duration::from_millis(100);
/// How long to wait when a connection can't be accepted, for instance because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long connections may take to send what is left when the node stops.
const GRACE: Duration = Duration::from_secs(5);

/// How an [`Embedded`] node is made.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Its caches and limits.
    pub cluster: ClusterOptions,
    /// Number of members, at least 1. Default 1.
    pub members: usize,
    /// Where the first member listens; the others at the ports after it. Port 0: each at a free one.
    /// Default 127.0.0.1:11222.
    pub listen: SocketAddr,
    /// The host that clients are told. Default: that of `listen`, and 127.0.0.1 if that is unspecified.
    pub advertise: Option<String>,
    /// For the first request of a link, and of each session on it, to be there whole; and for each further request from
    /// its first byte to its last, with a second more for every 16 KiB of it. Counts for more than
    /// [`ClusterOptions::deadlines`]. Default 10 s.
    pub handshake_timeout: Duration,
    /// A link, or a session, on which nothing of Hot Rod came or went for so long ends. Default: `None`, never.
    pub idle_timeout: Option<Duration>,
    /// A connection that has taken nothing of what waits for it for so long is closed. Default 60 s.
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

/// A running in-memory cluster, each member at its own port.
///
/// Members are numbered from 0 in the order in which they were started; a number is not used again.
/// When dropped, everything ends at once; [`stop`](Self::stop) lets connections send what they have.
pub struct Embedded {
    shared: Arc<Shared>,
    members: Vec<Running>,
    options: EmbeddedOptions,
    ticker: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    /// Closed when the last link has ended.
    links: mpsc::Receiver<()>,
    /// Cloned into every link.
    alive: mpsc::Sender<()>,
}

struct Running {
    id: MemberId,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

/// What all links share.
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
    /// Binds all ports and begins to serve; within a tokio runtime.
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

    /// Where the running members listen, in the order in which they were started.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.members.iter().filter(|member| member.acceptor.is_some()).map(|member| member.address).collect()
    }

    /// The member of that number in the cluster's words.
    pub fn member_id(&self, number: usize) -> Option<MemberId> {
        self.members.get(number).map(|member| member.id)
    }

    /// A new member joins; the answer is where it listens.
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

    /// A member dies: its port and its connections close at once, the others notice. Answers whether it was running.
    pub async fn kill_member(&mut self, number: usize) -> bool {
        self.end_member(number, |cluster, id| {
            cluster.crash_member(id);
            cluster.exclude_crashed();
        })
        .await
    }

    /// A member leaves in order: others have taken over its entries. Answers whether it was running.
    pub async fn remove_member(&mut self, number: usize) -> bool {
        self.end_member(number, Cluster::remove_member).await
    }

    /// Works on the cluster itself, between two requests.
    pub fn with_cluster<R>(&self, work: impl FnOnce(&mut Cluster, Moment) -> R) -> R {
        self.shared.with(|state, moment| work(&mut state.cluster, moment))
    }

    /// Accepts and reads nothing more, sends what is left, and ends.
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

/// Ends an acceptor, and with it the listening socket.
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

    /// Works on the cluster, then wakes whom that concerns.
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
