//! Ports that nobody uses.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use crate::cluster::MOST_NODES;

/// The address of the pod of that number, from 0 on: 127.0.1.1, 127.0.1.2, … All of 127.0.0.0/8 is loopback.
pub fn pod_address(pod: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, pod as u8 + 1)
}

/// Ports of 127.0.0.1 that were free a moment ago, all different.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    ports_of_all(&[Ipv4Addr::LOCALHOST], count)
}

/// Ports that were free a moment ago at each of these addresses, all different.
fn ports_of_all(addresses: &[Ipv4Addr], count: usize) -> io::Result<Vec<u16>> {
    let mut held = Vec::new();
    let mut ports = Vec::new();
    while ports.len() < count {
        let first = TcpListener::bind((addresses[0], 0))?;
        let port = first.local_addr()?.port();
        let others: io::Result<Vec<_>> = addresses[1..].iter().map(|host| TcpListener::bind((*host, port))).collect();
        if let Ok(others) = others {
            ports.push(port);
            held.push((first, others));
        }
    }
    Ok(ports)
}

/// Ports that were free a moment ago at every pod's address, all different.
pub fn free_pod_ports(count: usize) -> io::Result<Vec<u16>> {
    let addresses: Vec<_> = (0..MOST_NODES).map(pod_address).collect();
    ports_of_all(&addresses, count)
}
