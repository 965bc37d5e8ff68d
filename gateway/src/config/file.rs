//! The file of options, and that of the gateway's account: TOML, taken whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use hotrod_core::sasl::{Mechanism, Secret};
use serde::{Deserialize, Deserializer};
use toml::de::DeTable;
use zeroize::Zeroizing;

use super::ConfigError;
use super::options::Options;
use super::value::Given;
use crate::files::{self, Access};

/// A file of options, and where each stands.
#[derive(Default)]
pub(super) struct OptionsFile {
    pub(super) options: Options,
    /// The line of each option.
    pub(super) lines: BTreeMap<String, usize>,
}

/// Who the gateway is to the cluster, as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    user: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    password: Option<Secret>,
    #[serde(default, deserialize_with = "secret")]
    token: Option<Secret>,
    mechanism: Option<Given<Mechanism>>,
    realm: Option<String>,
}

/// Wiped when it is dropped, also where the file turns out to be wrong.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(Secret::from(text)))
}

/// The gateway's own account. Nothing shows its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user; with a token there may be none.
    pub user: Option<String>,
    /// The password or the token.
    pub proof: Proof,
    /// The mechanism, or the strongest that both sides know.
    pub mechanism: Option<Mechanism>,
    /// The realm, for DIGEST.
    pub realm: Option<String>,
}

/// What proves who the gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The user's password.
    Password(Secret),
    /// An OAuth 2.0 bearer token.
    Token(Secret),
    /// The certificate that the gateway's own connection shows, by EXTERNAL.
    Certificate,
}

pub(super) fn read_options(path: &Path) -> Result<OptionsFile, ConfigError> {
    let text = read(path, Access::Public)?;
    let wrong = |error: toml::de::Error| ConfigError::File {
        path: path.into(),
        line: line_of(&text, error.span().map_or(0, |span| span.start)),
        problem: error.message().trim_end().replace('\n', ", "),
    };
    let options = toml::from_str(&text).map_err(wrong)?;
    let table = DeTable::parse(&text).map_err(wrong)?;
    let line =
        |key: &toml::Spanned<toml::de::DeString<'_>>| (key.get_ref().to_string(), line_of(&text, key.span().start));
    Ok(OptionsFile { options, lines: table.get_ref().keys().map(line).collect() })
}

/// Reads an account. What is wrong is told without a word of what stands there.
pub(super) fn read_account(path: &Path) -> Result<Account, ConfigError> {
    let text = read(path, Access::Secret)?;
    let wrong = |line, problem: &str| ConfigError::File { path: path.into(), line, problem: problem.into() };
    let file: AccountFile = toml::from_str(&text).map_err(|error| {
        let line = line_of(&text, error.span().map_or(0, |span| span.start));
        wrong(line, "expected user, password, token, mechanism (such as SCRAM-SHA-512) and realm, each = \"text\"")
    })?;
    let proof = match (file.password, file.token) {
        (Some(password), None) if file.user.is_some() => Proof::Password(password),
        (None, Some(token)) => Proof::Token(token),
        _ => return Err(wrong(1, "expected user and password, or a token, and not both")),
    };
    Ok(Account { user: file.user, proof, mechanism: file.mechanism.map(|given| given.value), realm: file.realm })
}

fn read(path: &Path, access: Access) -> Result<Zeroizing<String>, ConfigError> {
    files::read_text(path, access).map_err(|error| ConfigError::Unreadable { path: path.into(), error })
}

fn line_of(text: &str, position: usize) -> usize {
    1 + text.bytes().take(position).filter(|byte| *byte == b'\n').count()
}
