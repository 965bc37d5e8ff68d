//! The PROXY protocol, versions 1 and 2: the client's address from a trusted router
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! Connections from the networks of the settings have to begin with a header; on others none is read. Reads exactly one
//! header and leaves further bytes in the socket; `ppp` parses it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use ppp::{HeaderResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Upper bound on the length of version 1, with its CRLF (section 2.1).
const LONGEST_LINE: usize = 107;
/// Length of version 2 up to its length field, and upper bound on the rest: addresses, and TLVs that routers add, such as the
/// client's certificate.
const FIXED: usize = 16;
const LONGEST_REST: usize = 4096;
/// Signatures of versions 2 and 1.
const SIGNATURE: &[u8] = v2::PROTOCOL_PREFIX;
const LINE_BEGIN: &[u8] = b"PROXY ";

/// Error of a header.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyFault {
    /// End of file within the header.
    #[error("closed within the PROXY header")]
    Closed,
    /// The first bytes are not a signature.
    #[error("no PROXY header, which proxy-protocol requires from this network")]
    Missing,
    /// The header exceeds the upper bound.
    #[error("a PROXY header of {0} bytes, more than {LONGEST_REST} behind the first {FIXED}")]
    TooLong(usize),
    /// The header can't be parsed.
    #[error("a wrong PROXY header: {0}")]
    Wrong(String),
    /// Failure of the connection.
    #[error("{0}")]
    Failed(#[from] io::Error),
}

