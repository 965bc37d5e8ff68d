//! Flags, environment and file.

use std::process::Command;

use hotrod_embedded::ClusterOptions;
use hotrod_gateway::config::{Invocation, Mode};

use crate::common::Files;

/// What the program says of its settings: the exit code, and what it printed or complained of.
fn check(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotrod-gateway"));
    command.args(arguments).arg("--check").envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// What is wrong.
fn complaint(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let (code, text) = check(arguments, environment);
    assert_eq!(code, 2, "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

const SIDECAR: [&str; 6] = ["--upstream", "127.0.0.1:11222", "--node-name", "pod-0", "--listen", "127.0.0.1:0"];

#[test]
fn a_flag_counts_for_more_than_the_environment_and_that_for_more_than_the_file() {
    let files = Files::new();
    let file = files.write("gateway.toml", "buffer = \"3KiB\"\nmax-tunnels = 3\nkeep-alive = 3\n");
    let environment = [("HOTROD_GATEWAY_BUFFER", "2KiB"), ("HOTROD_GATEWAY_MAX_TUNNELS", "2")];
    let (code, text) = check(&[&SIDECAR[..], &["--config", &file, "--buffer", "1KiB"]].concat(), &environment);
    assert_eq!(code, 0, "{text}");
    for line in ["buffer = \"1KiB\"", "max-tunnels = 2", "keep-alive = \"3\"", "idle-timeout = \"1h\""] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

#[test]
fn what_check_prints_is_a_file_that_says_the_same() {
    let files = Files::new();
    for more in [&[][..], &["--tls-cert", &files.at("server.pem"), "--tls-key", &files.at("server.key")]] {
        let (code, printed) = check(&[&SIDECAR[..], more].concat(), &[]);
        assert_eq!(code, 0, "{printed}");
        let file = files.write("printed.toml", &printed);
        assert_eq!(check(&["--config", &file], &[]), (0, printed));
    }
    for arguments in [&["--embedded"][..], &["--embedded", "--max-memory=16MiB"]] {
        let (code, printed) = check(arguments, &[]);
        assert_eq!(code, 0, "{printed}");
        let file = files.write("printed.toml", &printed);
        assert_eq!(check(&["--config", &file], &[]), (0, printed));
    }
}

/// Returns the embedded cluster's options: its limits for a link, for all links, and for a message, in bytes.
fn embedded_limits(more: &[&str]) -> [usize; 3] {
    let arguments = ["hotrod-gateway", "--embedded"].iter().chain(more);
    let Mode::Embedded(options, _) = Invocation::load(arguments).unwrap().mode else { panic!("a gateway") };
    let cluster = options.cluster;
    [cluster.max_link_bytes, cluster.max_held_bytes, cluster.limits.message]
}

#[test]
fn the_limits_of_an_embedded_cluster_s_memory_are_options() {
    let defaults = ClusterOptions::default();
    let defaults = [defaults.max_link_bytes, defaults.max_held_bytes, defaults.limits.message];
    assert_eq!(embedded_limits(&[]), defaults);
    assert_eq!(embedded_limits(&["--max-memory=64MiB"]), [32 << 20, 64 << 20, 1 << 30], "half for a link");
    assert_eq!(
        embedded_limits(&["--max-memory=64MiB", "--max-link-memory=20MiB", "--max-request=1MiB"]),
        [20 << 20, 64 << 20, 1 << 20]
    );
}

/// Every option, and by the environment alone.
#[test]
fn the_environment_has_every_option() {
    let files = Files::new();
    let variables = [
        ("UPSTREAM", "one:1,two:2"),
        ("FRONT", "true"),
        ("NODE_NAME", "front"),
        ("LISTEN", "[::1]:0"),
        ("ADMIN", "[::1]:0"),
        ("TLS_CERT", &files.at("server.pem")),
        ("TLS_KEY", &files.at("server.key")),
        ("TLS_CLIENT_CA", &files.at("ca.pem")),
        ("ALPN", "h2"),
        ("SERVER_NAMES", "gateway.example.com,*.example.org"),
        ("ALLOW_PLAIN", "false"),
        ("BACKLOG", "7"),
        ("PROXY_PROTOCOL", "10.0.0.0/8,192.0.2.7"),
        ("UPSTREAM_TLS", "true"),
        ("UPSTREAM_CA", &files.at("ca.pem")),
        ("UPSTREAM_SERVER_NAME", "infinispan"),
        ("UPSTREAM_CLIENT_CERT", &files.at("client.pem")),
        ("UPSTREAM_CLIENT_KEY", &files.at("client.key")),
        ("CONNECT_TIMEOUT", "1s"),
        ("KEEP_ALIVE", "2s"),
        ("TOPOLOGY_CACHE", "dist"),
        ("TOPOLOGY_INTERVAL", "3s"),
        ("ACCOUNT_CERT", &files.at("client.pem")),
        ("ACCOUNT_KEY", &files.at("client.key")),
        ("USER", "gate"),
        ("SASL_MECHANISM", "SCRAM-SHA-256"),
        ("MAX_CONNECTIONS", "4"),
        ("MAX_SESSIONS", "5"),
        ("MAX_CONNECTIONS_PER_SOURCE", "3"),
        ("MAX_SESSIONS_PER_SOURCE", "2"),
        ("MAX_HANDSHAKES_PER_SOURCE", "9"),
        ("MAX_TUNNELS", "6"),
        ("MAX_HEADER", "8KiB"),
        ("MAX_REQUEST", "1GiB"),
        ("BUFFER", "9KiB"),
        ("MAX_MEMORY", "17MiB"),
        ("HANDSHAKE_TIMEOUT", "10s"),
        ("AUTHENTICATION_TIMEOUT", "13s"),
        ("MIN_REQUEST_RATE", "2KiB"),
        ("IDLE_TIMEOUT", "11s"),
        ("DRAIN_TIMEOUT", "12s"),
        ("LOG_FORMAT", "json"),
        ("JSON", "true"),
    ];
    let names: Vec<String> = variables.iter().map(|(name, _)| format!("HOTROD_GATEWAY_{name}")).collect();
    let mut environment: Vec<_> = names.iter().map(String::as_str).zip(variables.iter().map(|pair| pair.1)).collect();
    environment.push(("HOTROD_GATEWAY_PASSWORD", "0pensesame"));
    let (code, text) = check(&[], &environment);
    assert_eq!(code, 0, "{text}");
    for (name, value) in variables {
        let option = name.to_lowercase().replace('_', "-");
        let is_there = [format!("{option} = {value}"), format!("{option} = \"{value}\"")];
        assert!(text.lines().any(|line| is_there.iter().any(|wanted| line == wanted)), "{option} in\n{text}");
    }
    assert!(text.contains("account: \"gate\"") && !text.contains("0pensesame"), "{text}");
}

#[test]
fn a_bad_file_is_refused_whole_with_the_line_and_what_was_expected() {
    let files = Files::new();
    for (content, line, expected) in [
        ("buffer = \"1KiB\"\nlisten-at = \"x\"\n", 2, "unknown field `listen-at`, expected one of `embedded`"),
        ("\n\nidle-timeout = \"soon\"\n", 3, "\"soon\" is not a time such as 250ms"),
        ("idle-timeout = true\n", 1, "expected a time such as 250ms"),
        ("buffer = 17\n", 1, "\"17\" is not a size from 1KiB"),
        ("proxy-protocol = \"10.0.0.1/8\"\n", 1, "\"10.0.0.1/8\" is not networks such as 10.0.0.0/8"),
        (
            "max-connections = 4\nmax-connections-per-source = 5\n",
            2,
            "max-connections-per-source: expected at most max-connections",
        ),
        ("max-tunnels = 0\n", 1, "expected a nonzero"),
        ("max-tunnels = \"many\"\n", 1, "expected a nonzero"),
        ("alpn = []\n", 1, "\"\" is not ALPN ids"),
        ("upstream = [\"one\", \"two:x\"]\n", 1, "\"one,two:x\" is not HOST:PORT"),
        ("front = \"yes\"\n", 1, "expected a boolean"),
        ("log-format = \"xml\"\n", 1, "\"xml\" is not text or json"),
        ("front = true\nfront = false\n", 2, "duplicate key"),
        ("buffer = \"1KiB\"\nthis is no TOML\n", 2, "expected"),
        ("buffer = \"1KiB\"\npassword = \"0pensesame\"\n", 2, "unknown field `password`"),
        ("cache = [\"x:colour=red\"]\nembedded = true\n", 1, "cache x can't be made with colour=red"),
        // What does not go together.
        ("\ntls-cert = \"c.pem\"\n", 2, "tls-cert: goes together with tls-key"),
        ("alpn = \"h2\"\n", 1, "alpn: means nothing without tls-cert and tls-key"),
        ("\n\nupstream-ca = \"ca.pem\"\n", 3, "upstream-ca: means nothing without upstream-tls"),
        ("members = 3\n", 1, "members: means nothing without --embedded"),
        ("user = \"gate\"\n", 1, "user: its password is missing: put it into HOTROD_GATEWAY_PASSWORD"),
        ("sasl-mechanism = \"PLAIN\"\n", 1, "means nothing without user or account-file"),
        ("upstream = \"one,two\"\n", 1, "upstream: a sidecar has one member"),
        ("advertise = \"one:x\"\n", 1, "advertise: \"one:x\" is not HOST:PORT"),
    ] {
        let file = files.write("bad.toml", content);
        let rest = if content.contains("upstream =") { &SIDECAR[2..] } else { &SIDECAR[..] };
        let arguments = if content.contains("embedded") { vec![] } else { rest.to_vec() };
        let complaint = complaint(&[&arguments[..], &["--config", &file]].concat(), &[]);
        assert!(complaint.starts_with(&format!("{file}:{line}: ")), "{content:?}: {complaint}");
        assert!(complaint.contains(expected), "{content:?}: {complaint}");
        assert!(!complaint.contains("0pensesame"), "{complaint}");
    }
    assert!(complaint(&["--config", &files.at("missing.toml")], &[]).contains("missing.toml: No such file"));
}

#[test]
fn a_bad_flag_or_variable_is_named() {
    let all = |more: &[&'static str]| [&SIDECAR[..], more].concat();
    for (arguments, environment, expected) in [
        (vec!["--listen", "127.0.0.1:0"], vec![], "expected --upstream HOST:PORT --node-name NAME (a sidecar)"),
        (vec!["--upstream", "one", "--listen", "127.0.0.1:0"], vec![], "--node-name: a sidecar needs the name"),
        (vec!["--upstream", "one", "--node-name", "n"], vec![], "--listen: is missing"),
        (vec!["--upstream", "one", "--node-name", "a b"], vec![], "--node-name: \"a b\" is not 1 to 255 visible"),
        (all(&["--buffer", "1"]), vec![], "invalid value '1' for '--buffer <SIZE>': \"1\" is not a size"),
        (all(&[]), vec![("HOTROD_GATEWAY_BUFFER", "1")], "\"1\" is not a size"),
        (all(&[]), vec![("HOTROD_GATEWAY_CACHE", "x")], "HOTROD_GATEWAY_CACHE: means nothing without --embedded"),
        (all(&[]), vec![("HOTROD_GATEWAY_PASSWORD", "0pensesame")], "is there and no user"),
        (all(&["--front", "--advertise", "x:1"]), vec![], "--advertise: means nothing with --front"),
        (vec!["--embedded", "--admin", "127.0.0.1:0"], vec![], "--admin: means nothing with --embedded"),
        (vec!["--embedded", "--front"], vec![], "--front: means nothing with --embedded"),
        (vec!["--embedded", "--members", "70000"], vec![], "--members: expected at most 65535"),
        (
            vec!["--embedded", "--max-memory=64MiB", "--max-link-memory=65MiB"],
            vec![],
            "--max-link-memory: expected at most max-memory",
        ),
        (all(&["--max-link-memory", "64MiB"]), vec![], "--max-link-memory: means nothing without --embedded"),
        (vec!["--embeded"], vec![], "unexpected argument '--embeded' found"),
    ] {
        let complaint = complaint(&arguments, &environment);
        assert!(complaint.contains(expected), "{arguments:?} {environment:?}: {complaint}");
        assert!(!complaint.contains("0pensesame"), "{complaint}");
    }
}

#[test]
fn a_variable_of_no_option_is_refused() {
    let required = ["--upstream", "127.0.0.1:1", "--node-name", "n", "--listen", "127.0.0.1:1"];
    let why = complaint(&required, &[("HOTROD_GATEWAY_UPSTEAM", "x")]);
    assert!(why.contains("HOTROD_GATEWAY_UPSTEAM: there is no option --upsteam"), "{why}");
}

#[test]
fn files_that_are_named_have_to_be_usable() {
    let files = Files::new();
    let (good, key, none) = (files.at("server.pem"), files.at("server.key"), files.at("missing.pem"));
    let empty = files.write("empty.pem", "");
    for (certificate, key, expected) in [
        (&none, &key, "missing.pem: No such file"),
        (&empty, &key, "empty.pem: no certificate in PEM form"),
        (&good, &empty, "empty.pem: "),
        (&good, &files.at("client.key"), "server.pem: "),
    ] {
        let (code, text) = check(&[&SIDECAR[..], &["--tls-cert", certificate, "--tls-key", key]].concat(), &[]);
        assert!(code == 1 && text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn an_account_file_has_all_that_an_account_needs_and_is_never_shown() {
    let files = Files::new();
    let with = |content: &str| {
        let file = files.write("account.toml", content);
        check(&[&SIDECAR[..], &["--account-file", &file]].concat(), &[])
    };
    let (code, text) = with("user = \"gate\"\npassword = \"0pensesame\"\nmechanism = \"SCRAM-SHA-256\"\n");
    assert!(code == 0 && text.contains("account: \"gate\"") && !text.contains("0pensesame"), "{text}");
    let (code, text) = with("token = \"0pensesame\"\n");
    assert!(code == 0 && !text.contains("0pensesame"), "{text}");
    for (content, line) in [
        ("user = \"gate\"\n", 1),
        ("password = \"0pensesame\"\n", 1),
        ("user = \"gate\"\npassword = \"0pensesame\"\ntoken = \"0pensesame\"\n", 1),
        ("user = \"gate\"\npasswort = \"0pensesame\"\n", 2),
        ("user = \"gate\"\n\npassword = 0pensesame\n", 3),
        ("user = \"gate\"\npassword = \"x\"\nmechanism = \"0pensesame\"\n", 3),
    ] {
        let (code, text) = with(content);
        assert!(code == 2 && text.contains(&format!("account.toml:{line}: expected user")), "{content}: {text}");
        assert!(!text.contains("0pensesame"), "{text}");
    }
}

/// Also by `--check`: before anything is started.
#[cfg(unix)]
#[test]
fn files_with_secrets_that_others_may_read_or_write_are_refused() {
    let files = Files::new();
    files.write("account.toml", "user = \"gate\"\npassword = \"0pensesame\"\n");
    let (account, pem) = (files.at("account.toml"), files.at("server.pem"));
    let (key, ca) = (files.at("server.key"), files.at("ca.pem"));
    let with_account = ["--account-file", account.as_str()];
    let with_tls = ["--tls-cert", pem.as_str(), "--tls-key", &key];
    let with_ca = ["--upstream-tls", "--upstream-ca", ca.as_str()];
    let with_client = ["--upstream-tls", "--upstream-client-cert", &pem, "--upstream-client-key", &key];
    let cases = [
        ("account.toml", &with_account[..], 0o620, "others may write it (mode 0620"),
        ("account.toml", &with_account, 0o606, "others may write it"),
        ("account.toml", &with_account, 0o604, "everybody may read it"),
        ("server.key", &with_tls, 0o644, "everybody may read it (mode 0644"),
        ("server.key", &with_client, 0o666, "others may write it"),
        ("server.pem", &with_tls, 0o666, "everybody may write it"),
        ("ca.pem", &with_ca, 0o646, "everybody may write it"),
    ];
    for (file, arguments, mode, problem) in cases {
        let arguments = [&SIDECAR[..], arguments].concat();
        let (code, text) = check(&arguments, &[]);
        assert_eq!(code, 0, "{file}: {text}");
        files.set_mode(file, mode);
        let (code, text) = check(&arguments, &[]);
        assert!(code != 0 && text.contains(&format!("{file}: {problem}")), "{file}, {mode:o}: {code}, {text}");
        files.set_mode(file, 0o600);
    }
}

#[test]
fn every_option_is_in_the_readme() {
    let readme = include_str!("../../README.md");
    let (_, help) = {
        let output = Command::new(env!("CARGO_BIN_EXE_hotrod-gateway")).arg("--help").output().unwrap();
        (output.status, String::from_utf8(output.stdout).unwrap())
    };
    // Further lines of an option's help are indented by more.
    let options = help.lines().filter(|line| !line.starts_with("          "));
    let options = options.filter_map(|line| line.trim_start().strip_prefix("--"));
    let mut count = 0;
    for option in options.map(|line| line.split(['=', '[', ' ']).next().unwrap()) {
        assert!(readme.contains(&format!("`{option}`")), "{option} is not in gateway/README.md");
        count += 1;
    }
    assert!(count > 35, "{count} options in\n{help}");
}
