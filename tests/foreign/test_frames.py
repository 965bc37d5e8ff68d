"""Hot Rod frames, by h2 and what the spec says."""

import contextlib
import socket
import struct

import frames
import hot_rod
from frames import Session
from link import Link
from servers import LONG, WithGateway

AGREED = {frames.SETTINGS_HOT_ROD: 1}
UNKNOWN_CALL = 0xF0000003


class Frames(WithGateway):
    tls = False

    def link(self):
        return Link(self.port, self.certificate if self.tls else None, AGREED)

    @contextlib.contextmanager
    def session(self):
        with self.link() as link:
            session = Session(link, ("hot-rod-node", "node-0"))
            self.is_opened(session)
            yield session

    def is_opened(self, session):
        answer = session.link.answer(session.stream)
        self.assertEqual((answer[":status"], answer["hot-rod-node"]), ("200", "node-0"))
        node = session.node()
        self.assertEqual((node.mode, node.name), (1, "node-0"))

    def use(self, session, key):
        self.assertEqual(session.call(hot_rod.ping).server_version, hot_rod.VERSION)
        self.assertEqual(session.call(hot_rod.put, key, b"v").status, hot_rod.SUCCESS)
        self.assertEqual(session.call(hot_rod.get, key).value, b"v")
        self.assertEqual(session.call(hot_rod.get, b"missing").status, hot_rod.NO_SUCH_KEY)

    def test_operations(self):
        with self.session() as session:
            self.use(session, b"k")

    def test_sessions_share_a_link(self):
        with self.link() as link:
            first = Session(link)
            self.is_opened(first)
            for number in range(3):
                other = Session(link, settings=first.settings)
                self.is_opened(other)
                self.use(other, b"shared %d" % number)
            self.use(first, b"first")

    def test_large_values_go_in_fragments_under_credit(self):
        value = bytes(range(256)) * 8192
        with self.session() as session:
            self.assertEqual(session.call(hot_rod.put, b"large", value).status, hot_rod.SUCCESS)
            self.assertEqual(session.call(hot_rod.get, b"large").value, value)

    def test_many_calls_at_once(self):
        with self.session() as session:
            calls = [session.begin(hot_rod.put(n + 1, b"key %d" % n, b"v" * n)) for n in range(200)]
            answers = {}
            while len(answers) < len(calls):
                got = session.next(frames.RESPONSE)
                (call,) = struct.unpack(">I", got.body[:4])
                answers[call] = hot_rod.Response(got.body[4:], hot_rod.put).status
            self.assertEqual(answers, dict.fromkeys(calls, hot_rod.SUCCESS))

    def test_a_call_that_waits_for_its_end_is_cancelled_and_was_not_applied(self):
        with self.session() as session:
            message = hot_rod.put(1, b"never", b"v")
            call = session.open_call()
            session.send(frames.REQUEST, frames.FIRST | 0x30, struct.pack(">I", call) + message[:-1])
            session.cancel(call)
            with self.assertRaises(frames.Cancelled) as cancelled:
                session.finish(call)
            self.assertEqual((cancelled.exception.code, cancelled.exception.may_have_been_applied), (0x8, False))
        with self.session() as session:
            self.assertEqual(session.call(hot_rod.get, b"never").status, hot_rod.NO_SUCH_KEY)

    def test_a_refusal(self):
        with self.link() as link:
            refused = Session(link, ("hot-rod-node", "node-9"))
            refused.begin(hot_rod.ping(1))
            self.assertEqual(link.answer(refused.stream)[":status"], "421")
            self.assertIn(link.ended(refused.stream), (None, 0))
            # Its frames crossed the refusal; the link serves another session.
            session = Session(link, settings=refused.settings)
            self.is_opened(session)
            self.use(session, b"after a refusal")

    def test_violations_end_the_session_and_not_the_link(self):
        with self.link() as link:
            settings = None
            for kind, payload in [
                (frames.CREDIT, struct.pack(">II", 7, 1)),
                (frames.REQUEST, struct.pack(">I", 7) + b"\xa0"),
                (frames.CANCEL, struct.pack(">II", 7, 8)),
            ]:
                session = Session(link, settings=settings)
                settings = session.settings
                self.is_opened(session)
                session.send(kind, 0, payload)
                self.assertEqual(link.ended(session.stream), UNKNOWN_CALL)
            session = Session(link, settings=settings)
            self.is_opened(session)
            self.use(session, b"after violations")

    def test_frames_inside_a_tunnel(self):
        """The inner link of section 12.4, behind an Upgrade that this test writes itself."""
        sock = socket.create_connection(("127.0.0.1", self.port), LONG)
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\nHot-Rod-Inside: h2\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            got = sock.recv(1)
            self.assertNotEqual(got, b"")
            head += got
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        with Link(self.port, settings=AGREED, sock=sock) as link:
            session = Session(link)
            self.is_opened(session)
            self.use(session, b"inside")
            # No tunnel in a tunnel.
            stream = link.ask((":method", "CONNECT"), (":authority", self.member))
            self.assertEqual(link.answer(stream)[":status"], "405")


class FramesOverTls(Frames):
    tls = True
