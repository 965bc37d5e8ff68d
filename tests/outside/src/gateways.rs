//! `hotrod-gateway`, as the manifests of gateway/deploy start it: beside each member, and before all of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use infinispan_harness::{Endpoint, free_pod_ports, free_ports};

use crate::certificates::{Certificates, Identity};
use crate::process::Process;
use crate::{Failure, http};

/// Fronts behind one Service.
const FRONTS: usize = 2;

/// A gateway, running or not.
pub struct Gateway {
    name: String,
    program: PathBuf,
    folder: PathBuf,
    /// Where clients or routers come.
    pub address: SocketAddr,
    admin: SocketAddr,
    options: Vec<(String, String)>,
    process: Option<Process>,
}

impl Gateway {
    fn new(place: &Place<'_>, name: &str, address: SocketAddr) -> Result<Self, Failure> {
        let admin = SocketAddr::from(([127, 0, 0, 1], free_ports(1)?[0]));
        let (program, folder) = (place.program.to_path_buf(), place.folder.to_path_buf());
        Ok(Self { name: name.into(), program, folder, address, admin, options: Vec::new(), process: None })
    }

    /// Sets an option for the next start; an empty value is a flag.
    pub fn set(&mut self, option: &str, value: &str) {
        self.options.retain(|(known, _)| known != option);
        self.options.push((option.into(), value.into()));
    }

    /// Where it listens from the next start on.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    /// Starts it, and waits until it serves.
    pub fn start(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.args(["--listen", &self.address.to_string(), "--admin", &self.admin.to_string()]);
        for (option, value) in &self.options {
            command.arg(if value.is_empty() { format!("--{option}") } else { format!("--{option}={value}") });
        }
        let mut process = Process::start(&self.name, command, &self.folder)?;
        process.wait_until(|| http::is_well(self.admin, "/readyz"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it without warning, as the kernel does with a pod out of memory.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }

    /// What it says of itself.
    pub fn readiness(&self) -> String {
        http::get(self.admin, "/readyz").map_or_else(|error| error.to_string(), |(_, body)| body)
    }

    fn end_tls(&mut self, identity: &Identity, alpn: &str) {
        self.set("tls-cert", &identity.certificate.to_string_lossy());
        self.set("tls-key", &identity.key.to_string_lossy());
        self.set("alpn", alpn);
        // The router may ask for the name that its clients used.
        self.set("server-names", "*");
    }
}

struct Place<'a> {
    program: &'a Path,
    folder: &'a Path,
}

/// All gateways.
pub struct Gateways {
    /// One in each pod, behind edge and re-encrypt Routes: routers speak HTTP/1.1 to it, with and without TLS.
    pub sidecars: Vec<Gateway>,
    /// One in each pod, behind passthrough Routes: it ends the client's TLS, and offers HTTP/2.
    pub ends: Vec<Gateway>,
    /// Before all members, behind edge and re-encrypt Routes.
    pub fronts: Vec<Gateway>,
    /// Before all members, behind passthrough Routes.
    pub front_ends: Vec<Gateway>,
}

impl Gateways {
    /// Starts all of them before and beside these members.
    pub fn start(
        program: &Path,
        members: &[Endpoint],
        certificates: &Certificates,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let place = Place { program, folder };
        let ports = free_pod_ports(2)?;
        let sidecars = |port: u16, kind: &str| -> Result<Vec<Gateway>, Failure> {
            members.iter().enumerate().map(|(pod, member)| sidecar(&place, kind, pod, member, port)).collect()
        };
        let fronts = |kind: &str| -> Result<Vec<Gateway>, Failure> {
            (0..FRONTS).map(|replica| front(&place, kind, replica, members)).collect()
        };
        let mut gateways = Self {
            sidecars: sidecars(ports[0], "sidecar")?,
            ends: sidecars(ports[1], "end")?,
            fronts: fronts("front")?,
            front_ends: fronts("front-end")?,
        };
        for gateway in gateways.sidecars.iter_mut().chain(&mut gateways.fronts) {
            gateway.end_tls(&certificates.service, "http/1.1");
            gateway.set("allow-plain", "");
        }
        for gateway in gateways.ends.iter_mut().chain(&mut gateways.front_ends) {
            gateway.end_tls(&certificates.gateway, "h2,http/1.1");
        }
        gateways.all().try_for_each(Gateway::start)?;
        Ok(gateways)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Gateway> {
        let beside = self.sidecars.iter_mut().chain(&mut self.ends);
        beside.chain(&mut self.fronts).chain(&mut self.front_ends)
    }

    /// The gateways in a pod.
    pub fn of_pod(&mut self, pod: usize) -> [&mut Gateway; 2] {
        [&mut self.sidecars[pod], &mut self.ends[pod]]
    }
}

fn sidecar(place: &Place<'_>, kind: &str, pod: usize, member: &Endpoint, port: u16) -> Result<Gateway, Failure> {
    let mut gateway = Gateway::new(place, &format!("{kind}-{pod}"), SocketAddr::new(member.host.parse()?, port))?;
    gateway.set("upstream", &format!("{}:{}", member.host, member.port));
    gateway.set("node-name", &format!("infinispan-{pod}"));
    gateway.set("topology-cache", "dist");
    Ok(gateway)
}

fn front(place: &Place<'_>, kind: &str, replica: usize, members: &[Endpoint]) -> Result<Gateway, Failure> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_ports(1)?[0]));
    let mut gateway = Gateway::new(place, &format!("{kind}-{replica}"), address)?;
    let members: Vec<_> = members.iter().map(|member| format!("{}:{}", member.host, member.port)).collect();
    gateway.set("front", "");
    gateway.set("upstream", &members.join(","));
    gateway.set("topology-cache", "dist");
    Ok(gateway)
}

/// The program: that of `HOTROD_GATEWAY`, or the one of this workspace, which is built if need be.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    if let Some(program) = std::env::var_os("HOTROD_GATEWAY") {
        return Ok(program.into());
    }
    // This program stands in target/PROFILE, or as a test in target/PROFILE/deps.
    let own = std::env::current_exe()?;
    let folder =
        own.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).ok_or("this program is in no folder")?;
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--package", "hotrod-gateway", "--manifest-path"]);
    build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    if build.status()?.success() { Ok(folder.join("hotrod-gateway")) } else { Err("the gateway can't be built".into()) }
}
