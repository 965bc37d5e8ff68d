//! The hosts that a topology may name: credentials, and links of a TLS configuration, go nowhere else.
//!
//! A server names the members of its cluster in every topology. A server that lies could lead a client, and its
//! password, to any host. [`MemberHosts`] limits what is believed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Blocks of addresses that their owners number themselves: RFC 1918, RFC 6598 (carriers, and Kubernetes), RFC 4193.
/// A private address leads to the same organisation as any other address of its block.
const PRIVATE: [IpNet; 5] =
    [v4([10, 0, 0, 0], 8), v4([172, 16, 0, 0], 12), v4([192, 168, 0, 0], 16), v4([100, 64, 0, 0], 10), v6(0xfc00, 7)];

/// Addresses that mean another machine to each reader: the reader itself (RFC 1122 §3.2.1.3; a connection to the
/// unspecified address reaches it as well), and its link (RFC 3927, RFC 4291 §2.5.6; clouds serve credentials at
/// 169.254.169.254). A rule matches them only if it lies within one of them.
const LOCAL: [IpNet; 6] = [
    v4([127, 0, 0, 0], 8),
    v4([0, 0, 0, 0], 8),
    v6_host(Ipv6Addr::LOCALHOST),
    v6_host(Ipv6Addr::UNSPECIFIED),
    v4([169, 254, 0, 0], 16),
    v6(0xfe80, 10),
];

/// How many of [`LOCAL`] are the reader itself.
const LOOPBACK: usize = 4;

/// Second-level labels under which registries of countries sell names (`example.co.uk`).
const REGISTRY_LABELS: [&str; 15] =
    ["ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "mil", "ne", "net", "nom", "or", "org", "sch"];

/// The hosts that a topology may name.
///
/// | text | matches |
/// |---|---|
/// | `db.example.com` | that host |
/// | `*.example.com` | every name that ends in `.example.com` |
/// | `10.1.2.3`, `2001:db8::7` | that address |
/// | `10.0.0.0/8`, `2001:db8::/32` | the addresses of that block |
/// | `*` | every host: turns the limit off |
///
/// Rules are separated by commas; a host matches if one rule does. Names match names, addresses match addresses:
/// nothing is resolved. Case and a final dot do not count. A loopback, unspecified or link-local address matches only a
/// rule that is one itself, or a block within them; `localhost` is 127.0.0.0/8 and ::1. Multicast addresses never match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberHosts {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Any,
    Name(String),
    /// With the dot at its beginning.
    Suffix(String),
    Block(IpNet),
}

/// A text that is no rule of [`MemberHosts`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host name, no *.suffix, no address, no block of addresses (10.0.0.0/8) and not *")]
pub struct MemberHostsError(
    /// The text.
    pub String,
);

impl MemberHosts {
    /// The hosts of a text; see the [type](Self) for its form.
    ///
    /// # Errors
    ///
    /// Returns the first comma-separated part that is not a rule.
    pub fn parse(text: &str) -> Result<Self, MemberHostsError> {
        let rule = |part: &str| Rule::parse(part).ok_or_else(|| MemberHostsError(part.to_string()));
        text.split(',').map(rule).collect::<Result<_, _>>().map(|rules| Self { rules })
    }

    /// Every host: no limit.
    pub fn any() -> Self {
        Self { rules: alloc::vec![Rule::Any] }
    }

