"""Work that a client causes: requests that are never finished must not be parsed again and again."""

import struct
import unittest

import frames
import hot_rod
from attacks import stage
from frames import Session
from link import Link

UNFINISHED = 250
LENGTH = 16_000
PINGS = 1000
# A PING may cost this many times as much beside unfinished requests. It was 20 times.
MOST = 4


class Work(unittest.TestCase):
    def setUp(self):
        node = stage.embedded(self)
        # Unfinished requests are cancelled after the handshake timeout, which a busy machine may need.
        self.gateway = stage.sidecar(
            self, "--upstream", node.said["members"][0], "--topology-cache", "", "--handshake-timeout", "10min")

    def cost_of_pings(self, session):
        """CPU seconds of the gateway."""
        before = self.gateway.cpu()
        for number in range(PINGS):
            call = struct.pack(">I", session.begin(hot_rod.ping(1000 + number)))
            # Unfinished calls that hold more than the link may are cancelled meanwhile.
            while session.next(frames.RESPONSE, frames.CANCEL).body[:4] != call:
                pass
        return self.gateway.cpu() - before

    def begin_unfinished(self, session, message_id):
        """An AUTH with a long head of which the last octet never comes; false where there is no credit for it."""
        fields = hot_rod.counted(b"PLAIN") + hot_rod.counted(b"password")
        message = hot_rod.request(message_id, hot_rod.AUTH, fields, b"x" * LENGTH)[:-1]
        call = session.open_call()
        if session.connection_credit < len(message):
            return False
        session.connection_credit -= len(message)
        session.send(
            frames.REQUEST, frames.FIRST | frames.DEFAULT_URGENCY << 4, struct.pack(">I", call) + message)
        return True

    def test_unfinished_authentications_are_not_parsed_again_for_each_request(self):
        with Link(self.gateway.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
            session = Session(link)
            alone = self.cost_of_pings(session)
            begun = 0
            while begun < UNFINISHED and self.begin_unfinished(session, begun + 1):
                begun += 1
            beside = self.cost_of_pings(session)
        self.assertLess(
            beside, MOST * alone + 0.1,
            f"{PINGS} PINGs cost {beside:.2f} s of CPU beside {begun} unfinished AUTHs, and {alone:.2f} s alone")
