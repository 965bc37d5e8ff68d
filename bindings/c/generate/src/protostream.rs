//! Kinds of ProtoStream values.

use serde_json::Value;

use crate::{doc, rows, string};

pub(crate) fn text(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
/// Kind of a ProtoStream value; `hotrod_protostream_value` has it as a number. Numbers are never reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_protostream_kind {
",
    );
    for kind in rows(vocabulary, "protostream") {
        let content = match string(kind, "content") {
            "nothing" => "It has no content.".into(),
            content => format!("Its content is `{}`.", field(content)),
        };
        out += &doc("    ", &format!("{} {content}", string(kind, "doc")));
        let name = string(kind, "name").to_uppercase();
        out += &format!("    HOTROD_PROTOSTREAM_{name} = {},\n", kind["number"]);
    }
    out + "}\n"
}

/// Returns the field of `hotrod_protostream_content` that holds a content.
fn field(content: &str) -> &str {
    match content {
        "float" => "real",
        "signed" => "integer",
        "unsigned" => "unsigned_integer",
        "enum" => "constant",
        other => other,
    }
}
