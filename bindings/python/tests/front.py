"""TLS before a server, with a certificate that can be replaced, on loopback; and certificates for it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Optional


def self_signed(folder: Path, name: str = "cert") -> tuple[Path, Path]:
    """Creates a certificate for 127.0.0.1, marked as that of an authority, and its key."""
    made = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return made


class Front:
    """TLS before the server at an address."""

    def __init__(self, upstream: str, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._upstream = upstream.rsplit(":", 1)
        self._links: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._upstream
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        self._links |= {writer, upstream_writer}
        await asyncio.gather(self._copy(reader, upstream_writer), self._copy(upstream_reader, writer))
        self._links -= {writer, upstream_writer}

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def replace(self, certificate: Path, key: Path) -> None:
        """Shows another certificate from now on, and cuts the present links."""

        async def cut() -> None:
            self._context.load_cert_chain(certificate, key)
            for writer in self._links:
                writer.transport.abort()

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result()

    def __enter__(self) -> Front:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        async def end() -> None:
            self._server.close()
            for writer in self._links:
                writer.transport.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
