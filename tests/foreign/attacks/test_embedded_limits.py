"""Clients that stop halfway, say nothing, or open more than is theirs, at the embedded node."""

import contextlib
import select
import socket
import time
import unittest

import h2.events

import frames
import hot_rod
from link import Link, Tunnel
from servers import LONG, Program, port

HANDSHAKE = 1
PLACES = 64
# As a node has them: sessions on one link, those in tunnels and the tunnels among them.
MOST_SESSIONS = 200
UPGRADE = b"GET / HTTP/1.1\r\nHost: node\r\nConnection: upgrade\r\nUpgrade: hotrod\r\n\r\n"
SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.frame(0x4, 0, 0, b"") + frames.frame(0x4, 1, 0, b"")
HTTP2_PING = frames.frame(0x6, 0, 0, b"PINGPING")
HALF_A_PUT = hot_rod.request(1, hot_rod.PUT, hot_rod.counted(b"k") + bytes([hot_rod.INFINITE]) + hot_rod.vint(1 << 20))


class TunnelSocket:
    """The bytes of a tunnel, as a socket."""

    def __init__(self, tunnel):
        self.tunnel = tunnel

    def sendall(self, data):
        self.tunnel.send(data)

    def recv(self, size):
        while not self.tunnel.received:
            self.tunnel.more()
        data, self.tunnel.received = self.tunnel.received[:size], self.tunnel.received[size:]
        return data

    def close(self):
        pass


