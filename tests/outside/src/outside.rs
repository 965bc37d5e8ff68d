//! All that runs.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use infinispan_harness::{Cluster, Endpoint, Flavour, Metrics, Options};
use tempfile::TempDir;

use crate::Failure;
use crate::certificates::Certificates;
use crate::gateways::{self, Gateway, Gateways};
use crate::routers::envoy::Envoy;
use crate::routers::haproxy::HaProxy;
use crate::routers::nginx::Nginx;

/// Members, as a StatefulSet has replicas.
pub const PODS: usize = 3;
/// Clients that go through a failure together. Each has a cache of its own, `trial-0` and so on, so that the servers
/// count for each what came to the owners.
pub const TRIALS: usize = 8;

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
        let program = gateways::program()?;
        let (nodes, flavour, extra_caches) = (PODS, Flavour::Pods, trial_caches());
        let cluster = Cluster::start(Options { nodes, flavour, extra_caches, ..Options::default() })?;
        let mut folder = tempfile::Builder::new().prefix("outside-").tempdir()?;
        folder.disable_cleanup(std::env::var_os("HOTROD_KEEP").is_some());
        let certificates = Certificates::make(folder.path())?;
        let gateways = Gateways::start(&program, &cluster.endpoints(), &certificates, folder.path())?;
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

    /// Kills everything in a pod; routers are told as Kubernetes tells them.
    pub fn kill_pod(&mut self, pod: usize) -> Result<(), Failure> {
        self.cluster.kill(pod)?;
        self.gateways.of_pod(pod).into_iter().try_for_each(Gateway::kill)?;
        self.backends.pods[pod].is_ready = false;
        self.publish(pod)
    }

    /// Starts a pod again, at the address of that number; when it is ready routers are told.
    pub fn start_pod(&mut self, pod: usize, address: usize) -> Result<(), Failure> {
        self.cluster.move_to(pod, address)?;
        self.cluster.restart(pod)?;
        let member = &self.cluster.endpoints()[pod];
        let host: IpAddr = member.host.parse()?;
        for gateway in self.gateways.of_pod(pod) {
            gateway.set("upstream", &format!("{}:{}", member.host, member.port));
            gateway.move_to(SocketAddr::new(host, gateway.address.port()));
            gateway.start()?;
        }
        self.backends.pods[pod] = pod_of(&self.cluster, &self.gateways, pod)?;
        self.publish(pod)
    }

    /// Starts the sidecars of these pods anew after a change. Until they are ready routers lead nobody there.
    pub fn restart_sidecars(&mut self, pods: &[usize], change: impl FnOnce(&mut [Gateway])) -> Result<(), Failure> {
        for pod in pods {
            self.backends.pods[*pod].is_ready = false;
            self.publish(*pod)?;
            self.gateways.sidecars[*pod].kill()?;
        }
        change(&mut self.gateways.sidecars);
        for pod in pods {
            self.gateways.sidecars[*pod].start()?;
        }
        for pod in pods {
            self.backends.pods[*pod].is_ready = true;
            self.publish(*pod)?;
        }
        Ok(())
    }

    fn publish(&self, pod: usize) -> Result<(), Failure> {
        let known = &self.backends.pods[pod];
        self.haproxy.set_pod(pod, known.is_ready.then_some(known.plain.ip()))?;
        self.envoy.set_pods(&self.backends)
    }

    /// What all servers that run have counted so far.
    pub fn metrics(&self) -> Result<Metrics, Failure> {
        let endpoints: Vec<Endpoint> = self.cluster.endpoints();
        let running = (0..endpoints.len()).filter(|node| self.cluster.pid(*node).is_some());
        Ok(Metrics::of(&running.map(|node| endpoints[node].clone()).collect::<Vec<_>>())?)
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

fn trial_caches() -> String {
    let cache = |trial| {
        format!(
            "<distributed-cache name=\"trial-{trial}\" mode=\"SYNC\" owners=\"2\" segments=\"256\" statistics=\"true\"/>"
        )
    };
    (0..TRIALS).map(cache).collect()
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
