//! `spec/vocabulary.json`: what crosses the border to hosts in other languages, as core declares it.
//!
//! The generators of the bindings read that file, so that a name, a field or a sentence of documentation stands in one
//! place.

mod operations;

use hotrod_core::cluster::Counters;
use hotrod_core::uri::PROPERTIES;
use hotrod_core::vocabulary::{FailureKind, Field, Kind, Machine};
use hotrod_core::wire::{Flags, Status};
use serde_json::{Value, json};

/// Where it stands.
pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vocabulary.json");

/// What is to stand there.
pub fn text() -> String {
    let vocabulary = json!({
        "operations": operations::all(),
        "outputs": Machine::shapes().map(|shape| json!({
            "tag": shape.tag,
            "name": shape.name,
            "doc": prose(shape.doc),
            "fields": (shape.fields)().iter().map(field).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "failures": FailureKind::ALL.iter().map(|(kind, name, doc)| json!({
            "code": *kind as u8, "name": name, "doc": prose(doc),
        })).collect::<Vec<_>>(),
        "flags": Flags::ALL.iter().map(|(name, flag, doc)| json!({
            "name": name, "value": flag.0, "doc": prose(doc),
        })).collect::<Vec<_>>(),
        "statuses": Status::ALL.iter().map(|(name, status)| json!({
            "name": name, "code": status.0, "text": status.text(),
        })).collect::<Vec<_>>(),
        "counters": Counters::NAMES.iter().map(|(name, doc)| json!({
            "name": name, "doc": prose(doc),
        })).collect::<Vec<_>>(),
        "properties": PROPERTIES.iter().map(|property| json!({
            "name": property.name, "doc": property.doc, "default": property.default,
        })).collect::<Vec<_>>(),
    });
    format!("{vocabulary:#}\n")
}

fn field(field: &Field) -> Value {
    let mut row = json!({ "name": field.name, "kind": kind(field.kind), "optional": field.optional });
    match field.kind {
        Kind::Id(of) => row["of"] = of.into(),
        Kind::Word(words) => row["words"] = words.into(),
        _ => {}
    }
    row["doc"] = prose(field.doc).into();
    row
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Id(_) => "id",
        Kind::Number => "number",
        Kind::Opaque => "opaque",
        Kind::Signed => "signed",
        Kind::Flag => "flag",
        Kind::Duration => "duration",
        Kind::Text => "text",
        Kind::Bytes => "bytes",
        Kind::Word(_) => "word",
        Kind::Tls => "tls",
        Kind::Answer => "answer",
        Kind::Failure => "failure",
        Kind::Entries => "entries",
    }
}

/// Documentation without what only rustdoc understands: `` [`name`](path) `` becomes `` `name` ``.
pub(crate) fn prose(doc: &str) -> String {
    let joined = doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut rest = joined.trim();
    while let Some(start) = rest.find('[') {
        let (before, link) = rest.split_at(start);
        text.push_str(before);
        let Some(end) = link.find(']') else { break };
        text.push_str(&link[1..end]);
        rest = &link[end + 1..];
        if rest.starts_with('(')
            && let Some(end) = rest.find(')')
        {
            rest = &rest[end + 1..];
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_names() {
        assert_eq!(prose(" Say\n [`x`](super::y), or [z](w)."), "Say `x`, or z.");
        assert_eq!(prose(" Plain."), "Plain.");
    }

    /// `make generate` writes it anew.
    #[test]
    fn the_file_is_what_core_declares() {
        let present = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(present == text(), "spec/vocabulary.json is stale: run `make generate`");
    }

    const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

    #[test]
    fn the_readme_has_every_property() {
        let readme = std::fs::read_to_string(README).unwrap();
        for property in PROPERTIES {
            let name = if property.name.ends_with('.') { "site.NAME" } else { property.name };
            let row = format!("| `{name}` | {} | {} |\n", property.doc, property.default);
            assert!(readme.contains(&row), "the README needs: {row}");
        }
    }

    /// Of the other languages their own tests say so; they all run the program.
    #[test]
    fn the_readme_shows_the_program_in_c() {
        let readme = std::fs::read_to_string(README).unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bindings/c/examples/readme.c");
        let program = std::fs::read_to_string(program).unwrap();
        assert!(readme.contains(&format!("```c\n{program}```")), "the README shows another one");
    }

    #[test]
    fn no_tag_is_given_twice() {
        let mut tags: Vec<u8> = Machine::shapes().map(|shape| shape.tag).collect();
        let count = tags.len();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), count);
    }
}
