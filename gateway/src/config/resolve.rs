//! From options to settings: what goes together, and what does not.

use std::path::PathBuf;

use hotrod_core::sasl::{Mechanism, Secret};
use hotrod_core::wire::Member;
use hotrod_embedded::ClusterOptions;
use hotrod_embedded::host::EmbeddedOptions;

use super::file::{Account, Proof, read_account};
use super::options::{ALWAYS, ONLY_EMBEDDED, Options};
use super::value::{Given, Kind, Servers, without_credentials};
use super::{
    ClientTls, Config, ConfigError, Invocation, Limits, LogFormat, Mode, Role, ServerTls, Sources, TopologyConfig,
    UpstreamConfig, variable,
};

/// `options` are those of command line and environment.
pub(super) fn invocation(
    options: Options,
    sources: &Sources,
    password: Option<Secret>,
    check: bool,
) -> Result<Invocation, ConfigError> {
    let said = laid_over(sources.file_options().clone(), options, sources)?;
    let embedded = said.embedded == Some(true);
    none_out_of_place(embedded, sources)?;
    let mut effective = laid_over(Options::defaults(embedded), said, sources)?;
    if effective.tls_cert.is_none() {
        // A default that would mean nothing.
        effective.alpn = None;
    }
    effective.derive(embedded);
    let mode = if embedded {
        embedded_node(&effective, sources)?
    } else {
        Mode::Gateway(Box::new(gateway(&effective, sources, password)?))
    };
    Ok(Invocation {
        mode,
        check,
        json: effective.json == Some(true),
        log_format: effective.log_format.as_ref().map_or(LogFormat::Text, |given| given.value),
        effective,
    })
}

/// What `above` says, and `below` where it says nothing. Both go through the form of the file, which has a place for
/// each option that is said and none for the others.
fn laid_over(below: Options, above: Options, sources: &Sources) -> Result<Options, ConfigError> {
    let table = |options| toml::Table::try_from(options).map_err(|error| error.to_string());
    let merged = table(below).and_then(|mut merged| {
        merged.extend(table(above)?);
        merged.try_into().map_err(|error: toml::de::Error| error.message().to_string())
    });
    merged.map_err(|problem| sources.invalid("config", problem))
}

/// Refuses options that mean nothing in this mode: somebody believes that they do.
fn none_out_of_place(embedded: bool, sources: &Sources) -> Result<(), ConfigError> {
    let command = super::command();
    for argument in command.get_arguments() {
        let option = argument.get_id().to_string().replace('_', "-");
        let known = if embedded {
            ONLY_EMBEDDED.contains(&option.as_str()) || ALWAYS.contains(&option.as_str())
        } else {
            !ONLY_EMBEDDED.contains(&option.as_str())
        };
        if !known && !matches!(option.as_str(), "config" | "check") && sources.origin(&option).is_some() {
            let problem = if embedded { "means nothing with --embedded" } else { "means nothing without --embedded" };
            return Err(sources.invalid(&option, problem));
        }
    }
    Ok(())
}

fn embedded_node(options: &Options, sources: &Sources) -> Result<Mode, ConfigError> {
    if options.front == Some(true) {
        return Err(sources.invalid("front", "means nothing with --embedded"));
    }
    let defaults = EmbeddedOptions::default();
    let members = options.members.map_or(1, usize::from);
    if members > usize::from(u16::MAX) {
        return Err(sources.invalid("members", format!("expected at most {}, one port each", u16::MAX)));
    }
    let memory = value_of("max-memory", options.max_memory.as_ref(), sources)?.0;
    let link_memory = value_of("max-link-memory", options.max_link_memory.as_ref(), sources)?.0;
    if link_memory > memory {
        return Err(sources.invalid("max-link-memory", "expected at most max-memory, of which it is a part"));
    }
    let mut limits = ClusterOptions::default().limits;
    limits.message = value_of("max-request", options.max_request.as_ref(), sources)?.0;
    let cluster = ClusterOptions {
        limits,
        max_link_bytes: link_memory,
        max_held_bytes: memory,
        caches: options.cache.iter().flatten().map(|cache| cache.value.clone()).collect(),
        max_connections: options.max_connections.map_or(10_000, usize::from),
        ..ClusterOptions::default()
    };
    let node = EmbeddedOptions {
        cluster,
        members,
        advertise: options.advertise.clone(),
        handshake_timeout: options.handshake_timeout.as_ref().map_or(defaults.handshake_timeout, |given| given.value),
        idle_timeout: options.idle_timeout.as_ref().map(|given| given.value),
        ..defaults
    };
    Ok(Mode::Embedded(Box::new(node), text_of("listen", options.listen.as_ref(), sources)?))
}

