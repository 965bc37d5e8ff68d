//! A client never leaves TLS, and goes only to whom its user has named.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::world::{Far, World, config};
use crate::carriage::{Carriage, Choice, Offer};
use crate::cluster::{
    Access, Call, CarriageConfig, ClusterError, Config, Endpoint, Event, LinkId, ListenerKind, Output, Proxy, Site,
    TlsConfig,
};
use crate::sasl::Credentials;
use crate::session::Authentication;
use crate::wire::{Body, ListenerOptions, Member, Request, RequestOptions, Status, Topology};

fn member(host: &str) -> Member {
    Member { host: host.into(), port: 11222 }
}

fn topology(id: u32, hosts: &[&str]) -> Topology {
    Topology { id, members: hosts.iter().copied().map(member).collect(), hash: None }
}

fn with_tls(seed: &str) -> Config {
    let seeds = [member(seed)].to_vec();
    Config { seeds, tls: Some(TlsConfig::default()), ..config(CarriageConfig::default()) }
}

/// A client whose seed has named these members.
fn told(config: Config, hosts: &[&str]) -> World {
    let mut world = World::new(config);
    world.submit(Request::Size {});
    world.connect(Far::stopping(Some(topology(1, hosts))));
    world
}

/// The hosts that are dialled now.
fn dialled(world: &World) -> Vec<String> {
    world.wanted.iter().map(|(_, dial)| dial.host.clone()).collect()
}

fn refused(world: &World) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::MemberNotAllowed { address, reason, .. } => {
            assert!(reason.contains("member_hosts"), "the property is named: {reason}");
            Some(address.host.clone())
        }
        _ => None,
    };
    world.events.iter().filter_map(of).collect()
}

#[test]
fn a_member_outside_the_seeds_domain_is_not_dialled_and_told_once() {
    let mut world = told(with_tls("one.example.com"), &["one.example.com", "two.example.com", "evil.example.net"]);
    assert_eq!(dialled(&world), ["two.example.com"]);
    assert_eq!(refused(&world), ["evil.example.net"]);
    world.connect(Far::stopping(Some(topology(2, &["one.example.com", "evil.example.net", "10.0.0.1"]))));
    world.submit(Request::Size {});
    world.submit(Request::Size {});
    world.wait(Duration::from_secs(60));
    assert!(world.wanted.iter().all(|(_, dial)| dial.host.ends_with(".example.com")), "{:?}", dialled(&world));
    assert_eq!(refused(&world).iter().filter(|host| *host == "evil.example.net").count(), 1);
}

/// Credentials are limited as TLS is; without either there is nothing to show, and what the user says counts anyway.
#[test]
fn the_limit_holds_where_there_is_something_to_show_and_where_it_is_set() {
    let plain = || Config { tls: None, ..with_tls("one.example.com") };
    let hosts = ["one.example.com", "evil.example.net"];
    assert_eq!(dialled(&told(plain(), &hosts)), ["evil.example.net"]);
    let member_hosts = Some("*.example.com".parse().unwrap());
    assert_eq!(dialled(&told(Config { member_hosts, ..plain() }, &hosts)).len(), 0);
    let mut world = World::new(plain());
    world.submit(Request::Size {});
    let credentials = Arc::new(Credentials::password("u", "p"));
    let mut config = plain();
    config.session.authentication = Some(Authentication::new(credentials, false));
    assert!(config.limits_members());
}

#[test]
fn what_the_user_names_is_allowed() {
    let hosts = ["one.example.com", "10.9.9.9"];
    let with = |member_hosts: &str| Config { member_hosts: member_hosts.parse().ok(), ..with_tls("one.example.com") };
    assert_eq!(dialled(&told(with("10.0.0.0/8"), &hosts)), ["10.9.9.9"]);
    assert_eq!(dialled(&told(with("*"), &hosts)), ["10.9.9.9"]);
    assert_eq!(dialled(&told(with("10.9.9.8"), &hosts)).len(), 0);
    // By name, by the form of all endpoints, and by another site's seeds.
    let explicit = [(member("10.9.9.9"), Endpoint::from(&member("gate.example.net")))].into_iter().collect();
    let access = Access { explicit, ..Access::default() };
    assert_eq!(dialled(&told(Config { access, ..with_tls("one.example.com") }, &hosts)), ["gate.example.net"]);
    let access = Access { template: "{member}.pods.example.net:443".parse().ok(), ..Access::default() };
    assert_eq!(dialled(&told(Config { access, ..with_tls("one.example.com") }, &hosts)), ["10-9-9-9.pods.example.net"]);
    let site = Site { name: "north".into(), seeds: [member("10.1.1.1")].to_vec() };
    let config = Config { sites: [site].to_vec(), ..with_tls("one.example.com") };
    assert_eq!(dialled(&told(config, &hosts)), ["10.9.9.9"]);
}

