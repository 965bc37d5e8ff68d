//! Runs the program as a shell does, against an embedded node on a real socket.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use hotrod_embedded::Cluster;
use hotrod_embedded::host::{Embedded, EmbeddedOptions};
use serde_json::Value;

/// One node for all tests of this file.
fn uri() -> &'static str {
    static URI: OnceLock<String> = OnceLock::new();
    URI.get_or_init(|| format!("hotrod://{}/local", start(1, |_| {})))
}

/// Starts a cluster that lives as long as the process, and returns the address of its first member.
fn start(members: usize, change: fn(&mut Cluster)) -> SocketAddr {
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listen = SocketAddr::from(([127, 0, 0, 1], 0));
            let options = EmbeddedOptions { members, listen, ..EmbeddedOptions::default() };
            let node = Embedded::start(options).await.unwrap();
            node.with_cluster(|cluster, _| change(cluster));
            sender.send(node.addresses()[0]).unwrap();
            std::future::pending::<()>().await;
        });
    });
    address.recv().unwrap()
}

fn hotrod(arguments: &[&str]) -> Output {
    hotrod_with_input(arguments, b"")
}

fn hotrod_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hotrod"))
        .args(["-u", uri()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that fails early may not read all input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns the only line on standard error.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_string()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_value_goes_in_and_comes_out() {
    assert_eq!(code(&hotrod(&["put", "in-out", "value"])), 0);
    let got = hotrod(&["get", "in-out"]);
    assert_eq!((code(&got), stdout(&got).as_str()), (0, "value\n"));
    assert_eq!(stdout(&hotrod(&["get", "in-out", "--raw"])), "value");
    assert_eq!(json(&hotrod(&["--json", "get", "in-out"]))["value"], "value");
}

#[test]
fn a_value_comes_from_standard_input_with_every_byte() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(code(&hotrod_with_input(&["put", "binary", "-"], &bytes)), 0);
    assert_eq!(hotrod(&["get", "binary", "--raw"]).stdout, bytes);
    assert!(json(&hotrod(&["--json", "get", "binary"]))["value_base64"].is_string());
}

#[test]
fn what_is_not_there_is_1() {
    let output = hotrod(&["get", "nowhere"]);
    assert_eq!(code(&output), 1);
    assert_eq!(complaint(&output), "hotrod: no entry with key \"nowhere\"");
    assert_eq!(code(&hotrod(&["remove", "nowhere"])), 1);
    assert_eq!(code(&hotrod(&["replace", "nowhere", "v"])), 1);
    assert_eq!(code(&hotrod(&["get-meta", "nowhere"])), 1);
    let output = hotrod(&["contains", "nowhere"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, "no\n"));
}

#[test]
fn conditions_decide_and_tell() {
    assert_eq!(code(&hotrod(&["put-if-absent", "cond", "one"])), 0);
    let output = hotrod(&["put-if-absent", "cond", "two", "--previous"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, "one\n"));
    let version = json(&hotrod(&["--json", "get-meta", "cond"]))["version"].to_string();
    assert_eq!(code(&hotrod(&["cas", "cond", &version, "three"])), 0);
    let output = hotrod(&["cas", "cond", &version, "four"]);
    assert_eq!(code(&output), 1);
    assert_eq!(complaint(&output), "hotrod: \"cond\" was not written: it has another version by now");
    assert_eq!(code(&hotrod(&["contains", "cond"])), 0);
    assert_eq!(code(&hotrod(&["replace", "cond", "five"])), 0);
    assert_eq!(code(&hotrod(&["remove", "cond"])), 0);
}

#[test]
fn lifetimes_are_told_back() {
    assert_eq!(code(&hotrod(&["put", "mortal", "v", "--lifespan", "90s", "--max-idle", "5m"])), 0);
    let entry = json(&hotrod(&["--json", "get-meta", "mortal"]));
    assert_eq!((&entry["lifespan_seconds"], &entry["max_idle_seconds"]), (&90.into(), &300.into()));
    let output = hotrod(&["put", "mortal", "v", "--lifespan", "0s"]);
    assert_eq!(code(&output), 2);
}

#[test]
fn many_entries_go_in_from_a_file_and_come_out() {
    let cache = ["-c", "repl"];
    let lines: String = (0..1200).map(|n| format!("key{n:04}\tvalue {n}\n")).collect();
    let put = hotrod_with_input(&[&cache[..], &["put-all", "-"]].concat(), lines.as_bytes());
    assert_eq!((code(&put), stdout(&put).as_str()), (0, "1200 entries stored\n"));
    assert_eq!(stdout(&hotrod(&[&cache[..], &["size"]].concat())), "1200\n");
    let json_lines = "{\"key\":\"tab\\tkey\",\"value\":\"two\\nlines\"}\n";
    assert_eq!(code(&hotrod_with_input(&[&cache[..], &["put-all", "-"]].concat(), json_lines.as_bytes())), 0);
    let keys = "key0007\nkey1199\nmissing\n";
    let got = hotrod_with_input(&[&cache[..], &["get-all", "-", "--batch", "2"]].concat(), keys.as_bytes());
    assert_eq!(code(&got), 1);
    let mut found: Vec<_> = stdout(&got).lines().map(String::from).collect();
    found.sort();
    assert_eq!(found, ["key0007\tvalue 7", "key1199\tvalue 1199"]);
    assert_eq!(complaint(&got), "hotrod: 1 of 3 keys have no entry");
    assert_eq!(code(&hotrod(&[&cache[..], &["clear"]].concat())), 0);
    assert_eq!(stdout(&hotrod(&[&cache[..], &["size"]].concat())), "0\n");
}

/// An invalid line is found before anything is written.
#[test]
fn a_bad_file_is_2_and_nothing_is_written() {
    let output = hotrod_with_input(&["-c", "dist", "put-all", "-"], b"a\t1\nno tab here\n");
    assert_eq!(code(&output), 2);
    assert_eq!(complaint(&output), "hotrod: -:2: neither key<TAB>value nor a JSON object");
    assert_eq!(stdout(&hotrod(&["-c", "dist", "size"])), "0\n");
    let output = hotrod(&["put-all", "/no/such/file"]);
    assert_eq!(code(&output), 2);
    assert!(complaint(&output).contains("/no/such/file"));
}

#[test]
fn wrong_input_is_2_and_named() {
    for (arguments, named) in [
        (&["-u", "http://x", "ping"][..], "hotrod://"),
        (&["-u", "hotrod://x:y", "ping"], "\"x:y\""),
        (&["-u", "hotrod://x?sokcet_timeout=1", "ping"], "\"sokcet_timeout\""),
        (&["--ca", "ca.pem", "ping"], "--ca needs TLS"),
        (&["-u", "hotrods://x", "--ca", "/no/ca.pem", "ping"], "/no/ca.pem"),
        (&["-u", "hotrods://x", "--ca", "/dev/null", "ping"], "/dev/null: no certificate"),
        (&["-u", "hotrod://user@x", "ping"], "no password"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hotrod")).args(arguments).output().unwrap();
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(complaint(&output).contains(named), "{arguments:?}: {}", complaint(&output));
    }
}

#[test]
fn a_server_that_is_not_there_is_3_and_named() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_hotrod")).args(["-u", "hotrod://127.0.0.1:1", "ping"]).output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(complaint(&output).contains("127.0.0.1:1: Connection refused"), "{}", complaint(&output));
}

#[test]
fn an_error_of_the_server_is_3_in_its_words() {
    let output = hotrod(&["-c", "no such cache", "get", "k"]);
    assert_eq!(code(&output), 3);
    let complaint = complaint(&output);
    assert!(complaint.contains("GET failed in the server") && complaint.contains("no such cache"), "{complaint}");
}

#[test]
fn the_server_and_its_caches_are_described() {
    let ping = json(&hotrod(&["--json", "ping"]));
    assert_eq!(ping["version"], "4.1");
    assert!(stdout(&hotrod(&["stats"])).contains("currentNumberOfEntries"));
    assert!(json(&hotrod(&["--json", "caches"])).as_array().unwrap().contains(&"local".into()));
}

#[test]
fn the_password_of_the_uri_is_shown_nowhere() {
    let uri = uri().replace("hotrod://", "hotrod://admin:sesame@");
    let output = Command::new(env!("CARGO_BIN_EXE_hotrod")).args(["-u", &uri, "ping"]).output().unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_hotrod")).arg("--help").env("HOTROD_URI", &uri).output().unwrap();
    for output in [output, help] {
        let shown = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&shown).contains("sesame"));
    }
}

