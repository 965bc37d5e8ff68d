//! Tunnels through a forward proxy: the client's side of CONNECT (RFC 9110, 9.3.6).

use alloc::format;
use alloc::string::{String, ToString};

use base64ct::{Base64, Encoding};
use bytes::BytesMut;

use super::{ClientEvent, ClientExchange, Fields, Limits, Misuse, Refused, Trailing, Violation};
use crate::sasl::Secret;
use crate::send_buffer::SendBuffer;
use crate::wire::Member;

/// Maximum length of a response head, which may be one line.
const MAX_HEAD: usize = 16 << 10;

/// Requests a tunnel from a proxy. After the tunnel is established, the link behaves like a connection to the target.
#[derive(Debug)]
pub struct Tunnel {
    exchange: ClientExchange,
}

/// Reason for which no tunnel was established.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// The target is not valid in a request.
    #[error("{0:?} is no host name")]
    Target(String),
    /// The user or the password is not valid in a request.
    #[error("{0}")]
    Request(Misuse),
    /// The proxy responded with a status other than 2xx.
    #[error("the proxy refused the tunnel: {status} {reason}{}", if *status == 407 { " (user and password of proxy=)" } else { "" })]
    Refused {
        /// Status of the response.
        status: u16,
        /// Reason phrase of the proxy.
        reason: String,
    },
    /// The received bytes are not an HTTP/1.1 response.
    #[error("the proxy does not speak HTTP/1.1: {0}")]
    NotHttp(Violation),
    /// The response head exceeds the limit.
    #[error("the proxy's answer is longer than {MAX_HEAD} bytes")]
    TooLong,
    /// Bytes follow the head, before anything was sent through the tunnel.
    #[error("the proxy sent {0} bytes before the tunnel was used")]
    TrailingData(usize),
}

impl Tunnel {
    /// Creates a request for a tunnel to `target`, with the proxy's user and password.
    pub fn new(target: &Member, credentials: Option<(&str, &Secret)>) -> Result<Self, TunnelError> {
        let mut fields = Fields::new();
        if let Some((user, password)) = credentials {
            let pair = format!("{user}:{}", password.expose());
            let pair = Base64::encode_string(pair.as_bytes());
            fields.push("proxy-authorization", format!("Basic {pair}")).map_err(TunnelError::Request)?;
        }
        let limits = Limits { head: MAX_HEAD, line: MAX_HEAD, ..Limits::default() };
        // Rejects host names with line ends: names come from topologies, and a line end would inject header fields.
        let exchange = ClientExchange::connect(&target.to_string(), &fields, Trailing::Refused, limits);
        let exchange = exchange.map_err(|misuse| match misuse {
            Misuse::Authority(_) => TunnelError::Target(target.host.clone()),
            misuse => TunnelError::Request(misuse),
        })?;
        Ok(Self { exchange })
    }

    /// Bytes to send.
    pub fn transmit(&self) -> &SendBuffer {
        self.exchange.transmit()
    }

    /// Reports that the host sent the first `count` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.exchange.transmitted(count);
    }

    /// Receive buffer; call [`handle_filled`](Self::handle_filled) after reading into it.
    pub fn receive_buffer(&mut self) -> &mut BytesMut {
        self.exchange.receive_buffer()
    }

    /// Handles the bytes in the receive buffer. Returns whether the tunnel is established.
    pub fn handle_filled(&mut self) -> Result<bool, TunnelError> {
        self.exchange.handle_filled();
        match self.exchange.poll_event() {
            None => Ok(false),
            Some(ClientEvent::Accepted(_)) => Ok(true),
            Some(ClientEvent::Refused(Refused { status, reason, .. })) => Err(TunnelError::Refused { status, reason }),
            Some(ClientEvent::Failed(violation)) => Err(match violation {
                Violation::HeadTooLong { .. } => TunnelError::TooLong,
                Violation::TrailingData(count) => TunnelError::TrailingData(count),
                violation => TunnelError::NotHttp(violation),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(answer: &str) -> Result<bool, TunnelError> {
        let mut tunnel = Tunnel::new(&Member { host: "::1".into(), port: 11222 }, None).unwrap();
        let mut last = Ok(false);
        for byte in answer.as_bytes() {
            assert_eq!(last, Ok(false), "it is over before {answer:?} is");
            tunnel.receive_buffer().extend_from_slice(&[*byte]);
            last = tunnel.handle_filled();
        }
        last
    }

    fn new(host: &str) -> Result<Tunnel, TunnelError> {
        Tunnel::new(&Member { host: host.into(), port: 1 }, None)
    }

    #[test]
    fn a_name_with_a_line_s_end_writes_no_field() {
        assert!(matches!(new("h:1 HTTP/1.1\r\nX: y").err(), Some(TunnelError::Target(_))));
    }

    #[test]
    fn the_target_is_in_authority_form_and_the_password_in_base64() {
        let target = Member { host: "::1".into(), port: 11222 };
        let tunnel = Tunnel::new(&target, Some(("user", &Secret::from("pass")))).unwrap();
        let expected = "CONNECT [::1]:11222 HTTP/1.1\r\nHost: [::1]:11222\r\n\
                      Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";
        assert_eq!(tunnel.transmit().to_bytes(), expected.as_bytes());
    }

    #[test]
    fn a_2xx_is_a_tunnel_after_any_interim_response() {
        assert_eq!(tunnel("HTTP/1.1 200 Connection established\r\n\r\n"), Ok(true));
        assert_eq!(tunnel("HTTP/1.0 204 x\r\nContent-Length: 7\r\n\r\n"), Ok(true));
        assert_eq!(tunnel("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 \r\n\r\n"), Ok(true));
    }

    #[test]
    fn anything_else_is_told_as_it_is() {
        let refused = tunnel("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        assert!(matches!(&refused, Err(TunnelError::Refused { status: 407, .. })), "{refused:?}");
        assert!(refused.unwrap_err().to_string().contains("proxy="));
        let changed = tunnel("HTTP/1.1 101 Switching\r\n\r\n");
        assert_eq!(changed, Err(TunnelError::NotHttp(Violation::WrongProtocol)));
        let mut hot_rod = new("h").unwrap();
        hot_rod.receive_buffer().extend_from_slice(&[0xa1, 0, 0]);
        assert!(matches!(hot_rod.handle_filled(), Err(TunnelError::NotHttp(_))));
        let mut early = new("h").unwrap();
        early.receive_buffer().extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n\xa1");
        assert_eq!(early.handle_filled(), Err(TunnelError::TrailingData(1)));
    }

    #[test]
    fn a_head_has_a_limit() {
        let mut tunnel = new("h").unwrap();
        tunnel.receive_buffer().extend_from_slice(b"HTTP/1.1 200 OK\r\nX: ");
        assert_eq!(tunnel.handle_filled(), Ok(false));
        tunnel.receive_buffer().extend_from_slice(&[b'a'; MAX_HEAD]);
        assert_eq!(tunnel.handle_filled(), Err(TunnelError::TooLong));
    }
}