    /// The hosts that seeds cover, where the user names none.
    ///
    /// | seed | covers |
    /// |---|---|
    /// | a name | itself and the names below it |
    /// | a name of three or more labels | the names within its parent domain as well, unless a registry sells names there (`co.uk`) |
    /// | a private address (RFC 1918, RFC 6598, RFC 4193) | its block, such as 10.0.0.0/8 |
    /// | a public address | its /24, or its /64 of IPv6 |
    /// | a loopback or link-local address, `localhost` | the loopback or link-local addresses |
    ///
    /// What the name of a seed resolves to is the host's to [add](Self::add_seed_address).
    pub fn default_for_seeds<'a>(seeds: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hosts = Self::default();
        seeds.into_iter().for_each(|seed| hosts.add_seed(seed));
        hosts
    }

    /// Adds what the address covers to which the name of a seed has resolved.
    pub fn add_seed_address(&mut self, address: IpAddr) {
        self.add_blocks_around(address.to_canonical());
    }

    /// Adds the names that end so; `domain` is without the dot at its beginning.
    pub(super) fn add_domain(&mut self, domain: &str) {
        self.add(Rule::Suffix([".", domain].concat().to_ascii_lowercase()));
    }

    /// Adds what a seed covers.
    pub fn add_seed(&mut self, host: &str) {
        let host = Host::of(host);
        match &host {
            Host::Address(address) => self.add_blocks_around(*address),
            Host::Name(name) => {
                self.add(Rule::Name(name.clone()));
                if name.contains('.') {
                    self.add(Rule::Suffix([".", name].concat()));
                }
                if let Some((_, parent)) = name.split_once('.').filter(|(_, parent)| is_of_one_owner(parent)) {
                    self.add(Rule::Suffix([".", parent].concat()));
                }
            }
        }
    }

    /// Adds one host and nothing around it.
    pub fn add_host(&mut self, host: &str) {
        match Host::of(host) {
            Host::Address(address) => self.add(Rule::Block(address.into())),
            Host::Name(name) => self.add(Rule::Name(name)),
        }
    }

    /// Whether a topology may name this host: a name, or an address without brackets.
    pub fn allows(&self, host: &str) -> bool {
        if self.rules.contains(&Rule::Any) {
            return true;
        }
        match Host::of(host) {
            Host::Address(address) => self.allows_address(address),
            Host::Name(name) => self.rules.iter().any(|rule| rule.matches_name(&name)),
        }
    }

    /// Whether a topology may name this address.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let matches = |rule: &Rule| match rule {
            Rule::Any => true,
            Rule::Block(block) => !address.is_multicast() && is_fit(block, address) && block.contains(&address),
            Rule::Name(_) | Rule::Suffix(_) => false,
        };
        self.rules.iter().any(matches)
    }

    /// Whether a name that is allowed may have resolved to this address: not to a loopback, unspecified, link-local or multicast
    /// address, unless a rule speaks of it.
    pub fn allows_resolved(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        let is_local = LOCAL.iter().any(|local| local.contains(&canonical)) || canonical.is_multicast();
        !is_local || self.allows_address(address)
    }

    fn add(&mut self, rule: Rule) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }

    fn add_blocks_around(&mut self, address: IpAddr) {
        let within = |blocks: &[IpNet]| blocks.iter().any(|block| block.contains(&address));
        let (loopback, link_local) = LOCAL.split_at(LOOPBACK);
        if within(loopback) {
            return loopback.iter().for_each(|block| self.add(Rule::Block(*block)));
        }
        if within(link_local) {
            return link_local.iter().for_each(|block| self.add(Rule::Block(*block)));
        }
        let private = PRIVATE.iter().find(|block| block.contains(&address)).copied();
        self.add(Rule::Block(private.unwrap_or_else(|| public_block(address))));
    }
}

/// As [`MemberHosts::parse`].
impl FromStr for MemberHosts {
    type Err = MemberHostsError;

    fn from_str(text: &str) -> Result<Self, MemberHostsError> {
        Self::parse(text)
    }
}

/// The form that [`MemberHosts::parse`] reads.
impl fmt::Display for MemberHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            match rule {
                Rule::Any => f.write_str("*")?,
                Rule::Name(name) => f.write_str(name)?,
                Rule::Suffix(suffix) => write!(f, "*{suffix}")?,
                Rule::Block(block) if block.prefix_len() == block.max_prefix_len() => write!(f, "{}", block.addr())?,
                Rule::Block(block) => write!(f, "{block}")?,
            }
        }
        Ok(())
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some(block) = text.contains('/').then(|| text.parse::<IpNet>().ok()) {
            return Some(Self::Block(block?.trunc()));
        }
        if let Some(suffix) = text.strip_prefix("*.") {
            return name_of(suffix).map(|name| Self::Suffix([".", &name].concat()));
        }
        match Host::of(text) {
            Host::Address(address) => Some(Self::Block(address.into())),
            Host::Name(name) => name_of(&name).map(Self::Name),
        }
    }

    fn matches_name(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(own) => own == name,
            // One more label at least, and none of them empty.
            Self::Suffix(suffix) => name.strip_suffix(suffix.as_str()).is_some_and(are_labels),
            Self::Block(_) => false,
        }
    }
}

