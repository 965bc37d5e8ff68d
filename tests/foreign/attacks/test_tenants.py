"""Two users with rights on one cache each: the attacker does all that is known beside a victim at work.

`TENANT_SECONDS` is how long each gateway is attacked; `make tenants` takes ten minutes.
"""

import contextlib
import os
import re
import struct
import subprocess
import threading
import time
import unittest

import frames
import hot_rod
from attacks import stage
from attacks.test_external import ATTACKS as SMUGGLERS
from attacks.test_topologies import ATTACKS as FORGERS
from frames import Session
from link import Link

SECONDS = float(os.environ.get("TENANT_SECONDS", "5"))
# Seconds that the victim waits: a mutant may have the server busy.
PATIENCE = 120
# COUNTER_CREATE. Anybody may create a weak counter with a concurrency level of 2,000,000,000 on Infinispan 16.0.7, and the first
# operation on it takes all of the heap: that is the server's (docs/reports/infinispan-weak-counter-memory.md).
CREATES_COUNTER = re.compile(rb"\xa0[\x80-\xff]{0,8}[\x00-\x7f][\x14-\x29]\x4b")
DIFFERENTIAL = os.environ.get("HOTROD_DIFFERENTIAL")


def mutants():
    """Those of `make differential`, without end."""
    seed = 0
    while True:
        seed += 1
        command = [DIFFERENTIAL, "--print", "--mutants", "1000", "--seed", str(seed)]
        printed = subprocess.run(command, capture_output=True, check=True, timeout=stage.START)
        made = (bytes.fromhex(line) for line in printed.stdout.decode().splitlines())
        yield from (mutant for mutant in made if not CREATES_COUNTER.search(mutant))


class Attacker(threading.Thread):
    """Mallory, who does all that is known, again and again."""

    def __init__(self, gateway, listener):
        super().__init__()
        self.gateway, self.listener, self.sent, self.is_over = gateway, listener, 0, threading.Event()

    def run(self):
        supply = mutants()
        while not self.is_over.is_set():
            for forge in FORGERS.values():
                self.try_to(lambda: forge(self.gateway, self.listener, b"alice"))
            for smuggle in SMUGGLERS:
                self.try_to(lambda: self.send(smuggle(b"smuggled")))
            for _ in range(100):
                self.try_to(lambda: self.send(next(supply)))
                if self.is_over.is_set():
                    return

    @staticmethod
    def try_to(attack):
        # The attacker goes on whatever becomes of an attack.
        with contextlib.suppress(AssertionError, EOFError, OSError, hot_rod.Incomplete):
            attack()

    def send(self, message):
        with stage.Client(self.gateway.port) as client:
            client.log_in(*stage.MALLORY)
            client.send(message)
            client.read_for(0.02)
            self.sent += 1


@unittest.skipUnless(DIFFERENTIAL, "needs hotrod-differential")
@stage.real
class Tenants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = stage.server()

    def test_behind_a_sidecar(self):
        self.attack(stage.sidecar(
            self, "--upstream", self.server.address, "--topology-cache", "alice", "--user", "admin",
            environment={"HOTROD_GATEWAY_PASSWORD": "changeme"}))

    def test_behind_a_front(self):
        self.attack(stage.front(
            self, "--upstream", self.server.address, "--topology-cache", "alice", "--user", "admin",
            environment={"HOTROD_GATEWAY_PASSWORD": "changeme"}))

    def attack(self, gateway):
        gateway.wait_for(lambda now: now["membership"]["known_by"] == "own connection")
        listener = stage.Listener(self)
        attacker = Attacker(gateway, listener)
        attacker.start()
        try:
            done = self.work(gateway, listener)
        except (EOFError, TimeoutError) as ended:
            alone = "answers" if self.server.value(b"alice", b"key 1") else "does not answer"
            # The attacker's sessions end all the time: the victim's is among the last.
            self.fail(f"the victim's session: {ended}; the server itself {alone}\n" + "".join(gateway.lines[-20:]))
        finally:
            attacker.is_over.set()
            attacker.join(stage.START)
        self.assertEqual(listener.visitors(), 0, "somebody was led to the attacker")
        self.assertNotIn(listener.address, gateway.members())
        self.assertGreater(attacker.sent, 0)
        self.assertGreater(done, 0)

    def work(self, gateway, listener):
        """Alice writes and reads over a raw connection and in frames. Answers how often."""
        until, number = time.monotonic() + SECONDS, 0
        forged = b"127.0.0.1" + struct.pack(">H", listener.port)
        with stage.Client(gateway.port) as raw, Link(gateway.port, settings={frames.SETTINGS_HOT_ROD: 1}) as link:
            raw.sock.settimeout(PATIENCE)
            link.sock.settimeout(PATIENCE)
            raw.log_in(*stage.ALICE)
            session = Session(link)
            self.assertEqual(session.call(hot_rod.plain, *stage.ALICE).status, hot_rod.SUCCESS)
            ask = hot_rod.get(1, b"k", b"alice", intelligence=hot_rod.HASH_DISTRIBUTION_AWARE)
            session.finish(session.begin(ask))
            while time.monotonic() < until:
                number += 1
                key, value = b"key %d" % (number % 100), b"value %d" % number
                self.assertEqual(raw.call(hot_rod.put, key, value, b"alice").status, hot_rod.SUCCESS)
                self.assertEqual(raw.call(hot_rod.get, key, b"alice").value, value)
                self.assertEqual(raw.received, b"", "the victim was told something that it did not ask for")
                self.assertEqual(session.call(hot_rod.get, key, b"alice").value, value)
                for event in link.events:
                    body = getattr(getattr(event, "frame", None), "body", b"")
                    self.assertNotIn(forged, body, "the victim was told that the attacker has its cache")
        return number
