//! Conformance scenarios: see README.md for their form. A scenario that has another form ends the program.
#![allow(clippy::missing_panics_doc)]

pub mod arguments;
pub mod before;
pub mod endpoint;
pub mod network;
pub mod player;
pub mod recorder;
pub mod scenarios;
pub mod values;
pub mod vectors;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file of scenarios, and what is to stand in it.
pub struct Recorded {
    /// Where.
    pub path: PathBuf,
    /// Its scenarios.
    pub scenarios: Vec<Value>,
}

/// Records everything.
pub fn all() -> Vec<Recorded> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<Recorded> = scenarios::all()
        .into_iter()
        .map(|(name, scenarios)| Recorded { path: root.join("scenarios").join(format!("{name}.json")), scenarios })
        .collect();
    all.extend(vectors::all(&root.join("../../spec/vectors"), &root.join("vectors")));
    all
}

/// The text of a file: a line for each step.
pub fn text(scenarios: &[Value]) -> String {
    let scenario = |scenario: &Value| {
        let mut fields: Vec<String> = Vec::new();
        for (name, value) in scenario.as_object().into_iter().flatten() {
            match value.as_array().filter(|_| name == "steps") {
                Some(steps) => {
                    let steps: Vec<String> = steps.iter().map(|step| format!("  {step}")).collect();
                    fields.push(format!("  \"steps\": [\n{}\n  ]", steps.join(",\n")));
                }
                None => fields.push(format!("  {}: {value}", Value::from(name.as_str()))),
            }
        }
        format!(" {{\n{}\n }}", fields.join(",\n"))
    };
    format!("[\n{}\n]\n", scenarios.iter().map(scenario).collect::<Vec<_>>().join(",\n"))
}
