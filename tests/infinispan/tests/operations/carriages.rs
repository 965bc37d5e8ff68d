//! The same conversations by whole clients that come through a gateway, over every carriage.

use std::sync::OnceLock;
use std::time::Duration;

use hotrod_core::wire::Version;
use hotrod_gateway::config::{Invocation, Mode};
use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::Client;
use infinispan_harness::Cluster;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::conversation::Conversation;

/// A name, the scheme, and what the URI says. No step down: each carriage is the only one allowed.
fn carriages() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("../../../conformance/carriages.txt").lines().map(|line| {
        let (name, rest) = line.split_once(' ').unwrap();
        let (scheme, properties) = rest.split_once(' ').unwrap();
        (name, scheme, properties)
    })
}

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// Before a server, with TLS and without, for as long as the process lives.
pub struct Front {
    gateway: Gateway,
    files: TempDir,
}

impl Front {
    /// The one before that server, started when it is first asked for.
    pub fn of(cluster: &'static Cluster, cell: &'static OnceLock<Self>) -> &'static Self {
        cell.get_or_init(|| {
            let files = tempfile::tempdir().unwrap();
            let at = |name: &str| files.path().join(name).to_str().unwrap().to_string();
            let (certificate, key) = (at("cert.pem"), at("key.pem"));
            let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string()]).unwrap();
            std::fs::write(&certificate, made.cert.pem()).unwrap();
            std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
            std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            let endpoint = &cluster.endpoints()[0];
            let upstream = format!("{}:{}", endpoint.host, endpoint.port);
            let arguments = [
                ["hotrod-gateway", "--allow-plain"].as_slice(),
                &["--upstream", &upstream, "--node-name", "node-0", "--topology-cache", "dist"],
                &["--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key],
            ];
            let Mode::Gateway(config) = Invocation::load(arguments.concat()).unwrap().mode else { panic!() };
            let gateway = runtime().block_on(Gateway::start(*config)).unwrap();
            Self { gateway, files }
        })
    }

    async fn client(&self, (name, scheme, properties): (&str, &str, &str), version: Version) -> Client {
        let trusted = if scheme == "hotrods" {
            format!("&trust_ca={}", self.files.path().join("cert.pem").display())
        } else {
            String::new()
        };
        let address = self.gateway.address();
        let uri = format!("{scheme}://{address}/local?protocol_version={version}&{properties}{trusted}");
        let connected = timeout(LONG, Client::connect(&uri)).await.expect("in time");
        connected.unwrap_or_else(|error| panic!("{name} at {version}: {error}"))
    }
}

/// Gateways run on threads of their own: each test has a runtime for itself, which ends with it.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// Has the conversation over every carriage.
pub async fn over_every_carriage<F>(front: &Front, part: &str, test: &F)
where
    F: AsyncFn(&Conversation),
{
    for carriage in carriages() {
        for version in Version::ALL {
            let client = front.client(carriage, version).await;
            let conversation = Conversation::by_client(client, version, carriage.0, part);
            test(&conversation).await;
            conversation.end().await;
        }
        println!("{part} over {}: {} versions", carriage.0, Version::ALL.len());
    }
}
