"""Verification of the server: certificates that must be rejected."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from libhotrod._tls import Contexts
from libhotrod.types import Tls


def certificate(folder: Path, names: str | None) -> tuple[Path, Path]:
    """Creates a certificate for CN=localhost with these subjectAltNames, and its key."""
    made = folder / "cert.pem", folder / "key.pem"
    extension = ["-addext", f"subjectAltName={names}"] if names else []
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, *extension, "-out", made[0], "-keyout", made[1]], check=True, stderr=subprocess.DEVNULL)
    return made


def shake_hands(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    """Performs a handshake in memory for localhost with a server that has the certificate."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(cert, key)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = ours.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass


def test_a_certificate_that_names_the_server(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "DNS:localhost")
    shake_hands(Contexts().get(Tls("localhost", [], str(cert), None)), cert, key)


@pytest.mark.parametrize("names", [None, "IP:127.0.0.1", "DNS:other.example"])
def test_the_common_name_is_no_name_of_the_server(tmp_path: Path, names: str | None) -> None:
    cert, key = certificate(tmp_path, names)
    with pytest.raises(ssl.SSLCertVerificationError, match="(?i)hostname mismatch"):
        shake_hands(Contexts().get(Tls("localhost", [], str(cert), None)), cert, key)
