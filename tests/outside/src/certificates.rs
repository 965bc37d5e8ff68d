//! The certificates of those who end TLS before the members: a different authority for each, so that a client that trusts
//! one of them shows who has answered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::Failure;

/// The names that clients dial. All of `localhost` is loopback (RFC 6761, 6.3).
pub const ROUTE_NAMES: [&str; 2] = ["hotrod.localhost", "*.hotrod.localhost"];
/// The name of the gateways' Service, in the certificate that OpenShift's service CA makes.
pub const SERVICE_NAME: &str = "hotrod-gateway.hotrod.svc";

/// The files of one who ends TLS.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The authority that has signed.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificate and key in one file, as HAProxy wants them.
    pub both: PathBuf,
}

/// Everybody's.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The routers'.
    pub route: Identity,
    /// The gateways', towards a router.
    pub service: Identity,
    /// The gateways', where TLS reaches from the client to them.
    pub gateway: Identity,
}

impl Certificates {
    /// Makes all of them.
    pub fn make(folder: &Path) -> Result<Self, Failure> {
        Ok(Self {
            route: identity(folder, "route", &ROUTE_NAMES)?,
            service: identity(folder, "service", &[SERVICE_NAME])?,
            gateway: identity(folder, "gateway", &ROUTE_NAMES)?,
        })
    }
}

fn identity(folder: &Path, name: &str, subjects: &[&str]) -> Result<Identity, Failure> {
    let file = |ending: &str| folder.join(format!("{name}{ending}.pem"));
    let identity =
        Identity { authority: file("-ca"), certificate: file(""), key: file("-key"), both: file("-with-key") };
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, format!("{name} authority"));
    let authority_key = KeyPair::generate()?;
    fs::write(&identity.authority, authority.self_signed(&authority_key)?.pem())?;
    let issuer = Issuer::new(authority, authority_key);
    let subjects: Vec<_> = subjects.iter().map(ToString::to_string).collect();
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(subjects)?.signed_by(&key, &issuer)?.pem();
    fs::write(&identity.certificate, &certificate)?;
    fs::write(&identity.key, key.serialize_pem())?;
    fs::set_permissions(&identity.key, PermissionsExt::from_mode(0o600))?;
    fs::write(&identity.both, certificate + &key.serialize_pem())?;
    Ok(identity)
}
