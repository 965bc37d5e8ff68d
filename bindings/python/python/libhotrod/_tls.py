"""TLS contexts of the standard library for the machine's TLS settings."""

from __future__ import annotations

import ssl

from .types import Tls


class Contexts:
    """A cache of contexts, so that each set of files is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], ssl.SSLContext] = {}

    def get(self, tls: Tls) -> ssl.SSLContext:
        """Returns the context for a link. Certificates and names are always verified."""
        key = (tuple(tls.alpn), tls.trust_ca, tls.client_certificate)
        context = self._known.get(key)
        if context is None:
            context = self._known[key] = self._make(tls)
        return context

    @staticmethod
    def _make(tls: Tls) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=tls.trust_ca)
            if tls.client_certificate:
                context.load_cert_chain(*tls.client_certificate)
        except OSError as error:
            files = ", ".join(filter(None, [tls.trust_ca, *(tls.client_certificate or ())]))
            raise OSError(f"{files or 'certificates'}: {error}") from error
        # The subjectAltName alone names the server (RFC 9525); OpenSSL falls back to the common name.
        context.hostname_checks_common_name = False
        if tls.alpn:
            context.set_alpn_protocols(tls.alpn)
        return context
