"""EXTERNAL through a gateway that shows a certificate to members which offer EXTERNAL: its client would be the gateway.

Requests are made so that the gateway and Infinispan 16.0.7 disagree about where they end. What the gateway takes for the
octets of a key or a value the server then executes: AUTH with EXTERNAL, and writes.
"""

import unittest

import frames
import hot_rod
from attacks import stage
from frames import Session
from link import Link

# How often an attack is tried: the server authenticates on another thread than it reads requests on.
TRIES = 5
COPIES = 3000


def smuggled(key, first_id):
    """AUTH with EXTERNAL, and a write often enough that some of it comes when the server has authenticated."""
    wrote = hot_rod.put(first_id + 1, key, b"by the gateway's certificate", b"dist", version=31)
    return hot_rod.auth(first_id, b"EXTERNAL", version=31) + wrote * COPIES


def with_unknown_media_type(key):
    """A PUT with the predefined media type 0x7f for its value. The length of its key, as a vInt, is what a request begins
    with: magic and message id."""
    assert hot_rod.vint(0x20 | 0x20 << 7 | 0x10 << 14) == b"\xa0\xa0\x10"
    begins = b"\xa0\xa0\x10"
    length = 0x20 | 0x20 << 7 | 0x10 << 14
    requests = smuggled(key, 0x20 | 0x10 << 7)
    assert requests.startswith(begins) and len(requests) <= length
    key_bytes = requests[len(begins):].ljust(length, b"\0")
    fields = begins + key_bytes + bytes([hot_rod.INFINITE]) + hot_rod.counted(b"v")
    return hot_rod.request(1, hot_rod.PUT, fields, version=31, types=b"\0" + b"\x01\x7f\x00")


def with_announced_length(key):
    """A PUT whose value is announced to be longer than the server's max-content-length, with requests for its octets."""
    value = hot_rod.counted(b"a value") + smuggled(key, 7)
    announced = 11 << 20
    assert len(value) < announced
    fields = hot_rod.counted(b"k") + bytes([hot_rod.INFINITE]) + hot_rod.vint(announced) + value
    return hot_rod.request(1, hot_rod.PUT, fields, version=31)


ATTACKS = [with_unknown_media_type, with_announced_length]


@stage.real
class External(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = stage.server()

    def gateway(self):
        return stage.sidecar(self, *self.server.with_certificate(), "--topology-cache", "")

    def assert_not_executed(self, gateway, key, how):
        written = self.server.value(b"dist", key)
        self.assertIsNone(
            written, f"{how}: a client without any right wrote {key} as the gateway: {written}\n{''.join(gateway.lines)}")

    def test_requests_in_what_the_gateway_takes_for_a_key_or_a_value(self):
        # A first request that can't be read, or is too large, ends a raw session before a member is dialled.
        for attack, refused in zip(ATTACKS, ["can't be read", "max-request"], strict=True):
            with self.subTest(attack=attack.__name__):
                gateway = self.gateway()
                for attempt in range(TRIES):
                    key = b"%s raw %d" % (attack.__name__.encode(), attempt)
                    with stage.Client(gateway.port) as client:
                        client.send(attack(key))
                        client.read_for(0.5)
                    self.assert_not_executed(gateway, key, "raw")
                self.assertTrue(gateway.logged(refused), "the log does not say why the session was refused")

    def test_requests_in_a_call_of_frames(self):
        for attack in ATTACKS:
            with self.subTest(attack=attack.__name__):
                gateway = self.gateway()
                for attempt in range(TRIES):
                    key = b"%s frames %d" % (attack.__name__.encode(), attempt)
                    with Link(gateway.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
                        self.try_call(link, attack(key))
                    self.assert_not_executed(gateway, key, "frames")
                self.assertTrue(gateway.logged("offers EXTERNAL"), "the log does not say why the session was refused")

    @staticmethod
    def try_call(link, message):
        link.sock.settimeout(1)
        try:
            session = Session(link)
            call = session.begin(message)
            session.finish(call)
        except (EOFError, OSError, frames.Cancelled, TimeoutError):
            # However the attack is turned away: what counts is what the server has.
            pass

    def test_external_itself(self):
        gateway = self.gateway()
        with stage.Client(gateway.port) as client:
            client.send(hot_rod.auth(1, b"EXTERNAL"))
            client.send(hot_rod.put(2, b"plainly", b"v"))
            client.read_for(0.5)
        self.assert_not_executed(gateway, b"plainly", "EXTERNAL as it is")

    def test_no_session_at_all_is_served(self):
        """Whatever a client sends, and whatever the gateway reads of it."""
        gateway = self.gateway()
        with stage.Client(gateway.port) as client:
            client.send(hot_rod.put(2, b"harmless", b"v"))
            client.read_for(0.5)
        self.assert_not_executed(gateway, b"harmless", "a plain write")
        self.assertTrue(gateway.logged("offers EXTERNAL"), "the log does not say why the session was refused")
