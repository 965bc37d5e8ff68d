"""The embedded node under the attacks that gateways were open to: it reads requests by itself, and one session's end is its own."""

import random
import unittest

import hot_rod
from attacks import stage
from attacks.test_external import ATTACKS
from attacks.test_topologies import duplicates

GARBAGE = 50


class Embedded(unittest.TestCase):
    def setUp(self):
        self.node = stage.embedded(self)
        self.victim = stage.Client(self.node.port)
        self.addCleanup(self.victim.sock.close)

    def assert_at_work(self, how):
        status = self.victim.call(hot_rod.put, b"victim", how.encode()).status
        self.assertEqual(status, hot_rod.SUCCESS, how)
        self.assertEqual(self.victim.call(hot_rod.get, b"victim").value, how.encode())
        self.assertEqual(self.victim.received, b"", f"{how}: the victim was sent something that it did not ask for")

    def test_octets_of_keys_and_values_are_not_executed(self):
        for attack in ATTACKS:
            with self.subTest(attack=attack.__name__):
                with stage.Client(self.node.port) as client:
                    client.send(attack(b"smuggled"))
                    client.read_for(0.2)
                self.assert_at_work(attack.__name__)
                value = self.victim.call(hot_rod.get, b"smuggled").value
                self.assertIsNone(value, "requests in a value were executed")

    def test_duplicate_message_ids(self):
        with stage.Client(self.node.port) as client:
            client.send(b"".join(duplicates(b"dist", b"dist")))
            client.read_for(0.2)
            self.assert_at_work("duplicates")

    def test_garbage(self):
        chance = random.Random(19)
        for number in range(GARBAGE):
            with stage.Client(self.node.port) as client:
                request = hot_rod.put(number + 1, b"k" * chance.randrange(50), b"v" * chance.randrange(5000))
                cut = chance.randrange(len(request))
                client.send(request[:cut] + chance.randbytes(chance.randrange(1, 200)) + request[cut:])
            self.assert_at_work(f"garbage {number}")