#[test]
fn the_map_shows_every_member() {
    let output = hotrod(&["-c", "dist", "map"]);
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    assert!(text.starts_with("dist: topology "), "{text}");
    assert!(text.contains("256 segments, 1 members, access direct"), "{text}");
    assert!(text.contains("256 + 0"), "{text}");
    assert!(text.contains("1 link  ready"), "{text}");
    assert!(text.contains("1000 of 1000 keyed operations sent to their owner (100.0%)"), "{text}");
}

#[test]
fn the_map_for_programs() {
    let output = hotrod(&["--json", "-c", "dist", "map"]);
    let map: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(map["segments"], 256);
    let members = map["members"].as_array().unwrap();
    assert_eq!(members.len(), 1);
    assert_eq!((&members[0]["primary_segments"], &members[0]["ready"]), (&Value::from(256), &Value::from(true)));
    assert!(members[0]["round_trip_ms"].as_f64().unwrap() > 0.0);
}

/// The topology names a third member, whose port refuses connections.
#[test]
fn a_map_shows_every_member_that_can_be_reached_and_fails_for_the_others() {
    let address = start(2, |cluster| {
        let refusing = hotrod_tokio::core::wire::Member { host: "127.0.0.1".into(), port: 1 };
        cluster.add_member(refusing);
    });
    let uri = format!("hotrod://{address}/dist");
    for _ in 0..10 {
        let output = Command::new(env!("CARGO_BIN_EXE_hotrod")).args(["-u", &uri, "--json", "map"]).output().unwrap();
        let map = json(&output);
        assert_eq!((code(&output), &map["complete"], &map["covered"]), (1, &false.into(), &2.into()), "{map}");
        for member in map["members"].as_array().unwrap() {
            let is_refused = member["address"] == "127.0.0.1:1";
            assert_eq!(member["ready"], !is_refused, "{map}");
            assert_eq!(member["failure"].as_str().is_some_and(|text| text.contains("refused")), is_refused, "{map}");
        }
        assert_eq!(map["lookups"]["answered"], 1000, "{map}");
    }
}

#[test]
fn the_map_is_looked_at_again_and_again() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hotrod"))
        .args(["-u", uri(), "--json", "map", "--watch", "0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    for _ in 0..3 {
        let map: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert!(map["members"].is_array());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(code(&hotrod(&["map", "--watch", "0"])), 2);
}

#[test]
fn a_command_that_goes_on_ends_with_its_reader() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hotrod"))
        .args(["-u", uri(), "map", "--watch", "0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    drop(reader);
    assert!(child.wait().unwrap().success());
}

#[test]
fn keys_and_values_may_begin_with_a_dash() {
    assert_eq!(code(&hotrod(&["put", "-k", "-5"])), 0);
    assert_eq!(stdout(&hotrod(&["get", "-k"])), "-5\n");
    assert_eq!(code(&hotrod(&["put", "-k", "--lifespan", "1h", "--", "-6"])), 0);
    assert_eq!(stdout(&hotrod(&["get", "-k"])), "-6\n");
    assert_eq!(code(&hotrod(&["put", "--lifespan", "1h", "-k", "-7", "--previous"])), 0);
    assert_eq!(stdout(&hotrod(&["get", "-k"])), "-7\n");
    assert_eq!(code(&hotrod(&["remove", "-k"])), 0);
}
