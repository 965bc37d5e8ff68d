//! The committed listings match the sources.

use std::collections::BTreeSet;
use std::fs;

use hotrod_public_api::{PACKAGES, listing, path};

#[test]
fn no_listing_is_stale() {
    for package in PACKAGES {
        let committed = fs::read_to_string(path(package)).unwrap_or_default();
        let present = listing(package);
        let lines = |text: &str| text.lines().map(String::from).collect::<BTreeSet<_>>();
        let (old, new) = (lines(&committed), lines(&present));
        let removed: String = old.difference(&new).map(|line| format!("- {line}\n")).collect();
        let added: String = new.difference(&old).map(|line| format!("+ {line}\n")).collect();
        assert!(
            present == committed,
            "the public API of {package} has changed: review it, and run `make generate`\n{removed}{added}"
        );
    }
}
