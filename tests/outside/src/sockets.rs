//! Whom a process has dialled, as the kernel knows it and not as the client says.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Established connections of a process by the address at the other end; both ends of one within the process count twice.
pub fn peers_of(pid: u32) -> io::Result<Vec<SocketAddrV4>> {
    let own = sockets_of(pid)?;
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
    Ok(table
        .lines()
        .skip(1)
        .filter_map(established)
        .filter(|(_, inode)| own.contains(inode))
        .map(|(to, _)| to)
        .collect())
}

/// The inodes of the sockets that a process has open.
fn sockets_of(pid: u32) -> io::Result<BTreeSet<u64>> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd"))?;
    // What was closed meanwhile has no link any more.
    let links = folder.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Ok(links.filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()).collect())
}

/// The remote address and the inode of a line of /proc/net/tcp, if its state is ESTABLISHED (1).
fn established(line: &str) -> Option<(SocketAddrV4, u64)> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (address, port) = fields.get(2)?.split_once(':')?;
    // The kernel shows the address as the number that it is in memory.
    let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes());
    let to = SocketAddrV4::new(address, u16::from_str_radix(port, 16).ok()?);
    let inode = fields.get(9)?.parse().ok()?;
    (*fields.get(3)? == "01").then_some((to, inode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_is_seen_while_it_lasts() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = || {
            let peers = peers_of(std::process::id()).unwrap();
            peers.iter().filter(|peer| peer.port() == port && *peer.ip() == Ipv4Addr::LOCALHOST).count()
        };
        assert_eq!(count(), 0);
        let (one, two) =
            (TcpStream::connect(("127.0.0.1", port)).unwrap(), TcpStream::connect(("127.0.0.1", port)).unwrap());
        assert_eq!(count(), 2);
        drop((one, two));
        assert_eq!(count(), 0);
    }
}
