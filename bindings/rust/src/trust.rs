//! Verification of certificates by trust anchors.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};

/// Trust anchors. A certificate that is one of them is accepted itself, whether it is that of an authority or not, as
/// OpenSSL does with X509_V_FLAG_PARTIAL_CHAIN: `openssl req -x509` makes certificates for servers that are marked as authorities.
#[derive(Debug, Clone)]
pub struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// Trusts these certificates; fails for one that can't be parsed.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        certificates.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(Self { certificates, roots: Arc::new(roots) })
    }

    /// Trusts the certificate authorities of the system; `None` if there is none.
    pub fn of_system() -> Option<Self> {
        let certificates = rustls_native_certs::load_native_certs().certs;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        (!roots.is_empty()).then(|| Self { certificates, roots: Arc::new(roots) })
    }

    /// Returns a verifier of servers.
    pub fn of_servers(&self) -> Result<Arc<dyn ServerCertVerifier>, VerifierBuilderError> {
        let chains = WebPkiServerVerifier::builder(self.roots.clone()).build()?;
        Ok(Arc::new(OfServers { trust: self.clone(), chains }))
    }

    /// Returns a verifier of clients, which requires a certificate of them.
    pub fn of_clients(&self) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let chains = WebPkiClientVerifier::builder(self.roots.clone()).build()?;
        Ok(Arc::new(OfClients { trust: self.clone(), chains }))
    }

    /// Whether a certificate is a trust anchor itself, byte for byte.
    fn is_anchor(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|anchor| anchor.as_ref() == certificate.as_ref())
    }
}

/// Whether nothing but the chain to an anchor is wrong with a certificate. webpki checks the period of validity before both
/// of these errors.
fn is_chain_alone(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(CertificateError::Other(OtherError(error))) => {
            error.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
        }
        _ => false,
    }
}

#[derive(Debug)]
struct OfServers {
    trust: Trust,
    chains: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OfServers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify =
            |intermediates| self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if !self.trust.is_anchor(end_entity) {
            return verify(intermediates);
        }
        match verify(&[]) {
            Err(error) if is_chain_alone(&error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

#[derive(Debug)]
struct OfClients {
    trust: Trust,
    chains: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for OfClients {
    fn offer_client_auth(&self) -> bool {
        self.chains.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chains.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if !self.trust.is_anchor(end_entity) {
            return self.chains.verify_client_cert(end_entity, intermediates, now);
        }
        match self.chains.verify_client_cert(end_entity, &[], now) {
            Err(error) if is_chain_alone(&error) => Ok(ClientCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
    };

    use super::*;

    /// Parameters of what `openssl req -x509` makes for localhost, valid in the years of 2020.
    fn authority() -> CertificateParams {
        let mut params = CertificateParams::new(["localhost".to_string()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
        params
    }

    fn self_signed(params: &CertificateParams) -> CertificateDer<'static> {
        params.clone().self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    /// Verifies a server at a name and a date in years since 1970.
    fn verify(
        anchors: &[CertificateDer<'static>],
        shown: &CertificateDer<'_>,
        name: &str,
        years: u64,
    ) -> Result<(), Error> {
        let verifier = Trust::new(anchors.to_vec()).unwrap().of_servers().unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(years * 31_557_600));
        let name = ServerName::try_from(name.to_string()).unwrap();
        verifier.verify_server_cert(shown, &[], &name, &[], now).map(drop)
    }

    #[test]
    fn a_server_may_show_a_trust_anchor() {
        let server = self_signed(&authority());
        verify(std::slice::from_ref(&server), &server, "localhost", 55).unwrap();
    }

    #[test]
    fn an_anchor_is_verified_in_all_else() {
        let server = self_signed(&authority());
        let anchors = std::slice::from_ref(&server);
        let wrong_name = verify(anchors, &server, "other.example", 55).unwrap_err();
        assert!(
            matches!(wrong_name, Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })),
            "{wrong_name}"
        );
        let early = verify(anchors, &server, "localhost", 49).unwrap_err();
        assert!(matches!(early, Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })), "{early}");
        let late = verify(anchors, &server, "localhost", 61).unwrap_err();
        assert!(matches!(late, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })), "{late}");
    }

    #[test]
    fn another_certificate_of_the_same_name_is_no_anchor() {
        let (anchor, other) = (self_signed(&authority()), self_signed(&authority()));
        let refused = verify(std::slice::from_ref(&anchor), &other, "localhost", 55).unwrap_err();
        assert!(refused.to_string().contains("CaUsedAsEndEntity"), "{refused}");
        let mut plain = authority();
        plain.is_ca = IsCa::NoCa;
        assert!(verify(std::slice::from_ref(&anchor), &self_signed(&plain), "localhost", 55).is_err());
    }

    #[test]
    fn a_leaf_may_be_the_only_anchor() {
        let mut issuer = authority();
        issuer.distinguished_name.push(DnType::CommonName, "another authority");
        let (key, issuer) = (KeyPair::generate().unwrap(), Issuer::new(issuer, KeyPair::generate().unwrap()));
        let mut params = authority();
        params.is_ca = IsCa::NoCa;
        let leaf: CertificateDer<'static> = params.signed_by(&key, &issuer).unwrap().into();
        verify(std::slice::from_ref(&leaf), &leaf, "localhost", 55).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client: CertificateDer<'static> = params.signed_by(&key, &issuer).unwrap().into();
        assert!(verify(std::slice::from_ref(&client), &client, "localhost", 55).is_err());
    }

    #[test]
    fn a_client_may_show_a_trust_anchor() {
        let (client, other) = (self_signed(&authority()), self_signed(&authority()));
        let verifier = Trust::new(vec![client.clone()]).unwrap().of_clients().unwrap();
        let at = |years: u64| UnixTime::since_unix_epoch(Duration::from_secs(years * 31_557_600));
        verifier.verify_client_cert(&client, &[], at(55)).unwrap();
        assert!(verifier.verify_client_cert(&client, &[], at(61)).is_err());
        assert!(verifier.verify_client_cert(&other, &[], at(55)).is_err());
    }
}
