//! What a gateway is told at its beginning: by flags, by the environment, and by a file, in this order of precedence.

mod file;
mod options;
mod resolve;
mod server_names;
mod value;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use hotrod_core::cluster::MemberHosts;
use hotrod_core::sasl::Secret;
use hotrod_core::wire::Member;
use hotrod_embedded::host::EmbeddedOptions;
use ipnet::IpNet;

pub use file::{Account, Proof};
pub use server_names::ServerNames;
pub use value::LogFormat;

use file::OptionsFile;
use options::Options;
use value::without_credentials;

/// What the names of environment variables begin with.
const PREFIX: &str = "HOTROD_GATEWAY_";
/// The password of [`Options::user`]: on the command line everybody could see it.
const PASSWORD: &str = "HOTROD_GATEWAY_PASSWORD";

const EXAMPLES: &str = "\
Every option may also stand in the environment, as HOTROD_GATEWAY_ and its name, such as
HOTROD_GATEWAY_TLS_CERT, and in a TOML file, by its name: tls-cert = \"server.pem\". A flag counts
for more than the environment, and that for more than the file.

Examples:
  hotrod-gateway --upstream 127.0.0.1:11222 --node-name pod-0 --listen 0.0.0.0:11322
  hotrod-gateway --front --upstream infinispan:11222 --listen 0.0.0.0:443 --admin 0.0.0.0:9990
  hotrod-gateway --config gateway.toml --check
  hotrod-gateway --embedded --members 3 --cache sessions:owners=1,lifespan=30min

Caches of --embedded: default (the one without a name), dist, repl, local, and those of --cache.
Settings of a cache: mode=dist|repl|local, owners=N, segments=N, max-entries=N, max-bytes=N,
lifespan=T, max-idle=T (250ms, 30s, 5min, 2h), key-type=TYPE, value-type=TYPE, media-type=TYPE for
both (text/plain, application/json, application/x-protostream).";

/// Hot Rod beside Infinispan pods: a gateway that carries it over HTTP, or with --embedded a cluster in memory.
#[derive(Debug, Parser)]
#[command(name = "hotrod-gateway", version, after_help = EXAMPLES)]
struct Arguments {
    /// TOML file with any of these options
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print what the gateway would work with, once all of it has been found usable, and end
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    options: Options,
}

/// What the program is to be.
#[derive(Debug, Clone)]
pub enum Mode {
    /// An in-memory cluster, and where it listens.
    Embedded(Box<EmbeddedOptions>, String),
    /// A gateway.
    Gateway(Box<Config>),
}

/// A gateway's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Before whom it stands.
    pub role: Role,
    /// Where clients are served.
    pub listen: String,
    /// Where it is asked how it is; `None` for nowhere.
    pub admin: Option<String>,
    /// TLS towards clients; `None` for none.
    pub tls: Option<ServerTls>,
    /// Whether clients without TLS are served; always true where there is none.
    pub allow_plain: bool,
    /// Networks of routers, whose connections begin with a PROXY header that is believed; empty for none.
    pub proxy_protocol: Vec<IpNet>,
    /// Connections that the system holds until they are accepted.
    pub backlog: u32,
    /// Towards members.
    pub upstream: UpstreamConfig,
    /// How the members are known.
    pub topology: TopologyConfig,
    /// What clients may ask for.
    pub limits: Limits,
    /// Time for sessions to end by themselves once the gateway is to stop.
    pub drain_timeout: Duration,
}

/// Before whom a gateway stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Before one member.
    Sidecar {
        /// Where that listens.
        upstream: Member,
        /// Its name.
        node_name: String,
        /// Its address as topologies have it; `None` if that is to be found out.
        advertised: Option<Member>,
    },
    /// Before all members.
    Front {
        /// Some of them to begin with.
        seeds: Vec<Member>,
        /// The gateway's own name.
        node_name: Option<String>,
        /// Hosts of members that may be dialled; `None` for those that the seeds cover.
        member_hosts: Option<MemberHosts>,
    },
}

/// TLS towards clients. Files are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of which a client has to show a certificate; `None` if it need not.
    pub client_ca: Option<PathBuf>,
    /// ALPN ids, in order of preference. A client that offers only others is refused.
    pub alpn: Vec<String>,
    /// Names that clients may ask for; `None` for those of the certificate.
    pub server_names: Option<ServerNames>,
}

/// Connections to members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// TLS; `None` for none.
    pub tls: Option<ClientTls>,
    /// Time to connect, TLS included.
    pub connect_timeout: Duration,
    /// TCP keep-alive, also of clients' connections.
    pub keep_alive: Duration,
}

