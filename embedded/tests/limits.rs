//! Deadlines of clients and limits of their memory, on virtual time.

mod common;

use std::time::Duration;

use common::{World, bytes};
use hotrod_core::time::Instant;
use hotrod_core::wire::{CounterConfiguration, CounterKind, Request, RequestOptions, Status};
use hotrod_embedded::{Cluster, ClusterOptions, Deadlines, End, Late, Link, MemberId, Moment};

const LIMITED: Deadlines = Deadlines { request: Some(Duration::from_secs(10)), idle: None };

fn cluster(options: ClusterOptions) -> Cluster {
    let mut cluster = Cluster::new(options, Moment::default());
    cluster.add_member(common::address(11222));
    cluster
}

fn at(seconds: u64) -> Moment {
    Moment { now: Instant::from_micros(seconds * 1_000_000), unix_ms: common::START_MS + seconds * 1000 }
}

/// A link on virtual time.
struct Client {
    link: Link,
    second: u64,
}

impl Client {
    fn connect(cluster: &mut Cluster) -> Self {
        let mut client = Self { link: Link::open(cluster, MemberId(0)).unwrap(), second: 0 };
        client.link.process(cluster, at(0));
        client
    }

    /// Sends bytes, receives the node's, and returns whether the link is still open.
    fn say(&mut self, cluster: &mut Cluster, words: &[u8]) -> bool {
        self.link.handle_received(words);
        self.link.process(cluster, at(self.second));
        let sent = self.link.transmit().len();
        self.link.transmitted(sent);
        self.link.end().is_none()
    }

    /// Sends the same bytes in each second of the given time.
    fn wait(&mut self, cluster: &mut Cluster, seconds: u64, words: &[u8]) -> bool {
        (0..seconds).all(|_| {
            self.second += 1;
            self.say(cluster, words)
        })
    }
}

/// Returns a request of version 3.1 on cache "dist".
fn request(operation: u8, fields: &[u8]) -> Vec<u8> {
    [&[0xa0, 1, 31, operation, 4][..], b"dist", &[0, 1, 0, 0, 0], fields].concat()
}

fn ping() -> Vec<u8> {
    request(0x17, &[])
}

/// Returns the first bytes of a PUT of a large value.
fn half_a_put() -> Vec<u8> {
    request(0x01, b"\x01k\x88\xff\xff\xff\x07value")
}

const SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0";
const HTTP2_PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0PINGPING";
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: node\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n";

#[test]
fn a_link_without_a_whole_request_ends_whatever_it_sends() {
    for (first, each_second) in [
        (&b""[..], &b""[..]),
        (b"\xa0", b""),
        (&half_a_put(), b""),
        (&half_a_put(), b"x"),
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\nHost: node\r\nX: ", b"x"),
        (b"GET / HTTP/1.1\r\nHost: node\r\n\r\n", b"GET / HTTP/1.1\r\nHost: node\r\n\r\n"),
        (UPGRADE, b""),
        (b"PRI * HTTP/2.0\r\n", b""),
        (SETTINGS, b""),
        (SETTINGS, HTTP2_PING),
    ] {
        let mut cluster = cluster(ClusterOptions { deadlines: LIMITED, ..ClusterOptions::default() });
        let mut client = Client::connect(&mut cluster);
        assert!(client.say(&mut cluster, first), "{}: {:?}", first.escape_ascii(), client.link.end());
        assert!(client.wait(&mut cluster, 10, each_second), "{}: {:?}", first.escape_ascii(), client.link.end());
        assert!(!client.wait(&mut cluster, 1, each_second), "{}", first.escape_ascii());
        assert_eq!(client.link.end(), Some(&End::Late(Late::First)), "{}", first.escape_ascii());
        assert!(client.link.is_finished());
        client.link.close(&mut cluster);
    }
}

#[test]
fn a_link_that_has_sent_a_request_may_be_quiet_but_not_stop_in_the_next() {
    let mut cluster = cluster(ClusterOptions { deadlines: LIMITED, ..ClusterOptions::default() });
    for begin in [&b""[..], UPGRADE] {
        let mut client = Client::connect(&mut cluster);
        assert!(client.say(&mut cluster, begin) && client.say(&mut cluster, &ping()));
        assert!(client.wait(&mut cluster, 1000, b""));
        assert!(client.say(&mut cluster, &half_a_put()) && client.wait(&mut cluster, 10, b"x"));
        assert!(!client.wait(&mut cluster, 1, b"x"));
        assert_eq!(client.link.end(), Some(&End::Late(Late::Rest)));
        client.link.close(&mut cluster);
    }
}

#[test]
fn a_large_request_may_take_its_time_at_a_rate() {
    let mut cluster = cluster(ClusterOptions { deadlines: LIMITED, ..ClusterOptions::default() });
    let mut client = Client::connect(&mut cluster);
    assert!(client.say(&mut cluster, &half_a_put()));
    assert!(client.wait(&mut cluster, 100, &[0; 16 << 10]), "{:?}", client.link.end());
    let mut slow = Client::connect(&mut cluster);
    assert!(slow.say(&mut cluster, &half_a_put()));
    assert!(!slow.wait(&mut cluster, 100, &[0; 8 << 10]));
}

