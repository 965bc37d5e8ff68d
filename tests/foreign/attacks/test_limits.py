"""Clients that take what is there and do not go on: what one source, one link and one session may hold."""

import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import time
import unittest
import urllib.request

import h2.events

import frames
import hot_rod
from link import Link
from servers import GATEWAY, LONG, Program, port

HARNESS = os.environ.get("HOTROD_HARNESS")
# As the attacked gateways have it, and what is waited for an end: deadlines are looked at once a second.
HANDSHAKE, IDLE, AUTHENTICATION = "1s", "2s", "2s"
PATIENCE = 6
UPGRADE = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n"
# An AUTH by PLAIN, of which the end is missing, and a PUT of which that is.
HALF_AN_AUTH = hot_rod.request(1, 0x23, hot_rod.counted(b"PLAIN") + hot_rod.vint(20) + b"\0")
HALF_A_PUT = hot_rod.put(2, b"k", bytes(1000))[:100]
HTTP2_PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)


class Attacked:
    """A gateway with an admin port and a log. Options that a gateway of before does not know are given by environment
    variables, which it does not read."""

    def __init__(self, arguments, variables=None):
        names = {f"HOTROD_GATEWAY_{name}": value for name, value in (variables or {}).items()}
        self.process = subprocess.Popen(
            [GATEWAY, "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--handshake-timeout", HANDSHAKE,
             *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **names, "NO_COLOR": "1"},
        )
        os.set_blocking(self.process.stderr.fileno(), False)
        self.log = b""
        ready, _, _ = select.select([self.process.stdout], [], [], LONG)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise RuntimeError(f"hotrod-gateway {arguments} did not start")
        said = json.loads(line)
        self.port, self.admin = port(said["listen"]), port(said["admin"])

    def stop(self):
        self.process.kill()
        self.process.wait(LONG)
        self.process.stdout.close()
        self.process.stderr.close()

    def metric(self, name):
        """The sum of all series of that name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=LONG) as answer:
            lines = answer.read().decode().splitlines()
        series = [line.rsplit(" ", 1) for line in lines if line.startswith(name)]
        return sum(int(value) for key, value in series if key == name or key[len(name)] == "{")

    def sessions(self):
        return self.metric("hotrod_gateway_sessions_open")

    def logged(self, *words):
        """Whether the log has a line with all of these, soon."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.log += self.process.stderr.read() or b""
            if any(all(word in line for word in words) for line in self.log.decode().splitlines()):
                return True
            time.sleep(0.05)
        return False


def connect(gateway, source="127.0.0.1"):
    """A connection; each address of 127.0.0.0/8 is a source."""
    return socket.create_connection(("127.0.0.1", gateway.port), LONG, (source, 0))


def read_to_end(sock, seconds=PATIENCE, trickle=None):
    """What comes until the peer closes, and whether it does; `trickle` is sent meanwhile, one octet a time."""
    received, until = b"", time.monotonic() + seconds
    trickle = iter(trickle or b"")
    while time.monotonic() < until:
        ready, _, _ = select.select([sock], [], [], 0.2)
        try:
            if ready:
                data = sock.recv(1 << 16)
                if not data:
                    return received, True
                received += data
            elif (octet := next(trickle, None)) is not None:
                sock.sendall(bytes([octet]))
        except ConnectionError:
            return received, True
    return received, False


def is_served(gateway, source):
    """Whether a PING of that source is answered with success."""
    with connect(gateway, source) as sock:
        return is_answered(sock, hot_rod.ping(1))


def is_answered(sock, request=b""):
    """Whether a PING succeeds, after the request is sent; a session that can't be served is closed without an answer."""
    try:
        sock.sendall(request)
        return sock.recv(1 << 16)[3:4] == bytes([hot_rod.SUCCESS])
    except ConnectionError:
        return False


