"""A real server for the session, and what runs the programs of the other languages."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "spec/vectors/protostream.json"
MEDIA_TYPES = HERE / "media_types.json"
JAVA = ["java", "-cp", f"{HERE}/java/target/java-side.jar:{HERE}/java/target/lib/*", "JavaSide", str(VECTORS)]


def run(command: list[str], lines: str = "") -> None:
    done = subprocess.run(command, timeout=120, capture_output=True, text=True, input=lines)
    assert done.returncode == 0, done.stdout + done.stderr


def cache_of(name: str, key: str, value: str) -> str:
    encoding = f'<encoding><key media-type="{key}"/><value media-type="{value}"/></encoding>'
    return f'<distributed-cache name="{name}">{encoding}</distributed-cache>'


class Server:
    """A real server with the caches of media_types.json; JavaSide makes its own."""

    def __init__(self) -> None:
        modes = json.loads(MEDIA_TYPES.read_text(encoding="utf-8"))
        stored = {mode["cache"]: mode["stores"] for mode in modes}
        stored["npm-protostream"] = ["application/x-protostream"] * 2
        caches = "".join(cache_of(name, *stores) for name, stores in stored.items())
        command = [os.environ["HOTROD_HARNESS"], "start", "--nodes", "1", "--caches", caches]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        endpoint = json.loads(self.process.stdout.readline())["endpoints"][0]
        self.host, self.port = endpoint["host"], endpoint["port"]

    def uri(self, cache: str) -> str:
        return f"hotrod://{self.host}:{self.port}/{cache}"

    def java(self, *words: str) -> None:
        """Runs Infinispan's Java client: `write`, or `read LANGUAGE`."""
        run([*JAVA, self.host, str(self.port), *words])

    def stop(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.stop()
