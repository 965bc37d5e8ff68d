//! Sources of the conformance runner: operations by name, outputs as JSON.

use serde_json::Value;

use crate::outputs::field_name;
use crate::{rows, snake, string, upper, word_type};

pub(crate) fn submit(vocabulary: &Value) -> String {
    let mut out = String::from(
        "
#include \"../arguments.h\"

/* Submits an operation by its name; its arguments are JSON, in the order of its fields. */
hotrod_status submit_by_name(hotrod_machine *machine, uint64_t now_us, uint32_t cache,
                             const hotrod_call_options *options, const char *name, json_t *arguments,
                             struct scratch *scratch, uint64_t *id)
{
  (void)arguments;
  (void)scratch;
",
    );
    for operation in rows(vocabulary, "operations") {
        let name = string(operation, "name");
        out += &format!(
            "  if (strcmp(name, \"{name}\") == 0)\n    return hotrod_submit_{name}(machine, now_us, cache, options,\n"
        );
        for (index, field) in rows(operation, "fields").iter().enumerate() {
            let argument = string(field, "argument");
            out += &format!("        {argument}_argument(json_array_get(arguments, {index}), scratch),\n");
        }
        out += "        id);\n";
    }
    out + "  fprintf(stderr, \"there is no operation %s\\n\", name);\n  abort();\n}\n"
}

pub(crate) fn outputs(vocabulary: &Value) -> String {
    let outputs = rows(vocabulary, "outputs");
    let mut out = String::from("\n#include \"../values.h\"\n");
    let mut known = Vec::new();
    for field in outputs.iter().flat_map(|output| rows(output, "fields")).filter(|field| field["kind"] == "word") {
        let (name, prefix) = word_type(&field["words"]);
        if known.contains(&name) {
            continue;
        }
        known.push(name);
        out += &format!("\nstatic json_t *{name}_value({name} word)\n{{\n  switch (word) {{\n");
        for word in rows(field, "words") {
            let word = word.as_str().expect("a word");
            out += &format!("  case {prefix}_{}: return json_string(\"{word}\");\n", word.to_uppercase());
        }
        out += "  }\n  return NULL;\n}\n";
    }
    out += "
/* An output as the scenarios write it. */
json_t *output_value(struct names *names, const hotrod_output *output)
{
  json_t *value = json_object();
  switch (output->type) {
";
    for output in outputs {
        let name = string(output, "name");
        out += &format!("  case HOTROD_OUTPUT_{}:\n    set(value, \"type\", json_string(\"{name}\"));\n", upper(name));
        for field in rows(output, "fields") {
            out += &line(&snake(name), field);
        }
        out += "    break;\n";
    }
    out + "  }\n  return value;\n}\n"
}

fn line(output: &str, field: &Value) -> String {
    let (name, kind) = (string(field, "name"), string(field, "kind"));
    let place = format!("output->as.{output}.{}", field_name(name, kind));
    let value = match kind {
        "id" => format!("id_value(names, \"{}\", {place})", string(field, "of")),
        "number" | "duration" => format!("json_integer((json_int_t){place})"),
        "opaque" if field["optional"] == true => {
            format!("output->as.{output}.has_{name} ? opaque_value({place}) : json_null()")
        }
        "flag" => format!("json_boolean({place})"),
        "word" => format!("{}_value({place})", word_type(&field["words"]).0),
        "entries" => format!("output->as.{output}.error != NULL ? json_null() : entries_value({place})"),
        kind => format!("{kind}_value({place})"),
    };
    format!("    set(value, \"{name}\", {value});\n")
}
