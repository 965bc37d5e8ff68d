"""Real servers and gateways to attack, clients that send any bytes, and a listener at the attacker's address."""

import atexit
import contextlib
import functools
import json
import os
import select
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request

import hot_rod
from servers import GATEWAY, LONG, port

HARNESS = os.environ.get("HOTROD_HARNESS")
# Seconds that a server may take to start on a busy machine.
START = 300
ADMIN = (b"admin", b"changeme")
ALICE, MALLORY = (b"alice", b"wonderland"), (b"mallory", b"malice")


def real(test):
    """Skips a test class without real servers."""
    return unittest.skipUnless(HARNESS and os.environ.get("SKIP_REAL") != "1", "needs a real server")(test)


@functools.cache
def server():
    """Infinispan with two tenants and an endpoint for client certificates; one for all tests, stopped at the end."""
    return Server("tenants")


class Server:
    """A real server of the harness."""

    def __init__(self, flavour):
        self.process = subprocess.Popen(
            [HARNESS, "start", "--flavour", flavour], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        atexit.register(self.stop)
        ready, _, _ = select.select([self.process.stdout], [], [], START)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError("infinispan-harness did not start a server")
        self.said = json.loads(line)
        endpoint = self.said["endpoints"][0]
        self.port, self.certificate_port = endpoint["port"], endpoint["certificate_port"]
        self.address = f"127.0.0.1:{self.port}"

    def stop(self):
        self.process.stdin.close()
        self.process.wait(LONG * 6)
        self.process.stdout.close()

    def with_certificate(self):
        """Options of a gateway that shows the client certificate to the endpoint which offers EXTERNAL."""
        return [
            "--upstream", f"127.0.0.1:{self.certificate_port}", "--upstream-tls", "--upstream-ca", self.said["ca"],
            "--upstream-client-cert", self.said["client_certificate"], "--upstream-client-key", self.said["client_key"],
        ]

    def value(self, cache, key):
        """What the administrator reads there, past every gateway."""
        with Client(self.port) as client:
            client.log_in(*ADMIN)
            return client.call(hot_rod.get, key, cache).value

    def store(self, cache, key, value):
        with Client(self.port) as client:
            client.log_in(*ADMIN)
            assert client.call(hot_rod.put, key, value, cache).status == hot_rod.SUCCESS


class Gateway:
    """One `hotrod-gateway` with an admin port, whose log can be read."""

    def __init__(self, *arguments, environment=None):
        self.process = subprocess.Popen(
            [GATEWAY, "--json", "--log-format", "json", "--listen", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})},
        )
        self.lines, self.more = [], threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        ready, _, _ = select.select([self.process.stdout], [], [], LONG)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise RuntimeError(f"hotrod-gateway {' '.join(arguments)} did not start: {self.lines}")
        self.said = json.loads(line)
        self.port = port(self.said["listen"]) if "listen" in self.said else port(self.said["members"][0])

    def _read(self):
        for line in self.process.stderr:
            with self.more:
                self.lines.append(line.decode(errors="replace"))
                self.more.notify_all()

    def logged(self, *words):
        """Whether a line with all these words is logged, now or within `LONG` seconds."""
        def is_there():
            return any(all(word in line for word in words) for line in self.lines)
        with self.more:
            return self.more.wait_for(is_there, LONG)

    def readiness(self):
        """The JSON of /readyz."""
        try:
            answer = urllib.request.urlopen(f"http://{self.said['admin']}/readyz", timeout=LONG)
        except urllib.error.HTTPError as unavailable:
            answer = unavailable
        with answer:
            return json.load(answer)

    def members(self):
        return self.readiness()["membership"]["members"]

    def wait_for(self, is_true):
        """The first readiness of which `is_true` says so; the last one seen otherwise."""
        until = time.monotonic() + LONG
        while True:
            now = self.readiness()
            if is_true(now) or time.monotonic() > until:
                return now
            time.sleep(0.05)

    def cpu(self):
        """CPU time of the process so far, in seconds."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait(LONG)
        self.reader.join(LONG)
        self.process.stdout.close()
        self.process.stderr.close()


def sidecar(test, *arguments, **more):
    return start(test, "--node-name", "node-0", "--admin", "127.0.0.1:0", *arguments, **more)


def front(test, *arguments, **more):
    return start(test, "--front", "--admin", "127.0.0.1:0", *arguments, **more)


def embedded(test, *arguments):
    return start(test, "--embedded", *arguments)


def start(test, *arguments, **more):
    gateway = Gateway(*arguments, **more)
    test.addCleanup(gateway.stop)
    return gateway


class Client:
    """A socket of plain Hot Rod, over which anything can be sent."""

    def __init__(self, at, tls=None):
        self.sock = socket.create_connection(("127.0.0.1", at), LONG)
        if tls is not None:
            context = ssl.create_default_context(cafile=tls)
            self.sock = context.wrap_socket(self.sock, server_hostname="127.0.0.1")
        self.received, self.last_id = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """Sends, or notices that the peer takes no more."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def more(self):
        """Receives something; false at the end."""
        try:
            data = self.sock.recv(1 << 16)
        except (ConnectionError, TimeoutError):
            data = b""
        self.received += data
        return bool(data)

    def read_to_end(self):
        """Whether the peer closes; everything is read on the way."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            ready, _, _ = select.select([self.sock], [], [], 0.1)
            if ready and not self.more():
                return True
        return False

    def read_for(self, seconds):
        """Reads what comes in that time; whether the connection is still there."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self.sock], [], [], left)
            if ready and not self.more():
                return False
        return True

    def call(self, operation, *fields):
        """One operation, whose answer is read."""
        self.last_id += 1
        if not self.send(operation(self.last_id, *fields)):
            raise EOFError("the peer has closed")
        return self.answer(operation)

    def answer(self, operation):
        while True:
            with contextlib.suppress(hot_rod.Incomplete):
                response = hot_rod.Response(self.received, operation)
                self.received = response.rest
                assert response.message_id == self.last_id, response.message_id
                return response
            if not self.more():
                raise EOFError("the peer has closed")

    def log_in(self, user, password):
        response = self.call(hot_rod.plain, user, password)
        assert response.status == hot_rod.SUCCESS, (user, response.status, response.text)


class Listener:
    """The attacker's address: nobody may ever connect to it."""

    def __init__(self, test):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        test.addCleanup(self.sock.close)

    def visitors(self, seconds=0):
        """Connections that have come."""
        count = 0
        while select.select([self.sock], [], [], seconds)[0]:
            self.sock.accept()[0].close()
            count += 1
            seconds = 0
        return count


class Relay:
    """TCP to a server, which can be cut and joined again."""

    def __init__(self, test, to):
        self.to, self.pairs, self.is_cut = to, [], False
        self.lock, self.sock = threading.Lock(), socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()
        test.addCleanup(self.stop)

    def _accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                if self.is_cut:
                    client.close()
                    continue
                member = socket.create_connection(("127.0.0.1", self.to), LONG)
                self.pairs.append((client, member))
                for source, sink in [(client, member), (member, client)]:
                    thread = threading.Thread(target=self._copy, args=(source, sink))
                    self.threads.append(thread)
                    thread.start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Ends every connection, and accepts none from now on."""
        with self.lock:
            self.is_cut = True
            for pair in self.pairs:
                for side in pair:
                    with contextlib.suppress(OSError):
                        side.shutdown(socket.SHUT_RDWR)

    def join(self):
        with self.lock:
            self.is_cut = False

    def stop(self):
        self.cut()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for thread in self.threads:
            thread.join(LONG)
        for pair in self.pairs:
            for side in pair:
                side.close()
