//! nginx, as the older Ingress controller configures it.

use std::path::{Path, PathBuf};
use std::process::Command;

use infinispan_harness::free_ports;

use super::{Values, of_the_system};
use crate::Failure;
use crate::certificates::Certificates;
use crate::outside::Backends;
use crate::process::Process;

/// An nginx before the gateways that stand before all members.
pub struct Nginx {
    /// Its one port, with TLS.
    pub front: u16,
    folder: PathBuf,
    process: Option<Process>,
}

impl Nginx {
    /// Starts it.
    pub fn start(backends: &Backends, certificates: &Certificates, folder: &Path) -> Result<Self, Failure> {
        let mut router = Self { front: free_ports(1)?[0], folder: folder.to_path_buf(), process: None };
        let mut values = Values::default();
        values.set("folder", folder.display()).set("front", router.front);
        values.set("certificate", certificates.route.certificate.display());
        values.set("key", certificates.route.key.display());
        for (replica, front) in backends.fronts.iter().enumerate() {
            values.set(&format!("front{replica}"), front);
        }
        values.write(include_str!("../../routers/nginx.conf"), &folder.join("nginx.conf"))?;
        router.start_again()?;
        Ok(router)
    }

    /// Starts it, after it was stopped.
    pub fn start_again(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(of_the_system("nginx"));
        command.arg("-e").arg(self.folder.join("nginx-early.log")).arg("-p").arg(&self.folder);
        command.arg("-c").arg(self.folder.join("nginx.conf"));
        let mut process = Process::start("nginx", command, &self.folder)?;
        process.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", self.front)).is_ok())?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops it; all connections end.
    pub fn stop(&mut self) -> Result<(), Failure> {
        self.process.take().map_or(Ok(()), |mut process| process.stop())
    }
}
