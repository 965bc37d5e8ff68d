"""A complete host: the machine over sockets of one's own, which it dials and writes blocking.

    python own_sockets.py hotrod://127.0.0.1:11222/dist
"""

import selectors
import socket
import ssl
import sys
import time

from libhotrod import Machine, outputs


class Host:
    def __init__(self, uri):
        self.machine = Machine(uri)
        self.selector = selectors.DefaultSelector()
        self.sockets = {}
        self.answers = {}

    def now(self):
        return time.monotonic_ns() // 1000

    def execute(self, cache, operation, *arguments):
        submitted = self.machine.submit(self.now(), cache, operation, arguments)
        while submitted not in self.answers:
            self.turn()
        completed = self.answers.pop(submitted)
        if completed.error is not None:
            raise completed.error
        return completed.answer

    def turn(self):
        """Does what the machine says, and waits once for sockets or time."""
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
        ready = self.selector.select(None if deadline is None else max(0, deadline - self.now()) / 1e6)
        for key, _ in ready:
            self.receive(key.data)
        self.machine.timeout(self.now())

    def establish(self, link, work, tls):
        try:
            connection = work()
            if tls:
                context = ssl.create_default_context(cafile=tls.trust_ca)
                connection = context.wrap_socket(connection, server_hostname=tls.server_name)
        except OSError as error:
            return self.machine.link_lost(self.now(), link, str(error))
        self.sockets[link] = connection
        self.selector.register(connection, selectors.EVENT_READ, link)
        alpn = connection.selected_alpn_protocol() if tls else None
        self.machine.connected(self.now(), link, alpn)

    def forget(self, link):
        connection = self.sockets.pop(link)
        self.selector.unregister(connection)
        return connection

    def transmit(self, link):
        try:
            while link in self.sockets and (data := self.machine.transmit(link)):
                self.sockets[link].sendall(data)
        except OSError as error:
            self.machine.link_lost(self.now(), link, str(error))

    def receive(self, link):
        try:
            data = self.sockets[link].recv(1 << 16)
        except OSError as error:
            return self.machine.link_lost(self.now(), link, str(error))
        if not data:
            return self.machine.link_lost(self.now(), link, "the server closed the connection")
        self.machine.received(self.now(), link, data)
        if isinstance(self.sockets[link], ssl.SSLSocket) and self.sockets[link].pending():
            self.receive(link)


host = Host(sys.argv[1] if len(sys.argv) > 1 else "hotrod://127.0.0.1:11222/dist")
cache = host.machine.cache(host.now(), host.machine.default_cache)
host.execute(cache, "put", b"greeting", (None, None), b"hello from my own sockets")
print(host.execute(cache, "get", b"greeting").decode())
host.machine.close(host.now())
while not host.machine.closed:
    host.turn()
