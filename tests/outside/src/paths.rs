//! Every access path, TLS mode and balancing policy that is measured. A row is a URI, and what may be expected of it.

use std::net::SocketAddr;

use crate::Outside;

/// Where a client comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The members themselves.
    Members,
    /// HAProxy's port with TLS, where the host name chooses the Route.
    Secure,
    /// HAProxy's port without TLS.
    Insecure,
    /// A Service of type LoadBalancer: round robin, random, by the client's address.
    Service(usize),
    /// Envoy, CONNECT to members.
    EnvoyConnect,
    /// Envoy, CONNECT to anywhere.
    EnvoyForward,
    /// Envoy, sidecars by cookie.
    EnvoyCookie,
    /// Envoy, the gateways before all members.
    EnvoyFront,
    /// nginx, the gateways before all members.
    Nginx,
}

/// Whose certificate the client is to see; it trusts no other authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nobody's: there is no TLS.
    Nobody,
    /// The router's: it ends TLS.
    Route,
    /// The members' own.
    Members,
    /// The gateways'.
    Gateways,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Every member, each on a link of its own.
    All,
    /// Every member, on one link.
    AllOnOneLink,
    /// One member, and the client is to say why not all.
    One,
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// The access path.
    pub path: &'static str,
    /// What stands between.
    pub router: &'static str,
    /// Who ends TLS.
    pub tls: &'static str,
    /// How the router chooses for those who do not.
    pub balance: &'static str,
    /// How sessions travel.
    pub carriage: &'static str,
    /// Where the client comes to.
    pub entry: Entry,
    /// Whom it trusts.
    pub trust: Trust,
    /// What is to be reached.
    pub expected: Expected,
    /// The URI: `@port@` is the entry's, or that of a relay before it; `@ca@` is whom to trust, `@members@` all members and `@member0@`
    /// the first.
    uri: &'static str,
}

impl Path {
    /// The URI by which the client comes to the entry itself.
    pub fn uri(&self, outside: &Outside) -> String {
        self.uri_at(outside, self.entry_address(outside).map_or(0, |entry| entry.port()))
    }

    /// The URI by which the client comes to another port of 127.0.0.1, behind which the entry is.
    pub fn uri_at(&self, outside: &Outside, port: u16) -> String {
        let certificates = &outside.certificates;
        let authority = match self.trust {
            Trust::Nobody => None,
            Trust::Route => Some(certificates.route.authority.clone()),
            Trust::Gateways => Some(certificates.gateway.authority.clone()),
            Trust::Members => Some(outside.members_authority()),
        };
        let authority = authority.map_or_else(String::new, |file| file.display().to_string());
        let members: Vec<_> = outside.backends.pods.iter().map(|pod| pod.plain.to_string()).collect();
        let uri = self.uri.replace("@port@", &port.to_string()).replace("@ca@", &authority);
        uri.replace("@members@", &members.join(",")).replace("@member0@", &members[0])
    }

    /// Where the client comes to; `None` for the members themselves.
    pub fn entry_address(&self, outside: &Outside) -> Option<SocketAddr> {
        let port = match self.entry {
            Entry::Members => return None,
            Entry::Secure => outside.haproxy.secure,
            Entry::Insecure => outside.haproxy.insecure,
            Entry::Service(policy) => outside.haproxy.services[policy],
            Entry::EnvoyConnect => outside.envoy.connect,
            Entry::EnvoyForward => outside.envoy.forward,
            Entry::EnvoyCookie => outside.envoy.cookie,
            Entry::EnvoyFront => outside.envoy.front,
            Entry::Nginx => outside.nginx.front,
        };
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// What tells it from all others.
    pub fn name(&self) -> String {
        format!("{} {} {} {} {}", self.path, self.router, self.tls, self.balance, self.carriage)
    }
}

/// The row of that name.
pub fn path(name: &str) -> Option<&'static Path> {
    PATHS.iter().find(|path| path.name() == name)
}

macro_rules! paths {
    ($($router:literal { $($path:literal $tls:literal $balance:literal $carriage:literal
        $entry:ident $(($policy:literal))? $trust:ident $expected:ident $uri:literal;)* })*) => {
        /// All rows.
        pub const PATHS: &[Path] = &[$($(Path {
            path: $path, router: $router, tls: $tls, balance: $balance, carriage: $carriage,
            entry: Entry::$entry $(($policy))?, trust: Trust::$trust, expected: Expected::$expected, uri: $uri,
        },)*)*];
    };
}

