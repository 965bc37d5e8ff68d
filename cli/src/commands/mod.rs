//! Commands that use a server.

mod bulk;
mod server;
mod single;

use std::io::Read;

use bytes::Bytes;
use hotrod_tokio::core::uri::ConnectionUri;
use hotrod_tokio::core::wire::{Expiration, RequestOptions};
use hotrod_tokio::{Cache, Client, Settings};

use crate::arguments::{Arguments, Command, Lifetimes};
use crate::failure::Failure;
use crate::output::Outcome;

/// Executes a command.
pub(crate) async fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    // Reads and validates all input before anything is sent.
    let json = arguments.json;
    match &arguments.command {
        Command::Ping => server::ping(&connect(arguments).await?, json).await,
        Command::Get { key, raw } => single::get(&connect(arguments).await?, key, *raw, json).await,
        Command::GetMeta { key } => single::get_meta(&connect(arguments).await?, key, json).await,
        Command::Put(write) => {
            let value = value(&write.value)?;
            single::put(&connect(arguments).await?, write, value, json).await
        }
        Command::PutIfAbsent(write) => {
            let value = value(&write.value)?;
            single::put_if_absent(&connect(arguments).await?, write, value, json).await
        }
        Command::Replace(write) => {
            let value = value(&write.value)?;
            single::replace(&connect(arguments).await?, write, value, json).await
        }
        Command::Cas { key, entry_version, value: text, lifetimes } => {
            let value = value(text)?;
            let cache = connect(arguments).await?;
            single::cas(&cache, key, *entry_version, value, expiration(lifetimes), json).await
        }
        Command::Remove { key } => single::remove(&connect(arguments).await?, key, json).await,
        Command::Contains { key } => single::contains(&connect(arguments).await?, key, json).await,
        Command::Size => server::size(&connect(arguments).await?, json).await,
        Command::Clear => server::clear(&connect(arguments).await?, json).await,
        Command::PutAll { file, batch, lifetimes } => {
            let entries = bulk::read_entries(file)?;
            bulk::put_all(&connect(arguments).await?, entries, *batch as usize, expiration(lifetimes), json).await
        }
        Command::GetAll { file, batch } => {
            let keys = bulk::read_keys(file)?;
            bulk::get_all(&connect(arguments).await?, keys, *batch as usize, json).await
        }
        Command::Stats => server::stats(&connect(arguments).await?, json).await,
        Command::Caches => server::caches(&connect(arguments).await?, json).await,
        Command::Demo(_) | Command::Bench(_) | Command::Map(_) => Ok(Outcome::Done),
    }
}

/// Connects with the options of the command line.
pub(crate) async fn connect(arguments: &Arguments) -> Result<Cache, Failure> {
    let mut uri: ConnectionUri = arguments.uri.parse().map_err(hotrod_tokio::Error::from)?;
    for (option_value, property, option) in [
        (&arguments.ca, &mut uri.properties.trust_ca, "--ca"),
        (&arguments.client_certificate, &mut uri.properties.client_certificate, "--cert"),
        (&arguments.client_key, &mut uri.properties.client_key, "--key"),
    ] {
        if option_value.is_some() && !uri.tls {
            return Err(Failure::Usage(format!("{option} needs TLS: a URI that begins with hotrods://")));
        }
        if option_value.is_some() {
            property.clone_from(option_value);
        }
    }
    if arguments.timeout.is_some() {
        uri.properties.socket_timeout = arguments.timeout;
    }
    let mut settings = Settings::from_uri(&uri)?;
    // A single operation needs no links to all members.
    settings.cluster.connect_ahead = matches!(arguments.command, Command::Map(_) | Command::Bench(_));
    let client = Client::connect_with(settings).await?;
    let cache = arguments.cache.as_ref().map_or_else(|| client.default_cache(), |name| client.cache(name));
    let mut options = RequestOptions::cache(cache.name());
    options.key_type = arguments.key_type.clone().unwrap_or_default();
    options.value_type = arguments.value_type.clone().unwrap_or_default();
    Ok(cache.with_options(options))
}

/// Returns a value of the command line; `-` reads standard input to end of file.
fn value(text: &str) -> Result<Bytes, Failure> {
    if text != "-" {
        return Ok(Bytes::copy_from_slice(text.as_bytes()));
    }
    let mut value = Vec::new();
    std::io::stdin().read_to_end(&mut value).map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
    Ok(value.into())
}

fn expiration(lifetimes: &Lifetimes) -> Expiration {
    Expiration { lifespan: lifetimes.lifespan.unwrap_or_default(), max_idle: lifetimes.max_idle.unwrap_or_default() }
}
