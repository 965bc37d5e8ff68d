//! Every option together with every other one: which pairs are refused.

use hotrod_gateway::config::Invocation;

use crate::common::Files;

/// Pairs that contradict each other. An option that needs another one is given with it.
const REFUSED: [(&str, &str); 3] =
    [("member-hosts", "advertise"), ("front", "advertise"), ("tls-client-ca", "allow-plain")];

/// What every gateway is given.
const ALWAYS: [&str; 4] = ["hotrod-gateway", "--upstream=127.0.0.1:11222", "--node-name=pod-0", "--listen=127.0.0.1:0"];

/// Whether a gateway starts with these arguments, and if not why.
fn load(arguments: &[&String]) -> Result<(), String> {
    let mut all: Vec<&str> = ALWAYS.to_vec();
    for argument in arguments {
        // Two options may need the same one.
        if !all.contains(&argument.as_str()) {
            all.push(argument);
        }
    }
    Invocation::load(all).map(drop).map_err(|error| error.to_string())
}

struct Sample {
    name: &'static str,
    arguments: Vec<String>,
}

fn options(files: &Files) -> Vec<Sample> {
    let account = files.write("account.toml", "user = \"gate\"\npassword = \"x\"\n");
    let (server, server_key) = (files.at("server.pem"), files.at("server.key"));
    let (client, client_key, ca) = (files.at("client.pem"), files.at("client.key"), files.at("ca.pem"));
    let tls = format!("--tls-cert={server} --tls-key={server_key}");
    let upstream_tls = "--upstream-tls";
    let option = |name: &'static str, arguments: &str| Sample {
        name,
        arguments: arguments.split_whitespace().map(ToString::to_string).collect(),
    };
    vec![
        option("front", "--front"),
        option("member-hosts", "--front --member-hosts=*"),
        option("advertise", "--advertise=pod-0:11222"),
        option("admin", "--admin=127.0.0.1:0"),
        option("tls-cert", &tls),
        option("tls-client-ca", &format!("{tls} --tls-client-ca={ca}")),
        option("alpn", &format!("{tls} --alpn=h2")),
        option("allow-plain", &format!("{tls} --allow-plain")),
        option("backlog", "--backlog=7"),
        option("upstream-tls", upstream_tls),
        option("upstream-ca", &format!("{upstream_tls} --upstream-ca={ca}")),
        option("upstream-server-name", &format!("{upstream_tls} --upstream-server-name=name")),
        option(
            "upstream-client-cert",
            &format!("{upstream_tls} --upstream-client-cert={client} --upstream-client-key={client_key}"),
        ),
        option("account-cert", &format!("{upstream_tls} --account-cert={client} --account-key={client_key}")),
        option("account-file", &format!("--account-file={account}")),
        option("sasl-mechanism", &format!("--account-file={account} --sasl-mechanism=SCRAM-SHA-256")),
        option("connect-timeout", "--connect-timeout=1s"),
        option("keep-alive", "--keep-alive=1s"),
        option("topology-cache", "--topology-cache="),
        option("topology-interval", "--topology-interval=1s"),
        option("max-connections", "--max-connections=2"),
        option("max-sessions", "--max-sessions=2"),
        option("max-tunnels", "--max-tunnels=1"),
        option("max-header", "--max-header=1KiB"),
        option("max-request", "--max-request=64KiB"),
        option("max-memory", "--max-memory=64MiB"),
        option("max-connections-per-source", "--max-connections=2 --max-connections-per-source=1"),
        option("max-sessions-per-source", "--max-sessions=2 --max-sessions-per-source=1"),
        option("max-handshakes-per-source", "--max-handshakes-per-source=1"),
        option("proxy-protocol", "--proxy-protocol=10.0.0.0/8"),
        option("authentication-timeout", "--authentication-timeout=1s"),
        option("min-request-rate", "--min-request-rate=1KiB"),
        option("server-names", &format!("{tls} --server-names=*")),
        option("buffer", "--buffer=1KiB"),
        option("handshake-timeout", "--handshake-timeout=1s"),
        option("idle-timeout", "--idle-timeout=1s"),
        option("drain-timeout", "--drain-timeout=1s"),
        option("log-format", "--log-format=json"),
        option("json", "--json"),
    ]
}

/// Options that every gateway of this test has, that go with another one of its samples, or that have a test of their own.
const WITHOUT_SAMPLE: [&str; 13] = [
    "config",
    "check",
    "embedded",
    "members",
    "cache",
    "max-link-memory",
    "upstream",
    "node-name",
    "listen",
    "tls-key",
    "upstream-client-key",
    "account-key",
    "user",
];

#[test]
fn every_option_has_a_sample() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hotrod-gateway")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    // Of the lines that begin with an option; text is wrapped at other columns.
    let named = help.lines().filter_map(|line| line.strip_prefix("      --").or_else(|| line.strip_prefix("  -h, --")));
    let named = named.map(|line| line.split(['=', '[', ' ']).next().unwrap());
    let mut named: Vec<&str> = named.filter(|name| !matches!(*name, "help" | "version")).collect();
    let files = Files::new();
    let mut sampled: Vec<&str> = options(&files).iter().map(|option| option.name).chain(WITHOUT_SAMPLE).collect();
    named.sort_unstable();
    sampled.sort_unstable();
    assert_eq!(named, sampled);
}

#[test]
fn options_that_contradict_each_other_are_refused_and_no_others() {
    let files = Files::new();
    let options = options(&files);
    for (index, one) in options.iter().enumerate() {
        let alone: Vec<&String> = one.arguments.iter().collect();
        load(&alone).unwrap_or_else(|error| panic!("{} alone: {error}", one.name));
        for other in &options[index + 1..] {
            let both: Vec<&String> = one.arguments.iter().chain(&other.arguments).collect();
            let is_refused = [(one.name, other.name), (other.name, one.name)].iter().any(|pair| REFUSED.contains(pair));
            match load(&both) {
                Ok(()) => assert!(!is_refused, "{} and {} are accepted together", one.name, other.name),
                Err(error) => {
                    assert!(is_refused, "{} and {}: {error}", one.name, other.name);
                    let names_one = [one.name, other.name].iter().any(|name| error.contains(&format!("--{name}: ")));
                    assert!(names_one, "{} and {}: {error}", one.name, other.name);
                }
            }
        }
    }
}
