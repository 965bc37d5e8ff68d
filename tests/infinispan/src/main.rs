//! `infinispan-harness`: real Infinispan servers for tests in any language.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use infinispan_harness::{Cluster, DEFAULT_VERSION, Error, Flavour, Options, install};
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  infinispan-harness install
  infinispan-harness start --nodes 3
  infinispan-harness start --flavour secure --version 15.0.21.Final

start prints one line of JSON when the nodes are ready, then obeys lines on standard input: kill N, stop N, restart N,
pause N, resume N, add, quit. Each is answered by one line of JSON. At the end of the input everything is stopped.";

/// Installs, starts and stops real Infinispan servers on 127.0.0.1.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch a server, if it isn't there yet
    Install {
        #[arg(long, default_value = DEFAULT_VERSION)]
        version: String,
    },
    /// Start nodes and keep them until the input ends
    Start {
        #[arg(long, default_value = DEFAULT_VERSION)]
        version: String,
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
        nodes: u8,
        #[arg(long, value_enum, default_value_t = FlavourName::Plain)]
        flavour: FlavourName,
        /// Further caches, as elements of the server's configuration
        #[arg(long, default_value = "")]
        caches: String,
        /// The largest request of a client, such as 128MB, in place of the server's own limit; with the flavour plain
        #[arg(long)]
        max_content_length: Option<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum FlavourName {
    Plain,
    Secure,
    SecurePlain,
    Tenants,
    Pods,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Install { version } => install(&version).map(drop),
        Command::Start { version, nodes, flavour, caches, max_content_length } => {
            let flavour = match flavour {
                FlavourName::Plain => Flavour::Plain,
                FlavourName::Secure => Flavour::Secure,
                FlavourName::SecurePlain => Flavour::SecurePlain,
                FlavourName::Tenants => Flavour::Tenants,
                FlavourName::Pods => Flavour::Pods,
            };
            let nodes = nodes.into();
            let extra_caches = caches;
            serve(Options { version, nodes, flavour, extra_caches, max_content_length, ..Options::default() })
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("infinispan-harness: {error}");
            ExitCode::from(3)
        }
    }
}

fn serve(options: Options) -> Result<(), Error> {
    let mut cluster = Cluster::start(options)?;
    say(&describe(&cluster));
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if line.trim() == "quit" {
            break;
        }
        match obey(&mut cluster, &line) {
            Ok(()) => say(&describe(&cluster)),
            Err(problem) => say(&json!({ "error": problem })),
        }
    }
    Ok(())
}

fn obey(cluster: &mut Cluster, line: &str) -> Result<(), String> {
    let mut words = line.split_whitespace();
    let (verb, node) = (words.next().unwrap_or_default(), words.next());
    if verb == "add" {
        return cluster.add_node().map(drop).map_err(|error| error.to_string());
    }
    let nodes = cluster.endpoints().len();
    let node = node.and_then(|node| node.parse().ok()).filter(|node| *node < nodes);
    let node = node.ok_or_else(|| format!("{line:?}: the number of a node is missing, or there is no such node"))?;
    let done = match verb {
        "kill" => cluster.kill(node),
        "stop" => cluster.stop(node),
        "restart" => cluster.restart(node),
        "pause" => cluster.pause(node),
        "resume" => cluster.resume(node),
        _ => return Err(format!("{verb:?} is none of kill, stop, restart, pause, resume, add, quit")),
    };
    done.map_err(|error| error.to_string())
}

fn describe(cluster: &Cluster) -> Value {
    let endpoints: Vec<_> = cluster
        .endpoints()
        .iter()
        .enumerate()
        .map(|(node, endpoint)| {
            let certificate_port = cluster.certificate_endpoint(node).port;
            let pid = cluster.pid(node);
            json!({"host": endpoint.host, "port": endpoint.port, "certificate_port": certificate_port, "pid": pid})
        })
        .collect();
    let (certificate, key) = cluster.client_certificate();
    json!({
        "endpoints": endpoints,
        "folder": cluster.folder(),
        "ca": cluster.ca(),
        "other_ca": cluster.other_ca(),
        "client_certificate": certificate,
        "client_key": key,
    })
}

fn say(value: &Value) {
    let mut out = io::stdout().lock();
    // Whoever asked is gone; the input will end too.
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}
