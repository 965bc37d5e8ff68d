//! Before all members.

use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::Client;

use crate::common::{config, node, readiness, until};

async fn front(seeds: &str) -> Gateway {
    let arguments = ["--front", "--upstream", seeds, "--topology-cache", "dist", "--topology-interval", "50ms"];
    let more = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    Gateway::start(config(&[&arguments[..], &more].concat())).await.unwrap()
}

async fn members(gateway: &Gateway) -> usize {
    let (_, body) = readiness(gateway).await;
    let known = body["membership"]["known_by"] == "own connection";
    body["membership"]["members"].as_array().unwrap().len() * usize::from(known)
}

#[tokio::test]
async fn it_follows_the_cluster_from_one_member_on() {
    let mut node = node(2).await;
    let seed = node.addresses()[0];
    // The first one is nobody.
    let gateway = front(&format!("127.0.0.1:1,{seed}")).await;
    until("two members are known", || async { members(&gateway).await == 2 }).await;
    node.add_member().await.unwrap();
    until("three members are known", || async { members(&gateway).await == 3 }).await;
    // The one that it talks to dies: another one tells the rest.
    assert!(node.kill_member(0).await);
    until("two members are left", || async { members(&gateway).await == 2 && readiness(&gateway).await.0 == 200 })
        .await;
    let (_, body) = readiness(&gateway).await;
    let left: Vec<_> = node.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(body["membership"]["members"], serde_json::json!(left));
    assert_eq!((body["role"].as_str(), body["membership"]["own"].as_str()), (Some("front"), None));
    node.stop().await;
}

/// Plain Hot Rod names no member: whoever is there takes turns.
#[tokio::test]
async fn clients_that_name_nobody_are_spread_over_the_members() {
    let mut node = node(3).await;
    let gateway = front(&node.addresses()[0].to_string()).await;
    until("three members are known", || async { members(&gateway).await == 3 }).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic", gateway.address());
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = Client::connect(&uri).await.unwrap();
        client.default_cache().put("k", "v").await.unwrap();
        clients.push(client);
    }
    for number in 0..3 {
        let id = node.member_id(number).unwrap();
        let counts = node.with_cluster(|cluster, _| cluster.counts("dist", id));
        assert_eq!(counts.stores, 1, "member {number}: {counts:?}");
    }
    // One that is gone is passed over, also before the topology says so.
    assert!(node.kill_member(1).await);
    for _ in 0..3 {
        Client::connect(&uri).await.unwrap().default_cache().put("k", "v").await.unwrap();
    }
    node.stop().await;
}