/// TLS towards members. Files are PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientTls {
    /// The authorities to trust; `None` for the system's.
    pub ca: Option<PathBuf>,
    /// The name to ask for and to find in certificates; `None` for the host.
    pub server_name: Option<String>,
    /// The certificate chain that sessions of clients show, and its private key; `None` for none.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The certificate chain that the gateway's own connection shows, and its private key; `None` for none.
    pub account_certificate: Option<(PathBuf, PathBuf)>,
}

/// How the members are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyConfig {
    /// The cache whose topology is followed; empty for none.
    pub cache: String,
    /// How often a member is asked.
    pub interval: Duration,
    /// Who the gateway is to the cluster; `None` for nobody.
    pub account: Option<Account>,
}

/// What clients may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of clients at a time.
    pub connections: usize,
    /// Sessions with members at a time, over all connections.
    pub sessions: usize,
    /// Connections of one source address at a time.
    pub connections_per_source: usize,
    /// Sessions of one source address at a time.
    pub sessions_per_source: usize,
    /// Connections that one source address may begin in a second.
    pub handshakes_per_source: usize,
    /// Sessions on one HTTP/2 connection at a time, those within its tunnels included.
    pub tunnels: usize,
    /// Bytes of the head of an HTTP request.
    pub header: usize,
    /// Bytes held for a slow side, in each direction of a session.
    pub buffer: usize,
    /// Bytes of the largest request: at most the members' `max-content-length`.
    pub request: usize,
    /// Bytes of memory that clients may have the gateway hold.
    pub memory: usize,
    /// Time for a client to say what it speaks, TLS included; and for the first request of a session, and for each
    /// further one beside what it takes at the minimum rate.
    pub handshake_timeout: Duration,
    /// Time for a session to authenticate, where the cluster wants that.
    pub authentication_timeout: Duration,
    /// Bytes per second at which a request that has begun has to come.
    pub min_request_rate: usize,
    /// A session on which nothing came for so long is ended.
    pub idle_timeout: Duration,
}

/// All that the command line says.
#[derive(Debug)]
pub struct Invocation {
    /// What the program is to be.
    pub mode: Mode,
    /// Whether it is only to say what it would work with: [`effective`](Self::effective).
    pub check: bool,
    /// Whether it is to print the addresses at which it listens.
    pub json: bool,
    /// The form of log lines.
    pub log_format: LogFormat,
    effective: Options,
}

/// Why there is nothing to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// What clap says: wrong flags, a wrong environment, or the help that was asked for.
    #[error("{0}")]
    Arguments(#[from] clap::Error),
    /// A file can't be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file says something wrong, and nothing of it is used.
    #[error("{}:{line}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// Options that can't be used together.
    #[error("{origin}: {problem}")]
    Invalid {
        /// The flag, the variable, or file and line.
        origin: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
}

impl Invocation {
    /// From the command line (its first argument is the program's name), the process's environment, and the file that
    /// they name.
    pub fn load(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, ConfigError> {
        check_environment(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let matches = command().try_get_matches_from(arguments).map_err(hide_credentials)?;
        let Arguments { config, check, options } = Arguments::from_arg_matches(&matches)?;
        let file = config.as_deref().map(file::read_options).transpose()?.unwrap_or_default();
        let password = std::env::var(PASSWORD).ok().filter(|password| !password.is_empty()).map(Secret::from);
        let sources = Sources { matches, path: config, file };
        resolve::invocation(options, &sources, password, check)
    }

    /// The options that are worked with, as a file that says the same. Secrets are not in it.
    pub fn effective(&self) -> String {
        let text = toml::to_string(&self.effective).unwrap_or_default();
        let account = match &self.mode {
            Mode::Gateway(config) => config.topology.account.as_ref(),
            Mode::Embedded(..) => None,
        };
        let Some(account) = account else { return text };
        let user = account.user.as_deref().unwrap_or(match account.proof {
            Proof::Certificate => "the one of account-cert",
            Proof::Token(_) | Proof::Password(_) => "the one of the token",
        });
        format!("{text}# the gateway's own account: {user:?}; its secret is not shown\n")
    }
}

/// Where options come from.
struct Sources {
    matches: ArgMatches,
    path: Option<PathBuf>,
    file: OptionsFile,
}

impl Sources {
    /// The options of the file, which count for less than those of the command line and the environment.
    fn file_options(&self) -> &Options {
        &self.file.options
    }

    /// Where an option was given; `None` if it was not.
    fn origin(&self, option: &str) -> Option<String> {
        match self.matches.value_source(&option.replace('-', "_")) {
            Some(ValueSource::CommandLine) => Some(format!("--{option}")),
            Some(ValueSource::EnvVariable) => Some(variable(option)),
            _ => {
                let line = self.file.lines.get(option)?;
                let path = self.path.as_deref().unwrap_or_else(|| "".as_ref());
                Some(format!("{}:{line}: {option}", path.display()))
            }
        }
    }

    fn invalid(&self, option: &str, problem: impl Into<String>) -> ConfigError {
        let origin = self.origin(option).unwrap_or_else(|| format!("--{option}"));
        ConfigError::Invalid { origin, problem: problem.into() }
    }
}

/// Takes what may be a password out of clap's complaint about a value.
fn hide_credentials(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = ContextValue::String(without_credentials(value).into_owned());
        error.insert(ContextKind::InvalidValue, shown);
    }
    error
}

/// The variable of an option.
fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_uppercase())
}