/// Whether a connection from this address has to begin with a header.
pub(crate) fn is_trusted(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Reads the header. `None` if it names no client: a health check of the router, or a transport without addresses.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyFault> {
    let mut header = Vec::with_capacity(LONGEST_LINE);
    loop {
        let is_line = header.starts_with(LINE_BEGIN);
        if is_line && header.ends_with(b"\r\n") || header == SIGNATURE {
            break;
        }
        if is_line && header.len() == LONGEST_LINE {
            return Err(ProxyFault::Wrong("a line without an end".into()));
        }
        // Reads single bytes, so that none behind the header is read.
        header.push(byte(from).await?);
        let is_begin = |begin: &[u8]| begin.starts_with(&header) || header.starts_with(begin);
        if !is_begin(SIGNATURE) && !is_begin(LINE_BEGIN) {
            return Err(ProxyFault::Missing);
        }
    }
    if header == SIGNATURE {
        fill(from, &mut header, FIXED).await?;
        let rest = usize::from(u16::from_be_bytes([header[FIXED - 2], header[FIXED - 1]]));
        if rest > LONGEST_REST {
            return Err(ProxyFault::TooLong(FIXED + rest));
        }
        fill(from, &mut header, FIXED + rest).await?;
    }
    client(&header)
}

async fn byte(from: &mut (impl AsyncRead + Unpin)) -> Result<u8, ProxyFault> {
    from.read_u8().await.map_err(closed)
}

async fn fill(from: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>, length: usize) -> Result<(), ProxyFault> {
    let at = header.len();
    header.resize(length, 0);
    from.read_exact(&mut header[at..]).await.map(drop).map_err(closed)
}

fn closed(error: io::Error) -> ProxyFault {
    if error.kind() == io::ErrorKind::UnexpectedEof { ProxyFault::Closed } else { ProxyFault::Failed(error) }
}

/// The client that a whole header names.
fn client(header: &[u8]) -> Result<Option<SocketAddr>, ProxyFault> {
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(line)) => Ok(match line.addresses {
            v1::Addresses::Tcp4(addresses) => Some((addresses.source_address, addresses.source_port).into()),
            v1::Addresses::Tcp6(addresses) => Some((addresses.source_address, addresses.source_port).into()),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) => match (header.command, header.protocol, header.addresses) {
            (v2::Command::Local, ..) | (_, _, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => Ok(None),
            (_, v2::Protocol::Datagram, _) => Err(ProxyFault::Wrong("a datagram is no connection".into())),
            (_, _, v2::Addresses::IPv4(addresses)) => {
                Ok(Some((addresses.source_address, addresses.source_port).into()))
            }
            (_, _, v2::Addresses::IPv6(addresses)) => {
                Ok(Some((addresses.source_address, addresses.source_port).into()))
            }
        },
        HeaderResult::V1(Err(error)) => Err(ProxyFault::Wrong(error.to_string())),
        HeaderResult::V2(Err(error)) => Err(ProxyFault::Wrong(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of these bytes, and what is left.
    async fn read_all(bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyFault>, usize) {
        let mut rest = bytes;
        let result = read(&mut rest).await;
        (result, rest.len())
    }

    fn v2_header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [SIGNATURE, &[0x20 | command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_name_the_client_and_leave_what_follows() {
        let ipv4 = [203, 0, 113, 7, 10, 0, 0, 1, 0x1f, 0x90, 1, 187];
        let mut ipv6 = [0; 36];
        ipv6[..2].copy_from_slice(&[0x20, 0x01]);
        ipv6[15] = 7;
        ipv6[32..34].copy_from_slice(&[0x1f, 0x90]);
        // A field behind the addresses.
        let longer = [&ipv4[..], &[0x04, 0, 2, 1, 2]].concat();
        for (header, client) in [
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 8080 443\r\n".to_vec(), Some("203.0.113.7:8080")),
            (b"PROXY TCP6 2001::7 ::1 8080 443\r\n".to_vec(), Some("[2001::7]:8080")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2_header(1, 0x11, &ipv4), Some("203.0.113.7:8080")),
            (v2_header(1, 0x11, &longer), Some("203.0.113.7:8080")),
            (v2_header(1, 0x21, &ipv6), Some("[2001::7]:8080")),
            (v2_header(0, 0x00, &[]), None),
            (v2_header(0, 0x11, &ipv4), None),
            (v2_header(1, 0x31, &[0; 216]), None),
        ] {
            let (read, left) = read_all(&[&header[..], b"\xa0rest"].concat()).await;
            assert_eq!(read.unwrap(), client.map(|client| client.parse().unwrap()), "{header:?}");
            assert_eq!(left, 5, "{header:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused_at_its_first_wrong_byte() {
        for (bytes, taken) in [
            (&b"\xa0\x01\x29\x17"[..], 1),
            (b"PRI * HTTP/2.0\r\n\r\n", 3),
            (b"PROXYTCP4", 6),
            (b"GET / HTTP/1.1\r\n", 1),
            (b"\x16\x03\x01", 1),
            (b"\r\n\r\nGET / ", 5),
        ] {
            let (read, left) = read_all(bytes).await;
            assert!(matches!(read, Err(ProxyFault::Missing)), "{bytes:?}: {read:?}");
            assert_eq!(bytes.len() - left, taken, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_header_is_bounded_and_whole() {
        let endless = [LINE_BEGIN, &[b'1'; 1000]].concat();
        let (read, left) = read_all(&endless).await;
        assert!(matches!(read, Err(ProxyFault::Wrong(_))), "{read:?}");
        assert_eq!(endless.len() - left, LONGEST_LINE);
        let (read, left) = read_all(&v2_header(1, 0x11, &[0; LONGEST_REST + 1])).await;
        assert!(matches!(read, Err(ProxyFault::TooLong(_))), "{read:?}");
        assert_eq!(left, LONGEST_REST + 1, "nothing of it was taken");
        for cut in [&b"PROX"[..], b"PROXY TCP4 1.1.1.1", &SIGNATURE[..7], &v2_header(1, 0x11, &[0; 12])[..20]] {
            assert!(matches!(read_all(cut).await.0, Err(ProxyFault::Closed)), "{cut:?}");
        }
        for wrong in [
            &b"PROXY TCP4 203.0.113.7 10.0.0.1 8080 99999\r\n"[..],
            b"PROXY TCP4 ::1 ::1 1 1\r\n",
            b"PROXY \xff\xff\r\n",
            b"PROXY TCP4\r\n",
            &v2_header(2, 0x11, &[0; 12]),
            &v2_header(1, 0x11, &[0; 11]),
            &v2_header(1, 0x12, &[0; 12]),
        ] {
            assert!(matches!(read_all(wrong).await.0, Err(ProxyFault::Wrong(_))), "{wrong:?}");
        }
    }

    #[test]
    fn only_networks_that_are_named_are_trusted() {
        let networks = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        for (address, is_inside) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(is_trusted(&networks, address.parse().unwrap()), is_inside, "{address}");
        }
        assert!(!is_trusted(&[], "127.0.0.1".parse().unwrap()));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic_or_take_more_than_a_header(
            begin in proptest::sample::select(vec![&b""[..], LINE_BEGIN, SIGNATURE, b"PROXY TCP4 ", b"PROXY TCP6 "]),
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..5000),
        ) {
            let bytes = [begin, &rest].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (_, left) = runtime.block_on(read_all(&bytes));
            proptest::prop_assert!(bytes.len() - left <= FIXED + LONGEST_REST);
        }
    }
}
