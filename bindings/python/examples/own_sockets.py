"""A complete host: the machine over own sockets, with blocking connects and writes.

    python own_sockets.py hotrod://127.0.0.1:11222/dist
"""

import selectors
import socket
import ssl
import sys
import time
from typing import Any, Callable

from libhotrod import Machine, outputs, types


class Host:
    def __init__(self, uri: str) -> None:
        self.machine = Machine(uri)
        self.selector = selectors.DefaultSelector()
        self.sockets: dict[int, socket.socket] = {}
        self.answers: dict[int, outputs.Completed] = {}

    def now(self) -> int:
        return time.monotonic_ns() // 1000

    def execute(self, cache: int, operation: str, *arguments: Any) -> Any:
        submitted = self.machine.submit(self.now(), cache, operation, arguments)
        while submitted not in self.answers:
            self.turn()
        completed = self.answers.pop(submitted)
        if completed.error:
            raise completed.error
        return completed.answer

    def turn(self) -> None:
        """Executes the machine's outputs, and waits once for sockets or the deadline."""
        for output in self.machine.poll():
            match output:
                case outputs.Connect(link=link, host=host, port=port, tls=tls, timeout=timeout):
                    self.establish(link, lambda: socket.create_connection((host, port), timeout / 1e6), tls)
                case outputs.StartTls(link=link, tls=tls):
                    self.establish(link, lambda: self.forget(link), tls)
                case outputs.Transmit(link=link):
                    self.transmit(link)
                case outputs.Close(link=link) if link in self.sockets:
                    self.forget(link).close()
                case outputs.Completed(id=operation):
                    self.answers[operation] = output
        if self.answers or self.machine.closed:
            return
        deadline = self.machine.poll_timeout()
        for key, _ in self.selector.select(None if deadline is None else max(0, deadline - self.now()) / 1e6):
            self.receive(key.data)
        self.machine.timeout(self.now())

    def establish(self, link: int, work: Callable[[], socket.socket], tls: types.Tls | None) -> None:
        try:
            connection = work()
            if tls:
                context = ssl.create_default_context(cafile=tls.trust_ca)
                connection = context.wrap_socket(connection, server_hostname=tls.server_name)
        except OSError as error:
            return self.machine.link_lost(self.now(), link, str(error))
        self.sockets[link] = connection
        self.selector.register(connection, selectors.EVENT_READ, link)
        alpn = connection.selected_alpn_protocol() if isinstance(connection, ssl.SSLSocket) else None
        self.machine.connected(self.now(), link, alpn)

    def forget(self, link: int) -> socket.socket:
        self.selector.unregister(self.sockets[link])
        return self.sockets.pop(link)

    def transmit(self, link: int) -> None:
        try:
            while link in self.sockets and (data := self.machine.transmit(link)):
                self.sockets[link].sendall(data)
        except OSError as error:
            self.machine.link_lost(self.now(), link, str(error))

    def receive(self, link: int) -> None:
        connection = self.sockets[link]
        try:
            data = connection.recv(1 << 16)
        except OSError as error:
            return self.machine.link_lost(self.now(), link, str(error))
        if not data:
            return self.machine.link_lost(self.now(), link, "the server closed the connection")
        self.machine.received(self.now(), link, data)
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            self.receive(link)


host = Host(sys.argv[1] if len(sys.argv) > 1 else "hotrod://127.0.0.1:11222/dist")
cache = host.machine.cache(host.now(), host.machine.default_cache)
host.execute(cache, "put", b"greeting", (None, None), b"hello from my own sockets")
print(host.execute(cache, "get", b"greeting").decode())
host.machine.close(host.now())
while not host.machine.closed:
    host.turn()