/// `{host}` at the end of a template is what the server says.
#[test]
fn a_template_that_ends_in_what_the_server_says_names_nothing() {
    let access = Access { template: "gate.{host}:443".parse().ok(), ..Access::default() };
    let config = Config { access, ..with_tls("one.example.com") };
    let world = told(config, &["one.example.com", "two.example.com", "evil.net"]);
    assert_eq!(
        (dialled(&world), refused(&world)),
        (["gate.two.example.com".to_string()].to_vec(), ["evil.net".to_string()].to_vec())
    );
}

#[test]
fn the_address_of_a_seed_counts_as_a_seed() {
    let hosts = ["infinispan", "10.244.1.7", "192.168.0.1", "127.0.0.1"];
    let mut world = World::new(with_tls("infinispan"));
    world.submit(Request::Size {});
    let link = world.wanted.front().expect("a link").0;
    world.cluster.set_peer(link, [10, 96, 0, 1].into());
    world.connect(Far::stopping(Some(topology(1, &hosts))));
    assert_eq!((dialled(&world), refused(&world).len()), (["10.244.1.7".to_string()].to_vec(), 2));
    // It is that of a proxy, and says nothing of the seed.
    let proxy = Some(Proxy { address: member("proxy"), credentials: None });
    let mut cluster = World::new(Config { proxy, ..with_tls("infinispan") });
    let link = cluster.wanted.front().expect("a link").0;
    cluster.cluster.set_peer(link, [10, 96, 0, 1].into());
    assert!(!cluster.cluster.allows_member_host("10.244.1.7"));
}

/// The name of the seed leads elsewhere now; addresses of both families count, and those of open links.
#[test]
fn an_address_that_a_seed_had_before_counts_no_longer() {
    let mut world = World::new(with_tls("infinispan"));
    let mut connect = |address: core::net::IpAddr| {
        let (link, _) = world.wanted.front().expect("a link").clone();
        world.cluster.set_peer(link, address);
        world.connect(Far::raw());
        let allowed = ["10.244.1.7", "192.168.0.1", "fd00::7"].map(|host| world.cluster.allows_member_host(host));
        world.lose(link);
        world.submit(Request::Size {});
        world.wait(Duration::from_millis(500));
        allowed
    };
    assert_eq!(connect([10, 96, 0, 1].into()), [true, false, false]);
    assert_eq!(connect("fd00::1".parse().unwrap()), [true, false, true]);
    assert_eq!(connect([192, 168, 7, 7].into()), [false, true, true]);
    assert_eq!(connect([10, 96, 0, 1].into()), [true, false, true]);
}

#[test]
fn the_address_of_an_open_link_to_a_seed_goes_on_to_count() {
    let mut world = World::new(Config { links_per_member: 2, ..with_tls("infinispan") });
    let (first, _) = world.wanted.front().expect("a link").clone();
    world.cluster.set_peer(first, [10, 96, 0, 1].into());
    world.connect(Far::raw());
    for _ in 0..65 {
        world.submit(Request::Size {});
    }
    let (second, _) = world.wanted.front().expect("a second link").clone();
    world.cluster.set_peer(second, [192, 168, 7, 7].into());
    assert!(["10.244.1.7", "192.168.0.1"].iter().all(|host| world.cluster.allows_member_host(host)));
}

/// The operation goes on at members that are allowed; one for that member alone fails and says why.
#[test]
fn operations_go_where_they_may() {
    let mut world = told(with_tls("one.example.com"), &["evil.example.net"]);
    let evil = world.cluster.members().find(|known| known.address.host == "evil.example.net").expect("it is known").id;
    let call = Call { member: Some(evil), ..Call::new(&world.cache, Request::Size {}) };
    world.cluster.submit(world.now, call).expect("it is taken");
    world.run();
    let (_, result) = world.completed.last().expect("an answer");
    let error = result.as_ref().unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("member_hosts"), "{error}");
    let links = world.links.len() + world.wanted.len();
    assert!(links > 0 && dialled(&world).iter().all(|host| host == "one.example.com"), "the seed is kept");
}

/// Every way of carrying sessions, and every way on from a link: a configuration with TLS dials with TLS.
#[test]
fn a_configuration_with_tls_never_dials_without() {
    let proxy = || Some(Proxy { address: member("proxy"), credentials: None });
    for choice in Carriage::ALL.into_iter().map(Choice::Only).chain([Choice::Auto]) {
        for proxy in [None, proxy()] {
            for alpn in [None, Some(&b"HR"[..]), Some(b"h2"), Some(b"http/1.1"), Some(b"hotrod"), Some(b"unknown")] {
                watch(choice, proxy.clone(), alpn);
            }
        }
    }
}