/// Refuses variables with our prefix that belong to no option, but for those that Kubernetes sets for a Service whose name
/// begins with `hotrod-gateway`.
fn check_environment(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let command = Arguments::command();
    let known = |name: &str| {
        name == PASSWORD || command.get_arguments().any(|argument| variable(argument.get_id().as_str()) == name)
    };
    for name in names {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if !known(&name) && !is_of_a_service(rest) {
            let option = rest.replace('_', "-").to_lowercase();
            return Err(ConfigError::Invalid { origin: name, problem: format!("there is no option --{option}") });
        }
    }
    Ok(())
}

/// Whether Kubernetes sets a variable with this end: `…SERVICE_HOST`, `…SERVICE_PORT…`, `…PORT`, `…PORT_11222_TCP…`.
fn is_of_a_service(name: &str) -> bool {
    let is_of_port = |(_, rest): (&str, &str)| rest.split('_').next().is_some_and(|port| port.parse::<u16>().is_ok());
    name.contains("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || name == "PORT"
        || name.ends_with("_PORT")
        || name.split_once("PORT_").is_some_and(is_of_port)
}

/// The command line, with what every option has alike: a variable, and its default in the help.
fn command() -> clap::Command {
    let defaults = |embedded| toml::Table::try_from(Options::defaults(embedded)).unwrap_or_default();
    let (defaults, embedded) = (defaults(false), defaults(true));
    Arguments::command().mut_args(|argument| {
        let id = argument.get_id().to_string();
        if id == "check" {
            return argument;
        }
        let option = id.replace('_', "-");
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
        let help = match (option.as_str(), defaults.get(&option)) {
            ("idle-timeout", Some(_)) => format!("{help} [default: 1h, with --embedded never]"),
            ("max-memory" | "max-request", Some(default)) => {
                let of_embedded = embedded.get(&option).map(text).unwrap_or_default();
                format!("{help} [default: {}, with --embedded {of_embedded}]", text(default))
            }
            (_, Some(default)) => format!("{help} [default: {}]", text(default)),
            ("listen", None) => format!("{help} [default with --embedded: 127.0.0.1:11222]"),
            ("max-connections-per-source", None) => format!("{help} [default: half of max-connections]"),
            ("max-sessions-per-source", None) => format!("{help} [default: half of max-sessions]"),
            ("members", None) => format!("{help} [default: 1]"),
            ("max-link-memory", None) => format!("{help} [default: half of max-memory]"),
            (_, None) => help,
        };
        argument.env(variable(&option)).hide_env(true).hide_possible_values(true).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_of_no_option_is_refused_but_for_those_of_a_service() {
        let check = |name: &str| check_environment([name.to_string()].into_iter()).map_err(|error| error.to_string());
        for name in [
            "HOTROD_GATEWAY_UPSTREAM",
            "HOTROD_GATEWAY_PASSWORD",
            "HOTROD_GATEWAY_CONFIG",
            "HOTROD_GATEWAY_SERVICE_HOST",
            "HOTROD_GATEWAY_FRONT_SERVICE_PORT_HTTPS",
            "HOTROD_GATEWAY_PORT",
            "HOTROD_GATEWAY_PORT_11322_TCP_ADDR",
            "HOTROD_GATEWAYS",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let refused = check("HOTROD_GATEWAY_UPSTEAM").unwrap_err();
        assert_eq!(refused, "HOTROD_GATEWAY_UPSTEAM: there is no option --upsteam");
        assert!(check("HOTROD_GATEWAY_PORT_FORWARD").is_err());
    }
}
