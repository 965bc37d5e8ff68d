//! Certificates for one run: an authority, a server's, a client's, and an authority that nobody knows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Error;
use crate::install::run;

/// The password of the stores.
pub(crate) const STORE_PASSWORD: &str = "secret";

const SERVER_NAMES: &str = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:infinispan.test,DNS:hotrod.localhost,\
    DNS:*.hotrod.localhost";

/// Makes `ca.pem`, `other-ca.pem`, `server.p12`, `trust.p12`, `client.pem` and `client.key` in a folder.
pub(crate) fn make(folder: &Path) -> Result<(), Error> {
    authority(folder, "ca")?;
    authority(folder, "other-ca")?;
    signed(folder, "server", "/CN=server", &format!("{SERVER_NAMES}\nextendedKeyUsage=serverAuth\n"))?;
    signed(folder, "client", "/CN=admin", "extendedKeyUsage=clientAuth\n")?;
    let password = format!("pass:{STORE_PASSWORD}");
    let mut export = openssl(folder, &["pkcs12", "-export", "-name", "s", "-in", "server.pem", "-inkey", "server.key"]);
    run(export.args(["-out", "server.p12", "-passout", &password]), "openssl")?;
    trust(folder, "ca", "ca.pem")?;
    // Infinispan takes a client for who it is only if its certificate itself is known.
    trust(folder, "admin", "client.pem")
}

fn openssl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments);
    command
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

fn authority(folder: &Path, name: &str) -> Result<(), Error> {
    let (key, certificate, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let mut command = openssl(folder, &["req", "-x509", "-days", "30", "-subj", &subject]);
    run(command.args(KEY).args(["-keyout", &key, "-out", &certificate]), "openssl")
}

fn signed(folder: &Path, name: &str, subject: &str, extensions: &str) -> Result<(), Error> {
    let file = |ending: &str| format!("{name}.{ending}");
    fs::write(folder.join(file("ext")), extensions).map_err(Error::io(file("ext")))?;
    let mut request = openssl(folder, &["req", "-new", "-subj", subject]);
    run(request.args(KEY).args(["-keyout", &file("key"), "-out", &file("csr")]), "openssl")?;
    let mut sign = openssl(folder, &["x509", "-req", "-days", "30", "-CA", "ca.pem", "-CAkey", "ca.key"]);
    sign.args(["-CAcreateserial", "-in", &file("csr"), "-extfile", &file("ext"), "-out", &file("pem")]);
    run(&mut sign, "openssl")
}

/// A store of trusted certificates: Java wants an attribute that openssl does not write.
fn trust(folder: &Path, alias: &str, certificate: &str) -> Result<(), Error> {
    let mut command = Command::new("keytool");
    command.current_dir(folder).args(["-importcert", "-noprompt", "-alias", alias, "-file", certificate]);
    command.args(["-keystore", "trust.p12", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]);
    run(&mut command, "openjdk-17-jre-headless")
}
