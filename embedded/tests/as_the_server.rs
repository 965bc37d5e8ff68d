//! Bytes of requests, and the bytes that Infinispan 16.0.7 answers.

mod common;

use common::{START_MS, address};
use hotrod_embedded::{Cluster, ClusterOptions, Connection, MemberId, Moment};

/// A connection without a client: bytes in, bytes out.
struct Raw {
    cluster: Cluster,
    connection: Connection,
}

const MOMENT: Moment = Moment { now: hotrod_core::time::Instant::EPOCH, unix_ms: START_MS };
/// "dist", as a field.
const DIST: &str = "0464697374";

impl Raw {
    fn new() -> Self {
        Self::with(ClusterOptions::default())
    }

    fn with(options: ClusterOptions) -> Self {
        let mut cluster = Cluster::new(options, MOMENT);
        cluster.add_member(address(11222));
        let connection = Connection::open(&mut cluster, MemberId(0)).expect("a connection");
        Self { cluster, connection }
    }

    fn answer(&mut self, request: &str) -> String {
        let digits: Vec<_> = request.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<_> = digits.chunks(2).map(byte).collect();
        self.connection.handle_received(&bytes);
        self.connection.process(&mut self.cluster, MOMENT);
        let answer = self.connection.transmit().to_bytes();
        self.connection.transmitted(answer.len());
        answer.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn has_ended(&self) -> bool {
        self.connection.end().is_some()
    }
}

fn field(text: &str) -> String {
    let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{:02x}{bytes}", text.len())
}

/// EXEC of a task without a topology in the answer.
fn exec(task: &str, parameters: &[(&str, &str)]) -> String {
    let fields: String = parameters.iter().map(|(name, value)| field(name) + &field(value)).collect();
    format!("a0051f2b000001000000{}{:02x}{fields}", field(task), parameters.len())
}

fn text_of(answer: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&answer[at..at + 2], 16).unwrap();
    (0..answer.len()).step_by(2).map(byte).map(char::from).collect()
}

#[test]
fn a_ping_without_a_cache_name_is_one_of_the_default_cache() {
    let mut options = ClusterOptions::default();
    options.caches.push("default:media-type=text/plain".parse().unwrap());
    let mut raw = Raw::with(options);
    let answer = raw.answer("a0 01 19 17 00 00 03 00");
    assert!(answer.starts_with("a101180001"), "a topology: {answer}");
    assert_eq!(raw.answer("a001191700000100"), "a101180000");
    assert_eq!(raw.answer("a0011d17000001000000"), "a101180000010d00010d00");
}

#[test]
fn without_authentication_there_is_an_empty_list_of_mechanisms_and_no_topology() {
    assert_eq!(Raw::new().answer("a0011d21000003000000"), "a10122000000");
    assert_eq!(Raw::new().answer("a001292100000300000000"), "a10122000000");
}

/// An entry with a lifetime of zero is gone at once, in every version that has units.
#[test]
fn a_lifetime_of_zero_ends_at_once() {
    for (version, media_types) in [("16", ""), ("19", ""), ("1d", "0000"), ("1e", "0000"), ("29", "000000")] {
        let mut raw = Raw::new();
        let mut request =
            |opcode: &str, fields: &str| raw.answer(&format!("a005{version}{opcode}{DIST}000100{media_types}{fields}"));
        for lifetimes in ["0800", "0700", "8000", "000000", "000064", "2801"] {
            assert_eq!(request("01", &format!("017a{lifetimes}0176")), "a105020000", "{version} PUT {lifetimes}");
            assert_eq!(request("03", "017a"), "a105040200", "{version} GET after {lifetimes}");
        }
        assert_eq!(request("05", "017b08000176"), "a105060000", "{version} PUT_IF_ABSENT");
        assert_eq!(request("03", "017b"), "a105040200", "{version}");
        assert_eq!(request("2d", "080001017c0176"), "a1052e0000", "{version} PUT_ALL");
        assert_eq!(request("03", "017c"), "a105040200", "{version}");
    }
}

/// 2.0 and 2.1 have no units: zero is no end, or with the flag the cache's default.
#[test]
fn a_lifetime_of_zero_at_2_0_is_none() {
    let mut options = ClusterOptions::default();
    options.caches.push("dist:lifespan=1000s".parse().unwrap());
    let mut raw = Raw::with(options);
    let mut metadata = |flags: &str| {
        raw.answer(&format!("a0051401{DIST}{flags}0100 0167 0000 0176"));
        raw.answer(&format!("a006141b{DIST}000100 0167"))
    };
    assert!(metadata("00").starts_with("a1061c000003"), "neither ends");
    assert!(metadata("06").starts_with("a1061c000002"), "the default of the cache");
}

