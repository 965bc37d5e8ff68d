//! The gateway before real servers: who may come in, what it finds out about the cluster, and with what rights.

use std::time::Duration;

use hotrod_core::wire::{Expiration, Flags, ListenerOptions};
use hotrod_gateway::config::{Config, Invocation, Mode};
use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::{Client, ListenerEvent};
use infinispan_harness::{Cluster, Flavour, Options, skip_real};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

fn cluster(flavour: Flavour, nodes: usize) -> &'static Cluster {
    infinispan_harness::shared(Options { flavour, nodes, ..Options::default() })
}

fn run(test: impl Future<Output = ()>) {
    if !skip_real() {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test);
    }
}

fn config(arguments: &[&str]) -> Config {
    let ports = ["hotrod-gateway", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    match Invocation::load(ports.iter().chain(arguments)).unwrap_or_else(|error| panic!("{error}")).mode {
        Mode::Gateway(config) => *config,
        Mode::Embedded(..) => panic!("{arguments:?} is no gateway"),
    }
}

/// Before the first node.
async fn sidecar(cluster: &Cluster, more: &[&str]) -> Gateway {
    let upstream = address(cluster, 0);
    let arguments = [&["--upstream", &upstream, "--node-name", "node-0"], more].concat();
    Gateway::start(config(&arguments)).await.unwrap()
}

fn address(cluster: &Cluster, node: usize) -> String {
    let endpoint = &cluster.endpoints()[node];
    format!("{}:{}", endpoint.host, endpoint.port)
}

/// What the admin port answers.
async fn ask(gateway: &Gateway, path: &str) -> String {
    let mut stream = TcpStream::connect(gateway.admin_address().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.into()
}

/// What /readyz says.
async fn readiness(gateway: &Gateway) -> serde_json::Value {
    serde_json::from_str(&ask(gateway, "/readyz").await).unwrap()
}

/// How many bytes of clients have gone to members.
async fn relayed_to_member(gateway: &Gateway) -> u64 {
    let series = "hotrod_gateway_relayed_bytes_total{direction=\"to_member\"} ";
    let text = ask(gateway, "/metrics").await;
    text.lines().find_map(|line| line.strip_prefix(series)).map_or(0, |value| value.parse().unwrap())
}

/// What /readyz says once something has been found out.
async fn found_out(gateway: &Gateway) -> serde_json::Value {
    let waited = timeout(Duration::from_secs(30), async {
        loop {
            let body = readiness(gateway).await;
            if !body["reasons"].to_string().contains("no member has answered yet") {
                return body;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap()
}

/// A cluster's members as /readyz tells them.
fn told(cluster: &Cluster) -> serde_json::Value {
    let all: Vec<_> = (0..cluster.endpoints().len()).map(|node| address(cluster, node)).collect();
    serde_json::json!(all)
}

fn sorted(members: &serde_json::Value) -> serde_json::Value {
    let mut members = members.as_array().unwrap().clone();
    members.sort_by_key(ToString::to_string);
    members.into()
}

/// One that stays with the gateway: the addresses in topologies lead past it.
async fn client(gateway: &Gateway, who: &str, cache: &str, more: &str) -> Result<Client, hotrod_tokio::Error> {
    let uri = format!("hotrod://{who}{}/{cache}?client_intelligence=basic{more}", gateway.address());
    Client::connect(&uri).await
}

async fn write_and_read(client: &Client) {
    let cache = client.default_cache();
    let value: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    cache.put("large", value.clone()).await.unwrap();
    assert!(cache.get("large").await.unwrap().unwrap() == value);
    let returning = cache.with_flags(Flags::FORCE_RETURN_VALUE);
    cache.put("k", "one").await.unwrap();
    let refused = returning.put_if_absent("k", "two", Expiration::DEFAULT).await.unwrap();
    assert_eq!((refused.executed, refused.previous.unwrap().value), (false, "one".into()));
    let entries = (0..100).map(|n| (format!("bulk {n}"), "v")).collect();
    cache.put_all(entries, Expiration::DEFAULT).await.unwrap();
    let mut iteration = cache.iterate(10).unwrap();
    let mut seen = 0;
    while iteration.next().await.unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 102);
    cache.clear().await.unwrap();
}

/// Infinispan's own client, unchanged: with the intelligence that it comes with it goes on to the members of the topology,
/// with none all that it does passes through the gateway.
#[test]
fn infinispans_own_client_is_served() {
    run(async {
        let gateway = sidecar(cluster(Flavour::Plain, 2), &[]).await;
        let lib = infinispan_harness::install(&Options::default().version).unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/java/ThroughGateway.java");
        let (host, port) = (gateway.address().ip().to_string(), gateway.address().port().to_string());
        for intelligence in [None, Some("TOPOLOGY_AWARE"), Some("BASIC")] {
            let mut java = tokio::process::Command::new("java");
            java.arg("-cp").arg(lib.join("*")).args([program, &host, &port]).args(intelligence).kill_on_drop(true);
            let told = timeout(Duration::from_secs(120), java.output()).await.expect("in time").unwrap();
            let said = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).to_string();
            assert!(told.status.success() && said.lines().any(|line| line == "passed"), "{intelligence:?}: {said}");
        }
        let relayed = relayed_to_member(&gateway).await;
        assert!(relayed > 1 << 20, "a value of 1 MiB has passed: {relayed} bytes");
        assert!(gateway.stop().await);
    });
}

/// Raw, before one of two members: operations, events, and what the gateway finds out without an account.
#[test]
fn a_sidecar_before_one_of_two_members() {
    run(async {
        let cluster = cluster(Flavour::Plain, 2);
        let gateway = sidecar(cluster, &[]).await;
        let client = client(&gateway, "", "dist", "").await.unwrap();
        let cache = client.default_cache();
        let mut listener = cache.listen(ListenerOptions::default()).await.unwrap();
        cache.put("heard", "v").await.unwrap();
        assert!(matches!(listener.next().await, Some(ListenerEvent::Entry(_))));
        drop(listener);
        cache.clear().await.unwrap();
        write_and_read(&client).await;
        client.close().await;
        let body = found_out(&gateway).await;
        assert_eq!(body["ready"], true, "{body}");
        assert_eq!(sorted(&body["membership"]["members"]), sorted(&told(cluster)), "of its default cache");
        assert_eq!(body["membership"]["own"], address(cluster, 0));
        assert!(gateway.stop().await);
    });
}

#[test]
fn a_front_spreads_sessions_over_the_members() {
    run(async {
        let cluster = cluster(Flavour::Plain, 2);
        let arguments = ["--front", "--upstream", &address(cluster, 1), "--topology-cache", "dist"];
        let gateway = Gateway::start(config(&arguments)).await.unwrap();
        let body = found_out(&gateway).await;
        assert_eq!(sorted(&body["membership"]["members"]), sorted(&told(cluster)));
        let (one, two) =
            (client(&gateway, "", "local", "").await.unwrap(), client(&gateway, "", "local", "").await.unwrap());
        // Each member has a local cache of its own.
        one.default_cache().put("whose", "one's").await.unwrap();
        assert_eq!(two.default_cache().get("whose").await.unwrap(), None, "they lead to different members");
        one.default_cache().clear().await.unwrap();
        assert!(gateway.stop().await);
    });
}

#[test]
fn who_may_come_in_is_between_client_and_member() {
    run(async {
        let gateway = sidecar(cluster(Flavour::SecurePlain, 1), &[]).await;
        for mechanism in ["SCRAM-SHA-512", "SCRAM-SHA-256", "DIGEST-MD5", "PLAIN"] {
            let more = format!("&sasl_mechanism={mechanism}");
            let admin = client(&gateway, "admin:changeme@", "local", &more).await.unwrap();
            write_and_read(&admin).await;
            let wrong = client(&gateway, "admin:wrong@", "local", &more).await.err().unwrap().to_string();
            assert!(wrong.contains(mechanism), "{wrong}");
        }
        let reader = client(&gateway, "reader:secret@", "local", "").await.unwrap().default_cache();
        let refused = reader.put("k", "v").await.unwrap_err().to_string();
        assert!(refused.contains("Unauthorized access"), "{refused}");
        reader.get("k").await.unwrap();
        assert!(gateway.stop().await);
    });
}

/// Passwords pass through the gateway in every carriage, right ones and wrong ones. (Other tests clear the cache `local` of
/// the same server.)
#[test]
fn who_may_come_in_is_the_same_over_every_carriage() {
    run(async {
        let gateway = sidecar(cluster(Flavour::SecurePlain, 1), &[]).await;
        found_out(&gateway).await;
        for carriage in [
            "carriage=upgrade",
            "carriage=connect",
            "carriage=connect-http2",
            "carriage=extended-connect",
            "carriage=frames",
            "carriage=auto",
            "carriage=upgrade&inside=frames",
            "carriage=connect&inside=frames",
        ] {
            for mechanism in ["SCRAM-SHA-256", "DIGEST-SHA-256", "PLAIN"] {
                let more = format!("&access=header&{carriage}&sasl_mechanism={mechanism}");
                let admin = client(&gateway, "admin:changeme@", "dist", &more).await.unwrap();
                admin.default_cache().put("k", carriage).await.unwrap();
                assert_eq!(admin.default_cache().get("k").await.unwrap().unwrap(), carriage);
                let wrong = client(&gateway, "admin:wrong@", "dist", &more).await.err().unwrap().to_string();
                assert!(wrong.contains(mechanism), "{carriage}: {wrong}");
            }
        }
        assert!(gateway.stop().await);
    });
}

/// PING of a cache is answered to everybody, its topology included; so no account needs a right.
#[test]
fn what_the_gateway_must_know_takes_no_right() {
    run(async {
        let cluster = cluster(Flavour::SecurePlain, 1);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("account.toml");
        for (account, problem) in [
            ("", None),
            ("user = \"powerless\"\npassword = \"nothing\"", None),
            ("user = \"powerless\"\npassword = \"nothing\"\nmechanism = \"DIGEST-SHA-256\"", None),
            ("user = \"powerless\"\npassword = \"wrong\"", Some("account is refused")),
            ("user = \"missing\"\npassword = \"nothing\"", Some("account is refused")),
        ] {
            std::fs::write(&file, account).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            let more = if account.is_empty() { vec![] } else { vec!["--account-file", file.to_str().unwrap()] };
            for cache in ["___protobuf_metadata", "dist"] {
                let gateway = sidecar(cluster, &[&more[..], &["--topology-cache", cache]].concat()).await;
                let body = found_out(&gateway).await;
                assert_eq!(body["membership"]["members"], told(cluster), "{account} {cache}: {body}");
                assert_eq!(body["ready"], true, "{body}");
                let said = body["upstream"]["problem"].as_str();
                assert_eq!(said.is_some(), problem.is_some(), "{account} {cache}: {body}");
                assert!(said.unwrap_or_default().contains(problem.unwrap_or_default()), "{body}");
                assert!(!body.to_string().contains("wrong"), "no password is shown: {body}");
            }
        }
    });
}

#[test]
fn a_member_with_tls_is_reached_by_it() {
    run(async {
        let cluster = cluster(Flavour::Secure, 1);
        let ca = cluster.ca();
        let gateway = sidecar(cluster, &["--upstream-tls", "--upstream-ca", ca.to_str().unwrap()]).await;
        let admin = client(&gateway, "admin:changeme@", "local", "").await.unwrap();
        write_and_read(&admin).await;
        assert_eq!(found_out(&gateway).await["membership"]["members"], told(cluster));
        let other = cluster.other_ca();
        let distrustful = sidecar(cluster, &["--upstream-tls", "--upstream-ca", other.to_str().unwrap()]).await;
        let body = found_out(&distrustful).await;
        assert!(body["reasons"].to_string().contains("UnknownIssuer"), "{body}");
        // A raw client takes an error for an answer to its version: the session is closed without one.
        let error = client(&distrustful, "admin:changeme@", "local", "").await.err().unwrap().to_string();
        assert!(error.contains("the server closed it"), "{error}");
    });
}

const MIB: usize = 1 << 20;

/// How large a request may be is the server's to say, by `max-content-length`. What it takes goes through, on every carriage
/// alike.
#[test]
fn large_values_go_through_where_the_server_takes_them() {
    run(async {
        let options = Options { max_content_length: Some("128MB".into()), ..Options::default() };
        let gateway = sidecar(infinispan_harness::shared(options), &["--max-request", "128MB"]).await;
        let value: Vec<u8> = (0..64 * MIB as u32).map(|n| (n >> 8) as u8).collect();
        for carriage in ["raw", "extended-connect", "frames"] {
            let client = client(&gateway, "", "local", &format!("&carriage={carriage}")).await.unwrap();
            let cache = client.default_cache();
            cache.put("large", value.clone()).await.unwrap_or_else(|error| panic!("{carriage}: {error}"));
            assert!(cache.get("large").await.unwrap().unwrap() == value, "{carriage}");
            cache.remove("large").await.unwrap();
        }
    });
}

/// By default that is 10 MB, for the server as for the gateway, which refuses a larger request: up to 16.0.7 the server goes on
/// reading before it closes the connection, and takes bytes of the value for requests.
#[test]
fn a_value_larger_than_the_server_takes_is_refused_and_nothing_of_it_is_stored() {
    run(async {
        let gateway = sidecar(cluster(Flavour::Plain, 1), &[]).await;
        for (carriage, why) in
            [("frames", "HOT_ROD_TOO_LARGE"), ("raw", "max-request"), ("extended-connect", "max-request")]
        {
            let client = client(&gateway, "", "local", &format!("&carriage={carriage}&max_retries=0")).await.unwrap();
            let cache = client.default_cache();
            let error = cache.put("too large", vec![7; 16 * MIB]).await.unwrap_err().to_string();
            assert!(error.contains(why), "{carriage}: {error}");
            cache.put("small", "v").await.unwrap();
            assert_eq!(cache.get("small").await.unwrap(), Some("v".into()));
            assert_eq!(cache.get("too large").await.unwrap(), None, "{carriage}");
        }
    });
}
