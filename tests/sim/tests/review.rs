//! Situations that a review has thought of.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hotrod_core::cluster::{
    Call, Cluster, Config, Event, IterationOptions, LinkId, ListenerKind, NearCacheOptions, Output, Site,
};
use hotrod_core::session::ServerSession;
use hotrod_core::time::Instant;
use hotrod_core::wire::{
    Body, Expiration, IterationBatch, IterationEntry, Limits, ListenerOptions, MediaType, Member, Ping, Reply, Request,
    RequestOptions, Status, Topology,
};
use hotrod_sim::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn put(key: &str) -> Request {
    Request::Put { key: Bytes::copy_from_slice(key.as_bytes()), expiration: Expiration::DEFAULT, value: "v".into() }
}

fn get(key: &str) -> Request {
    Request::Get { key: Bytes::copy_from_slice(key.as_bytes()) }
}

fn address(port: u16) -> Member {
    Member { host: "10.0.0.1".into(), port }
}

fn balanced() -> Config {
    Config::new(vec![address(443)])
}

fn settled(members: u16, config: Config) -> World {
    let mut world = World::with(members, 5, config);
    let entries = (0..200).map(|n| (Bytes::from(format!("key {n}")), Bytes::from("value"))).collect();
    world.call(Request::PutAll { expiration: Expiration::DEFAULT, entries }).expect("stored");
    world.run_for(SECOND);
    world
}

fn links(world: &World) -> usize {
    world.client.members().map(|member| member.links).sum()
}

fn iterate(world: &mut World) -> hotrod_core::cluster::IterationId {
    let (now, cache) = (world.now(), world.cache.clone());
    let mut options = IterationOptions::default();
    options.batch_size = 5;
    world.client.iterate(now, &cache, options).expect("accepted")
}

/// The server's answer comes when nobody wants the listener any more: it has to be told, or it sends events for ever.
#[test]
fn a_listener_that_is_removed_while_it_is_being_registered_is_not_kept_by_the_server() {
    let mut world = settled(3, balanced());
    let (now, cache) = (world.now(), world.cache.clone());
    // The link for listeners is there already.
    let other = world.client.listen(now, &cache, ListenerKind::Cache(ListenerOptions::default())).expect("accepted");
    world.run_for(SECOND);
    let at = links(&world);
    for _ in 0..10 {
        let now = world.now();
        let listener =
            world.client.listen(now, &cache, ListenerKind::Cache(ListenerOptions::default())).expect("accepted");
        assert!(world.client.remove_listener(now, listener));
        world.run_for(SECOND);
    }
    let now = world.now();
    assert!(world.client.remove_listener(now, other));
    world.run_for(SECOND);
    assert_eq!(links(&world), at - 1, "links for listeners that nobody has");
    assert_eq!(world.client.in_flight(), 0);
}

/// The same of a near cache, whose listener is on the link of the operations: that one stays.
#[test]
fn a_near_cache_that_is_disabled_while_it_begins_leaves_no_listener_behind() {
    let mut world = settled(3, balanced());
    let (now, cache) = (world.now(), world.cache.clone());
    for _ in 0..10 {
        world.client.near_cache(now, &cache, NearCacheOptions::default()).expect("accepted");
        world.client.remove_near_cache(now, &cache);
        world.run_for(SECOND);
    }
    let before = world.client.counters().bytes_received;
    for n in 0..10 {
        world.write_by_another(&Bytes::from(format!("key {n}")), &Bytes::from("new"));
    }
    world.run_for(SECOND);
    assert_eq!(world.client.counters().bytes_received - before, 0, "bytes of events that nobody wants");
}

#[test]
fn a_client_that_is_closed_opens_no_link_for_an_iteration() {
    let mut world = settled(3, balanced());
    let id = iterate(&mut world);
    world.next_entries(id).expect("entries");
    world.run_for(SECOND);
    let now = world.now();
    world.client.close(now);
    world.run_for(SECOND);
    assert!(world.client.is_closed());
    for _ in 0..10 {
        let now = world.now();
        if !world.client.next_entries(now, id) {
            break;
        }
        world.run_for(SECOND);
        assert!(world.client.is_closed(), "a link of a client that is closed");
        let over = world.entries.remove(&id).expect("an answer");
        if over.is_err() {
            break;
        }
    }
}