/// The server adds lifetimes to the time as signed 64-bit numbers, and takes a negative lifetime for none.
#[test]
fn lifetimes_overflow_as_in_the_server() {
    let mut raw = Raw::new();
    let mut after = |version: &str, lifetimes: &str| {
        let media_types = if version == "19" { "" } else { "000000" };
        let put = format!("a005{version}01{DIST}000100{media_types}017a{lifetimes}0176");
        assert_eq!(raw.answer(&put), "a105020000");
        raw.answer(&format!("a005{version}1b{DIST}000100{media_types}017a"))
    };
    assert_eq!(after("29", "18ffffffffffffffff7f"), "a1051c0200", "2^63-1 ms");
    assert_eq!(after("29", "08ffffffffffffffff7f"), "a1051c0200", "2^63-1 s");
    assert!(after("29", "18ffffffffffffffffff01").starts_with("a1051c000003"), "-1 ms: no end");
    assert!(after("29", "681f").starts_with("a1051c000002"), "31 days");
    assert_eq!(after("19", "681f"), "a1051c0200", "31 days are a date of 1970 before 3.0");
    assert!(after("19", "18ffffffffffffffffff01").starts_with("a1051c000003"), "-1 ms: no end");
    assert!(after("19", "18ffffffffffffffff7f").starts_with("a1051c000002"), "a date");
}

#[test]
fn removing_a_counter_that_is_not_there_succeeds() {
    let mut raw = Raw::new();
    assert_eq!(raw.answer("a005295e00000100000000 046e6f7065"), "a1055f0000");
    assert_eq!(raw.answer("a005295400000100000000 046e6f7065"), "a105550200", "RESET");
}

#[test]
fn a_stray_byte_behind_a_request_is_answered_and_the_connection_goes_on() {
    let invalid = |byte: &str| {
        let text = format!(
            "org.infinispan.server.hotrod.InvalidMagicIdException: Error reading magic byte or message id: {byte}"
        );
        format!("a100508100{}", field(&text))
    };
    let mut raw = Raw::new();
    assert_eq!(raw.answer("a001191700000100 0f"), format!("a101180000{}", invalid("15")));
    assert_eq!(raw.answer("a002191700000100"), "a102180000");
    let together = raw.answer("a001191700000100 0fa1 a002191700000100");
    assert_eq!(together, format!("a101180000{}{}a102180000", invalid("15"), invalid("-95")));
    assert!(!raw.has_ended());
}

#[test]
fn multimap_keys_are_entries_of_the_cache() {
    let mut raw = Raw::new();
    let mut request = |opcode: &str, fields: &str| raw.answer(&format!("a0071e{opcode}{DIST}0001000000{fields}"));
    assert_eq!(request("25", "026c31 00 00 00 00 00"), "a107260000");
    let key = "026d6b";
    let event = |kind: &str, version: &str| format!("a100{kind}0000026c310000{key}{version}");
    let put = request("6b", &format!("{key}770131"));
    assert!(put.starts_with(&format!("a1076c0000{}", event("60", ""))), "created: {put}");
    let put = request("6b", &format!("{key}770132"));
    assert!(put.starts_with(&format!("a1076c0000{}", event("61", ""))), "modified: {put}");
    assert_eq!(request("0f", key), "a107100000", "CONTAINS_KEY");
    assert_eq!(request("67", key), "a1076800000201310132", "GET_MULTIMAP");
    let refused = request("03", key);
    assert!(refused.starts_with("a107508500"), "GET of a multimap key is refused: {refused}");
    assert!(text_of(&refused).contains("java.lang.ClassCastException"));
    let removed = request("6f", &format!("{key}770131"));
    assert!(removed.starts_with(&format!("a10770000001{}", event("61", ""))), "{removed}");
    assert_eq!(request("6d", key), format!("a1076e000001{}", event("62", "")));
    assert_eq!(request("0f", key), "a107100200");
    assert_eq!(request("6f", &format!("{key}770139")), "a10770000000");
    assert!(request("6b", &format!("{key}770131")).starts_with("a1076c0000a10060"));
    assert_eq!(request("0b", key), format!("a1070c0000{}", event("62", "")), "REMOVE");
    assert_eq!(request("71", ""), "a10772000000", "SIZE_MULTIMAP");
}

