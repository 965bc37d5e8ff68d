//! Fetching servers with Maven, once for each version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The folder with the jars of a server; fetched if it isn't there.
///
/// Kept in `$HOTROD_TEST_CACHE`, or in `target/infinispan` of the workspace.
pub fn install(version: &str) -> Result<PathBuf, Error> {
    let cache = std::env::var_os("HOTROD_TEST_CACHE").map_or_else(default_cache, PathBuf::from);
    let lib = cache.join(version);
    if lib.is_dir() {
        return Ok(lib);
    }
    fs::create_dir_all(&cache).map_err(Error::io(format!("{}", cache.display())))?;
    // Fetched beside, then moved: a folder that is there is complete, also when two processes fetch at once.
    let fetched = tempfile::Builder::new().prefix("fetching-").tempdir_in(&cache).map_err(Error::io("a folder"))?;
    fetch(version, fetched.path())?;
    match fs::rename(fetched.path().join("lib"), &lib) {
        Err(_) if lib.is_dir() => Ok(lib),
        Err(error) => Err(Error::io(format!("{}", lib.display()))(error)),
        Ok(()) => Ok(lib),
    }
}

fn default_cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/infinispan")
}

fn fetch(version: &str, folder: &Path) -> Result<(), Error> {
    fs::write(folder.join("pom.xml"), pom(version)).map_err(Error::io("pom.xml"))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"]);
    run(maven.current_dir(folder), "maven")
}

fn pom(version: &str) -> String {
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(u32::MAX);
    // A cache store that 13.0 depends on was never published; no test needs one.
    let excluded: &[&str] = match major {
        13 => &["infinispan-cachestore-jdbc", "infinispan-cachestore-jdbc-common", "infinispan-cachestore-sql"],
        _ => &[],
    };
    let exclusion = |artifact: &&str| {
        format!("<exclusion><groupId>org.infinispan</groupId><artifactId>{artifact}</artifactId></exclusion>")
    };
    let exclusions: String = excluded.iter().map(exclusion).collect();
    let dependency = |classifier: &str| {
        format!(
            "<dependency><groupId>org.infinispan</groupId><artifactId>infinispan-server-runtime</artifactId>\
             <version>{version}</version>{classifier}<exclusions>{exclusions}</exclusions></dependency>"
        )
    };
    // Before 16 the classes that set up logging are in a jar of their own.
    let loader = if major < 16 { dependency("<classifier>loader</classifier>") } else { String::new() };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>fetch</groupId><artifactId>fetch</artifactId><version>1</version>\
         <dependencies>{}{loader}</dependencies></project>",
        dependency("")
    )
}

/// Runs a program to its end; what it prints is shown only if it fails.
pub(crate) fn run(command: &mut Command, package: &'static str) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(&program, package),
        _ => Error::Io { what: program.clone(), error },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Program { program, output: String::from_utf8_lossy(&text).trim().to_string() })
}

fn missing(program: &str, package: &'static str) -> Error {
    let program = match program {
        "mvn" => "mvn",
        "keytool" => "keytool",
        "openssl" => "openssl",
        _ => "java",
    };
    Error::Missing { program, package }
}