/// What was begun at one site must not lead the client back there.
#[test]
fn an_iteration_that_was_begun_at_another_site_leads_nobody_back() {
    let nowhere = Site::new("nowhere", vec![address(1)]);
    let mut config = balanced();
    config.sites = vec![nowhere];
    config.site_failures = u32::MAX;
    let mut world = settled(3, config);
    let id = iterate(&mut world);
    world.next_entries(id).expect("entries");
    world.run_for(SECOND);
    let now = world.now();
    world.client.switch_site(now, "nowhere");
    for _ in 0..4 {
        let now = world.now();
        if !world.client.next_entries(now, id) {
            break;
        }
        world.run_for(SECOND);
        world.entries.remove(&id);
    }
    assert!(world.client.view(&world.cache).is_none(), "the owners of another cluster");
    assert!(world.call(put("key")).is_err(), "stored at the site that was left");
}

#[test]
fn a_bloom_filter_for_very_many_entries_is_as_large_as_it_may_be() {
    let mut world = settled(1, balanced());
    let (now, cache) = (world.now(), world.cache.clone());
    let mut options = NearCacheOptions::default();
    options.max_entries = 1 << 31;
    options.bloom_filter = true;
    world.client.near_cache(now, &cache, options).expect("accepted");
}

/// With several links to a member the reads take the one on which the events come.
#[test]
fn a_near_cache_with_a_bloom_filter_works_with_several_links() {
    let mut config = balanced();
    config.links_per_member = 3;
    let mut world = settled(1, config);
    let pending: Vec<_> = (0..301).map(|n| world.submit(put(&format!("key {n}")))).collect();
    let (now, cache) = (world.now(), world.cache.clone());
    let mut options = NearCacheOptions::default();
    options.bloom_filter = true;
    world.client.near_cache(now, &cache, options).expect("accepted");
    world.run_for(5 * SECOND);
    pending.iter().for_each(|id| assert!(world.answers.remove(id).expect("an answer").is_ok()));
    assert!(world.has_told(|event| matches!(event, Event::NearCacheActive { .. })));
    let before = world.client.counters().near_hits;
    for _ in 0..5 {
        world.call(get("key 1")).expect("read");
    }
    assert_eq!(world.client.counters().near_hits - before, 4);
}

/// Ten thousand that wait must not cost a hundred million comparisons whenever they are tried again.
#[test]
fn very_many_operations_that_wait_are_tried_again_in_little_time() {
    let mut world = World::with(1, 1, Config::new(vec![address(1)]));
    for n in 0..9_990 {
        world.submit(put(&format!("key {n}")));
    }
    let begun = std::time::Instant::now();
    world.run_for(20 * SECOND);
    assert_eq!(world.answers.len(), 9_990);
    let taken = begun.elapsed();
    eprintln!("{taken:?}");
    assert!(taken < 2 * SECOND, "{taken:?}");
}

type Answer = (Status, Body, Option<Topology>);

/// A client whose servers answer whatever a test says.
struct Scripted {
    client: Cluster,
    servers: BTreeMap<LinkId, ServerSession>,
    now: Instant,
    requests: usize,
    outputs: Vec<Output>,
}

impl Scripted {
    fn new() -> Self {
        let now = Instant::from_micros(1_000_000);
        let client = Cluster::new(Config::new(vec![address(1)]), [7; 32], now);
        Self { client, servers: BTreeMap::new(), now, requests: 0, outputs: Vec::new() }
    }