#[test]
fn a_cache_is_created_only_of_a_known_configuration() {
    let mut raw = Raw::new();
    let nonsense = raw.answer(&exec("@@cache@create", &[("name", "n"), ("configuration", "<nonsense/>")]));
    assert!(nonsense.starts_with("a105508500"), "{nonsense}");
    let text = text_of(&nonsense);
    assert!(text.contains("CacheConfigurationException: ISPN000327: Cannot find a parser for element 'nonsense'"));
    let again = raw.answer(&exec("@@cache@getorcreate", &[("name", "n"), ("configuration", "<nonsense/>")]));
    assert_eq!(again, nonsense);
    for (name, configuration) in [
        ("x", r#"<local-cache><encoding media-type="text/plain"/></local-cache>"#),
        ("j", r#"{"local-cache":{"encoding":{"media-type":"text/plain"}}}"#),
        ("y", "localCache:\n  encoding:\n    mediaType: text/plain\n"),
    ] {
        let create = exec("@@cache@create", &[("name", name), ("configuration", configuration)]);
        assert_eq!(raw.answer(&create), "a1052c000000", "{configuration}");
        let ping = raw.answer(&format!("a00a1d17{}0001000000", field(name)));
        assert_eq!(ping, "a10a180000010d00010d00", "{configuration}");
    }
    let unnamed = exec("@@cache@create", &[("name", "u")]);
    assert_eq!(raw.answer(&unnamed), "a1052c000000", "without a configuration");
    let empty = text_of(&raw.answer(&exec("@@cache@create", &[("name", "e"), ("configuration", "")])));
    assert!(empty.contains("ISPN005031"), "{empty}");
    let template = text_of(&raw.answer(&exec("@@cache@create", &[("name", "t"), ("template", "nope")])));
    assert!(template.contains("ISPN000374: No such template 'nope' when declaring 't'"), "{template}");
    let nameless = text_of(&raw.answer(&exec("@@cache@remove", &[])));
    assert!(
        nameless.contains("ISPN005030: Administration task '@@cache@remove' invoked without required parameter 'name'")
    );
}

#[test]
fn names_include_the_internal_caches_of_a_server() {
    let names = text_of(&Raw::new().answer(&exec("@@cache@names", &[])));
    assert!(
        names.ends_with(r#"["___protobuf_metadata","___script_cache","default","dist","local","repl"]"#),
        "{names}"
    );
}

#[test]
fn what_only_a_server_has_is_refused_as_such() {
    let mut raw = Raw::new();
    let mut refusal = |request: &str| {
        let answer = raw.answer(request);
        assert!(answer.contains("508500"), "{answer}");
        text_of(&answer)
    };
    let known = ["key-value-with-previous-converter-factory", "continuous-query-filter-converter-factory"];
    for factory in known {
        let text = refusal(&format!("a0091925{DIST}000100 026c31 00 00 {}00 00", field(factory)));
        assert!(text.contains("is not supported by the embedded server"), "{text}");
    }
    let text = refusal(&format!("a0091925{DIST}000100 026c31 00 {}00 {}00 00", field(known[1]), field(known[1])));
    assert!(text.contains("is not supported by the embedded server"), "{text}");
    let text = refusal(&format!("a0091925{DIST}000100 026c31 00 {}00 00 00", field("nope")));
    assert!(text.contains("ISPN006013: Listener key/value filter factory 'nope' not found in server"), "{text}");
    let text = refusal(&exec("nosuchtask", &[]));
    assert!(text.contains("ISPN027002: Unknown task 'nosuchtask'"), "{text}");
    let text = refusal(&format!("a0091f1f{DIST}0001000000 0178"));
    assert!(text.contains("QUERY is not supported by the embedded server"), "{text}");
}

/// The topology id of members at other addresses differs, also where these are as many and own the same segments.
#[test]
fn the_topology_id_covers_addresses() {
    let id = |port| {
        let mut cluster = Cluster::new(ClusterOptions::default(), MOMENT);
        cluster.add_member(address(port));
        cluster.topology("dist").map(|topology| topology.id).unwrap()
    };
    assert_eq!(id(11222), id(11222));
    assert_ne!(id(11222), id(11322));
}
