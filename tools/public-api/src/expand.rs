//! Macro expansion by the compiler.

use std::path::PathBuf;
use std::process::Command;

use crate::root;

/// Features of a package that the listing includes: those for applications.
fn features(package: &str) -> &'static str {
    match package {
        "hotrod-tokio" => "json,prost",
        _ => "",
    }
}

/// Returns the source of a package's library with all macros expanded.
///
/// The option is one of nightly compilers, which RUSTC_BOOTSTRAP enables in a stable one. Build scripts of dependencies
/// depend on that variable as well, so the build has a target folder of its own and leaves the usual one untouched.
pub(crate) fn expanded(package: &str) -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "rustc",
            "--quiet",
            "--lib",
            "--profile",
            "check",
            "--package",
            package,
            "--features",
            features(package),
        ])
        .args(["--", "-Zunpretty=expanded"])
        .current_dir(root())
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", target.join("public-api"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{package} does not expand:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("sources are UTF-8")
}
