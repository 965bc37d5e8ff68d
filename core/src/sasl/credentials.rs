//! Who to be, and what proves it.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroize;

use super::error::SaslError;
use super::mechanism::{Kind, Mechanism};
use super::secret::Secret;

/// Who to be, and what proves it: a password, a token, or with neither of them the client certificate of the TLS link.
///
/// `Debug` shows the names, never the secrets.
#[derive(Clone, Default)]
pub struct Credentials {
    username: String,
    password: Option<Secret>,
    token: Option<Secret>,
    authorization_id: Option<String>,
    realm: Option<String>,
}

impl Credentials {
    /// A user and a password: for SCRAM, DIGEST and PLAIN.
    pub fn password(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::with(username.into(), Some(password.into()), None)
    }

    /// An OAuth 2.0 bearer token: for OAUTHBEARER.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self::with(String::new(), None, Some(token.into()))
    }

    /// The client certificate of the TLS link: for EXTERNAL.
    pub fn certificate() -> Self {
        Self::default()
    }

    fn with(username: String, password: Option<Secret>, token: Option<Secret>) -> Self {
        Self { username, password, token, authorization_id: None, realm: None }
    }

    /// With the user's name; a token or a certificate can do without.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.username = username.into();
        self
    }

    /// To act as someone else than who is authenticated (the authorization identity of RFC 4422 §3.4.1).
    #[must_use]
    pub fn with_authorization_id(mut self, id: impl Into<String>) -> Self {
        self.authorization_id = Some(id.into());
        self
    }

    /// The realm of the user, for DIGEST. Without it the first that the server offers is taken.
    #[must_use]
    pub fn with_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// The user's name; empty if there is none.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Whom to act as, if it is someone else.
    pub fn authorization_id(&self) -> Option<&str> {
        self.authorization_id.as_deref()
    }

    /// The realm of the user, for DIGEST.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// Whether they are the kind of credentials that the mechanism is made for.
    pub fn suit(&self, mechanism: Mechanism) -> bool {
        match mechanism.kind() {
            Kind::Scram(_) | Kind::Digest(_) | Kind::Plain => self.password.is_some(),
            Kind::OAuthBearer => self.token.is_some(),
            Kind::External => self.password.is_none() && self.token.is_none(),
        }
    }

    /// What they are, in words.
    pub(super) fn description(&self) -> &'static str {
        match (&self.password, &self.token) {
            (Some(_), Some(_)) => "a password or a token",
            (Some(_), None) => "a username and a password",
            (None, Some(_)) => "a token",
            (None, None) => "a client certificate (no password and no token is given)",
        }
    }

    /// The name and the password, for a mechanism that can't do without.
    pub(super) fn require_password(&self, mechanism: Mechanism) -> Result<(&str, &Secret), SaslError> {
        let needs = "a username and a password";
        let password = self.password.as_ref().ok_or(SaslError::CredentialsMissing { mechanism, needs })?;
        if self.username.is_empty() {
            return Err(SaslError::CredentialsMissing { mechanism, needs });
        }
        Ok((&self.username, password))
    }

    /// The token, for a mechanism that can't do without.
    pub(super) fn require_token(&self, mechanism: Mechanism) -> Result<&Secret, SaslError> {
        self.token.as_ref().ok_or(SaslError::CredentialsMissing { mechanism, needs: "a token" })
    }
}

/// The names are wiped as the secrets are.
impl Drop for Credentials {
    fn drop(&mut self) {
        self.username.zeroize();
        self.authorization_id.zeroize();
        self.realm.zeroize();
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &self.password)
            .field("token", &self.token)
            .field("authorization_id", &self.authorization_id)
            .field("realm", &self.realm)
            .finish()
    }
}
