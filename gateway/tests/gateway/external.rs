//! No client acts as the gateway: sessions whose connection shows a certificate, and members that offer EXTERNAL.

use hotrod_gateway::gateway::Gateway;
use hotrod_tokio::Client;

use crate::common::{Files, Played, series, sidecar, until};
use crate::peer::{FRAMES, Heard, Peer};
use crate::tls::with_tls;

/// A member with TLS that offers these mechanisms, and a gateway before it whose sessions show a certificate.
async fn before(files: &Files, mechanisms: &[&str]) -> (Gateway, Gateway) {
    let played = Played::new().await;
    played.set_mechanisms(mechanisms);
    let address = played.address();
    tokio::spawn(async move { played.next().await });
    let (ca, certificate, key) = (files.at("ca.pem"), files.at("client.pem"), files.at("client.key"));
    let member = with_tls(address, files, &["--tls-client-ca", &ca]).await;
    let towards = ["--upstream-tls", "--upstream-server-name", "localhost", "--upstream-ca", &ca];
    let session = ["--upstream-client-cert", &certificate, "--upstream-client-key", &key];
    let account = ["--account-cert", &certificate, "--account-key", &key];
    let gateway = sidecar(member.address(), &[&towards[..], &session, &account].concat()).await;
    (gateway, member)
}

#[tokio::test]
async fn a_session_with_the_gateways_certificate_is_refused_where_the_member_offers_external() {
    let files = Files::new();
    let (gateway, _member) = before(&files, &["SCRAM-SHA-512", "EXTERNAL"]).await;
    let uri = format!("hotrod://{}/dist?client_intelligence=basic&max_retries=0", gateway.address());
    assert!(Client::connect(&uri).await.is_err(), "closed without an answer");
    let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
    peer.ask_session(&[]).await;
    assert!(matches!(peer.next().await, Heard::Answer { status: 403, .. }));
    let refused = "hotrod_gateway_refusals_total{reason=\"external_offered\"}";
    until("both are counted", || async { series(&gateway, refused).await >= Some(2) }).await;
}

#[tokio::test]
async fn a_session_with_the_gateways_certificate_is_served_where_the_member_does_not_offer_external() {
    let files = Files::new();
    for mechanisms in [&[][..], &["SCRAM-SHA-512", "PLAIN"]] {
        let (gateway, _member) = before(&files, mechanisms).await;
        let mut peer = Peer::connect(gateway.address(), &[FRAMES]).await;
        peer.ask_session(&[]).await;
        assert!(matches!(peer.next().await, Heard::Answer { status: 200, .. }), "{mechanisms:?}");
    }
}
