//! A client outside of the cluster, which can't dial the members, and reaches the owner of every key.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use hotrod_tokio::core::cluster::Event;
use hotrod_tokio::{Cache, Client};
use tokio::sync::broadcast::Receiver;

use super::router::Router;
use super::{FRUIT, Stage, map};
use crate::arguments::DemoOptions;
use crate::failure::Failure;

/// An address for documentation (RFC 5737), which can't be dialled.
const UNREACHABLE: &str = "192.0.2.1";
/// Time for the client to find every member.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(stage: &mut Stage, options: &DemoOptions) -> Result<(), Failure> {
    stage.title("From outside: a router before members that advertise addresses nobody can dial")?;
    let mut cluster = start(options).await?;
    let router = Router::start().await?;
    router.set_pods(&cluster.addresses());
    let uri = format!("hotrod://{}/dist?access=cookie&carriage=upgrade", router.address);
    stage.line(&uri)?;
    let client = Client::connect(&uri).await?;
    let mut events = client.events();
    let cache = client.default_cache();
    fill(&cache).await?;
    wait_for_all(&cache, options.members.into()).await?;
    tell(stage, &mut events)?;
    reads(stage, &cache).await?;
    map(stage, &cache).await?;

    if options.members > 1 {
        stage.title("A member dies, and another takes its place")?;
        let pods = cluster.addresses();
        cluster.kill_member(0).await;
        let new = cluster.add_member().await?;
        let pods: Vec<SocketAddr> = pods[1..].iter().copied().chain([new]).collect();
        router.set_pods(&pods);
        let died = Instant::now();
        fill(&cache).await?;
        wait_for_all(&cache, options.members.into()).await?;
        stage.line(&format!("every member is reached again after {:.0?}; no operation failed", died.elapsed()))?;
        tell(stage, &mut events)?;
        reads(stage, &cache).await?;
        map(stage, &cache).await?;
    }
    client.close().await;
    cluster.stop().await;
    Ok(())
}

async fn start(options: &DemoOptions) -> Result<Embedded, Failure> {
    let settings = EmbeddedOptions {
        members: options.members.into(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        advertise: Some(UNREACHABLE.into()),
        ..EmbeddedOptions::default()
    };
    Embedded::start(settings).await.map_err(|error| Failure::Other(error.to_string()))
}

async fn fill(cache: &Cache) -> Result<(), Failure> {
    for fruit in FRUIT {
        cache.put(fruit, Bytes::from(format!("a ripe {fruit}"))).await?;
    }
    Ok(())
}

/// Sends requests until every member is reached directly.
async fn wait_for_all(cache: &Cache, members: usize) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let coverage = cache.client().coverage();
        if (coverage.covered, coverage.members) == (members, members) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let reason = coverage.reason.map(|reason| reason.to_string()).unwrap_or_default();
            let (covered, members) = (coverage.covered, coverage.members);
            return Err(Failure::Other(format!("{covered} of {members} members are reached: {reason}")));
        }
        cache.get(FRUIT[0]).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Prints the client's events about its access path.
fn tell(stage: &mut Stage, events: &mut Receiver<Event>) -> Result<(), Failure> {
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Coverage { covered, members, reason } if reason.is_empty() => {
                stage.line(&format!("coverage: {covered} of {members} members"))?;
            }
            Event::Coverage { covered, members, reason } => {
                stage.line(&format!("coverage: {covered} of {members} members ({reason})"))?;
            }
            Event::BalancingRecognised { balancing, reason } => {
                stage.line(&format!("balancing: {balancing} ({reason})"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn reads(stage: &mut Stage, cache: &Cache) -> Result<(), Failure> {
    let before = cache.client().counters();
    for fruit in FRUIT {
        cache.get(fruit).await?;
    }
    let after = cache.client().counters();
    let (direct, tries) = (after.direct - before.direct, after.tries);
    let connects = after.connects;
    stage.line(&format!(
        "{direct} of {} reads went straight to the owner of their key; {connects} connections so far, {tries} of them to \
         find members",
        FRUIT.len()
    ))
}