class Link2(Link):
    """An HTTP/2 link whose end, and the ends of its streams, are waited for."""

    def outlasts(self, streams=(), seconds=PATIENCE):
        """Which of the streams are there after that time; PING is sent meanwhile."""
        left, until = set(streams), time.monotonic() + seconds
        ends = (h2.events.StreamReset, h2.events.StreamEnded)
        with contextlib.suppress(OSError):
            while time.monotonic() < until and (left or not streams):
                for event in self.events:
                    if isinstance(event, ends):
                        left.discard(event.stream_id)
                self.events.clear()
                self.flush(HTTP2_PING)
                # More of them would be a flood.
                next_ping = time.monotonic() + 0.3
                while (wait := next_ping - time.monotonic()) > 0:
                    if select.select([self.sock], [], [], wait)[0]:
                        data = self.sock.recv(1 << 16)
                        if not data:
                            return set()
                        self.events += self.http2.receive_data(data)
            return left if streams else {0}
        return set()


class Attack(unittest.TestCase):
    """Attacks on one role, before an embedded node."""

    ROLE = ["--node-name", "node-0"]

    @classmethod
    def setUpClass(cls):
        node = Program("--embedded", "--idle-timeout", "1h")
        cls.addClassCleanup(node.stop)
        cls.member = node.said["members"][0]

    def gateway(self, *arguments, **variables):
        gateway = Attacked(["--upstream", self.member, *self.ROLE, *arguments], variables)
        self.addCleanup(gateway.stop)
        # Its own connection is there.
        until = time.monotonic() + LONG
        while gateway.metric("hotrod_gateway_upstream_connects_total") < 1 and time.monotonic() < until:
            time.sleep(0.05)
        return gateway

    def socket(self, gateway, source="127.0.0.1"):
        sock = connect(gateway, source)
        self.addCleanup(sock.close)
        return sock

    def link(self, gateway, settings=None):
        link = Link2(gateway.port, settings=settings)
        self.addCleanup(link.sock.close)
        link.settings()
        return link