#[test]
fn a_link_on_which_nothing_of_hot_rod_moves_is_idle() {
    let deadlines = Deadlines { idle: Some(Duration::from_secs(100)), ..Deadlines::default() };
    let mut cluster = cluster(ClusterOptions { deadlines, ..ClusterOptions::default() });
    for (begin, each_second) in [(&b""[..], &b""[..]), (SETTINGS, HTTP2_PING), (UPGRADE, b"")] {
        let mut client = Client::connect(&mut cluster);
        assert!(client.say(&mut cluster, begin) && client.wait(&mut cluster, 100, each_second));
        assert!(!client.wait(&mut cluster, 1, each_second));
        assert_eq!(client.link.end(), Some(&End::Late(Late::Idle)), "{}", begin.escape_ascii());
        client.link.close(&mut cluster);
    }
    let mut busy = Client::connect(&mut cluster);
    assert!(busy.wait(&mut cluster, 500, &ping()));
}

/// The link that occupies most memory ends; the others do not.
#[test]
fn what_all_links_hold_together_is_bounded() {
    let options = ClusterOptions { max_link_bytes: 1 << 20, max_held_bytes: 3 << 20, ..ClusterOptions::default() };
    let mut cluster = cluster(options);
    let mut good = Client::connect(&mut cluster);
    let mut attackers: Vec<_> = (0..54).map(|_| Client::connect(&mut cluster)).collect();
    for attacker in &mut attackers {
        attacker.say(&mut cluster, &half_a_put());
        attacker.say(&mut cluster, &vec![0; 500 << 10]);
        while let Some(woken) = cluster.poll_wakeup() {
            assert_ne!(woken, good.link.id());
        }
    }
    attackers.iter_mut().for_each(|attacker| {
        attacker.say(&mut cluster, b"");
    });
    let ended: Vec<_> = attackers.iter().filter_map(|attacker| attacker.link.end()).collect();
    assert_eq!(ended.len(), 48, "6 times 500 KiB fit into 3 MiB");
    for end in ended {
        assert!(matches!(end, End::TooMuch { limit, .. } if *limit == 3 << 20), "{end}");
    }
    assert!(good.say(&mut cluster, &ping()));
    let mut large = Client::connect(&mut cluster);
    large.say(&mut cluster, &half_a_put());
    assert!(!large.say(&mut cluster, &vec![0; 1 << 20]));
    assert!(matches!(large.link.end(), Some(End::TooMuch { limit, .. }) if *limit == 1 << 20));
}

/// Chunks of unfinished streams count as well.
#[test]
fn streams_that_are_not_finished_are_held_for_their_link() {
    let options = ClusterOptions { max_link_bytes: 1 << 20, ..ClusterOptions::default() };
    let mut cluster = cluster(options);
    let mut client = Client::connect(&mut cluster);
    let of_4_1 = |operation: u8, fields: &[u8]| {
        [&[0xa0, 1, 41, operation, 4][..], b"dist", &[0, 1, 0, 0, 0, 0], fields].concat()
    };
    let chunk = [&[0x80, 0x80, 0x04][..], &vec![0; 64 << 10]].concat();
    let mut taken = 0;
    for number in 0..32_u8 {
        let started = client.say(&mut cluster, &of_4_1(0xef, &[&b"\x01k\x88"[..], &[0; 8]].concat()));
        let next = of_4_1(0xed, &[&[0, 0, 0, number, 0], &chunk[..]].concat());
        if !started || !client.say(&mut cluster, &next) {
            break;
        }
        taken += 1;
    }
    assert!((10..16).contains(&taken), "{taken} chunks of 64 KiB: {:?}", client.link.end());
    assert!(matches!(client.link.end(), Some(End::TooMuch { .. })), "{:?}", client.link.end());
}

#[test]
fn names_are_as_long_as_infinispan_has_them_and_listeners_are_counted() {
    let mut world = World::with(1, ClusterOptions { max_listeners: 2, ..ClusterOptions::default() });
    let client = world.connect(0);
    let create = |length| Request::Exec {
        task: "@@cache@create".into(),
        parameters: vec![("name".into(), "x".repeat(length).into())],
    };
    assert_eq!(world.call(client, "", create(255)).0, Status::SUCCESS);
    assert!(world.error(client, "", create(256)).1.contains("less than 256 bytes"));

    let options = RequestOptions::cache("org.infinispan.COUNTER");
    let kind = CounterKind::UnboundedStrong;
    let configuration = CounterConfiguration { kind, persistent: false, initial_value: 0 };
    for length in [255, 256, 1, 2] {
        let request = Request::CounterCreate { counter: "c".repeat(length), configuration: configuration.clone() };
        assert_eq!(world.ask(client, &options, &request).is_ok(), length < 256, "{length}");
    }
    for (number, (length, is_taken)) in [(1, true), (2, true), (255, false)].into_iter().enumerate() {
        let (counter, listener_id) = ("c".repeat(length), bytes(&number.to_string()));
        let request = Request::CounterAddListener { counter, listener_id };
        assert_eq!(world.ask(client, &options, &request).is_ok(), is_taken, "{length}");
    }
    let bloom = Request::AddBloomFilterListener { listener_id: bytes("near"), bloom_bits: u32::MAX >> 1 };
    assert!(world.error(client, "dist", bloom).1.contains("are allowed"));
}
