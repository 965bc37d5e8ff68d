"""Tunnels that h2 opens, in which plain Hot Rod travels."""

import hot_rod
from link import Link, Tunnel
from servers import WithGateway


class Client:
    """A client of a tunnel, one operation at a time."""

    def __init__(self, tunnel):
        self.tunnel, self.last_id = tunnel, 0

    def call(self, operation, *fields):
        self.last_id += 1
        self.tunnel.send(operation(self.last_id, *fields))
        while True:
            try:
                response = hot_rod.Response(self.tunnel.received, operation)
            except hot_rod.Incomplete:
                self.tunnel.more()
                continue
            self.tunnel.received = response.rest
            assert response.message_id == self.last_id
            return response


class Tunnels(WithGateway):
    tls = False

    def link(self):
        return Link(self.port, self.certificate if self.tls else None)

    def use(self, link, stream):
        client = Client(Tunnel(link, stream))
        key = f"key {stream}".encode()
        self.assertEqual(client.call(hot_rod.ping).status, hot_rod.SUCCESS)
        for value in [b"", b"a value", bytes(range(256)) * 4096]:
            self.assertEqual(client.call(hot_rod.put, key, value).status, hot_rod.SUCCESS)
            self.assertEqual(client.call(hot_rod.get, key).value, value)
        self.assertEqual(client.call(hot_rod.get, b"missing").status, hot_rod.NO_SUCH_KEY)
        link.http2.end_stream(stream)
        link.flush()
        self.assertIn(link.ended(stream), (None, 0))

    def test_extended_connect(self):
        with self.link() as link:
            self.assertEqual(link.settings().get(0x8), 1)
            streams = [link.extended_connect(("hot-rod-node", "node-0")) for _ in range(3)]
            for stream in streams:
                answer = link.answer(stream)
                self.assertEqual((answer[":status"], answer["hot-rod-node"]), ("200", "node-0"))
            for stream in streams:
                self.use(link, stream)

    def test_connect(self):
        with self.link() as link:
            link.settings()
            stream = link.ask((":method", "CONNECT"), (":authority", self.member))
            self.assertEqual(link.answer(stream)[":status"], "200")
            self.use(link, stream)

    def test_refusals(self):
        with self.link() as link:
            link.settings()
            for status, stream in [
                ("421", link.extended_connect(("hot-rod-node", "node-9"))),
                ("400", link.extended_connect(("hot-rod-node", "node-0"), ("hot-rod-node", "node-0"))),
                ("400", link.extended_connect(("hot-rod-inside", "tls"))),
                ("501", link.extended_connect(protocol="websocket")),
                ("421", link.ask((":method", "CONNECT"), (":authority", "example.com:80"))),
            ]:
                self.assertEqual(link.answer(stream)[":status"], status)
            # The link has taken no harm.
            stream = link.extended_connect()
            self.assertEqual(link.answer(stream)[":status"], "200")
            self.use(link, stream)


class TunnelsOverTls(Tunnels):
    tls = True
