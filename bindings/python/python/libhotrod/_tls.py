"""TLS contexts of the standard library for the machine's TLS settings."""

from __future__ import annotations

import ssl

from .types import Tls


# ssl.VERIFY_X509_PARTIAL_CHAIN, which Python names since 3.10.
PARTIAL_CHAIN = 0x80000


def _no_password() -> bytes:
    """Replaces the prompt of OpenSSL for the pass phrase of a key."""
    raise OSError("the client's key is encrypted, and there is no client_key_password")


class Contexts:
    """A cache of contexts, so that each set of files is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], ssl.SSLContext] = {}

    def get(self, tls: Tls) -> ssl.SSLContext:
        """Returns the context for a link. Certificates and names are always verified."""
        key = (tuple(tls.alpn), tls.trust_ca, tls.client_certificate, tls.client_key_password)
        context = self._known.get(key)
        if context is None:
            context = self._known[key] = self._make(tls)
        return context

    @staticmethod
    def _make(tls: Tls) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=tls.trust_ca)
            if tls.client_certificate:
                context.load_cert_chain(*tls.client_certificate, password=tls.client_key_password or _no_password)
        except OSError as error:
            files = ", ".join(filter(None, [tls.trust_ca, *(tls.client_certificate or ())]))
            raise OSError(f"{files or 'certificates'}: {error}") from error
        # Python 3.13 turns strict checks on, by which a CA without keyUsage is refused, and trusts any certificate of
        # `trust_ca`. The other languages accept both.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.verify_flags |= PARTIAL_CHAIN
        # The subjectAltName alone names the server (RFC 9525); OpenSSL falls back to the common name.
        context.hostname_checks_common_name = False
        if tls.alpn:
            context.set_alpn_protocols(tls.alpn)
        return context