class Slowloris(Attack):
    """Row 6."""

    def test_one_raw_octet_gets_no_member_connection(self):
        gateway = self.gateway()
        before = gateway.metric("hotrod_gateway_upstream_connects_total")
        sock = self.socket(gateway)
        sock.sendall(hot_rod.ping(1)[:1])
        _, is_closed = read_to_end(sock)
        self.assertTrue(is_closed, "one octet is held")
        self.assertEqual(gateway.metric("hotrod_gateway_upstream_connects_total"), before)
        self.assertTrue(gateway.logged("handshake-timeout"))

    def test_half_a_head_of_http(self):
        gateway = self.gateway()
        sock = self.socket(gateway)
        sock.sendall(b"GET / HTTP/1.1\r\n")
        received, is_closed = read_to_end(sock, trickle=b"Host: " + bytes(100).replace(b"\0", b"h"))
        self.assertTrue(is_closed, "half a head is held")
        self.assertTrue(received.startswith(b"HTTP/1.1 408 "))
        self.assertTrue(gateway.logged("handshake-timeout"))

    def test_half_an_auth_raw_and_in_a_tunnel_of_http1(self):
        gateway = self.gateway()
        for begin in (b"", UPGRADE):
            with self.subTest(begin):
                sock = self.socket(gateway)
                sock.sendall(begin + HALF_AN_AUTH)
                _, is_closed = read_to_end(sock, trickle=bytes(15))
                self.assertTrue(is_closed, "half an AUTH is held")
        self.assertEqual(gateway.sessions(), 0)

    def test_half_an_auth_in_tunnels_and_in_frames_of_http2(self):
        gateway = self.gateway()
        link = self.link(gateway)
        stream = link.extended_connect()
        link.answer(stream)
        link.http2.send_data(stream, HALF_AN_AUTH)
        link.flush()
        self.assertFalse(link.outlasts([stream]), "half an AUTH is held in a tunnel")
        link = self.link(gateway, {frames.SETTINGS_HOT_ROD: 1})
        session = frames.Session(link, settings={frames.SETTINGS_HOT_ROD: 1})
        session.node()
        session.send(frames.REQUEST, 3 << 4 | frames.FIRST, struct.pack(">I", 1) + HALF_AN_AUTH)
        self.assertFalse(link.outlasts([session.stream]), "half an AUTH is held in frames")
        self.assertEqual(gateway.sessions(), 0)

    def test_half_a_request_after_a_whole_one(self):
        gateway = self.gateway()
        sock = self.socket(gateway)
        sock.sendall(hot_rod.ping(1) + HALF_A_PUT)
        _, is_closed = read_to_end(sock, trickle=bytes(30))
        self.assertTrue(is_closed, "half a request is held")
        self.assertTrue(gateway.logged("min-request-rate"))
        self.assertEqual(gateway.sessions(), 0)

    def test_http2_without_streams(self):
        gateway = self.gateway()
        self.assertFalse(self.link(gateway).outlasts(), "PING keeps a link that has no stream")
        sock = self.socket(gateway)
        sock.sendall(UPGRADE)
        time.sleep(0.2)
        sock.recv(1 << 16)
        inner = Link2(0, sock=sock)
        self.assertFalse(inner.outlasts(), "PING keeps an inner link that has no stream")

    def test_who_does_not_authenticate(self):
        if not HARNESS or os.environ.get("SKIP_REAL") == "1":
            self.skipTest("needs a real server that wants authentication")
        server = subprocess.Popen([HARNESS, "start", "--flavour", "secure-plain"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait, LONG * 6)
        self.addCleanup(server.stdin.close)
        self.assertTrue(select.select([server.stdout], [], [], 300)[0], "the server does not start")
        endpoint = json.loads(server.stdout.readline())["endpoints"][0]
        self.member = f"127.0.0.1:{endpoint['port']}"
        gateway = self.gateway(AUTHENTICATION_TIMEOUT=AUTHENTICATION)
        sock = self.socket(gateway)
        # It never stops to ask PING, which anybody may.
        until = time.monotonic() + PATIENCE
        with self.assertRaises((ConnectionError, EOFError), msg="a client that never authenticates is held"):
            while time.monotonic() < until:
                sock.sendall(hot_rod.ping(1))
                if not sock.recv(1 << 16):
                    raise EOFError
                time.sleep(0.1)
        self.assertTrue(gateway.logged("authentication-timeout"))


class SlowlorisAtFront(Slowloris):
    ROLE = ["--front"]


class Limits(Attack):
    """Row 3."""

    def test_silent_streams_do_not_take_all_sessions_and_end(self):
        gateway = self.gateway("--max-sessions", "60", "--idle-timeout", IDLE)
        link = self.link(gateway)
        streams = [link.extended_connect() for _ in range(60)]
        taken = sum(link.answer(stream)[":status"] == "200" for stream in streams)
        served = is_served(gateway, "127.0.0.2")
        left = link.outlasts(streams[:taken])
        self.assertFalse(left, f"{len(left)} silent streams are there after idle-timeout")
        self.assertTrue(served, "another source is served meanwhile")
        self.assertEqual(taken, 30)
        self.assertTrue(gateway.logged("max-sessions-per-source"))

    def test_silent_streams_that_were_used_end_beside_a_busy_one(self):
        gateway = self.gateway("--idle-timeout", IDLE)
        link = self.link(gateway)
        streams = [link.extended_connect() for _ in range(10)]
        for stream in streams:
            link.answer(stream)
            link.http2.send_data(stream, hot_rod.ping(1))
        link.flush()
        busy, silent = streams[0], set(streams[1:])
        until = time.monotonic() + PATIENCE
        while silent and time.monotonic() < until:
            link.http2.send_data(busy, hot_rod.ping(1))
            silent = link.outlasts(silent, 0.3)
        self.assertFalse(silent, "silent streams are kept by a busy one and PING")

    def test_sessions_of_inner_links_count_with_those_of_their_connection(self):
        gateway = self.gateway("--max-tunnels", "10")
        link = self.link(gateway)
        inner = []
        for _ in range(5):
            stream = link.extended_connect(("hot-rod-inside", "h2"))
            self.assertEqual(link.answer(stream)[":status"], "200")
            inner.append(InnerLink(link, stream))
        asked = [(each, each.ask()) for each in inner for _ in range(10)]
        taken = sum(each.status(stream) == "200" for each, stream in asked)
        sessions = gateway.sessions()
        self.assertLessEqual(sessions, 10, f"{sessions} sessions on one connection with max-tunnels=10")
        self.assertEqual(taken, sessions)
        self.assertTrue(gateway.logged("max-tunnels"))

    def test_connections_of_one_source(self):
        gateway = self.gateway("--max-connections", "20")
        held = [self.socket(gateway) for _ in range(20)]
        for sock in held:
            sock.sendall(hot_rod.ping(1))
        served = sum(is_answered(sock) for sock in held)
        self.assertTrue(is_served(gateway, "127.0.0.2"), f"one source took all {served} connections")
        self.assertEqual(served, 10)
        self.assertTrue(gateway.logged("max-connections-per-source"))

    def test_handshakes_of_one_source(self):
        gateway = self.gateway(MAX_HANDSHAKES_PER_SOURCE="5")
        served = sum(is_served(gateway, "127.0.0.1") for _ in range(200))
        self.assertLess(served, 200, "one source connects as often as it wants")
        self.assertGreaterEqual(served, 50)
        self.assertTrue(is_served(gateway, "127.0.0.2"))
        self.assertTrue(gateway.logged("max-handshakes-per-source"))

    def test_limits_behind_a_router_are_those_of_its_clients(self):
        gateway = self.gateway("--max-connections", "20", PROXY_PROTOCOL="127.0.0.1", MAX_CONNECTIONS_PER_SOURCE="2")

        def through_router(client):
            header = f"PROXY TCP4 {client} 10.0.0.1 4711 443\r\n".encode()
            return is_answered(self.socket(gateway), header + hot_rod.ping(1))

        self.assertEqual([through_router("203.0.113.1") for _ in range(4)], [True, True, False, False])
        self.assertTrue(through_router("203.0.113.2"))
        self.assertTrue(gateway.logged("203.0.113.1:4711", "max-connections-per-source"))
        self.assertFalse(is_served(gateway, "127.0.0.1"), "a router without a header is served")
        self.assertTrue(is_served(gateway, "127.0.0.2"))
        sock = self.socket(gateway, "127.0.0.2")
        sock.sendall(b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n" + hot_rod.ping(1))
        received, is_closed = read_to_end(sock)
        self.assertTrue(is_closed and not received.startswith(b"\xa1"), "anybody's header is believed")
        self.assertFalse(b"203.0.113.9" in gateway.log)


class LimitsAtFront(Limits):
    ROLE = ["--front"]


class InnerLink:
    """An HTTP/2 link in a tunnel of another."""

    def __init__(self, link, tunnel):
        self.link, self.tunnel, self.answers = link, tunnel, {}
        self.http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.http2.initiate_connection()
        self.flush()

    def flush(self):
        self.link.http2.send_data(self.tunnel, self.http2.data_to_send())
        self.link.flush()

    def ask(self):
        stream = self.http2.get_next_available_stream_id()
        self.http2.send_headers(stream, [
            (":method", "CONNECT"), (":protocol", "hotrod"), (":scheme", "http"), (":path", "/"), (":authority", "h"),
        ])
        self.flush()
        return stream

    def status(self, stream):
        while stream not in self.answers:
            event = self.link.next(
                lambda event: isinstance(event, h2.events.DataReceived) and event.stream_id == self.tunnel)
            for inner in self.http2.receive_data(event.data):
                if isinstance(inner, h2.events.ResponseReceived):
                    self.answers[inner.stream_id] = dict(inner.headers)[":status"]
                if isinstance(inner, h2.events.StreamReset):
                    self.answers.setdefault(inner.stream_id, "reset")
        return self.answers[stream]


if __name__ == "__main__":
    unittest.main()
