//! All that runs.

use std::net::SocketAddr;
use std::path::Path;

use infinispan_harness::{Cluster, Endpoint, Flavour, Hits, Options};
use tempfile::TempDir;

use crate::Failure;
use crate::certificates::Certificates;
use crate::gateways::Gateways;
use crate::routers::envoy::Envoy;
use crate::routers::haproxy::HaProxy;
use crate::routers::nginx::Nginx;

/// Members, as a StatefulSet has replicas.
pub const PODS: usize = 3;

/// What routers know of a pod.
#[derive(Debug, Clone)]
pub struct Pod {
    /// Whether it serves.
    pub is_ready: bool,
    /// The gateway that routers speak HTTP/1.1 to.
    pub sidecar: SocketAddr,
    /// The gateway that ends the client's TLS.
    pub end: SocketAddr,
    /// Infinispan without TLS.
    pub plain: SocketAddr,
    /// Infinispan with TLS.
    pub tls: SocketAddr,
}

/// What routers know.
#[derive(Debug, Clone)]
pub struct Backends {
    /// The members and what is beside them.
    pub pods: Vec<Pod>,
    /// The gateways before all of them, for edge and re-encrypt.
    pub fronts: Vec<SocketAddr>,
    /// The gateways before all of them, for passthrough.
    pub front_ends: Vec<SocketAddr>,
}

/// The cluster, and everything between it and the outside. All of it ends when this is dropped.
pub struct Outside {
    /// The routers stand before members that may be gone, so they come first to an end.
    pub haproxy: HaProxy,
    /// Gateway API.
    pub envoy: Envoy,
    /// The older Ingress.
    pub nginx: Nginx,
    /// Beside the members and before them.
    pub gateways: Gateways,
    /// The members.
    pub cluster: Cluster,
    /// What the routers have been told.
    pub backends: Backends,
    /// Who ends TLS with what.
    pub certificates: Certificates,
    folder: TempDir,
}

impl Outside {
    /// Starts all of it.
    pub fn start() -> Result<Self, Failure> {
        let cluster = Cluster::start(Options { nodes: PODS, flavour: Flavour::Pods, ..Options::default() })?;
        let mut folder = tempfile::Builder::new().prefix("outside-").tempdir()?;
        folder.disable_cleanup(std::env::var_os("HOTROD_KEEP").is_some());
        let certificates = Certificates::make(folder.path())?;
        let gateways = Gateways::start(&cluster.endpoints(), &certificates, folder.path())?;
        let backends = Backends {
            pods: (0..PODS).map(|pod| pod_of(&cluster, &gateways, pod)).collect::<Result<_, Failure>>()?,
            fronts: gateways.fronts.iter().map(|front| front.address).collect(),
            front_ends: gateways.front_ends.iter().map(|front| front.address).collect(),
        };
        let haproxy = HaProxy::start(&backends, &certificates, folder.path())?;
        let envoy = Envoy::start(&backends, &certificates, folder.path())?;
        let nginx = Nginx::start(&backends, &certificates, folder.path())?;
        Ok(Self { haproxy, envoy, nginx, gateways, cluster, backends, certificates, folder })
    }

    /// What all servers have counted so far of the cache `dist`.
    pub fn hits(&self) -> Result<Hits, Failure> {
        let endpoints: Vec<Endpoint> = self.cluster.endpoints();
        let running = (0..endpoints.len()).filter(|node| self.cluster.pid(*node).is_some());
        Ok(Hits::of(&running.map(|node| endpoints[node].clone()).collect::<Vec<_>>())?)
    }

    /// Where the members listen themselves, with and without TLS. Nobody outside is to dial these.
    pub fn inside_addresses(&self) -> Vec<SocketAddr> {
        self.backends.pods.iter().flat_map(|pod| [pod.plain, pod.tls]).collect()
    }

    /// The authority that has signed the members' certificate.
    pub fn members_authority(&self) -> std::path::PathBuf {
        self.cluster.ca()
    }

    /// The folder with configurations and logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn pod_of(cluster: &Cluster, gateways: &Gateways, pod: usize) -> Result<Pod, Failure> {
    let address = |endpoint: Endpoint| Ok::<_, Failure>(SocketAddr::new(endpoint.host.parse()?, endpoint.port));
    Ok(Pod {
        is_ready: true,
        sidecar: gateways.sidecars[pod].address,
        end: gateways.ends[pod].address,
        plain: address(cluster.endpoints()[pod].clone())?,
        tls: address(cluster.certificate_endpoint(pod))?,
    })
}
