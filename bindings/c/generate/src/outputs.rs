//! A struct for each output, and the union of them.

use serde_json::Value;

use crate::{doc, rows, snake, string, upper, word_type};

pub(crate) fn text(vocabulary: &Value) -> String {
    let outputs = rows(vocabulary, "outputs");
    let mut out = String::from(
        "
use crate::answer::{hotrod_answer, hotrod_iteration_entry_list};
use crate::failure::hotrod_failure;
use crate::output::{OutputFields, hotrod_tls};
use crate::text::{hotrod_bytes, hotrod_text};

/// Type of an output, which selects the member of `as`. Numbers are never reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum hotrod_output_type {
",
    );
    for output in outputs {
        out += &doc("    ", string(output, "doc"));
        out += &format!("    {} = {},\n", constant(output), output["tag"]);
    }
    out += "}\n";
    out += &words(outputs);
    for output in outputs.iter().filter(|output| !rows(output, "fields").is_empty()) {
        out += &structure(output);
    }
    out += "
/// The fields of an output, by its type.
#[repr(C)]
#[derive(Clone, Copy)]
pub union hotrod_output_fields {
    /// For outputs without fields.
    pub nothing: u8,
";
    for output in outputs.iter().filter(|output| !rows(output, "fields").is_empty()) {
        let name = snake(string(output, "name"));
        out += &format!("    /// Set for `{}`.\n    pub {name}: hotrod_output_{name},\n", constant(output));
    }
    out += "}

/// An output of the machine. It and its memory are valid until the next `hotrod_poll` on the same machine, or until
/// that is freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hotrod_output {
    /// Type of the output.
    pub r#type: hotrod_output_type,
    /// Fields: the member for `type`.
    pub r#as: hotrod_output_fields,
}

/// Returns the output with tag `tag`, built from `fields`; `None` for an unknown tag.
pub(crate) fn output(tag: u8, fields: &mut OutputFields) -> Option<hotrod_output> {
    use hotrod_output_type::*;
    let (r#type, r#as) = match tag {
";
    for output in outputs {
        out += &arm(output);
    }
    out + "        _ => return None,\n    };\n    Some(hotrod_output { r#type, r#as })\n}\n"
}

fn constant(output: &Value) -> String {
    format!("HOTROD_OUTPUT_{}", upper(string(output, "name")))
}

fn words(outputs: &[Value]) -> String {
    let mut out = String::new();
    let mut known = Vec::new();
    for field in outputs.iter().flat_map(|output| rows(output, "fields")).filter(|field| field["kind"] == "word") {
        let (name, prefix) = word_type(&field["words"]);
        if known.contains(&name) {
            continue;
        }
        known.push(name);
        out +=
            &format!("\n{}#[repr(C)]\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n", doc("", string(field, "doc")));
        out += &format!("pub enum {name} {{\n");
        let mut arms = String::new();
        for (index, word) in rows(field, "words").iter().enumerate() {
            let word = word.as_str().expect("a word");
            out += &doc("    ", &format!("It is {}.", word.replace('_', " ")));
            out += &format!("    {prefix}_{} = {index},\n", word.to_uppercase());
            arms += &format!("            {index} => Self::{prefix}_{},\n", word.to_uppercase());
        }
        let first = rows(field, "words")[0].as_str().expect("a word").to_uppercase();
        let arms = arms.replacen(&format!("            0 => Self::{prefix}_{first},\n"), "", 1);
        out += &format!(
            "}}\n\nimpl {name} {{\n    fn of(index: usize) -> Self {{\n        match index {{\n{arms}            _ => Self::{prefix}_{first},\n        }}\n    }}\n}}\n"
        );
    }
    out
}

fn structure(output: &Value) -> String {
    let mut out = format!("\n{}#[repr(C)]\n#[derive(Clone, Copy)]\n", doc("", string(output, "doc")));
    out += &format!("pub struct hotrod_output_{} {{\n", snake(string(output, "name")));
    for field in rows(output, "fields") {
        let (name, kind) = (string(field, "name"), string(field, "kind"));
        let optional = field["optional"] == true;
        if optional && kind == "opaque" {
            out += &format!("    /// Whether `{name}` is set.\n    pub has_{name}: bool,\n");
        }
        let absent = match kind {
            _ if !optional => "",
            "id" => " 0 for none.",
            "text" | "bytes" => " `data` is NULL for none.",
            "tls" | "answer" | "failure" => " NULL for none.",
            _ => "",
        };
        let unit = if kind == "duration" { " In microseconds." } else { "" };
        out += &doc("    ", &format!("{}{unit}{absent}", string(field, "doc")));
        out += &format!("    pub {}: {},\n", field_name(name, kind), field_type(field, kind));
    }
    out + "}\n"
}

/// Returns a field's name in C; names of durations end with the unit.
pub(crate) fn field_name(name: &str, kind: &str) -> String {
    if kind == "duration" { format!("{name}_us") } else { name.to_string() }
}

fn field_type(field: &Value, kind: &str) -> &'static str {
    match kind {
        "id" | "number" | "opaque" | "duration" => "u64",
        "signed" => "i64",
        "flag" => "bool",
        "text" => "hotrod_text",
        "bytes" => "hotrod_bytes",
        "word" => word_type(&field["words"]).0,
        "tls" => "*const hotrod_tls",
        "answer" => "*const hotrod_answer",
        "failure" => "*const hotrod_failure",
        "entries" => "hotrod_iteration_entry_list",
        other => panic!("no C type is known for {other}"),
    }
}

fn arm(output: &Value) -> String {
    let fields = rows(output, "fields");
    let (tag, constant) = (&output["tag"], constant(output));
    if fields.is_empty() {
        return format!("        {tag} => ({constant}, hotrod_output_fields {{ nothing: 0 }}),\n");
    }
    let name = snake(string(output, "name"));
    let mut made = String::new();
    for (index, field) in fields.iter().enumerate() {
        let (field_name_, kind) = (string(field, "name"), string(field, "kind"));
        if field["optional"] == true && kind == "opaque" {
            made += &format!("                has_{field_name_}: fields.is_set({index}),\n");
        }
        let value = match kind {
            "word" => format!("{}::of(fields.word({index}))", word_type(&field["words"]).0),
            "id" | "number" | "opaque" | "duration" => format!("fields.number({index})"),
            kind => format!("fields.{kind}({index})"),
        };
        made += &format!("                {}: {value},\n", field_name(field_name_, kind));
    }
    format!(
        "        {tag} => {{\n            let {name} = hotrod_output_{name} {{\n{made}            }};\n            ({constant}, hotrod_output_fields {{ {name} }})\n        }}\n"
    )
}
