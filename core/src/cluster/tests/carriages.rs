//! Which carriage an endpoint gets, what is told of it, and what is remembered.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::derivation::with_login;
use super::world::{Far, World, auto, config};
use crate::carriage::{Carriage, Choice, Offer, ServerConfig, ServerLink};
use crate::cluster::{Access, AccessPath, CarriageConfig, Config, Event, TlsConfig};
use crate::time::Instant;
use crate::wire::{Member, Request, Topology};

const TIMEOUT: Duration = Duration::from_secs(5);

fn chosen(carriage: &str, stepped_down: bool) -> (String, bool) {
    (carriage.into(), stepped_down)
}

fn frames() -> Far {
    Far::gateway(Some(Offer::default()), &[])
}

/// Has the machine want a link again: its present one ends, and it may try.
fn again(world: &mut World) {
    let links: Vec<_> = world.links.keys().copied().collect();
    links.into_iter().for_each(|link| world.lose(link));
    world.submit(Request::Size {});
    for _ in 0..20 {
        if !world.wanted.is_empty() {
            break;
        }
        world.wait(Duration::from_millis(500));
    }
    world.events.clear();
}

/// also where there is no step down, and once.
#[test]
fn the_application_is_told_which_carriage_was_found() {
    for (far, name) in [(frames(), "frames"), (Far::gateway(None, &[]), "extended-connect")] {
        let mut world = World::new(config(auto()));
        world.connect(far);
        assert!(world.is_ready());
        assert_eq!(world.chosen(), [chosen(name, name != "frames")]);
        again(&mut world);
        world.connect(if name == "frames" { frames() } else { Far::gateway(None, &[]) });
        assert_eq!(world.chosen(), [], "it has not changed");
    }
    let tls = Config { tls: Some(TlsConfig::default()), ..config(auto()) };
    for (alpn, far, name) in [(&b"http/1.1"[..], Far::http1(101, None), "upgrade"), (b"hotrod", Far::raw(), "raw")] {
        let mut world = World::new(tls.clone());
        world.connect_with(far, Some(alpn));
        assert!(world.is_ready(), "{name}");
        assert_eq!(world.chosen(), [chosen(name, false)]);
    }
    // Who has chosen knows it.
    let mut world = World::new(config(CarriageConfig::default()));
    world.connect(Far::raw());
    assert!(world.is_ready());
    assert_eq!(world.chosen(), []);
}

/// A server that sends first may be read before the host reports the connection.
#[test]
fn bytes_received_before_the_connection_is_reported_are_kept() {
    let mut world = World::new(config(auto()));
    let (link, _) = world.wanted.pop_front().expect("a link is wanted");
    let mut far = frames();
    let settings = far.receive(&[]);
    assert!(!settings.is_empty(), "an HTTP/2 server sends first");
    let (first, rest) = settings.split_at(5);
    world.cluster.handle_received(world.now, link, first);
    world.cluster.handle_received(world.now, link, rest);
    world.links.insert(link, far);
    world.cluster.handle_connected(world.now, link, None);
    world.run();
    assert!(world.is_ready());
    assert_eq!(world.chosen(), [chosen("frames", false)]);
}

#[test]
fn a_link_that_receives_megabytes_before_it_is_reported_is_lost() {
    let mut world = World::new(config(auto()));
    let (link, _) = world.wanted.pop_front().expect("a link is wanted");
    for _ in 0..17 {
        world.cluster.handle_received(world.now, link, &vec![0; 64 << 10]);
    }
    world.run();
    assert!(world.cluster.receive_buffer(link).is_none());
}