class WithNode(unittest.TestCase):
    options = ()

    def setUp(self):
        node = Program("--embedded", *self.options)
        self.addCleanup(node.stop)
        self.process = node.process
        self.port = port(node.said["members"][0])

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), LONG)
        self.addCleanup(sock.close)
        return sock

    def is_served(self):
        """Whether a new client gets an answer."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), LONG) as sock:
            sock.sendall(hot_rod.ping(1))
            return sock.recv(1)[:1] == bytes([hot_rod.RESPONSE])
        return False

    def assert_served(self):
        until = time.monotonic() + LONG
        while not self.is_served():
            self.assertLess(time.monotonic(), until, f"no client has been served for {LONG} s")
            time.sleep(0.05)


def is_closed(sock, each_time):
    """Whether the node closes the connection, though these bytes are sent again and again."""
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        ready, _, _ = select.select([sock], [], [], 0.2)
        try:
            if ready and not sock.recv(1 << 16):
                return True
            sock.sendall(each_time)
        except OSError:
            return True
    return False


class Slow(WithNode):
    options = ("--handshake-timeout", f"{HANDSHAKE}s")

    def test_a_link_without_a_whole_request_is_closed(self):
        for what, first, each_time in [
            ("nothing", b"", b""),
            ("one octet of a request", b"\xa0", b""),
            ("half a PUT", HALF_A_PUT, b""),
            ("a PUT, octet by octet", HALF_A_PUT, b"x"),
            ("half a head", b"GET / HTTP/1.1\r\nHost: node\r\n", b""),
            ("a head, octet by octet", b"GET / HTTP/1.1\r\nHost: node\r\nX: ", b"x"),
            ("a tunnel without a request", UPGRADE, b""),
            ("a tunnel with half a request", UPGRADE + HALF_A_PUT, b"x"),
            ("half a preface", SETTINGS[:10], b""),
            ("HTTP/2 without a stream", SETTINGS, b""),
            ("HTTP/2 without a stream, kept by PING", SETTINGS, HTTP2_PING),
        ]:
            with self.subTest(what):
                sock = self.connect()
                sock.sendall(first)
                self.assertTrue(is_closed(sock, each_time), f"{what}: open after {LONG} s")

    def test_a_request_that_stops_halfway_ends_its_link(self):
        for begin in (b"", UPGRADE):
            sock = self.connect()
            sock.sendall(begin + hot_rod.ping(1) + HALF_A_PUT)
            self.assertTrue(is_closed(sock, b"x"))

    def test_a_request_in_fragments_that_stops_ends_its_session(self):
        with Link(self.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
            session = frames.Session(link)
            session.call(hot_rod.ping)
            message = HALF_A_PUT[:20]
            call = session.open_call()
            session.send(frames.REQUEST, frames.DEFAULT_URGENCY << 4 | frames.FIRST, call.to_bytes(4, "big") + message)
            self.assertIsNotNone(link.ended(session.stream))

    def test_a_session_that_has_asked_may_be_quiet(self):
        with Link(self.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
            session = frames.Session(link)
            session.call(hot_rod.ping)
            time.sleep(3 * HANDSHAKE)
            session.call(hot_rod.ping)


class Silent(WithNode):
    """Silent streams take all sessions and are kept by PING."""

    options = ("--handshake-timeout", f"{HANDSHAKE}s", "--max-connections", str(PLACES))

    def attack(self, settings):
        with Link(self.port, settings=settings) as link:
            link.settings()
            streams = [link.extended_connect() for _ in range(PLACES - 1)]
            for stream in streams:
                self.assertEqual(link.answer(stream)[":status"], "200")
            until = time.monotonic() + LONG
            while not self.is_served():
                self.assertLess(time.monotonic(), until, f"{PLACES} silent streams hold all sessions for {LONG} s")
                with contextlib.suppress(OSError):
                    link.http2.ping(b"12345678")
                    link.flush()
                time.sleep(0.1)

    def test_silent_sessions_in_frames(self):
        self.attack({frames.SETTINGS_HOT_ROD: 1})

    def test_silent_tunnels(self):
        self.attack({})


class Nested(WithNode):
    def test_sessions_in_tunnels_count_for_their_link(self):
        accepted = refused = 0
        with Link(self.port) as link:
            link.settings()
            for _ in range(5):
                stream = link.extended_connect(("hot-rod-inside", "h2"))
                if link.answer(stream)[":status"] != "200":
                    refused += 1
                    continue
                accepted += 1
                inner = Link(self.port, settings={frames.SETTINGS_HOT_ROD: 1}, sock=TunnelSocket(Tunnel(link, stream)))
                inner.settings()
                for stream in [inner.extended_connect() for _ in range(80)]:
                    is_there = inner.answer(stream)[":status"] == "200"
                    accepted, refused = accepted + is_there, refused + (not is_there)
        self.assertLessEqual(accepted, MOST_SESSIONS, "sessions on one TCP connection")
        self.assertGreater(refused, 0)
        self.assert_served()


class Held(WithNode):
    """What clients have the node hold for names that mean nothing."""

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) << 10

    def create_counter(self, message_id, name):
        strong, initial = b"\0", bytes(8)
        return hot_rod.request(message_id, 0x4B, hot_rod.counted(name) + strong + initial, cache=b"")

    def listen(self, message_id, name, listener):
        return hot_rod.request(message_id, 0x5A, hot_rod.counted(name) + hot_rod.counted(listener), cache=b"")

    def test_ids_of_listeners(self):
        before = self.resident()
        sock = self.connect()
        sock.sendall(self.create_counter(1, b"c"))
        self.assertEqual(sock.recv(100)[2:4], b"\x4c\0")
        with contextlib.suppress(OSError):
            for number in range(2000):
                sock.sendall(self.listen(number, b"c", str(number).encode().ljust(60_000, b"x")))
        self.assert_served()
        self.assertLess(self.resident() - before, 32 << 20, "bytes for ids of listeners on one connection")

    def test_names_of_caches(self):
        before = self.resident()
        sock = self.connect()
        with contextlib.suppress(OSError):
            for number in range(2000):
                name = str(number).encode().ljust(60_000, b"x")
                sock.sendall(hot_rod.request(number, hot_rod.GET, hot_rod.counted(b"k"), cache=name))
        self.assert_served()
        self.assertLess(self.resident() - before, 32 << 20, "bytes for names of caches that are not there")


class Idle(WithNode):
    options = ("--handshake-timeout", "1h", "--idle-timeout", "1s")

    def test_a_link_on_which_only_ping_goes_is_closed(self):
        sock = self.connect()
        sock.sendall(SETTINGS)
        self.assertTrue(is_closed(sock, HTTP2_PING))

    def test_a_session_beside_a_busy_one_ends(self):
        with Link(self.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
            settings = link.settings()
            busy, idle = frames.Session(link, settings=settings), frames.Session(link, settings=settings)
            idle.call(hot_rod.ping)
            until = time.monotonic() + LONG
            ends = (h2.events.StreamReset, h2.events.StreamEnded)
            while not any(isinstance(event, ends) and event.stream_id == idle.stream for event in link.events):
                self.assertLess(time.monotonic(), until, f"an idle session is open after {LONG} s")
                busy.call(hot_rod.ping)


