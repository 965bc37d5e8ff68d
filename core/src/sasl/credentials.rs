//! Credentials of a user.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroize;

use super::error::SaslError;
use super::mechanism::{Kind, Mechanism};
use super::secret::Secret;

/// Credentials of a user: a password, a token, or without either the client certificate of the TLS link.
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
    /// Creates credentials with a user name and a password, for SCRAM, DIGEST and PLAIN.
    pub fn password(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::with(username.into(), Some(password.into()), None)
    }

    /// Creates credentials with an OAuth 2.0 bearer token, for OAUTHBEARER.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self::with(String::new(), None, Some(token.into()))
    }

    /// Creates credentials with the client certificate of the TLS link, for EXTERNAL.
    pub fn certificate() -> Self {
        Self::default()
    }

    fn with(username: String, password: Option<Secret>, token: Option<Secret>) -> Self {
        Self { username, password, token, authorization_id: None, realm: None }
    }

    /// Sets the user name, which is optional with a token or a certificate.
    #[must_use]
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.username = username.into();
        self
    }

    /// Sets the authorization identity (RFC 4422 §3.4.1): another user to act as.
    #[must_use]
    pub fn with_authorization_id(mut self, id: impl Into<String>) -> Self {
        self.authorization_id = Some(id.into());
        self
    }

    /// Sets the realm, for DIGEST. By default the first realm of the server's offer is used.
    #[must_use]
    pub fn with_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// User name; empty if there is none.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Authorization identity, if it differs from the authenticated user.
    pub fn authorization_id(&self) -> Option<&str> {
        self.authorization_id.as_deref()
    }

    /// Realm of the user, for DIGEST.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// Whether the credentials have the kind of secret that the mechanism needs.
    pub fn suit(&self, mechanism: Mechanism) -> bool {
        match mechanism.kind() {
            Kind::Scram(_) | Kind::Digest(_) | Kind::Plain => self.password.is_some(),
            Kind::OAuthBearer => self.token.is_some(),
            Kind::External => self.password.is_none() && self.token.is_none(),
        }
    }

    /// Description of the kind of credentials.
    pub(super) fn description(&self) -> &'static str {
        match (&self.password, &self.token) {
            (Some(_), Some(_)) => "a password or a token",
            (Some(_), None) => "a username and a password",
            (None, Some(_)) => "a token",
            (None, None) => "a client certificate (no password and no token is given)",
        }
    }

    /// User name and password, or an error for a mechanism that requires them.
    pub(super) fn require_password(&self, mechanism: Mechanism) -> Result<(&str, &Secret), SaslError> {
        let needs = "a username and a password";
        let password = self.password.as_ref().ok_or(SaslError::CredentialsMissing { mechanism, needs })?;
        if self.username.is_empty() {
            return Err(SaslError::CredentialsMissing { mechanism, needs });
        }
        Ok((&self.username, password))
    }

    /// Token, or an error for a mechanism that requires it.
    pub(super) fn require_token(&self, mechanism: Mechanism) -> Result<&Secret, SaslError> {
        self.token.as_ref().ok_or(SaslError::CredentialsMissing { mechanism, needs: "a token" })
    }
}

/// Wipes the names like the secrets.
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