/// what an endpoint has answered is remembered.
#[test]
fn a_step_down_after_an_answer_is_told_and_remembered() {
    let mut world = World::new(config(auto()));
    // It speaks HTTP/1.1 alone, and says so.
    world.connect(Far::Words(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    world.connect(Far::http1(101, None));
    assert!(world.is_ready());
    assert_eq!(world.chosen(), [chosen("upgrade", true)]);
    again(&mut world);
    world.connect(Far::http1(101, None));
    assert!(world.is_ready(), "it begins with what it knows");
    assert_eq!(world.chosen(), []);
}

/// who can cut a link could choose for it otherwise.
#[test]
fn a_step_down_after_a_lost_link_is_for_the_next_link_alone() {
    let mut world = World::new(config(auto()));
    let (link, _) = world.connect(Far::Silent(Vec::new()));
    world.lose(link);
    world.connect(Far::http1(101, None));
    assert!(world.is_ready());
    assert_eq!(world.chosen(), [chosen("upgrade", true)]);
    again(&mut world);
    world.connect(frames());
    assert!(world.is_ready(), "the best again");
    assert_eq!(world.chosen(), [chosen("frames", false)]);
}

///
#[test]
fn a_step_down_after_silence_is_for_the_next_link_alone() {
    let mut world = World::new(config(auto()));
    world.submit(Request::Size {});
    world.connect(Far::Silent(Vec::new()));
    world.wait(TIMEOUT);
    let (_, _) = world.connect(Far::Silent(Vec::new()));
    world.wait(TIMEOUT);
    world.connect(Far::raw());
    assert!(world.is_ready());
    assert_eq!(world.chosen(), [chosen("upgrade", true), chosen("raw", true)]);
    again(&mut world);
    let (link, _) = world.connect(Far::Silent(Vec::new()));
    let Some(Far::Silent(said)) = world.links.get(&link) else { panic!() };
    assert!(said.starts_with(b"PRI * HTTP/2.0"), "the best again");
}

/// until it fails.
#[test]
fn what_is_remembered_is_forgotten_when_it_fails() {
    let mut world = World::new(config(auto()));
    world.connect(Far::Words(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    world.connect(Far::http1(101, None));
    assert!(world.is_ready());
    again(&mut world);
    let (link, _) = world.connect(Far::Silent(Vec::new()));
    world.lose(link);
    // For this once a step down.
    let (link, _) = world.connect(Far::Silent(Vec::new()));
    let Some(Far::Silent(said)) = world.links.get(&link) else { panic!() };
    assert_eq!(said.first(), Some(&0xa0), "raw");
    again(&mut world);
    world.connect(frames());
    assert!(world.is_ready());
}

///
#[test]
fn what_an_endpoint_says_of_a_member_is_no_word_about_the_carriage() {
    for status in [404, 421, 429, 503] {
        let mut world = World::new(config(auto()));
        let (link, _) = world.connect(Far::gateway(Some(Offer::default()), &[(status, None)]));
        assert_eq!(world.chosen(), [], "{status}");
        assert!(!world.is_ready() && world.wanted.is_empty(), "{status}: no other way is taken");
        assert!(!world.links.contains_key(&link));
        world.submit(Request::Size {});
        world.wait(Duration::from_secs(1));
        world.connect(frames());
        assert_eq!(world.chosen(), [chosen("frames", false)], "{status}");
        let upgrade = CarriageConfig { choice: Choice::Auto, ..CarriageConfig::default() };
        let mut world = World::new(Config { tls: Some(TlsConfig::default()), ..config(upgrade) });
        world.connect_with(Far::http1(status, None), Some(b"http/1.1"));
        assert_eq!((world.chosen(), world.wanted.len()), (vec![], 0), "{status} over HTTP/1.1");
    }
    for status in [400, 405, 501] {
        let mut world = World::new(config(auto()));
        world.connect(Far::gateway(Some(Offer::default()), &[(status, None)]));
        assert_eq!((world.chosen().len(), world.wanted.len()), (1, 1), "{status} is a word about the carriage");
    }
}

///
#[test]
fn the_ids_of_alpn_are_those_of_what_may_be_chosen() {
    let offered = |choice| {
        let tls = Some(TlsConfig::default());
        let carriage = CarriageConfig { choice, ..CarriageConfig::default() };
        let mut world = World::new(Config { tls, ..config(carriage) });
        let (_, dial) = world.wanted.pop_front().expect("a link");
        dial.tls.expect("TLS").alpn
    };
    assert_eq!(offered(Choice::Auto), ["h2", "http/1.1", "hotrod"]);
    for carriage in Carriage::ALL {
        let wanted: &[&str] = match carriage {
            Carriage::Raw => &[],
            Carriage::Upgrade | Carriage::Connect => &["http/1.1"],
            Carriage::ConnectHttp2 | Carriage::ExtendedConnect | Carriage::Frames => &["h2"],
        };
        assert_eq!(offered(Choice::Only(carriage)), wanted, "{carriage}");
    }
    // Plain Hot Rod offers what it is told to.
    let tls = TlsConfig { alpn: vec!["HR".into()], ..TlsConfig::default() };
    let mut world = World::new(Config { tls: Some(tls), ..config(CarriageConfig::default()) });
    let (_, dial) = world.wanted.pop_front().expect("a link");
    assert_eq!(dial.tls.expect("TLS").alpn, ["HR"]);
}

/// A link that is to have a certain carriage must not have another selected.
#[test]
fn after_a_step_down_only_the_ids_of_that_carriage_are_offered() {
    let mut world = World::new(Config { tls: Some(TlsConfig::default()), ..config(auto()) });
    let (_, dial) = world.connect_with(Far::gateway(Some(Offer::default()), &[(501, None)]), Some(b"h2"));
    assert_eq!(dial.tls.expect("TLS").alpn.len(), 3);
    let (_, dial) = world.connect_with(Far::gateway(None, &[(501, None)]), Some(b"h2"));
    assert_eq!(dial.tls.expect("TLS").alpn, ["h2"]);
    let (_, dial) = world.connect_with(Far::http1(101, None), Some(b"http/1.1"));
    assert_eq!(dial.tls.expect("TLS").alpn, ["http/1.1"]);
    assert!(world.is_ready());
    again(&mut world);
    let (_, dial) = world.wanted.pop_front().expect("a link");
    assert_eq!(dial.tls.expect("TLS").alpn, ["http/1.1"], "it was found there");
}

///
#[test]
fn a_server_that_selects_hr_and_closes_is_tried_without_alpn() {
    let tls = TlsConfig { alpn: vec!["HR".into()], ..TlsConfig::default() };
    let mut world = World::new(Config { tls: Some(tls), ..config(CarriageConfig::default()) });
    let (link, dial) = world.connect_with(Far::Silent(Vec::new()), Some(b"HR"));
    assert_eq!(dial.tls.expect("TLS").alpn, ["HR"]);
    world.lose(link);
    let (_, dial) = world.connect(Far::raw());
    assert!(dial.tls.expect("TLS").alpn.is_empty());
    assert!(
        world.is_ready()
            && !world.events.iter().any(|event| { matches!(event, crate::cluster::Event::MemberUnavailable { .. }) })
    );
    again(&mut world);
    let (_, dial) = world.wanted.pop_front().expect("a link");
    assert!(dial.tls.expect("TLS").alpn.is_empty(), "it is remembered");
}

/// nothing can be sent before TLS is established.
#[test]
fn there_is_nothing_to_send_before_the_link_is_there() {
    for choice in Carriage::ALL.into_iter().map(Choice::Only).chain([Choice::Auto]) {
        let carriage = CarriageConfig { choice, ..CarriageConfig::default() };
        let mut world = World::new(Config { tls: Some(TlsConfig::default()), ..config(carriage) });
        world.submit(Request::Size {});
        let (link, _) = world.wanted.front().expect("a link").clone();
        assert!(world.cluster.transmit(link).is_none(), "{choice:?}");
        world.cluster.handle_connected(world.now, link, None);
        assert!(world.cluster.transmit(link).is_some_and(|out| !out.is_empty()), "{choice:?}");
    }
}

/// Clusters on which pods come and go have any number of endpoints.
#[test]
fn endpoints_of_members_that_left_are_forgotten() {
    let member_hosts = "*".parse().ok();
    let mut world = World::new(Config { tls: Some(TlsConfig::default()), member_hosts, ..with_login(auto()) });
    for id in 1..=100 {
        let members = vec![Member { host: format!("pod-{id}"), port: 11222 }];
        world.connect_with(Far::login(4_096, Some(Topology { id, members, hash: None })), Some(b"hotrod"));
        world.wait(Duration::from_millis(100));
        world.submit(Request::Size {});
    }
    let reported = world.events.iter().filter(|event| matches!(event, Event::CarriageChosen { .. })).count();
    assert_eq!(reported, 100, "one of each endpoint");
    assert!(world.cluster.transport.endpoint_facts() <= 64 + 8 * 3, "{}", world.cluster.transport.endpoint_facts());
}

const PODS: usize = 5;

/// A gateway before five pods that lets so many streams through on a link.
fn with_streams(most: u32) -> Far {
    let members = (0..PODS).map(|pod| Member { host: format!("pod-{pod}"), port: 11222 }).collect();
    let mut config = ServerConfig { frames: Some(Offer::default()), ..ServerConfig::default() };
    config.http2.settings.max_concurrent_streams = Some(most);
    let mut far = frames();
    if let Far::Gateway(gateway) = &mut far {
        gateway.link = ServerLink::new(config, Instant::EPOCH);
        gateway.topology = Some(Topology { id: 1, members, hash: None });
    }
    far
}

/// A client that has connected to the links that it wants, which let so many streams through. Returns the number of links.
fn connected_with(streams: &[u32]) -> (World, usize) {
    let access = Access { path: AccessPath::Header, ..Access::default() };
    let mut world = World::new(Config { access, ..config(auto()) });
    let mut links = 0;
    while !world.wanted.is_empty() {
        world.connect(with_streams(*streams.get(links).or(streams.last()).expect("a limit")));
        links += 1;
    }
    (world, links)
}

/// No member has failed, and each is reached without a pause.
#[test]
fn a_link_that_carries_few_sessions_is_one_of_several() {
    for (streams, links) in [(&[1][..], 5), (&[2], 3), (&[100], 1), (&[3, 1], 3), (&[4, 3, 1], 2)] {
        let (world, connected) = connected_with(streams);
        let failed = world.events.iter().filter(|event| matches!(event, Event::MemberUnavailable { .. }));
        assert_eq!((connected, failed.count()), (links, 0), "{streams:?}");
        assert_eq!(world.cluster.coverage().covered, PODS, "{streams:?}");
    }
}

#[test]
fn an_endpoint_that_takes_no_session_gets_a_pause() {
    let (world, links) = connected_with(&[0]);
    assert_eq!((links, world.cluster.coverage().covered), (1, 0));
    assert!(world.events.iter().any(|event| matches!(event, Event::MemberUnavailable { .. })));
}