    /// Until nobody has anything to say, or so many requests were made. Answers whether it came to rest.
    fn settle(&mut self, most: usize, mut answer: impl FnMut(&Request) -> Answer) -> bool {
        let end = self.requests + most;
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { link, .. } => {
                    self.servers.insert(link, ServerSession::new(Limits::default(), usize::MAX));
                    self.client.handle_connected(self.now, link, None);
                }
                Output::Close { link } => drop(self.servers.remove(&link)),
                Output::Transmit { link } => {
                    let (Some(server), Some(out)) = (self.servers.get_mut(&link), self.client.transmit(link)) else {
                        continue;
                    };
                    let bytes = out.to_bytes();
                    self.client.transmitted(link, bytes.len());
                    server.handle_received(&bytes);
                    while let Some((header, request)) = server.poll_request() {
                        self.requests += 1;
                        let (status, body, topology) = answer(&request);
                        let topology = topology.filter(|new| new.id != header.topology_id).map(Box::new);
                        let reply = Reply { message_id: header.message_id, status, topology, body };
                        server.reply(&header, request.operation(), &reply);
                    }
                    let bytes = server.transmit().to_bytes();
                    server.transmitted(bytes.len());
                    self.client.handle_received(self.now, link, &bytes);
                }
                other => self.outputs.push(other),
            }
            if self.requests >= end {
                return false;
            }
        }
        true
    }
}

fn pong() -> Body {
    let (key_type, value_type) = (MediaType::Unspecified, MediaType::Unspecified);
    Body::Ping(Box::new(Ping { key_type, value_type, server_version: Some(31), operations: Vec::new() }))
}

#[test]
fn servers_that_lose_every_iteration_at_the_same_place_are_not_asked_for_ever() {
    let mut world = Scripted::new();
    let cache = world.client.cache(world.now, RequestOptions::cache("c"));
    let id = world.client.iterate(world.now, &cache, IterationOptions::default()).expect("accepted");
    let entry = IterationEntry { key: "k".into(), values: vec!["v".into()], metadata: None };
    let mut is_first = false;
    let mut answer = |request: &Request| match request {
        Request::IterationStart { .. } => {
            is_first = true;
            (Status::SUCCESS, Body::IterationId("x".into()), None)
        }
        Request::IterationNext { .. } => {
            let entries = if is_first { vec![entry.clone()] } else { Vec::new() };
            let status = if is_first { Status::SUCCESS } else { Status::INVALID_ITERATION };
            is_first = false;
            (status, Body::Iteration(IterationBatch { entries, ..IterationBatch::default() }), None)
        }
        Request::Ping {} => (Status::SUCCESS, pong(), None),
        _ => (Status::SUCCESS, Body::Nothing, None),
    };
    for _ in 0..2 {
        assert!(world.client.next_entries(world.now, id));
        assert!(world.settle(1000, &mut answer), "it comes to no end");
    }
    let last = world.outputs.iter().rev().find_map(|output| match output {
        Output::Entries { result, .. } => Some(result),
        _ => None,
    });
    assert!(last.expect("an answer").is_err(), "{last:?}");
}

/// A server that is about to stop says so at once, and again as often as it is asked.
#[test]
fn a_listener_that_is_put_off_is_not_registered_again_without_a_pause() {
    let mut world = Scripted::new();
    let cache = world.client.cache(world.now, RequestOptions::cache("c"));
    let kind = ListenerKind::Cache(ListenerOptions::default());
    world.client.listen(world.now, &cache, kind).expect("accepted");
    let rests = world.settle(1000, |request| match request {
        Request::Ping {} => (Status::SUCCESS, pong(), None),
        _ => (Status::ILLEGAL_LIFECYCLE_STATE, Body::Error("stopping".into()), None),
    });
    assert!(rests, "registered {} times at the same moment", world.requests);
}

/// A server may name any number of members, others with every answer: the client does not dial them all.
#[test]
fn a_topology_of_very_many_members_opens_only_so_many_links_ahead() {
    let mut world = Scripted::new();
    let cache = world.client.cache(world.now, RequestOptions::cache("c"));
    for id in 1..4 {
        let operation = Call::new(&cache, Request::Get { key: "k".into() });
        world.client.submit(world.now, operation).expect("accepted");
        world.settle(20_000, |request| {
            let members = (0..4096).map(|n| Member { host: format!("host-{id}-{n}"), port: 1 }).collect();
            let topology = Topology { id, members, hash: None };
            match request {
                Request::Ping {} => (Status::SUCCESS, pong(), None),
                _ => (Status::KEY_DOES_NOT_EXIST, Body::Nothing, Some(topology)),
            }
        });
        let links: usize = world.client.members().map(|member| member.links).sum();
        assert!(links <= 1_001, "{links} links");
    }
}
