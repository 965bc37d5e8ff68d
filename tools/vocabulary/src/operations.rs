//! The operations, and the methods by which users call them.

use hotrod_core::vocabulary::{AnswerShape, ArgumentKind};
use hotrod_core::wire::{Effect, Operation, Routing, Row};
use serde_json::{Value, json};

use crate::prose;

pub(crate) fn all() -> Vec<Value> {
    Operation::table().iter().filter(|row| row.operation.is_offered()).map(operation).collect()
}

fn operation(row: &Row) -> Value {
    let (group, method) = method(row);
    json!({
        "name": row.operation.program_name(),
        "protocol_name": row.name,
        "variant": row.variant,
        "opcode": row.request_opcode,
        "since": row.since.to_string(),
        "routed_by_key": matches!(row.routing, Routing::Key | Routing::StoredKey),
        "pinned": row.routing == Routing::Same,
        "effect": match row.effect {
            Effect::Reads => "reads",
            Effect::Overwrites => "overwrites",
            Effect::Changes => "changes",
        },
        "fields": row.fields.iter().map(|field| json!({
            "name": field.name, "argument": argument(field.argument),
        })).collect::<Vec<_>>(),
        "reply": snake(&format!("{:?}", row.reply)),
        "answer": snake(&format!("{:?}", AnswerShape::of(row.operation))),
        "offer": snake(&format!("{:?}", row.offer)),
        "group": group,
        "method": method,
        "doc": prose(row.doc),
    })
}

/// The class that has the operation as a method, and that method's name: what the class already says is left out.
fn method(row: &Row) -> (&'static str, String) {
    let name = row.operation.program_name();
    if row.operation == Operation::CounterGetNames {
        return ("client", "counter_names".into());
    }
    if let Some(method) = name.strip_prefix("counter_") {
        return ("counter", method.into());
    }
    if let Some((before, after)) = name.split_once("_multimap") {
        return ("multimap", format!("{before}{after}"));
    }
    ("cache", name)
}

fn argument(kind: ArgumentKind) -> String {
    snake(&format!("{kind:?}"))
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() || letter.is_ascii_digit() {
            if index > 0 {
                text.push('_');
            }
            text.push(letter.to_ascii_lowercase());
        } else {
            text.push(letter);
        }
    }
    text
}