fn watch(choice: Choice, proxy: Option<Proxy>, alpn: Option<&[u8]>) {
    let site = Site { name: "north".into(), seeds: [member("north.example.com")].to_vec() };
    let carriage = CarriageConfig { choice, ..CarriageConfig::default() };
    let config = Config {
        seeds: [member("one.example.com")].to_vec(),
        sites: [site].to_vec(),
        tls: Some(TlsConfig::default()),
        proxy,
        ..config(carriage)
    };
    let ends: [fn() -> Far; 8] = [
        || Far::Silent(Vec::new()),
        || Far::Words(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        || {
            Far::Words(
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://one.example.com/\r\nContent-Length: 0\r\n\r\n",
            )
        },
        || Far::http1(101, None),
        || Far::http1(503, Some(1)),
        || Far::gateway(None, &[(307, None), (503, Some(1))]),
        || Far::gateway(Some(Offer::default()), &[]),
        || Far::stopping(Some(topology(1, &["one.example.com", "two.example.com", "three.example.com"]))),
    ];
    let mut watched = Watched { cluster: World::new(config), dials: 0 };
    for round in 0..24 {
        watched.cluster.submit(Request::Size {});
        watched.step(ends[round % ends.len()](), alpn);
        if round == 12 {
            watched.cluster.cluster.switch_site(watched.cluster.now, "north");
            watched.cluster.run();
        }
    }
    assert!(watched.dials > 2, "{choice:?}: it has dialled {} times", watched.dials);
}

struct Watched {
    cluster: World,
    dials: usize,
}

impl Watched {
    fn step(&mut self, far: Far, alpn: Option<&[u8]>) {
        let world = &mut self.cluster;
        for _ in 0..10 {
            if !world.wanted.is_empty() {
                break;
            }
            let links: Vec<_> = world.links.keys().copied().collect();
            links.into_iter().for_each(|link| world.lose(link));
            world.wait(Duration::from_secs(2));
        }
        let Some((link, dial)) = world.wanted.pop_front() else { return };
        self.dials += 1;
        if dial.host == "proxy" {
            assert_eq!(dial.tls, None, "TLS comes after the tunnel");
            self.tunnel(link);
        } else {
            assert!(dial.tls.is_some(), "without TLS: {dial:?}");
        }
        let world = &mut self.cluster;
        world.links.insert(link, far);
        world.cluster.handle_connected(world.now, link, alpn);
        world.run();
    }

    /// The proxy gives a tunnel: nothing but TLS may follow.
    fn tunnel(&mut self, link: LinkId) {
        let world = &mut self.cluster;
        world.cluster.handle_connected(world.now, link, None);
        let sent = world.cluster.transmit(link).expect("a request for a tunnel").to_bytes();
        assert!(sent.starts_with(b"CONNECT "), "{sent:?}");
        world.cluster.transmitted(link, sent.len());
        while world.cluster.poll_output().is_some() {}
        world.cluster.handle_received(world.now, link, b"HTTP/1.1 200 OK\r\n\r\n");
        let secured = core::iter::from_fn(|| world.cluster.poll_output())
            .any(|output| matches!(output, Output::StartTls { link: asked, .. } if asked == link));
        assert!(secured, "TLS is asked for");
        assert!(world.cluster.transmit(link).is_none(), "and nothing is sent before it");
    }
}

/// Caches of each request's own name cost no memory once their handles are gone; ids of former caches are not given again.
#[test]
fn caches_that_nobody_uses_are_forgotten() {
    let mut world = World::new(config(CarriageConfig::default()));
    world.connect(Far::answering(|_| (Status::SUCCESS, Body::Size(0))));
    let held = world.cluster.cache(world.now, RequestOptions::cache("held"));
    let mut ids = BTreeSet::new();
    for number in 0..10_000 {
        let cache = world.cluster.cache(world.now, RequestOptions::cache(number.to_string()));
        assert!(ids.insert(cache.id()), "an id is given again");
        world.run();
    }
    assert!(world.cluster.caches.len() <= 200, "{} caches are kept", world.cluster.caches.len());
    for cache in [held.clone(), world.cache.clone()] {
        assert!(!ids.contains(&cache.id()));
        assert_eq!(world.cluster.cache(world.now, cache.options().clone()).id(), cache.id());
        world.cluster.submit(world.now, Call::new(&cache, Request::Size {})).expect("it is known");
    }
    world.run();
    assert_eq!(world.completed.len(), 2);
    let listened = world.cluster.cache(world.now, RequestOptions::cache("listened"));
    world.cluster.listen(world.now, &listened, ListenerKind::Cache(ListenerOptions::default())).expect("registered");
    let id = listened.id();
    drop(listened);
    for number in 0..1_000 {
        world.cluster.cache(world.now, RequestOptions::cache(number.to_string()));
        world.run();
    }
    assert_eq!(world.cluster.cache(world.now, RequestOptions::cache("listened")).id(), id);
}