paths! {
"none" {
    "direct" "none" "none" "raw" Members Nobody All "hotrod://@members@/dist";
}
"haproxy" {
    "header" "reencrypt" "leastconn" "extended-connect" Secure Route AllOnOneLink
        "hotrods://front.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
    "header" "reencrypt" "leastconn" "upgrade" Secure Route All
        "hotrods://front-h1.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
    "header" "edge" "leastconn" "extended-connect" Secure Route AllOnOneLink
        "hotrods://front-edge.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
    "header" "passthrough" "leastconn" "frames" Secure Gateways AllOnOneLink
        "hotrods://front-through.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
    "template" "passthrough" "sni" "raw" Secure Members All
        "hotrods://infinispan-0.hotrod.localhost:@port@,infinispan-1.hotrod.localhost:@port@/dist?host_template={member}.hotrod.localhost:@port@&trust_ca=@ca@";
    "cookie" "edge" "roundrobin" "extended-connect" Secure Route AllOnOneLink
        "hotrods://edge-roundrobin.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "edge" "random" "extended-connect" Secure Route AllOnOneLink
        "hotrods://edge-random.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "edge" "leastconn" "extended-connect" Secure Route AllOnOneLink
        "hotrods://edge-leastconn.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "edge" "source" "extended-connect" Secure Route One
        "hotrods://edge-source.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "edge" "roundrobin" "upgrade" Secure Route All
        "hotrods://edge-roundrobin-h1.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "reencrypt" "roundrobin" "extended-connect" Secure Route AllOnOneLink
        "hotrods://reencrypt.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "none" "roundrobin" "upgrade" Insecure Nobody All
        "hotrod://insecure.hotrod.localhost:@port@/dist?access=cookie&carriage=upgrade";
    "load-balancer" "edge" "roundrobin" "extended-connect" Secure Route AllOnOneLink
        "hotrods://no-cookie.hotrod.localhost:@port@/dist?access=load-balancer&carriage=auto&trust_ca=@ca@";
    "load-balancer" "passthrough" "roundrobin" "frames" Secure Gateways All
        "hotrods://sidecar-through.hotrod.localhost:@port@/dist?access=load-balancer&carriage=auto&trust_ca=@ca@";
    "load-balancer" "passthrough" "roundrobin" "raw" Secure Members All
        "hotrods://through-roundrobin.hotrod.localhost:@port@/dist?access=load-balancer&probe_cache=probe&trust_ca=@ca@";
    "load-balancer" "passthrough" "random" "raw" Secure Members All
        "hotrods://through-random.hotrod.localhost:@port@/dist?access=load-balancer&probe_cache=probe&trust_ca=@ca@";
    "load-balancer" "passthrough" "source" "raw" Secure Members One
        "hotrods://through-source.hotrod.localhost:@port@/dist?access=load-balancer&probe_cache=probe&trust_ca=@ca@";
    "load-balancer" "none" "roundrobin" "raw" Service(0) Nobody All
        "hotrod://127.0.0.1:@port@/dist?access=load-balancer&probe_cache=probe";
    "load-balancer" "none" "random" "raw" Service(1) Nobody All
        "hotrod://127.0.0.1:@port@/dist?access=load-balancer&probe_cache=probe";
    "load-balancer" "none" "source" "raw" Service(2) Nobody One
        "hotrod://127.0.0.1:@port@/dist?access=load-balancer&probe_cache=probe";
    "auto" "edge" "roundrobin" "extended-connect" Secure Route AllOnOneLink
        "hotrods://edge-roundrobin.hotrod.localhost:@port@/dist?access=auto&carriage=auto&trust_ca=@ca@";
    "auto" "reencrypt" "leastconn" "extended-connect" Secure Route AllOnOneLink
        "hotrods://front.hotrod.localhost:@port@/dist?access=auto&carriage=auto&trust_ca=@ca@";
}
"envoy" {
    "connect" "edge" "session-header" "connect-http2" EnvoyConnect Route AllOnOneLink
        "hotrods://connect.hotrod.localhost:@port@/dist?access=connect&carriage=connect-http2&connect_header=hot-rod-node&connect_encoding=base64&trust_ca=@ca@";
    "connect" "edge" "session-header" "connect" EnvoyConnect Route All
        "hotrods://connect.hotrod.localhost:@port@/dist?access=connect&carriage=connect&connect_header=hot-rod-node&connect_encoding=base64&trust_ca=@ca@";
    "connect" "edge" "authority" "connect-http2" EnvoyForward Route AllOnOneLink
        "hotrods://forward.hotrod.localhost:@port@/dist?access=connect&carriage=connect-http2&connect_authority=@member0@&trust_ca=@ca@";
    "load-balancer" "edge" "roundrobin" "connect-http2" EnvoyConnect Route AllOnOneLink
        "hotrods://connect.hotrod.localhost:@port@/dist?access=load-balancer&carriage=connect-http2&connect_header=hot-rod-node&connect_encoding=base64&trust_ca=@ca@";
    "cookie" "edge" "session-cookie" "extended-connect" EnvoyCookie Route AllOnOneLink
        "hotrods://cookie.hotrod.localhost:@port@/dist?access=cookie&carriage=auto&trust_ca=@ca@";
    "cookie" "edge" "session-cookie" "upgrade" EnvoyCookie Route All
        "hotrods://cookie.hotrod.localhost:@port@/dist?access=cookie&carriage=upgrade&trust_ca=@ca@";
    "header" "edge" "least-request" "extended-connect" EnvoyFront Route AllOnOneLink
        "hotrods://front.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
}
"nginx" {
    "header" "edge" "roundrobin" "upgrade" Nginx Route All
        "hotrods://front.hotrod.localhost:@port@/dist?access=header&carriage=auto&trust_ca=@ca@";
}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_another_one() {
        let names: BTreeSet<_> = PATHS.iter().map(Path::name).collect();
        assert_eq!(names.len(), PATHS.len());
    }
}