/// A host as rules see it.
enum Host {
    Address(IpAddr),
    /// In lower case, without a dot at its end.
    Name(String),
}

impl Host {
    fn of(text: &str) -> Self {
        let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        // The zone of a link-local address (RFC 4007 §11) says by which interface it is reached.
        let address = text.split_once('%').map_or(text, |(address, _)| address);
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        match address.parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) if name == "localhost" => Self::Address(Ipv4Addr::LOCALHOST.into()),
            Err(_) => Self::Name(name),
        }
    }
}

/// A text that can be a name, in lower case and without a final dot.
fn name_of(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    are_labels(&name).then_some(name)
}

/// Labels of letters, digits, `-` and `_` (RFC 1123 §2.1; Kubernetes and Windows write `_`).
fn are_labels(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_fit))
}

/// Whether the names of a domain belong to one owner: two labels at least, and not a registry's.
fn is_of_one_owner(domain: &str) -> bool {
    match domain.split_once('.') {
        None => false,
        Some((label, country)) if country.len() == 2 => !REGISTRY_LABELS.contains(&label),
        Some(_) => true,
    }
}

/// Whether a rule may speak of an address: of a local one only if all of the rule is within the same local block.
fn is_fit(block: &IpNet, address: IpAddr) -> bool {
    LOCAL.iter().find(|local| local.contains(&address)).is_none_or(|local| local.contains(block))
}

fn public_block(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new_assert(address, length).trunc()
}

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(first: u16, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), length))
}

