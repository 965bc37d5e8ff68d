//! The causes that are known, each with why it does no harm.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    explained: Vec<Explained>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    cause: String,
    why: String,
}

/// What `explained.toml` says.
pub struct Explanations(BTreeMap<String, String>);

impl Explanations {
    /// Reads it.
    pub fn read() -> Result<Self, Error> {
        let File { explained } = toml::from_str(include_str!("../explained.toml"))?;
        Ok(Self(explained.into_iter().map(|Explained { cause, why }| (cause, why)).collect()))
    }

    /// Why a cause does no harm, if it is known.
    pub fn of(&self, cause: &str) -> Option<&str> {
        self.0.get(cause).map(String::as_str)
    }
}