fn gateway(options: &Options, sources: &Sources, password: Option<Secret>) -> Result<Config, ConfigError> {
    let tls = server_tls(options, sources)?;
    let count = |name, number: Option<std::num::NonZeroUsize>| {
        number.map(usize::from).ok_or_else(|| sources.invalid(name, "is missing"))
    };
    let share = |name, number, (all_name, all): (&str, Option<std::num::NonZeroUsize>)| {
        let share = count(name, number)?;
        if all.is_some_and(|all| share > usize::from(all)) {
            return Err(sources.invalid(name, format!("expected at most {all_name}, of which it is a part")));
        }
        Ok(share)
    };
    let limits = Limits {
        connections: count("max-connections", options.max_connections)?,
        sessions: count("max-sessions", options.max_sessions)?,
        connections_per_source: share(
            "max-connections-per-source",
            options.max_connections_per_source,
            ("max-connections", options.max_connections),
        )?,
        sessions_per_source: share(
            "max-sessions-per-source",
            options.max_sessions_per_source,
            ("max-sessions", options.max_sessions),
        )?,
        handshakes_per_source: count("max-handshakes-per-source", options.max_handshakes_per_source)?,
        tunnels: count("max-tunnels", options.max_tunnels)?,
        header: value_of("max-header", options.max_header.as_ref(), sources)?.0,
        request: value_of("max-request", options.max_request.as_ref(), sources)?.0,
        buffer: value_of("buffer", options.buffer.as_ref(), sources)?.0,
        memory: value_of("max-memory", options.max_memory.as_ref(), sources)?.0,
        handshake_timeout: value_of("handshake-timeout", options.handshake_timeout.as_ref(), sources)?,
        authentication_timeout: value_of("authentication-timeout", options.authentication_timeout.as_ref(), sources)?,
        min_request_rate: value_of("min-request-rate", options.min_request_rate.as_ref(), sources)?.0,
        idle_timeout: value_of("idle-timeout", options.idle_timeout.as_ref(), sources)?,
    };
    let backlog = count("backlog", options.backlog)?;
    Ok(Config {
        role: role(options, sources)?,
        listen: text_of("listen", options.listen.as_ref(), sources)?,
        admin: options.admin.as_ref().map(|given| given.text.clone()),
        allow_plain: tls.is_none() || options.allow_plain == Some(true),
        tls,
        backlog: u32::try_from(backlog).map_err(|_| sources.invalid("backlog", "expected at most 4294967295"))?,
        upstream: UpstreamConfig {
            tls: client_tls(options, sources)?,
            connect_timeout: value_of("connect-timeout", options.connect_timeout.as_ref(), sources)?,
            keep_alive: value_of("keep-alive", options.keep_alive.as_ref(), sources)?,
        },
        topology: TopologyConfig {
            cache: options.topology_cache.clone().unwrap_or_default(),
            interval: value_of("topology-interval", options.topology_interval.as_ref(), sources)?,
            account: account(options, sources, password)?,
        },
        limits,
        proxy_protocol: options.proxy_protocol.as_ref().map_or_else(Vec::new, |given| given.value.0.clone()),
        drain_timeout: value_of("drain-timeout", options.drain_timeout.as_ref(), sources)?,
    })
}

fn role(options: &Options, sources: &Sources) -> Result<Role, ConfigError> {
    let Some(Given { value: Servers(servers), .. }) = &options.upstream else {
        let wanted = "expected --upstream HOST:PORT --node-name NAME (a sidecar), --front --upstream HOST:PORT,… \
                      (before all members), or --embedded";
        return Err(sources.invalid("upstream", wanted));
    };
    if options.front == Some(true) {
        return match options.advertise {
            Some(_) => Err(sources.invalid("advertise", "means nothing with --front: it stands before all members")),
            None => Ok(Role::Front {
                seeds: servers.clone(),
                node_name: node_name(options, sources)?,
                member_hosts: options.member_hosts.as_ref().map(|given| given.value.clone()),
            }),
        };
    }
    if options.member_hosts.is_some() {
        return Err(sources.invalid("member-hosts", "means nothing without --front: a sidecar dials its one member"));
    }
    let [upstream] = servers.as_slice() else {
        return Err(sources.invalid("upstream", "a sidecar has one member; before several stands --front"));
    };
    let missing = || sources.invalid("node-name", "a sidecar needs the name of its member");
    let node_name = node_name(options, sources)?.ok_or_else(missing)?;
    let advertised = options.advertise.as_deref().map(|text| one_member(text, sources)).transpose()?;
    Ok(Role::Sidecar { upstream: upstream.clone(), node_name, advertised })
}

/// As a header field can say it (spec/hotrod-over-http.md, 13.1).
fn node_name(options: &Options, sources: &Sources) -> Result<Option<String>, ConfigError> {
    match &options.node_name {
        Some(name) if !(1..=255).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(sources.invalid("node-name", format!("{name:?} is not 1 to 255 visible ASCII characters")))
        }
        name => Ok(name.clone()),
    }
}

