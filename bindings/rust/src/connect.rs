//! TCP connections to hosts with several addresses (RFC 8305).

use std::io;
use std::net::SocketAddr;

use hotrod_core::happy_eyeballs::ConnectionAttempts;
use hotrod_core::time::Instant;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Connects to the first of a host's addresses that answers; the attempts are staggered, and the others are given up.
///
/// Returns the error of the attempt that failed last. There is no timeout but the system's.
pub async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let families: Vec<_> = addresses.iter().map(SocketAddr::is_ipv6).collect();
    let mut attempts = ConnectionAttempts::new(&families);
    let mut running = JoinSet::new();
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let epoch = tokio::time::Instant::now();
    loop {
        let now = Instant::from_micros(epoch.elapsed().as_micros() as u64);
        while let Some(index) = attempts.poll_attempt(now) {
            running.spawn(TcpStream::connect(addresses[index]));
        }
        if attempts.is_exhausted() {
            return Err(problem);
        }
        let due = attempts.poll_timeout();
        tokio::select! {
            Some(done) = running.join_next() => match done.unwrap_or_else(|failed| Err(io::Error::other(failed))) {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    problem = error;
                    attempts.handle_failed();
                }
            },
            () = sleep(due.unwrap_or(now).since(now)), if due.is_some() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// Two listeners at the same port of different addresses; the first one is silent: its queue of connections is full.
    async fn silent_and_live() -> (Vec<SocketAddr>, TcpListener, (TcpListener, Vec<TcpStream>)) {
        loop {
            let live = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).await.unwrap();
            let port = live.local_addr().unwrap().port();
            let silent = TcpSocket::new_v4().unwrap();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if silent.bind(address).is_err() {
                continue;
            }
            let silent = silent.listen(0).unwrap();
            let fills = TcpStream::connect(address).await.unwrap();
            return (vec![address, live.local_addr().unwrap()], live, (silent, vec![fills]));
        }
    }

    #[tokio::test]
    async fn a_silent_first_address_does_not_hold_up_the_second() {
        let (addresses, _live, _silent) = silent_and_live().await;
        let connected = connect(&addresses).await.unwrap();
        assert_eq!(connected.peer_addr().unwrap(), addresses[1]);
    }

    #[tokio::test]
    async fn refused_connections_are_the_error_of_the_host() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(&[address, address]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(connect(&[]).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
