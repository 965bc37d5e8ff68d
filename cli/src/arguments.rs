//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use hotrod_tokio::core::wire::{Lifetime, MediaType};

const EXAMPLES: &str = "\
Examples:
  hotrod put greeting hello                          into the default cache of 127.0.0.1:11222
  hotrod -u hotrod://10.0.0.5:11222/dist get greeting
  hotrod -u hotrods://admin:secret@infinispan.example.com/dist --ca ca.pem stats
  date | hotrod put now -                            the value from standard input
  hotrod put session abc --lifespan 30m --max-idle 5m
  hotrod put-all entries.tsv                         key<TAB>value lines, with a progress bar
  hotrod --json get-meta greeting                    for programs
  hotrod -u hotrod://10.0.0.5:11222/dist map --watch

Exit codes: 0 done, 1 not found, condition false, or a member that map does not reach, 2 wrong usage or input, 3 server or network error.";

/// Talk to Infinispan over Hot Rod.
#[derive(Debug, Parser)]
#[command(name = "hotrod", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Where to connect: hotrod[s]://user:password@host:port,host2:port2/cache?property=value
    #[arg(
        short,
        long,
        env = "HOTROD_URI",
        default_value = "hotrod://127.0.0.1:11222",
        global = true,
        hide_env_values = true
    )]
    pub(crate) uri: String,

    /// The cache, instead of the one that the URI names
    #[arg(short, long, global = true)]
    pub(crate) cache: Option<String>,

    /// PEM file with the certificate authorities to trust, for hotrods://
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) ca: Option<String>,

    /// PEM file with the client's certificate chain
    #[arg(long = "cert", value_name = "FILE", requires = "client_key", global = true)]
    pub(crate) client_certificate: Option<String>,

    /// PEM file with the client's private key
    #[arg(long = "key", value_name = "FILE", requires = "client_certificate", global = true)]
    pub(crate) client_key: Option<String>,

    /// How long to wait for an answer, such as 500ms or 5s
    #[arg(long, value_parser = humantime::parse_duration, global = true)]
    pub(crate) timeout: Option<Duration>,

    /// The form of keys, such as text/plain; without it, as the cache stores them
    #[arg(long, value_name = "MEDIA_TYPE", global = true)]
    pub(crate) key_type: Option<MediaType>,

    /// The form of values, such as application/json; without it, as the cache stores them
    #[arg(long, value_name = "MEDIA_TYPE", global = true)]
    pub(crate) value_type: Option<MediaType>,

    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask whether server and cache are there
    Ping,
    /// Print a value
    Get {
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Print the value and nothing else, not even a line end
        #[arg(long)]
        raw: bool,
    },
    /// Print a value, its version and its lifetimes
    GetMeta {
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Store a value
    Put(Write),
    /// Store a value if there is none
    PutIfAbsent(Write),
    /// Store a value if there is one
    Replace(Write),
    /// Store a value if the entry still has that version (get-meta tells it)
    Cas {
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// The version, as get-meta prints it
        entry_version: u64,
        /// The value; - for standard input
        #[arg(allow_hyphen_values = true)]
        value: String,
        #[command(flatten)]
        lifetimes: Lifetimes,
    },
    /// Remove an entry
    Remove {
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Tell whether there is an entry
    Contains {
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Count the entries
    Size,
    /// Remove all entries
    Clear,
    /// Store many values from a file
    PutAll {
        /// Lines of key<TAB>value, or JSON objects with "key" and "value", one a line; - for standard input
        file: PathBuf,
        /// Entries of one request
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        batch: u32,
        #[command(flatten)]
        lifetimes: Lifetimes,
    },
    /// Print many values as key<TAB>value lines; 1 if one of the keys has none
    GetAll {
        /// Keys, one a line; - for standard input
        file: PathBuf,
        /// Keys of one request
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        batch: u32,
    },
    /// Print the statistics of cache and server
    Stats,
    /// Print the names of all caches
    Caches,
    /// Show the cluster as this client sees it: members, segments, links, round-trip times, direct hits
    Map(MapOptions),
    /// Show what this is about, with a cluster of its own
    Demo(DemoOptions),
    /// Measure: a closed loop of GETs or PUTs, one line of JSON
    Bench(BenchOptions),
}

#[derive(Debug, Args)]
pub(crate) struct Write {
    #[arg(allow_hyphen_values = true)]
    pub(crate) key: String,
    /// The value; - for standard input
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: String,
    #[command(flatten)]
    pub(crate) lifetimes: Lifetimes,
    /// Print the value before, or the present one
    #[arg(long)]
    pub(crate) previous: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Lifetimes {
    /// Remove it so long after this write, such as 90s or 12h; `never` for no end
    #[arg(long, value_parser = lifetime)]
    pub(crate) lifespan: Option<Lifetime>,
    /// Remove it so long after its last use; `never` for no end
    #[arg(long, value_parser = lifetime)]
    pub(crate) max_idle: Option<Lifetime>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Members of the cluster
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) members: u16,
}

#[derive(Debug, Args)]
pub(crate) struct MapOptions {
    /// Look again every so many seconds, until interrupted
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1", value_parser = interval)]
    pub(crate) watch: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchOptions {
    /// Operations outstanding at any time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) in_flight: u32,
    /// How long to measure
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// How long to run before measuring
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) warmup_seconds: f64,
    /// Bytes of a value
    #[arg(long, default_value_t = 64)]
    pub(crate) value_size: usize,
    /// How many keys
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keys: u32,
    /// What to do
    #[arg(long, value_enum, default_value_t = BenchOperation::Get)]
    pub(crate) operation: BenchOperation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchOperation {
    Get,
    Put,
}

fn lifetime(text: &str) -> Result<Lifetime, String> {
    if text == "never" {
        return Ok(Lifetime::Infinite);
    }
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("a lifetime is longer than 0; use `never` for no end".into()),
        Ok(duration) => Ok(Lifetime::milliseconds(duration.as_millis().max(1) as u64)),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 3600".into()),
    }
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 3600".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