fn one_member(text: &str, sources: &Sources) -> Result<Member, ConfigError> {
    match Servers::read(text) {
        Some(Servers(mut members)) if members.len() == 1 => Ok(members.swap_remove(0)),
        _ => Err(sources.invalid("advertise", format!("{:?} is not HOST:PORT", without_credentials(text)))),
    }
}

fn server_tls(options: &Options, sources: &Sources) -> Result<Option<ServerTls>, ConfigError> {
    let certificate = with_key(("tls-cert", &options.tls_cert), ("tls-key", &options.tls_key), sources)?;
    let Some((certificate, key)) = certificate else {
        for option in ["tls-client-ca", "alpn", "server-names", "allow-plain"] {
            if sources.origin(option).is_some() {
                return Err(sources.invalid(option, "means nothing without tls-cert and tls-key"));
            }
        }
        return Ok(None);
    };
    if options.tls_client_ca.is_some() && options.allow_plain == Some(true) {
        let problem = "contradicts tls-client-ca: clients without TLS show no certificate";
        return Err(sources.invalid("allow-plain", problem));
    }
    let alpn = value_of("alpn", options.alpn.as_ref(), sources)?.0;
    let server_names = options.server_names.as_ref().map(|given| given.value.clone());
    Ok(Some(ServerTls { certificate, key, client_ca: options.tls_client_ca.clone(), alpn, server_names }))
}

fn client_tls(options: &Options, sources: &Sources) -> Result<Option<ClientTls>, ConfigError> {
    if options.upstream_tls != Some(true) {
        for option in [
            "upstream-ca",
            "upstream-server-name",
            "upstream-client-cert",
            "upstream-client-key",
            "account-cert",
            "account-key",
        ] {
            if sources.origin(option).is_some() {
                return Err(sources.invalid(option, "means nothing without upstream-tls"));
            }
        }
        return Ok(None);
    }
    let session = ("upstream-client-cert", &options.upstream_client_cert);
    let certificate = with_key(session, ("upstream-client-key", &options.upstream_client_key), sources)?;
    let account = ("account-cert", &options.account_cert);
    let account_certificate = with_key(account, ("account-key", &options.account_key), sources)?;
    let server_name = options.upstream_server_name.clone();
    Ok(Some(ClientTls { ca: options.upstream_ca.clone(), server_name, certificate, account_certificate }))
}

/// A certificate and its key: both are given, or neither.
fn with_key(
    (certificate_option, certificate): (&str, &Option<PathBuf>),
    (key_option, key): (&str, &Option<PathBuf>),
    sources: &Sources,
) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.clone(), key.clone()))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(sources.invalid(certificate_option, format!("goes together with {key_option}"))),
        (None, Some(_)) => Err(sources.invalid(key_option, format!("goes together with {certificate_option}"))),
    }
}

fn account(options: &Options, sources: &Sources, password: Option<Secret>) -> Result<Option<Account>, ConfigError> {
    let mechanism = options.sasl_mechanism.as_ref().map(|given| given.value);
    if mechanism == Some(Mechanism::External) && options.account_cert.is_none() {
        return Err(sources.invalid("sasl-mechanism", "EXTERNAL needs account-cert: the member takes the name from it"));
    }
    match (&options.account_file, &options.user, password) {
        (Some(_), Some(_), _) => Err(sources.invalid("user", "stands in account-file already: give one of the two")),
        (Some(path), None, _) => {
            let account = read_account(path)?;
            Ok(Some(Account { mechanism: mechanism.or(account.mechanism), ..account }))
        }
        (None, Some(user), Some(password)) => {
            Ok(Some(Account { user: Some(user.clone()), proof: Proof::Password(password), mechanism, realm: None }))
        }
        (None, Some(_), None) => {
            Err(sources.invalid("user", format!("its password is missing: put it into {}", variable("password"))))
        }
        (None, None, Some(_)) => Err(sources.invalid("user", format!("{} is there and no user", variable("password")))),
        (None, None, None) if mechanism == Some(Mechanism::External) && options.account_cert.is_some() => {
            Ok(Some(Account { user: None, proof: Proof::Certificate, mechanism, realm: None }))
        }
        (None, None, None) if mechanism.is_some() => {
            Err(sources.invalid("sasl-mechanism", "means nothing without user or account-file"))
        }
        (None, None, None) => Ok(None),
    }
}

fn given<'a, T>(option: &str, given: Option<&'a Given<T>>, sources: &Sources) -> Result<&'a Given<T>, ConfigError> {
    given.ok_or_else(|| sources.invalid(option, "is missing"))
}

fn value_of<T: Clone>(option: &str, value: Option<&Given<T>>, sources: &Sources) -> Result<T, ConfigError> {
    given(option, value, sources).map(|given| given.value.clone())
}

fn text_of<T>(option: &str, value: Option<&Given<T>>, sources: &Sources) -> Result<String, ConfigError> {
    given(option, value, sources).map(|given| given.text.clone())
}
