"""TLS contexts of the standard library for the machine's TLS settings."""

from __future__ import annotations

import logging
import os
import ssl
from typing import Optional

from .errors import MisuseError
from .types import Tls

LOG = logging.getLogger("libhotrod")

# ssl.VERIFY_X509_PARTIAL_CHAIN, which Python names since 3.10.
PARTIAL_CHAIN = 0x80000

# Modification time, size and inode of each file; None for one that can't be read.
_Versions = tuple[Optional[tuple[int, int, int]], ...]

_PLAIN = "a port without TLS wants hotrod:// instead of hotrods://"


def _no_password() -> bytes:
    """Replaces the prompt of OpenSSL for the pass phrase of a key."""
    raise OSError("the client's key is encrypted, and there is no client_key_password")


def _files(tls: Tls) -> list[tuple[str, str]]:
    """Returns the files of the settings, each with its URI property."""
    names = zip(("trust_ca", "client_certificate", "client_key"), (tls.trust_ca, *(tls.client_certificate or ())))
    return [(name, file) for name, file in names if file]


def _version(file: str) -> Optional[tuple[int, int, int]]:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def explained(error: Exception) -> str:
    """Returns the text of an error of a TLS handshake, with a hint for a server that does not speak TLS."""
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return f"the server does not answer in TLS: {_PLAIN} ({text})"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, ConnectionAbortedError)):
        return f"the server closed the connection in the TLS handshake: {_PLAIN} ({text})"
    return text


class Contexts:
    """The contexts of a client. Files that are replaced are read again: the next link uses them."""

    def __init__(self, tls: Optional[Tls] = None) -> None:
        """Reads the files of the settings; raises MisuseError if one can't be used."""
        # By the ALPN ids: a context has them for all of its connections.
        self._known: dict[tuple[str, ...], tuple[_Versions, ssl.SSLContext]] = {}
        self._problem: Optional[str] = None
        if tls is not None:
            try:
                self.get(tls)
            except OSError as error:
                raise MisuseError(str(error)) from error

    def get(self, tls: Tls) -> ssl.SSLContext:
        """Returns the context for a link. Certificates and names are always verified.

        Files that can't be used, such as half-written ones, leave the former context in use.
        """
        alpn, versions = tuple(tls.alpn), tuple(_version(file) for _, file in _files(tls))
        known = self._known.get(alpn)
        if known is not None and known[0] == versions:
            return known[1]
        try:
            context = self._make(tls)
        except OSError as error:
            if known is None:
                raise
            if self._problem != str(error):
                self._problem = str(error)
                LOG.warning("TLS files were replaced and can't be used; the former ones stay in use: %s", error)
            return known[1]
        self._problem = None
        self._known[alpn] = versions, context
        return context

    @staticmethod
    def _make(tls: Tls) -> ssl.SSLContext:
        files = _files(tls)
        for name, file in files:
            # OpenSSL does not say which file is missing.
            try:
                open(file, "rb").close()
            except OSError as error:
                raise OSError(f"{name}={file}: {error.strerror or error}") from error
        try:
            used = [file for file in files if file[0] == "trust_ca"]
            context = ssl.create_default_context(cafile=tls.trust_ca)
            if tls.client_certificate:
                used = [file for file in files if file[0] != "trust_ca"]
                context.load_cert_chain(*tls.client_certificate, password=tls.client_key_password or _no_password)
        except OSError as error:
            named = ", ".join(f"{name}={file}" for name, file in used)
            raise OSError(f"{named or 'certificates of the system'}: {error}") from error
        # Python 3.13 turns strict checks on, by which a CA without keyUsage is refused, and trusts any certificate of
        # `trust_ca`. The other languages accept both.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= PARTIAL_CHAIN
        # The subjectAltName alone names the server (RFC 9525); OpenSSL falls back to the common name.
        context.hostname_checks_common_name = False
        if tls.alpn:
            context.set_alpn_protocols(tls.alpn)
        return context
