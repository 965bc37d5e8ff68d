"""Verification of the server: certificates that must be rejected."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from libhotrod import Machine, MisuseError, outputs
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


def test_a_certificate_authority_without_key_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = ssl.create_default_context

    def strict(**arguments: Any) -> ssl.SSLContext:
        """Creates the context of Python 3.13."""
        context = make(**arguments)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    cert, key = certificate(tmp_path, "DNS:localhost")
    for context in (make, strict):
        monkeypatch.setattr(ssl, "create_default_context", context)
        made = Contexts().get(Tls("localhost", [], str(cert), None))
        assert made.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
        shake_hands(made, cert, key)


def encrypted_key(folder: Path) -> tuple[Path, Path]:
    """Creates a certificate and its key, encrypted with the pass phrase "secret"."""
    cert, key = certificate(folder, "DNS:localhost")
    encrypted = folder / "encrypted.pem"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret", "-in", key, "-out", encrypted]
    subprocess.run(command, check=True)
    return cert, encrypted


def test_the_pass_phrase_of_a_key(tmp_path: Path) -> None:
    cert, encrypted = encrypted_key(tmp_path)
    machine = Machine(f"hotrods://one?client_certificate={cert}&client_key={encrypted}&client_key_password=secret")
    machine.cache(0, "c")
    connect = next(output for output in machine.poll() if isinstance(output, outputs.Connect))
    assert connect.tls is not None and connect.tls.client_key_password == "secret"
    assert "'secret'" not in repr(connect)
    Contexts().get(connect.tls)
    with pytest.raises(OSError, match="encrypted.pem"):
        Contexts().get(connect.tls._replace(client_key_password="wrong"))
    with pytest.raises(MisuseError, match="client_key_password"):
        Machine("hotrods://one?client_key_password=secret")


def test_an_encrypted_key_is_refused_without_a_prompt(tmp_path: Path) -> None:
    cert, encrypted = encrypted_key(tmp_path)
    program = f"""
import asyncio, libhotrod
from libhotrod import blocking
uri = "hotrods://127.0.0.1:1?client_certificate={cert}&client_key={encrypted}&trust_ca={cert}"
async def connect():
    await libhotrod.connect(uri)
for attempt in (lambda: asyncio.run(connect()), lambda: blocking.connect(uri)):
    try:
        attempt()
    except libhotrod.MisuseError as error:
        assert "encrypted" in str(error) and "encrypted.pem" in str(error), error
"""
    # Without a terminal OpenSSL prompts on the standard streams.
    done = subprocess.run([sys.executable, "-c", program], timeout=60, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0 and "PEM pass phrase" not in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("names", [None, "IP:127.0.0.1", "DNS:other.example"])
def test_the_common_name_is_no_name_of_the_server(tmp_path: Path, names: str | None) -> None:
    cert, key = certificate(tmp_path, names)
    with pytest.raises(ssl.SSLCertVerificationError, match="(?i)hostname mismatch"):
        shake_hands(Contexts().get(Tls("localhost", [], str(cert), None)), cert, key)
