//! HAProxy, the engine of OpenShift's router, in the router's own shape.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use infinispan_harness::free_ports;

use super::{Values, of_the_system};
use crate::Failure;
use crate::certificates::{Certificates, SERVICE_NAME};
use crate::outside::Backends;
use crate::process::Process;

/// Routes that the router ends TLS of, each of them also without HTTP/2: with `-h1` behind the name.
const ENDED: [&str; 8] = [
    "edge-roundrobin",
    "edge-random",
    "edge-leastconn",
    "edge-source",
    "reencrypt",
    "no-cookie",
    "front",
    "front-edge",
];
/// Routes of which TLS passes through.
const PASSED: [&str; 8] = [
    "front-through",
    "sidecar-through",
    "infinispan-0",
    "infinispan-1",
    "infinispan-2",
    "through-roundrobin",
    "through-random",
    "through-source",
];

/// A router, running or not.
pub struct HaProxy {
    /// The one port with TLS; the Route is chosen by host name.
    pub secure: u16,
    /// The one without.
    pub insecure: u16,
    /// Ports of Services of type LoadBalancer: round robin, random, by the client's address.
    pub services: [u16; 3],
    folder: PathBuf,
    certificates: Certificates,
    /// What the values of cookies are hashed with.
    cookies: u64,
    process: Option<Process>,
}

impl HaProxy {
    /// Starts it before these pods and fronts.
    pub fn start(backends: &Backends, certificates: &Certificates, folder: &Path) -> Result<Self, Failure> {
        let ports = free_ports(5)?;
        let mut router = Self {
            secure: ports[0],
            insecure: ports[1],
            services: [ports[2], ports[3], ports[4]],
            folder: folder.to_path_buf(),
            certificates: certificates.clone(),
            cookies: 0,
            process: None,
        };
        router.write_maps()?;
        router.start_again(backends)?;
        Ok(router)
    }

    /// Starts it, after it was stopped.
    pub fn start_again(&mut self, backends: &Backends) -> Result<(), Failure> {
        let configuration = self.folder.join("haproxy.cfg");
        self.values(backends).write(include_str!("../../routers/haproxy.cfg"), &configuration)?;
        let mut command = Command::new(of_the_system("haproxy"));
        command.arg("-db").arg("-f").arg(configuration);
        let mut process = Process::start("haproxy", command, &self.folder)?;
        process.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", self.secure)).is_ok())?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops it; all connections end.
    pub fn stop(&mut self) -> Result<(), Failure> {
        self.process.take().map_or(Ok(()), |mut process| process.stop())
    }

    /// Other cookies from the next start on.
    pub fn rotate_cookies(&mut self) {
        self.cookies += 1;
    }

    fn values(&self, backends: &Backends) -> Values {
        let mut values = Values::default();
        let [roundrobin, random, source] = self.services;
        let Certificates { route, service, .. } = &self.certificates;
        values.set("folder", self.folder.display()).set("secure", self.secure).set("insecure", self.insecure);
        values.set("service-roundrobin", roundrobin).set("service-random", random).set("service-source", source);
        values.set("default", route.both.display());
        values.set("service", SERVICE_NAME).set("service-ca", service.authority.display());
        for (pod, addresses) in backends.pods.iter().enumerate() {
            values.set(&format!("sidecar{pod}"), addresses.sidecar).set(&format!("end{pod}"), addresses.end);
            values.set(&format!("plain{pod}"), addresses.plain).set(&format!("tls{pod}"), addresses.tls);
            values.set(&format!("cookie{pod}"), self.cookie(addresses.sidecar));
        }
        for (replica, (front, end)) in backends.fronts.iter().zip(&backends.front_ends).enumerate() {
            values.set(&format!("front{replica}"), front).set(&format!("front-end{replica}"), end);
        }
        values
    }

    /// As the router does it, a hash of the endpoint: the same at each start, another one for another pod.
    fn cookie(&self, endpoint: SocketAddr) -> String {
        let mut hasher = DefaultHasher::new();
        (self.cookies, endpoint).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    fn write_maps(&self) -> Result<(), Failure> {
        let host = |name: &str| format!("{name}.hotrod.localhost");
        let line = |name: &str| format!("{} {name}\n", host(name));
        let without_http2 = |name: &&str| format!("{} {name}\n", host(&format!("{name}-h1")));
        let http: String = ENDED.iter().copied().chain(["insecure"]).map(line).collect();
        let http = http + &ENDED.iter().map(without_http2).collect::<String>();
        let tcp: String = PASSED.into_iter().map(line).collect();
        // A Route has HTTP/2 if it has a certificate of its own; what the others have is said here as well.
        let line_of = |alpn: &str, hosts: Vec<String>| {
            format!("{} [alpn {alpn}] {}\n", self.certificates.route.both.display(), hosts.join(" "))
        };
        let certificates = line_of("h2,http/1.1", ENDED.into_iter().map(host).collect())
            + &line_of("http/1.1", ENDED.into_iter().map(|name| host(&format!("{name}-h1"))).collect());
        for (name, content) in [("http.map", http), ("tcp.map", tcp), ("cert_config.map", certificates)] {
            fs::write(self.folder.join(name), content)?;
        }
        Ok(())
    }

    /// What Kubernetes tells a router: this pod is ready, at this address, or it is not.
    pub fn set_pod(&self, pod: usize, address: Option<IpAddr>) -> Result<(), Failure> {
        let state = self.ask("show servers state\n")?;
        let name = format!("pod{pod}");
        // be_id be_name srv_id srv_name …
        let backends = state.lines().filter_map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            (fields.get(3) == Some(&name.as_str())).then(|| fields[1])
        });
        for backend in backends {
            match address {
                Some(address) => {
                    self.ask(&format!("set server {backend}/{name} addr {address}\n"))?;
                    self.ask(&format!("set server {backend}/{name} state ready\n"))?;
                }
                None => drop(self.ask(&format!("set server {backend}/{name} state maint\n"))?),
            }
        }
        Ok(())
    }

    /// How many connections have come to a frontend, or been made with a backend.
    pub fn connections(&self, name: &str) -> Result<u64, Failure> {
        let text = self.ask("show stat\n")?;
        // pxname,svname,qcur,qmax,scur,smax,slim,stot,…
        let of_name = |line: &&str| {
            line.starts_with(&format!("{name},FRONTEND,")) || line.starts_with(&format!("{name},BACKEND,"))
        };
        let total = text.lines().find(of_name).and_then(|line| line.split(',').nth(7)?.parse().ok());
        total.ok_or_else(|| format!("HAProxy has no {name}").into())
    }

    fn ask(&self, command: &str) -> Result<String, Failure> {
        let mut socket = UnixStream::connect(self.folder.join("haproxy.sock"))?;
        socket.write_all(command.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
