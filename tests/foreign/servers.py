"""An embedded node, and gateways before it, on ports of 127.0.0.1 that the system chooses."""

import json
import os
import select
import subprocess
import tempfile
import unittest
from pathlib import Path

GATEWAY = os.environ["HOTROD_GATEWAY"]
# Seconds that nothing here takes.
LONG = 10


class Program:
    """One `hotrod-gateway`, which is stopped by its own process."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [GATEWAY, "--json", "--listen", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], LONG)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise RuntimeError(f"hotrod-gateway {' '.join(arguments)} did not start")
        self.said = json.loads(line)

    def stop(self):
        self.process.kill()
        self.process.wait(LONG)
        self.process.stdout.close()


def port(address):
    return int(address.rpartition(":")[2])


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", certificate, "-keyout", key],
        check=True, capture_output=True, timeout=LONG,
    )
    return certificate, key


class WithGateway(unittest.TestCase):
    """Tests with one sidecar named node-0; `port` is for TLS and for plain links, `admin` is its admin port."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, key = certificate(folder.name)
        node = Program("--embedded")
        cls.addClassCleanup(node.stop)
        cls.member = node.said["members"][0]
        gateway = Program(
            "--upstream", cls.member, "--node-name", "node-0", "--topology-cache", "dist",
            "--admin", "127.0.0.1:0", "--tls-cert", str(cls.certificate), "--tls-key", str(key), "--allow-plain",
        )
        cls.addClassCleanup(gateway.stop)
        cls.port, cls.admin = port(gateway.said["listen"]), port(gateway.said["admin"])
