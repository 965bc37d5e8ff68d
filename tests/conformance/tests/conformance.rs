//! The scenarios are what the machine does, and the machine does what the scenarios say.

use std::fs;
use std::path::Path;

use hotrod_conformance::player::Player;
use hotrod_conformance::values;
use serde_json::Value;

fn files() -> Vec<(String, Vec<Value>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["scenarios", "vectors"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a file");
            files.push((path.display().to_string(), serde_json::from_str(&text).expect("JSON")));
        }
    }
    files
}

#[test]
fn the_machine_does_what_the_scenarios_say() {
    let mut played = 0;
    for (file, scenarios) in files() {
        for scenario in scenarios {
            let place = format!("{file}: {}", scenario["name"]);
            let mut player = match Player::new(&scenario) {
                Ok(player) => player,
                Err(error) => {
                    assert_eq!(values::failure(&error), scenario["error"], "{place}");
                    played += 1;
                    continue;
                }
            };
            for (number, step) in scenario["steps"].as_array().expect("steps").iter().enumerate() {
                assert_eq!(player.step(step), *step, "{place}, step {number}");
            }
            played += 1;
        }
    }
    assert!(played > 50, "{played} scenarios");
}

/// `make conformance` records them anew.
#[test]
fn the_scenarios_are_as_recorded() {
    for file in hotrod_conformance::all() {
        let present = fs::read_to_string(&file.path).unwrap_or_default();
        let is_same = present == hotrod_conformance::text(&file.scenarios);
        assert!(is_same, "{} is stale: run `make conformance`", file.path.display());
    }
}
