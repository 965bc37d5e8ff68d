"""Memory that a hostile client can have the gateway hold."""

import select
import socket
import struct
import subprocess
import threading
import time
import unittest
import urllib.request

import frames
import hot_rod
from servers import GATEWAY, LONG, Program, port

MIB = 1 << 20
MAX_MEMORY = 32 * MIB
# gateway/README.md: what the process takes without clients, and the allocator's share.
MOST = int(1.15 * (16 * MIB + MAX_MEMORY))
# What a link may hold before it has authenticated.
EARLY_LINK = 512 << 10
EXTENDED_CONNECT = [
    (":method", "CONNECT"), (":protocol", "hotrod"), (":scheme", "http"), (":path", "/"), (":authority", "here"),
]


def options():
    """A small memory, and no limit on what one source may have; of these what the gateway knows. The one before the fix has
    none."""
    known = subprocess.run([GATEWAY, "--help"], capture_output=True, text=True, timeout=LONG).stdout
    wanted = {"max-memory": "32MiB", "max-sessions-per-source": "10000", "max-connections-per-source": "10000",
              "max-handshakes-per-source": "10000"}
    return [f"--{name}={value}" for name, value in wanted.items() if f"--{name} " in known]


class SilentMember:
    """Accepts every connection, reads, and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.is_over = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        links = []
        while not self.is_over:
            ready, _, _ = select.select([self.listener, *links], [], [], 0.05)
            for link in ready:
                if link is self.listener:
                    links.append(link.accept()[0])
                    continue
                try:
                    data = link.recv(1 << 18)
                except OSError:
                    data = b""
                if not data:
                    links.remove(link)
                    link.close()
        for link in links:
            link.close()
        self.listener.close()

    def stop(self):
        self.is_over = True
        self.thread.join(LONG)


def field_block(fields):
    """Fields as literals that are not indexed (RFC 7541, 6.2.2)."""
    literal = bytearray()
    for name, value in fields:
        literal += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return bytes(literal)


def framed_link(address, sessions):
    """A link in frames with sessions that the client never reads of."""
    link = socket.create_connection(("127.0.0.1", address), LONG)
    try:
        begin_sessions(link, sessions)
    except OSError:
        link.close()
        raise
    return link


def begin_sessions(link, sessions):
    link.settimeout(0.5)
    settings = struct.pack(">HIHI", frames.SETTINGS_HOT_ROD, 1, frames.SETTINGS_INITIAL_CREDIT, 64)
    link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.frame(4, 0, 0, settings) + frames.frame(4, 1, 0, b""))
    for stream in range(1, 2 * sessions, 2):
        link.sendall(frames.frame(1, 4, stream, field_block(EXTENDED_CONNECT)))
    # Until the terms are known, frames would be unknown ones.
    link.recv(1 << 16)


def unfinished_requests(link, sessions, calls=5):
    """Requests of which the end never comes, as many octets of each as its first credit allows."""
    request = hot_rod.put(1, b"k", bytes(100_000))
    for stream in range(1, 2 * sessions, 2):
        for call in range(1, calls + 1):
            for number in range(4):
                flags = frames.DEFAULT_URGENCY << 4 | frames.FIRST if number == 0 else 0
                fragment = request[number * 16_000:(number + 1) * 16_000]
                link.sendall(frames.frame(frames.REQUEST, flags, stream, struct.pack(">I", call) + fragment))


class Memory(unittest.TestCase):
    def gateway(self, member, *more):
        role = more or ("--node-name", "node-0")
        program = Program("--upstream", member, "--admin", "127.0.0.1:0", *options(), *role)
        self.addCleanup(program.stop)
        self.program = program
        return port(program.said["listen"])

    def embedded(self):
        node = Program("--embedded")
        self.addCleanup(node.stop)
        return node.said["members"][0]

    def silent(self):
        member = SilentMember()
        self.addCleanup(member.stop)
        return member.address

    def resident(self):
        with open(f"/proc/{self.program.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) << 10

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.program.said['admin']}/metrics", timeout=LONG) as answer:
            lines = answer.read().decode().splitlines()
        return next((int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), 0)

    def test_long_names_of_caches_on_one_raw_connection_are_not_kept(self):
        address = self.gateway(self.silent())
        before = self.resident()
        with socket.create_connection(("127.0.0.1", address), LONG) as link:
            link.settimeout(2)
            try:
                for message_id in range(1, 1_501):
                    link.sendall(hot_rod.request(message_id, hot_rod.PING, cache=b"n" * 65_000))
            except OSError:
                # The session has ended.
                pass
            time.sleep(0.5)
            self.assertLess(self.resident() - before, 8 * MIB)

    def test_links_in_frames_stay_within_max_memory(self):
        member = self.embedded()
        for role in [("--node-name", "node-0"), ("--front",)]:
            with self.subTest(role=role):
                address = self.gateway(member, *role)
                links = self.fill(address, 40)
                resident = self.resident()
                held = self.metric("hotrod_gateway_buffered_bytes")
                for link in links:
                    link.close()
                self.assertLess(resident, MOST)
                self.assertLess(held, MAX_MEMORY + 2 * MIB)

    def test_links_before_authentication_have_a_small_share(self):
        address = self.gateway(self.silent())
        before = self.resident()
        links = self.fill(address, 40)
        grown = self.resident() - before
        held = self.metric("hotrod_gateway_buffered_bytes")
        for link in links:
            link.close()
        # All of them may have a quarter; the first ones cost a few MiB of the allocator's and the runtime's as well.
        self.assertLess(grown, MAX_MEMORY // 2)
        self.assertLess(held, MAX_MEMORY // 4 + 2 * EARLY_LINK)

    def fill(self, address, count):
        links = []
        for _ in range(count):
            try:
                link = framed_link(address, 10)
                links.append(link)
                unfinished_requests(link, 10)
            except OSError:
                # It is refused, closed, or not read any more.
                continue
        time.sleep(0.5)
        return links


if __name__ == "__main__":
    unittest.main()