const fn v6_host(address: Ipv6Addr) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(address, 128))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> MemberHosts {
        text.parse().unwrap()
    }

    fn seeds(seeds: &[&str]) -> MemberHosts {
        MemberHosts::default_for_seeds(seeds.iter().copied())
    }

    #[track_caller]
    fn check(hosts: &MemberHosts, allowed: &[&str], refused: &[&str]) {
        for host in allowed {
            assert!(hosts.allows(host), "{host} is within {hosts}");
        }
        for host in refused {
            assert!(!hosts.allows(host), "{host} is not within {hosts}");
        }
    }

    #[test]
    fn each_form_of_a_rule() {
        check(
            &hosts("db.example.com"),
            &["db.example.com", "DB.Example.com."],
            &["xdb.example.com", "a.db.example.com"],
        );
        check(
            &hosts("*.example.com"),
            &["a.example.com", "a.b.EXAMPLE.com."],
            &[
                "example.com",
                ".example.com",
                "a..example.com",
                "badexample.com",
                "example.com.evil.net",
                "a.example.com:1",
            ],
        );
        check(
            &hosts("10.0.0.0/8,2001:db8::/32"),
            &["10.9.8.7", "::ffff:10.1.1.1", "2001:db8::1"],
            &["11.0.0.1", "2001:db9::1", "ten"],
        );
        check(&hosts("10.1.2.3"), &["10.1.2.3"], &["10.1.2.4", "10.1.2.3.example.com"]);
        check(&hosts("a,b"), &["a", "b"], &["c", "a,b", ""]);
        check(&hosts("*"), &["anything", "127.0.0.1", "169.254.169.254"], &[]);
        check(&MemberHosts::default(), &[], &["a", "10.0.0.1"]);
    }

    #[test]
    fn a_text_that_is_no_rule_is_refused() {
        for wrong in ["", "a,", "*.", "*.*", "a b", "10.0.0.0/33", "/8", "*.example..com", "*a", "a:1", "http://a"] {
            assert!(MemberHosts::parse(wrong).is_err(), "{wrong:?}");
        }
        let error = MemberHosts::parse("a,b c").unwrap_err().to_string();
        assert!(error.starts_with("\"b c\" is no host name"), "{error}");
    }

    #[test]
    fn rules_are_written_as_they_are_read() {
        for text in ["a,*.b.c,10.0.0.0/8,10.1.2.3,fe80::/10,::1", "*"] {
            assert_eq!(hosts(text).to_string(), text);
        }
    }

    #[test]
    fn a_name_covers_its_parent_domain_and_never_a_registrys() {
        let pods = seeds(&["infinispan.prod.svc.cluster.local"]);
        check(
            &pods,
            &[
                "infinispan.prod.svc.cluster.local",
                "infinispan-0.infinispan.prod.svc.cluster.local",
                "other.prod.svc.cluster.local",
            ],
            &["infinispan.test.svc.cluster.local", "prod.svc.cluster.local", "10.0.0.1", "localhost"],
        );
        check(&seeds(&["one.example.com"]), &["two.example.com"], &["example.com", "evil.com", "example.com.evil.com"]);
        check(&seeds(&["example.com"]), &["example.com", "a.example.com"], &["evil.com"]);
        check(&seeds(&["example.co.uk"]), &["example.co.uk", "a.example.co.uk"], &["evil.co.uk"]);
        check(&seeds(&["one.abc.de"]), &["two.abc.de"], &["two.xyz.de"]);
        check(&seeds(&["infinispan"]), &["infinispan"], &["infinispan-1", "a.infinispan", "com"]);
    }

    #[test]
    fn an_address_covers_its_block() {
        check(&seeds(&["10.1.2.3"]), &["10.200.0.1"], &["192.168.0.1", "11.0.0.1", "a.example.com", "127.0.0.1"]);
        check(&seeds(&["172.20.0.1"]), &["172.31.255.255"], &["172.32.0.1", "10.0.0.1"]);
        check(&seeds(&["192.168.7.7"]), &["192.168.0.1"], &["192.169.0.1"]);
        check(&seeds(&["100.64.0.1"]), &["100.127.0.1"], &["100.128.0.1"]);
        check(&seeds(&["fd12::1"]), &["fd99::1"], &["fe80::1", "2001:db8::1", "::1"]);
        check(&seeds(&["203.0.113.7"]), &["203.0.113.200"], &["203.0.114.1"]);
        check(&seeds(&["2001:db8:0:1::7"]), &["2001:db8:0:1:ffff::9"], &["2001:db8:0:2::7"]);
        check(&seeds(&["[::ffff:10.0.0.1]"]), &["10.3.3.3"], &["::1"]);
    }

    #[test]
    fn local_addresses_need_a_local_seed_or_rule() {
        let local = ["127.0.0.1", "127.9.9.9", "::1", "localhost", "0.0.0.0", "::", "::ffff:127.0.0.1"];
        let linked = ["169.254.169.254", "fe80::1", "fe80::1%eth0"];
        for hosts in [hosts("0.0.0.0/0,::/0"), seeds(&["203.0.113.7", "10.0.0.1", "one.example.com"])] {
            check(&hosts, &[], &local);
            check(&hosts, &[], &linked);
        }
        for seed in local {
            check(&seeds(&[seed]), &local, &linked);
        }
        for seed in linked {
            check(&seeds(&[seed]), &linked, &local);
        }
        check(&hosts("127.0.0.0/8"), &["127.0.0.1", "localhost"], &["::1", "169.254.0.1"]);
        check(&hosts("224.0.0.0/4,0.0.0.0/0"), &["8.8.8.8"], &["224.0.0.1"]);
    }

    #[test]
    fn a_name_does_not_lead_to_a_local_address() {
        let pods = seeds(&["infinispan.prod.svc.cluster.local"]);
        for address in ["10.0.0.1", "203.0.113.7", "2001:db8::1"] {
            assert!(pods.allows_resolved(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1", "224.0.0.1"] {
            assert!(!pods.allows_resolved(address.parse().unwrap()), "{address}");
        }
        assert!(seeds(&["localhost"]).allows_resolved("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_a_seed_resolves_to_is_added() {
        let mut hosts = seeds(&["infinispan"]);
        hosts.add_seed_address([172, 18, 0, 2].into());
        check(&hosts, &["infinispan", "172.18.0.3"], &["10.0.0.1"]);
        let mut hosts = MemberHosts::default();
        hosts.add_host("one.example.com");
        hosts.add_host("10.0.0.1");
        check(&hosts, &["one.example.com", "10.0.0.1"], &["two.example.com", "10.0.0.2"]);
    }
}
