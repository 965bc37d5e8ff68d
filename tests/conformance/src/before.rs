//! What stands before members that a client can't dial, and leads it to one of them.

use base64ct::{Base64, Encoding};
use hotrod_core::http1::{Fields, Kind, Request};
use hotrod_embedded::{Cluster, MemberId};

/// Where it is dialled, and how it chooses.
pub struct Before {
    /// Its port.
    pub port: u64,
    /// What it goes by where a client says something.
    pub leads: Leads,
    /// To whom it leads one connection after the other, where it does not: from the front again at the end.
    pub order: Vec<MemberId>,
    turn: usize,
}

/// What whoever stands before members goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// Nothing.
    Anywhere,
    /// Nothing; a gateway in each pod says who it is, and refuses who wants another.
    Gateways,
    /// The cookie that it sets, before the same gateways. One with another salt leads nowhere.
    Cookies {
        /// Part of every cookie.
        salt: u32,
    },
    /// `Hot-Rod-Node`: a gateway in front of all members.
    Front,
    /// A header field with the member's address, before members without a gateway.
    Header {
        /// Its name.
        name: &'static str,
        /// Whether the address is in base64.
        is_base64: bool,
    },
    /// The authority of CONNECT, before members without a gateway.
    Authority,
}

impl Before {
    /// At a port.
    pub fn new(port: u64, leads: Leads, order: Vec<MemberId>) -> Self {
        Self { port, leads, order, turn: 0 }
    }

    /// The member of the next connection.
    pub fn next_member(&mut self) -> MemberId {
        let next = self.order[self.turn % self.order.len()];
        self.turn += 1;
        next
    }

    /// From now on it leads there.
    pub fn choose(&mut self, order: Vec<MemberId>) {
        (self.order, self.turn) = (order, 0);
    }
}

impl Leads {
    /// Where a request for a tunnel leads, if `turn` is the member that comes next, and what the answer says; or the
    /// status with which it is refused.
    pub fn lead(self, servers: &Cluster, turn: MemberId, request: &Request) -> Result<(MemberId, Fields), u16> {
        let asked = request.fields.text("hot-rod-node");
        let mut fields = Fields::new();
        let mut say = |name: &str, value: String| fields.push(name, value).expect("a field");
        let led = match self {
            Self::Anywhere => turn,
            Self::Gateways | Self::Cookies { .. } => {
                let led = self.of_cookie(servers, &request.fields).unwrap_or(turn);
                if asked.is_some_and(|asked| asked != address(servers, led)) {
                    return Err(421);
                }
                led
            }
            Self::Front => asked.map_or(Some(turn), |asked| named(servers, asked)).ok_or(404_u16)?,
            Self::Header { name, is_base64 } => {
                let asked = request.fields.text(name).map(ToString::to_string);
                let decoded = |asked: String| String::from_utf8(Base64::decode_vec(&asked).ok()?).ok();
                let asked = if is_base64 { asked.and_then(decoded) } else { asked };
                let led = asked.and_then(|asked| named(servers, &asked)).unwrap_or(turn);
                let address = address(servers, led);
                say(name, if is_base64 { Base64::encode_string(address.as_bytes()) } else { address });
                led
            }
            Self::Authority => {
                let Kind::Connect { authority } = &request.kind else { return Err(405) };
                named(servers, authority).unwrap_or(turn)
            }
        };
        if matches!(self, Self::Gateways | Self::Cookies { .. } | Self::Front) {
            say("hot-rod-node", format!("node-{}", led.0));
            say("hot-rod-address", address(servers, led));
        }
        if let Self::Cookies { salt } = self {
            say("set-cookie", format!("hotrod={salt}-{}; path=/; HttpOnly", led.0));
        }
        Ok((led, fields))
    }

    fn of_cookie(self, servers: &Cluster, fields: &Fields) -> Option<MemberId> {
        let Self::Cookies { salt } = self else { return None };
        let value = fields.text("cookie")?.strip_prefix(&format!("hotrod={salt}-"))?.to_string();
        servers.members().map(|(id, _)| id).find(|id| id.0.to_string() == value)
    }
}

/// The member of an address.
pub fn named(servers: &Cluster, wanted: &str) -> Option<MemberId> {
    servers.members().find(|(_, address)| address.to_string() == wanted).map(|(id, _)| id)
}

fn address(servers: &Cluster, member: MemberId) -> String {
    let found = servers.members().find(|(id, _)| *id == member);
    found.map(|(_, address)| address.to_string()).unwrap_or_default()
}
