//! The routers that platforms have. Their configurations are the files in `routers/`, with names in `@…@` for what is
//! known only when they are started.

pub mod envoy;
pub mod haproxy;
pub mod nginx;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// What stands for the names in a template.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Says what stands for a name.
    pub fn set(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.0.insert(name.into(), value.to_string());
        self
    }

    /// Writes a template with all names replaced; one that is not known is an error.
    pub fn write(&self, template: &str, to: &Path) -> Result<(), Failure> {
        let mut text = template.to_string();
        for (name, value) in &self.0 {
            text = text.replace(&format!("@{name}@"), value);
        }
        let left = text.lines().find(|line| {
            let mut parts = line.split('@');
            parts.next();
            parts.next().is_some_and(|name| !name.starts_with("type")) && parts.next().is_some()
        });
        if let Some(line) = left {
            return Err(format!("{}: no value for the name in {line:?}", to.display()).into());
        }
        fs::write(to, text)?;
        Ok(())
    }
}

/// A program that distributions put where not everybody looks for programs.
fn of_the_system(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.is_file() { path } else { name.into() }
}
