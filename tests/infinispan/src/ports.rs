//! Ports that nobody uses.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{Mutex, PoisonError};

use crate::cluster::MOST_NODES;

/// The address of the pod of that number, from 0 on: 127.0.1.1, 127.0.1.2, … All of 127.0.0.0/8 is loopback.
pub fn pod_address(pod: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, pod as u8 + 1)
}

/// Ports of 127.0.0.1 that were free a moment ago and that no other call has given, here or in another process.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    ports_of_all(&[Ipv4Addr::LOCALHOST], count)
}

/// Where ports are looked for: below those that systems give to connections that go out, one of which would otherwise
/// have the port by the time that it is used.
const RANGE: std::ops::Range<u16> = 15_000..32_000;
/// Enough for a busy machine.
const ATTEMPTS: usize = 10_000;

/// Ports that were free a moment ago at each of these addresses, and ours from now on.
fn ports_of_all(addresses: &[Ipv4Addr], count: usize) -> io::Result<Vec<u16>> {
    let mut held = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..ATTEMPTS {
        if ports.len() == count {
            return Ok(ports);
        }
        let port = random_port();
        let listeners: io::Result<Vec<_>> = addresses.iter().map(|host| TcpListener::bind((*host, port))).collect();
        match listeners {
            Ok(listeners) if claim(port)? => {
                ports.push(port);
                held.push(listeners);
            }
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(error),
            _ => {}
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free ports"))
}

/// Other processes look for ports at the same time: each begins elsewhere.
fn random_port() -> u16 {
    let random = RandomState::new().build_hasher().finish();
    RANGE.start + (random % u64::from(RANGE.end - RANGE.start)) as u16
}

/// Names in the abstract namespace, which ends with the process as its ports do, and is as wide as they are.
static CLAIMED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// Makes a port ours for as long as this process lasts: who is given it may be slow to listen there. Answers false if it
/// is somebody else's.
fn claim(port: u16) -> io::Result<bool> {
    let name = SocketAddr::from_abstract_name(format!("hotrod-test-port-{port}"))?;
    match UnixListener::bind_addr(&name) {
        Ok(listener) => CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).push(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Ports that were free a moment ago at every pod's address and that no other call has given.
pub fn free_pod_ports(count: usize) -> io::Result<Vec<u16>> {
    let addresses: Vec<_> = (0..MOST_NODES).map(pod_address).collect();
    ports_of_all(&addresses, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let mut given = free_ports(50).unwrap();
        given.extend(free_pod_ports(10).unwrap());
        given.extend(free_ports(50).unwrap());
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 110);
        assert!(given.into_iter().all(|port| !claim(port).unwrap()));
    }
}
