"""A forward proxy that tunnels by CONNECT, on loopback."""

from __future__ import annotations

import base64
import socket
import threading
from types import TracebackType
from typing import Optional


class Proxy:
    """A proxy that requires the user and the password."""

    def __init__(self, user: str, password: str) -> None:
        self._wanted = b"Basic " + base64.b64encode(f"{user}:{password}".encode())
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.tunnels = 0
        host, port = self._listening.getsockname()
        self.address = f"{host}:{port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        lines = head.split(b"\r\n")
        method, target, _ = lines[0].split(b" ")
        if method != b"CONNECT" or b"Proxy-Authorization: " + self._wanted not in lines:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return client.close()
        host, port = target.decode().rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.tunnels += 1
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        self._copy(client, server)

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._listening.close()
