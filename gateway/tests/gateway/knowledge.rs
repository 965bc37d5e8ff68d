//! What sessions are told of the member and the cluster, unasked (spec/hotrod-over-http.md, section 11).

use hotrod_core::carriage::registry::setting;
use hotrod_core::wire::{Body, Member, Operation, Request};

use crate::common::{Played, config, readiness, sidecar, until};
use crate::peer::{FRAMES, Heard, Peer, WHOLE, get, hot_rod_knowing};

fn members(count: u16) -> Vec<Member> {
    (0..count).map(|number| Member { host: format!("10.0.0.{number}"), port: 11222 }).collect()
}

const FAST: [&str; 2] = ["--topology-interval", "20ms"];

/// how the gateway knows the cluster, and where the member is, may become known later.
#[tokio::test]
async fn node_comes_again_when_the_member_is_known_better() {
    let played = Played::new().await;
    let gateway = sidecar(played.address(), &FAST).await;
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    let stream = peer.ask_session(&[]).await;
    assert!(matches!(peer.next().await, Heard::Answer { status: 200, .. }));
    let node = |knowledge, host: &str, port| {
        let (name, host) = ("node-0".into(), host.into());
        Heard::Node { stream, mode: 1, knowledge, name, host, port }
    };
    assert_eq!(peer.next().await, node(0, "", 0));
    let served = async { played.next().await };
    let client = async {
        played.set_topology(5, &members(1));
        assert_eq!(peer.next().await, node(2, "10.0.0.0", 11222));
        // Another view in which the member is the same is no news of it.
        let upstream = Member { host: "127.0.0.1".into(), port: played.address().port() };
        played.set_topology(6, std::slice::from_ref(&upstream));
        assert_eq!(peer.next().await, node(2, "127.0.0.1", upstream.port));
        played.set_topology(7, &[members(1), vec![upstream]].concat());
        until("two members are known", || async {
            readiness(&gateway).await.1["membership"]["members"].as_array().is_some_and(|all| all.len() == 2)
        })
        .await;
        assert_eq!(peer.before_now().await, []);
        assert_eq!(peer.before_now().await, []);
    };
    tokio::select! { _ = served => panic!("nobody asked anything"), () = client => {} }
}

/// a member has a name by which it can be asked for.
#[test]
fn a_member_without_a_name_is_refused_at_the_start() {
    for name in ["", "two words", "n\u{e4}me"] {
        let arguments = ["hotrod-gateway", "--upstream", "127.0.0.1:1", "--node-name", name, "--listen", "127.0.0.1:0"];
        let error = hotrod_gateway::config::Invocation::load(arguments).unwrap_err().to_string();
        assert!(error.contains("node-name"), "{name:?}: {error}");
    }
    let _ = config(&["--upstream", "127.0.0.1:1", "--node-name", "n", "--listen", "127.0.0.1:0"]);
}

fn topology(payload: &[u8]) -> (&[u8], u8, u8) {
    let length = usize::from(u16::from_be_bytes([payload[0], payload[1]]));
    let (cache, view) = payload[2..].split_at(length);
    (cache, view[0], view[1])
}

/// a view that the gateway's own connection brings goes to sessions that the member has told of the cache, if
/// it fits a frame.
#[tokio::test]
async fn a_new_view_reaches_sessions_unasked_that_may_know_of_the_cache() {
    let played = Played::new().await;
    played.set_topology(1, &members(1));
    let gateway = sidecar(played.address(), &FAST).await;
    let known = |count: usize| {
        let gateway = &gateway;
        async move {
            until("the members are known", || async {
                let (_, body) = readiness(gateway).await;
                let all = body["membership"]["members"].as_array().map_or(0, Vec::len);
                body["membership"]["known_by"] == "own connection" && all == count
            })
            .await;
        }
    };
    let serve = async {
        let (mut member, asked, _) = played.next().await;
        member.answer(&asked, Operation::Get, Body::Value("v".into())).await;
        std::future::pending::<()>().await;
        drop(member);
    };
    let client = async {
        known(1).await;
        let mut peer = Peer::connect(gateway.address(), &[FRAMES, (setting::HOT_ROD, 1)]).await;
        let (stream, other) = (peer.open().await, peer.open().await);
        let is_topology = |heard: &Heard| matches!(heard, Heard::Topology { .. });
        played.set_topology(2, &members(2));
        known(2).await;
        let before = [peer.before_now().await, peer.before_now().await].concat();
        assert!(!before.iter().any(is_topology), "nothing was answered: {before:?}");
        // PING that brings no view says nothing of the cache.
        peer.request(stream, 1, WHOLE, &hot_rod_knowing(1, 2, &Request::Ping {})).await;
        while !matches!(peer.next().await, Heard::Response { call: 1, .. }) {}
        played.set_topology(3, &members(3));
        known(3).await;
        let before = [peer.before_now().await, peer.before_now().await].concat();
        assert!(!before.iter().any(is_topology), "only PING was answered: {before:?}");
        // GET that is answered does.
        peer.request(stream, 2, WHOLE, &get(2)).await;
        while !matches!(peer.next().await, Heard::Response { call: 2, .. }) {}
        played.set_topology(4, &members(4));
        let mut told = Vec::new();
        let next_view = async |peer: &mut Peer, told: &mut Vec<Heard>| loop {
            match peer.next().await {
                Heard::Topology { stream, payload } => return (stream, payload),
                heard => told.push(heard),
            }
        };
        let (on, payload) = next_view(&mut peer, &mut told).await;
        assert_eq!((on, topology(&payload)), (stream, (&b"dist"[..], 4, 4)));
        // 2,000 members are more than 16,384 octets; the next view that fits comes again.
        played.set_topology(5, &members(2_000));
        known(2_000).await;
        played.set_topology(6, &members(6));
        let (on, payload) = next_view(&mut peer, &mut told).await;
        assert_eq!((on, topology(&payload)), (stream, (&b"dist"[..], 6, 6)));
        let about_other = |heard: &Heard| matches!(heard, Heard::Topology { stream, .. } if *stream == other);
        assert!(!told.iter().any(about_other));
    };
    tokio::select! { () = serve => {}, () = client => {} }
}
