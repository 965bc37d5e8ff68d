//! Some nodes that form a cluster.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::configuration::{GROUPS, Place, TENANTS, USERS, server_xml};
use crate::node::Node;
use crate::ports::{free_pod_ports, free_ports, pod_address};
use crate::{Error, Flavour, Options, certificates, install};

/// Nodes that may be there at most, counting those added later.
pub(crate) const MOST_NODES: usize = 8;

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// 127.0.0.1; of pods an address of their own.
    pub host: String,
    /// The port of the single endpoint.
    pub port: u16,
}

/// Running nodes. Dropping it kills exactly those that it started, and removes their files unless `HOTROD_KEEP=1`.
pub struct Cluster {
    options: Options,
    nodes: Vec<Node>,
    jgroups: Vec<u16>,
    /// The ports that all pods have; of other nodes each has its own.
    pod_ports: Option<(u16, u16)>,
    name: String,
    lib: PathBuf,
    folder: TempDir,
}

impl Cluster {
    /// Starts nodes and waits until they serve and see each other.
    pub fn start(options: Options) -> Result<Self, Error> {
        let lib = install(&options.version)?;
        let mut folder = tempfile::Builder::new().prefix("infinispan-").tempdir().map_err(Error::io("a folder"))?;
        folder.disable_cleanup(std::env::var_os("HOTROD_KEEP").is_some());
        if options.flavour.has_tls() {
            certificates::make(folder.path())?;
        }
        let jgroups = free_ports(MOST_NODES).map_err(Error::io("a free port"))?;
        let pod_ports = (options.flavour == Flavour::Pods).then(ports_of_pods).transpose()?;
        let name = format!("test-{}-{}", std::process::id(), jgroups[0]);
        let mut cluster = Self { options, nodes: Vec::new(), jgroups, pod_ports, name, lib, folder };
        for _ in 0..cluster.options.nodes {
            cluster.prepare_node()?.start()?;
        }
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    fn prepare_node(&mut self) -> Result<&mut Node, Error> {
        let index = self.nodes.len();
        let root = self.folder.path().join(format!("node-{index}"));
        for part in ["conf", "data", "log", "lib"] {
            fs::create_dir_all(root.join(part)).map_err(Error::io(format!("{}", root.display())))?;
        }
        let address = if self.pod_ports.is_some() { pod_address(index) } else { Ipv4Addr::LOCALHOST };
        let (port, second) = self.pod_ports.map_or_else(two_ports, Ok)?;
        self.nodes.push(Node::new(index, (address.to_string(), port, second), root, self.lib.clone()));
        self.configure(index)?;
        Ok(&mut self.nodes[index])
    }

    /// Writes what a node reads when it starts.
    fn configure(&self, index: usize) -> Result<(), Error> {
        let node = &self.nodes[index];
        let place = Place {
            index,
            host: &node.host,
            hot_rod: node.port,
            second: node.certificate_port,
            jgroups: self.jgroups[index],
            all_jgroups: &self.jgroups,
            cluster: &self.name,
        };
        let conf = node.conf();
        let write = |name: &str, content: &str| fs::write(conf.join(name), content).map_err(Error::io(name));
        write("infinispan.xml", &server_xml(&self.options, &place))?;
        write("log4j2.xml", include_str!("../templates/log4j2.xml"))?;
        let tenants = if self.options.flavour == Flavour::Tenants { TENANTS } else { "" };
        write("users.properties", &format!("{USERS}{tenants}"))?;
        write("groups.properties", GROUPS)?;
        if self.options.flavour.has_tls() {
            for store in ["server.p12", "trust.p12"] {
                fs::copy(self.folder.path().join(store), conf.join(store)).map_err(Error::io(store))?;
            }
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.options.start_timeout;
        let members = self.nodes.iter().filter(|node| node.pid().is_some()).count();
        self.nodes
            .iter_mut()
            .filter(|node| node.pid().is_some())
            .try_for_each(|node| node.wait_until_ready(members, deadline))
    }

    /// Where the nodes listen, in the order in which they were started; also those that were stopped.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.nodes.iter().map(|node| Endpoint { host: node.host.clone(), port: node.port }).collect()
    }

    /// Where a node listens for clients that have a certificate in place of a password, and a pod for TLS; with TLS only.
    pub fn certificate_endpoint(&self, node: usize) -> Endpoint {
        Endpoint { host: self.nodes[node].host.clone(), port: self.nodes[node].certificate_port }
    }

    /// The process of a node; `None` if it was stopped.
    pub fn pid(&self, node: usize) -> Option<u32> {
        self.nodes[node].pid()
    }

    /// The last lines of a node's log.
    pub fn log_tail(&self, node: usize) -> String {
        self.nodes[node].log_tail()
    }

    /// Kills a node without warning.
    pub fn kill(&mut self, node: usize) -> Result<(), Error> {
        self.nodes[node].end(Signal::KILL)
    }

    /// Asks a node to leave, and waits until it has.
    pub fn stop(&mut self, node: usize) -> Result<(), Error> {
        self.nodes[node].end(Signal::TERM)
    }

    /// Freezes a node: it keeps its connections and answers nothing.
    pub fn pause(&self, node: usize) -> Result<(), Error> {
        self.nodes[node].signal(Signal::STOP)
    }

    /// Lets a frozen node go on.
    pub fn resume(&self, node: usize) -> Result<(), Error> {
        self.nodes[node].signal(Signal::CONT)
    }

    /// Starts a node again that was stopped or killed, on the same port and with no data.
    pub fn restart(&mut self, node: usize) -> Result<(), Error> {
        self.nodes[node].start()?;
        self.wait_until_ready()
    }

    /// Gives a stopped pod the address of the pod of that number, which need not be there: `restart` starts it there,
    /// under its old name.
    pub fn move_to(&mut self, node: usize, pod: usize) -> Result<(), Error> {
        self.nodes[node].host = pod_address(pod).to_string();
        self.configure(node)
    }

    /// Adds a node and waits until it has joined; answers its number.
    pub fn add_node(&mut self) -> Result<usize, Error> {
        if self.nodes.len() == MOST_NODES {
            let error = std::io::Error::other(format!("there are {MOST_NODES} nodes already"));
            return Err(Error::Io { what: "another node".into(), error });
        }
        self.prepare_node()?.start()?;
        self.wait_until_ready()?;
        Ok(self.nodes.len() - 1)
    }

    /// The folder with everything that the nodes write.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The authority that has signed the servers' certificate; with TLS only.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// An authority that has signed nothing here; with TLS only.
    pub fn other_ca(&self) -> PathBuf {
        self.folder.path().join("other-ca.pem")
    }

    /// A client's certificate that the servers trust, and its key; with TLS only.
    pub fn client_certificate(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("client.pem"), self.folder.path().join("client.key"))
    }
}

fn two_ports() -> Result<(u16, u16), Error> {
    let ports = free_ports(2).map_err(Error::io("a free port"))?;
    Ok((ports[0], ports[1]))
}

fn ports_of_pods() -> Result<(u16, u16), Error> {
    let ports = free_pod_ports(2).map_err(Error::io("a free port"))?;
    Ok((ports[0], ports[1]))
}
