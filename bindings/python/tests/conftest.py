"""Servers of the tests: the embedded node, and real Infinispan by the harness."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


# The cache `items`, which stores keys as text and values as JSON.
TEXTS_AND_JSON = "items:key-type=text/plain,value-type=application/json"


class Embedded:
    """An embedded node, for one test."""

    def __init__(self, members: int) -> None:
        program = TARGET / "debug" / "hotrod-gateway"
        command = [program, "--embedded", "--members", str(members), "--listen", "127.0.0.1:0", "--json"]
        command += ["--cache", TEXTS_AND_JSON]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.addresses: list[str] = json.loads(self.process.stdout.readline())["members"]

    def uri(self, cache: str = "dist", query: str = "") -> str:
        return f"hotrod://{self.addresses[0]}/{cache}{query}"

    def stop(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def node() -> Iterator[Embedded]:
    embedded = Embedded(1)
    yield embedded
    embedded.stop()


@pytest.fixture
def three() -> Iterator[Embedded]:
    embedded = Embedded(3)
    yield embedded
    embedded.stop()


class Real:
    """Real servers, for one test."""

    def __init__(self, *arguments: str) -> None:
        program = TARGET / "debug" / "infinispan-harness"
        self.process = subprocess.Popen(
            [program, "start", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.announced: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.addresses = [f"{endpoint['host']}:{endpoint['port']}" for endpoint in self.announced["endpoints"]]

    def obey(self, command: str) -> None:
        """Sends a command to the harness, such as `kill 1`."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def stop(self) -> None:
        self.process.communicate(timeout=60)


def real(*arguments: str) -> Iterator[Real]:
    if os.environ.get("SKIP_REAL"):
        pytest.skip("SKIP_REAL is set: nothing is tried on a real server")
    servers = Real(*arguments)
    try:
        yield servers
    finally:
        servers.stop()


class Gateway:
    """A gateway in front of an embedded node with one member, with and without TLS."""

    def __init__(self, node: Embedded, folder: Path) -> None:
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        files = ["-out", str(self.certificate), "-keyout", str(key)]
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        subprocess.run([*made, "-addext", "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True)
        command = [str(TARGET / "debug" / "hotrod-gateway"), "--json", "--listen", "127.0.0.1:0", "--allow-plain"]
        command += ["--upstream", node.addresses[0], "--node-name", "node-0", "--topology-cache", "dist"]
        command += ["--tls-cert", str(self.certificate), "--tls-key", str(key)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.address: str = json.loads(self.process.stdout.readline())["listen"]

    def uri(self, scheme: str, properties: str) -> str:
        trusted = f"&trust_ca={self.certificate}" if scheme == "hotrods" else ""
        return f"{scheme}://{self.address}/dist?{properties}{trusted}"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    embedded = Embedded(1)
    try:
        before = Gateway(embedded, tmp_path_factory.mktemp("gateway"))
        yield before
        before.stop()
    finally:
        embedded.stop()
