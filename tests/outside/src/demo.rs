//! `make demo REAL=1`: three real servers, gateways beside them and HAProxy before them, and the cluster as a client outside
//! sees it: whole, with a member dead, and whole again.

use std::process::Command;
use std::time::{Duration, Instant};

use hotrod_tokio::Client;

use crate::paths;
use crate::{Failure, Outside};

/// One TLS connection to the router, a tunnel for each member.
const ROW: &str = "cookie haproxy edge roundrobin extended-connect";
/// How long the client may take to reach every member again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Shows it.
pub async fn run(outside: &mut Outside, hotrod: &std::path::Path) -> Result<(), Failure> {
    let path = paths::path(ROW).ok_or("there is no such row")?;
    let uri = path.uri(outside);
    println!("\nMembers, none of which this client dials: {:?}", outside.inside_addresses());
    println!("The client: {uri}");
    let client = Client::connect(&uri).await?;
    draw(hotrod, "The cluster, through HAProxy", &uri)?;

    outside.kill_pod(1)?;
    work(&client, crate::outside::PODS - 1).await?;
    draw(hotrod, "A member is dead", &uri)?;

    let back = Instant::now();
    outside.start_pod(1, 1)?;
    work(&client, crate::outside::PODS).await?;
    draw(
        hotrod,
        &format!("It is back after {:.0?}; the client that was there all the time reaches it again", back.elapsed()),
        &uri,
    )?;
    client.close().await;
    Ok(())
}

/// Writes and reads on until the client reaches so many members directly, and nobody else is a member.
async fn work(client: &Client, members: usize) -> Result<(), Failure> {
    let cache = client.default_cache();
    let begun = Instant::now();
    let mut count = 0u32;
    while client.coverage().members != members || client.coverage().covered != members {
        if begun.elapsed() > PATIENCE {
            return Err(format!("after {PATIENCE:?} the client says {:?}", client.coverage()).into());
        }
        let key = format!("key {}", count % 100);
        cache.put(key.clone(), "value").await?;
        cache.get(key).await?;
        count += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("\n{count} writes and reads meanwhile, none lost");
    Ok(())
}

fn draw(hotrod: &std::path::Path, title: &str, uri: &str) -> Result<(), Failure> {
    println!("\n{title}");
    let status = Command::new(hotrod).args(["-u", uri, "map"]).status()?;
    if status.success() { Ok(()) } else { Err(format!("hotrod map: {status}").into()) }
}
