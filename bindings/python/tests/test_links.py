"""How links are established: several addresses, TLS files that are replaced, servers that do not speak TLS."""

from __future__ import annotations

import asyncio
import logging
import select
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from libhotrod import ConnectionAttempts, HotRodError, MisuseError, UnreachableError, blocking, connect

from .conftest import Embedded, Gateway
from .front import Front, self_signed


def try_both(uri: str) -> Iterator[HotRodError]:
    """Yields how each client fails to connect."""

    async def asyncio_client() -> None:
        async with connect(uri):
            pass

    for attempt in (lambda: asyncio.run(asyncio_client()), lambda: blocking.connect(uri).close()):
        with pytest.raises(HotRodError) as failure:
            attempt()
        yield failure.value


@pytest.fixture
def two_addresses(node: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a name with two addresses, the first of which is silent: its queue of connections is full."""
    port = int(node.addresses[0].rsplit(":", 1)[1])
    find = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> list[Any]:
        if host != "two.test":
            return find(host, *arguments, **options)
        return [found for address in ("127.0.0.2", "127.0.0.1") for found in find(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with socket.socket() as silent, socket.socket() as waiting:
        silent.bind(("127.0.0.2", port))
        silent.listen(0)
        waiting.connect(("127.0.0.2", port))
        yield f"hotrod://two.test:{port}/dist?connect_timeout=5000&client_intelligence=basic"


def test_a_silent_first_address_of_the_asyncio_client(two_addresses: str) -> None:
    async def run() -> None:
        async with connect(two_addresses) as client:
            await client.cache().put(b"k", b"v")
            assert await client.cache().get(b"k") == b"v"

    asyncio.run(run())


def test_a_silent_first_address_of_the_blocking_client(two_addresses: str) -> None:
    with blocking.connect(two_addresses) as client:
        client.cache().put(b"k", b"v")
        assert client.cache().get(b"k") == b"v"


def test_connection_attempts_for_hosts_with_own_sockets() -> None:
    attempts = ConnectionAttempts([False, False, True])
    assert (attempts.poll_attempt(0), attempts.poll_attempt(0), attempts.poll_timeout()) == (0, None, 250_000)
    attempts.failed()
    assert (attempts.poll_attempt(0), attempts.poll_attempt(250_000), attempts.exhausted) == (2, 1, False)
    attempts.failed()
    attempts.failed()
    assert attempts.exhausted and attempts.poll_timeout() is None


def test_the_next_link_of_the_asyncio_client_uses_files_that_were_replaced(
    node: Embedded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (first, key), (second, second_key) = self_signed(tmp_path, "first"), self_signed(tmp_path, "second")
    ca = shutil.copy(first, tmp_path / "ca.pem")

    async def run(front: Front) -> None:
        async with connect(f"hotrods://{front.address}/dist?client_intelligence=basic&trust_ca={ca}") as client:
            await client.cache().put(b"k", b"v")
            use_half_of(ca)
            await asyncio.to_thread(front.replace, first, key)
            assert await client.cache().get(b"k") == b"v"
            shutil.copy(second, ca)
            await asyncio.to_thread(front.replace, second, second_key)
            assert await client.cache().get(b"k") == b"v"

    with Front(node.addresses[0], first, key) as front, caplog.at_level(logging.WARNING, "libhotrod"):
        asyncio.run(run(front))
    assert f"trust_ca={ca}" in caplog.text


def test_the_next_link_of_the_blocking_client_uses_files_that_were_replaced(
    node: Embedded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (first, key), (second, second_key) = self_signed(tmp_path, "first"), self_signed(tmp_path, "second")
    ca = shutil.copy(first, tmp_path / "ca.pem")
    with Front(node.addresses[0], first, key) as front, caplog.at_level(logging.WARNING, "libhotrod"):
        with blocking.connect(f"hotrods://{front.address}/dist?client_intelligence=basic&trust_ca={ca}") as client:
            client.cache().put(b"k", b"v")
            use_half_of(ca)
            front.replace(first, key)
            assert client.cache().get(b"k") == b"v"
            shutil.copy(second, ca)
            front.replace(second, second_key)
            assert client.cache().get(b"k") == b"v"
    assert f"trust_ca={ca}" in caplog.text


def use_half_of(file: Path) -> None:
    """Leaves the first half of a file, as one that is being written."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("missing", ["trust_ca", "client_certificate", "client_key"])
def test_a_file_that_is_not_there_is_named_with_its_property(tmp_path: Path, missing: str) -> None:
    certificate, key = self_signed(tmp_path)
    files = {"trust_ca": certificate, "client_certificate": certificate, "client_key": key, missing: "missing.pem"}
    query = "&".join(f"{name}={file}" for name, file in files.items())
    for error in try_both(f"hotrods://127.0.0.1:1?{query}"):
        assert isinstance(error, MisuseError)
        assert f"{missing}=missing.pem: No such file or directory" in str(error)


def test_a_file_without_a_certificate_is_named_with_its_property(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for error in try_both(f"hotrods://127.0.0.1:1?trust_ca={empty}"):
        assert isinstance(error, MisuseError) and f"trust_ca={empty}: " in str(error)


def answering(answer: bytes) -> tuple[str, Callable[[], None]]:
    """A server that answers any bytes with these, and ends each connection. Returns its address, and what ends it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def end() -> None:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()

    return f"127.0.0.1:{listening.getsockname()[1]}", end


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xa1\x00\x50\x81\x00\x00", b""])
def test_a_port_without_tls_is_recognised(tmp_path: Path, answer: bytes) -> None:
    certificate, _ = self_signed(tmp_path)
    address, end = answering(answer)
    try:
        for error in try_both(f"hotrods://{address}?trust_ca={certificate}"):
            assert "hotrod:// instead of hotrods://" in str(error)
    finally:
        end()


def test_a_refused_connection_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    for error in try_both(f"hotrod://{address}"):
        assert isinstance(error, UnreachableError)
        assert f"{address}: " in str(error) and "Connection refused" in str(error)


# An HTTP/2 frame (RFC 9113, 6.5): empty SETTINGS.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


class SpeaksFirst:
    """TLS 1.2 before a gateway. SETTINGS come with the end of the handshake, in one segment, in place of the gateway's own, which
    wait for the client's.
    """

    def __init__(self, gateway: str, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["h2"])
        self._context.load_cert_chain(certificate, key)
        self._gateway = gateway.rsplit(":", 1)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        try:
            with client, self._upstream() as upstream:
                self._serve(client, upstream)
        except OSError:
            # The client has ended the connection.
            pass

    def _upstream(self) -> ssl.SSLSocket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        # Without the session tickets of TLS 1.3, which are nothing to read.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        host, port = self._gateway
        return context.wrap_socket(socket.create_connection((host, int(port))))

    def _serve(self, client: socket.socket, upstream: ssl.SSLSocket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65536))
        tls.write(SETTINGS)
        is_first = True
        client.sendall(outgoing.read())
        while True:
            ready = [upstream] if upstream.pending() else select.select([client, upstream], [], [])[0]
            if upstream in ready:
                data = upstream.recv(65536)
                if not data:
                    return
                if is_first:
                    # Without the gateway's SETTINGS, which have been acknowledged already.
                    is_first, data = False, data[9 + int.from_bytes(data[:3], "big") :]
                if data:
                    tls.write(data)
                client.sendall(outgoing.read())
            if client in ready:
                data = client.recv(65536)
                if not data:
                    return
                incoming.write(data)
                try:
                    while sent := tls.read(65536):
                        upstream.sendall(sent)
                    return
                except ssl.SSLWantReadError:
                    pass

    def end(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


def test_bytes_before_the_end_of_the_handshake_are_kept(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    front = SpeaksFirst(gateway.address, certificate, key)
    find = socket.getaddrinfo
    # The gateway knows its member by this name.
    names = {"node-0": "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *others, **options: find(names.get(host, host), *others, **options))
    port = front.address.rsplit(":", 1)[1]
    uri = f"hotrods://node-0:{port}/dist?access=header&carriage=connect-http2&max_retries=0&client_intelligence=basic"
    uri += f"&sni_host_name=127.0.0.1&trust_ca={certificate}"

    async def run() -> None:
        async with connect(uri) as client:
            await client.cache().put(b"k", b"v")
            assert await client.cache().get(b"k") == b"v"

    try:
        asyncio.run(run())
        with blocking.connect(uri) as client:
            assert client.cache().get(b"k") == b"v"
    finally:
        front.end()
