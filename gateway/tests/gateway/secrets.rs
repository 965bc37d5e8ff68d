//! Nothing that the gateway says has a secret in it: no log, however much is logged, no error, no `--check`, no `Debug`.

use std::process::Command;

use hotrod_core::wire::{Body, Operation, Request, Status};
use hotrod_gateway::config::Invocation;
use hotrod_tokio::Client;
use rustix::process::Signal;

use crate::common::{Files, Played, until};
use crate::program::Program;

/// Stands in every place of the tests in which a secret may stand.
const SECRET: &str = "0pensesame";

/// Plays a server that wants everybody to authenticate by PLAIN and lets nobody in; counts the passwords that it is shown.
fn ask_for_passwords(played: Played) -> tokio::sync::watch::Receiver<usize> {
    let (shown, count) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (mut link, mut header, mut request) = played.next().await;
            let shown = shown.clone();
            tokio::spawn(async move {
                loop {
                    let operation = request.operation();
                    let (status, body) = match &request {
                        Request::AuthMechList {} => (Status::SUCCESS, Body::Names(vec!["PLAIN".into()])),
                        Request::Auth { response, .. } => {
                            let has_secret = String::from_utf8_lossy(&response.0).contains(SECRET);
                            shown.send_modify(|count| *count += usize::from(has_secret));
                            (Status::SERVER_ERROR, Body::Error("nobody is let in".into()))
                        }
                        _ => (Status::SERVER_ERROR, Body::Error("not authenticated".into())),
                    };
                    link.reply(&header, operation, status, body, None).await;
                    let Some(next) = link.request().await else { return };
                    (header, request) = next;
                    if request.operation() == Operation::Ping {
                        return;
                    }
                }
            });
        }
    });
    count
}

#[tokio::test]
async fn no_log_has_a_secret_in_it_however_much_is_logged() {
    let files = Files::new();
    let account =
        files.write("account.toml", &format!("user = \"gate\"\npassword = \"{SECRET}\"\nmechanism = \"PLAIN\"\n"));
    let token = files.write("token.toml", &format!("token = \"{SECRET}\"\nmechanism = \"PLAIN\"\n"));
    let (certificate, key) = (files.at("server.pem"), files.at("server.key"));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--allow-plain"];
    let trace = ("RUST_LOG", "trace");
    let by_environment = [
        trace,
        ("HOTROD_GATEWAY_USER", "gate"),
        ("HOTROD_GATEWAY_PASSWORD", SECRET),
        ("HOTROD_GATEWAY_SASL_MECHANISM", "PLAIN"),
    ];
    let often = ["--topology-interval", "100ms"];
    for (arguments, environment, is_shown) in [
        (vec!["--account-file", account.as_str()], &[trace][..], true),
        (vec!["--account-file", &account, "--log-format", "json"], &[trace], true),
        (vec!["--account-file", &token], &[trace], false),
        (vec![], &by_environment, true),
    ] {
        let played = Played::new().await;
        let address = played.address();
        let mut shown = ask_for_passwords(played);
        let program = Program::start(address, &[&arguments[..], &tls, &often].concat(), environment);
        if is_shown {
            shown.wait_for(|count| *count > 0).await.unwrap();
        }
        let before = *shown.borrow();
        for carriage in ["raw", "frames", "upgrade"] {
            let uri = format!(
                "hotrod://client:{SECRET}@{}/dist?client_intelligence=basic&sasl_mechanism=PLAIN&carriage={carriage}",
                program.address
            );
            let error = Client::connect(&uri).await.err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
            assert!(!error.contains(SECRET), "{error}");
        }
        until("clients have shown their password", || std::future::ready(*shown.borrow() > before)).await;
        program.signal(Signal::TERM);
        let (code, log) = program.ended().await;
        assert_eq!(code, Some(0));
        assert!(log.contains("listening"), "{log}");
        assert!(!log.contains(SECRET), "{arguments:?}: {log}");
        let key = std::fs::read_to_string(&key).unwrap();
        let of_key = key.lines().filter(|line| !line.starts_with('-')).find(|line| log.contains(line));
        assert_eq!(of_key, None, "a line of the private key");
    }
}

/// A URI with a password, where servers are wanted, is no reason to show the password.
#[test]
fn no_complaint_shows_what_may_be_a_password() {
    let files = Files::new();
    let with = |name: &str| format!("{name}://gate:{SECRET}@127.0.0.1:11222");
    let (uri, bare) = (with("hotrod"), format!("gate:{SECRET}@127.0.0.1:11222"));
    let file = files.write("gateway.toml", &format!("upstream = \"{uri}\"\n"));
    let advertised = files.write("advertised.toml", &format!("advertise = \"{bare}\"\n"));
    let sidecar = ["--node-name", "n", "--listen", "127.0.0.1:0"];
    let upstream = ["--upstream", "one"];
    for (arguments, environment) in [
        (vec!["--upstream", uri.as_str()], vec![]),
        (vec!["--upstream", &bare], vec![]),
        (vec!["--upstream", "one", "--advertise", &bare], vec![]),
        (vec!["--upstream", "one", "--admin", &uri], vec![]),
        (vec!["--listen", &uri], vec![]),
        (vec!["--config", &file], vec![]),
        (vec![upstream[0], upstream[1], "--config", &advertised], vec![]),
        (vec![], vec![("HOTROD_GATEWAY_UPSTREAM", uri.as_str())]),
        (upstream.to_vec(), vec![("HOTROD_GATEWAY_ADVERTISE", &bare)]),
        (upstream.to_vec(), vec![("HOTROD_GATEWAY_PASSWORD", SECRET)]),
        (
            upstream.to_vec(),
            vec![("HOTROD_GATEWAY_PASSWORD", SECRET), ("HOTROD_GATEWAY_USER", "gate"), ("HOTROD_GATEWAY_BUFFER", "x")],
        ),
    ] {
        for check in [&[][..], &["--check"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hotrod-gateway"));
            command
                .args(sidecar)
                .args(&arguments)
                .args(check)
                .envs(environment.iter().copied())
                .env("RUST_LOG", "trace");
            let output = command.output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!output.status.success(), "{arguments:?} {environment:?}: {said}");
            assert!(!said.contains(SECRET), "{arguments:?} {environment:?}: {said}");
        }
    }
}

#[test]
fn no_debug_form_of_settings_shows_a_secret() {
    let files = Files::new();
    for content in [format!("user = \"gate\"\npassword = \"{SECRET}\"\n"), format!("token = \"{SECRET}\"\n")] {
        let account = files.write("account.toml", &content);
        let arguments = ["hotrod-gateway", "--upstream", "one", "--node-name", "n", "--listen", "127.0.0.1:0"];
        let invocation = Invocation::load(arguments.iter().copied().chain(["--account-file", &account])).unwrap();
        for text in [format!("{invocation:?}"), format!("{:#?}", invocation.mode), invocation.effective()] {
            assert!(!text.contains(SECRET), "{text}");
        }
        assert!(format!("{invocation:?}").contains("Secret(…)"), "the account is there");
        let account = files.write("account.toml", &format!("{content}{SECRET} = \"{SECRET}\"\n"));
        let error = Invocation::load(arguments.iter().copied().chain(["--account-file", &account])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    }
}
