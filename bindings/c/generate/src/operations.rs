//! A function for each operation.

use serde_json::Value;

use crate::{doc, rows, string, upper};

pub(crate) fn text(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
use hotrod_core::wire::Operation;

use crate::answer::hotrod_pair_list;
use crate::arguments::{
    hotrod_counter_configuration, hotrod_expiration, hotrod_modification_list, hotrod_parameter_list, hotrod_xid,
};
use crate::boundary::hotrod_machine;
use crate::generated::codes::hotrod_status;
use crate::submit::{Argument, hotrod_call_options, submit};
use crate::text::{hotrod_bytes, hotrod_bytes_list, hotrod_text};
",
    );
    for operation in rows(vocabulary, "operations") {
        out += &function(operation);
    }
    out
}

fn function(operation: &Value) -> String {
    let name = string(operation, "name");
    let mut about = format!(
        "{} {} since {}; answers `HOTROD_ANSWER_{}`.",
        string(operation, "doc"),
        string(operation, "protocol_name"),
        string(operation, "since"),
        upper(string(operation, "answer")),
    );
    if operation["pinned"] == true {
        about += " The server that holds the stream has to execute it: name it as the `member` of `options`.";
    }
    let mut parameters = String::new();
    let mut arguments = Vec::new();
    for field in rows(operation, "fields") {
        let (field, argument) = (string(field, "name"), string(field, "argument"));
        parameters += &format!("    {field}: {},\n", parameter(argument));
        arguments.push(format!("Argument::{}({field})", variant(argument)));
    }
    format!(
        "
{}///
/// See `hotrod_call_options` for the rules of all these functions.
///
/// # Safety
/// As documented at `hotrod_call_options`.
#[unsafe(no_mangle)]
pub unsafe extern \"C\" fn hotrod_submit_{name}(
    machine: *mut hotrod_machine,
    now_us: u64,
    cache: u32,
    options: *const hotrod_call_options,
{parameters}    id: *mut u64,
) -> hotrod_status {{
    let arguments = [{}];
    // SAFETY: required of the caller, as by `submit`.
    unsafe {{ submit(machine, now_us, cache, options, Operation::{}, &arguments, id) }}
}}
",
        doc("", &about),
        arguments.join(", "),
        string(operation, "variant"),
    )
}

fn parameter(argument: &str) -> &'static str {
    match argument {
        "bytes" => "hotrod_bytes",
        "text" => "hotrod_text",
        "flag" => "bool",
        "number" => "u32",
        "signed" => "i64",
        "opaque" => "u64",
        "expiration" => "hotrod_expiration",
        "byte_list" => "hotrod_bytes_list",
        "entries" => "hotrod_pair_list",
        "parameters" => "hotrod_parameter_list",
        "xid" => "hotrod_xid",
        "modifications" => "hotrod_modification_list",
        "counter" => "hotrod_counter_configuration",
        other => panic!("no C type is known for a field that takes {other}"),
    }
}

fn variant(argument: &str) -> String {
    argument.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
