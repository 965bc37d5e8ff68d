//! Checks that `spec/hotrod-over-http.md` agrees with its data: the vectors and the list of requirements.

use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(file: &str) -> Value {
    serde_json::from_str(&read(file)).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Messages in order, with their senders: consecutive bytes of one sender are one entry.
#[derive(Default, PartialEq, Debug)]
struct Conversation(Vec<(char, String)>);

impl Conversation {
    fn add(&mut self, sender: char, hex: &str) {
        match self.0.last_mut() {
            Some((last, sent)) if *last == sender => sent.push_str(hex),
            _ => self.0.push((sender, hex.into())),
        }
    }

    fn of_vector(exchange: &Value) -> Self {
        let mut all = Self::default();
        for step in list(&exchange["steps"]) {
            let sender = if text(&step["from"]) == "client" { 'C' } else { 'E' };
            all.add(sender, text(&step["hex"]));
        }
        all
    }

    /// Parses a block of the document: `C` or `E` and a description, with bytes below.
    fn of_document(block: &str) -> Self {
        let (mut all, mut sender) = (Self::default(), ' ');
        for line in block.lines() {
            match line.strip_prefix("     ") {
                Some(octets) => all.add(sender, &octets.replace(' ', "")),
                None => sender = line.chars().next().expect("no empty lines"),
            }
        }
        all
    }
}

/// Blocks that follow `<!-- example: NAME -->`.
fn examples(document: &str) -> Vec<(&str, &str)> {
    let marked = document.split("<!-- example: ").skip(1);
    marked
        .map(|rest| {
            let (name, rest) = rest.split_once(" -->\n```text\n").expect("a block of text");
            (name, rest.split_once("```").expect("the block's end").0)
        })
        .collect()
}

/// Items that begin with a bold number, which stand beside their subject: number and text, in the order of the numbers.
fn requirements(document: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        if let Some((id, words)) = line.strip_prefix("- **[").and_then(|rest| rest.split_once("]** ")) {
            found.push((id.into(), words.into()));
            inside = true;
        } else if let (true, Some(words)) = (inside, line.strip_prefix("  ")) {
            let (_, text) = found.last_mut().expect("inside one");
            *text = format!("{text} {words}");
        } else {
            inside = false;
        }
    }
    found.sort_by_key(|(id, _)| id["R-".len()..].parse::<usize>().ok());
    found
}

#[test]
fn examples_are_the_exchanges_of_the_vectors() {
    let (document, vectors) = (read("hotrod-over-http.md"), json("vectors/hotrod-over-http.json"));
    let examples = examples(&document);
    let names: Vec<&str> = examples.iter().map(|(name, _)| *name).collect();
    let mut wanted: Vec<&str> = list(&vectors["exchanges"]).iter().map(|exchange| text(&exchange["name"])).collect();
    wanted.sort_by_key(|name| names.iter().position(|shown| shown == name));
    assert_eq!(names, wanted);
    for exchange in list(&vectors["exchanges"]) {
        let (name, block) = examples.iter().find(|(name, _)| *name == text(&exchange["name"])).expect("it is there");
        assert_eq!(Conversation::of_document(block), Conversation::of_vector(exchange), "{name}");
    }
}

#[test]
fn requirements_are_listed_word_for_word_and_numbered_in_order() {
    let list_of = json("requirements.json");
    let listed: Vec<(String, String)> =
        list(&list_of).iter().map(|one| (text(&one["id"]).into(), text(&one["text"]).into())).collect();
    assert_eq!(requirements(&read("hotrod-over-http.md")), listed);
    for (at, (id, _)) in listed.iter().enumerate() {
        assert_eq!(*id, format!("R-{}", at + 1));
    }
}

#[test]
fn the_table_of_tests_is_that_of_the_list() {
    let document = read("hotrod-over-http.md");
    let (_, table) = document.split_once("| requirement | tests |\n|---|---|\n").expect("the table");
    let rows: Vec<&str> = table.lines().collect();
    let wanted: Vec<String> = list(&json("requirements.json"))
        .iter()
        .map(|one| {
            let tests: Vec<String> = list(&one["tests"]).iter().map(|test| format!("`{}` ", text(test))).collect();
            format!("| {} | {}|", text(&one["id"]), tests.join("<br> "))
        })
        .collect();
    assert_eq!(rows, wanted);
}

#[test]
fn every_test_of_a_requirement_exists() {
    let requirements = json("requirements.json");
    let tests = list(&requirements).iter().flat_map(|one| list(&one["tests"])).map(text);
    let missing: Vec<&str> = tests
        .filter(|test| {
            let (file, name) = test.split_once(": ").expect("a file and a test");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            // A function in Rust, Python or C, or the name of a test in JavaScript.
            !std::fs::read_to_string(path).is_ok_and(|source| source.contains(name))
        })
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_code_is_in_the_registries() {
    let (document, vectors) = (read("hotrod-over-http.md"), json("vectors/hotrod-over-http.json"));
    let (_, registries) = document.split_once("## 17. Registries").expect("the registries");
    let rows = |kind: &str| vectors["names"][kind].as_object().expect("names").clone();
    for (name, code) in rows("settings").iter().filter(|(_, code)| code.as_u64() >= Some(0xf000)) {
        let row = format!("| 0x{:04x} | SETTINGS_{name} |", code.as_u64().expect("a number"));
        assert!(registries.contains(&row), "{row}");
    }
    for (name, code) in rows("frames").iter().filter(|(_, code)| code.as_u64() >= Some(0xf0)) {
        let row = format!("| 0x{:02x} | {name} |", code.as_u64().expect("a number"));
        assert!(registries.contains(&row), "{row}");
    }
    for (name, code) in rows("errors").iter().filter(|(_, code)| code.as_u64() >= Some(0xf000_0000)) {
        let row = format!("| 0x{:08x} | {name} |", code.as_u64().expect("a number"));
        assert!(registries.contains(&row), "{row}");
    }
}

#[test]
fn requirements_that_are_referred_to_exist() {
    let document = read("hotrod-over-http.md");
    let count = requirements(&document).len();
    for rest in document.split("R-").skip(1) {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<usize>() {
            assert!((1..=count).contains(&number), "R-{number}");
        }
    }
}
