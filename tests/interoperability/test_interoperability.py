"""Infinispan's own Java client and ours share a cache: keys are found, and values are equal, both ways.

A cache of a real server that stores application/x-protostream, the values of spec/vectors/protostream.json (every type of Java's
client, with its extremes), and an order: a class of an application with a schema that Java generates.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from messages import Order, order

import libhotrod
from libhotrod import codecs

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "spec/vectors/protostream.json"
STORED = [bytes.fromhex(vector["bytes"]) for vector in json.loads(VECTORS.read_text(encoding="utf-8"))]
JAVA = ["java", "-cp", f"{HERE}/java/target/java-side.jar:{HERE}/java/target/lib/*", "JavaSide", str(VECTORS)]


class Server:
    """A real server."""

    def __init__(self) -> None:
        command = [os.environ["HOTROD_HARNESS"], "start", "--nodes", "1"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        endpoint = json.loads(self.process.stdout.readline())["endpoints"][0]
        self.host, self.port = endpoint["host"], endpoint["port"]
        self.uri = f"hotrod://{self.host}:{self.port}/interoperability"

    def java(self, *words: str) -> None:
        done = subprocess.run([*JAVA, self.host, str(self.port), *words], timeout=120, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.stop()


# The vectors have messages of Java's class library too, which nobody registered: they are `Message`.
VALUES = codecs.PROTOSTREAM
ORDERS = codecs.protostream(messages=[Order])


def test_python(server: Server) -> None:
    server.java("write")
    with libhotrod.blocking.connect(server.uri, key_codec=VALUES, value_codec=VALUES) as client:
        cache: Any = client.cache()
        values = [VALUES.decode(stored) for stored in STORED]
        for n, value in enumerate(values):
            assert cache.get(value) == f"java {n}", f"the entry with the key of vector {n}, {value!r}"
            assert VALUES.encode(cache.get(f"java value {n}")) == STORED[n], f"the value of vector {n}"
        orders: Any = client.cache(key_codec=ORDERS, value_codec=ORDERS)
        assert orders.get("java order") == order("java")
        assert orders.get(order("java")) == "java order", "Java's key has the same bytes"
        for n, value in enumerate(values):
            cache.put(value, f"python {n}")
            cache.put(f"python value {n}", value)
        orders.put(order("python"), "python order")
        orders.put("python order", order("python"))
    server.java("read", "python")


def test_node(server: Server) -> None:
    run_side(["node", str(HERE / "node_side.mjs")], server)
    server.java("read", "node")


def test_rust(server: Server) -> None:
    run_side([os.environ["HOTROD_RUST_SIDE"]], server)
    server.java("read", "rust")


def test_c(server: Server) -> None:
    orders = [order(language).SerializeToString(deterministic=True) for language in ("java", "c")]
    lines = "".join(f"{data.hex()}\n" for data in [*orders, *STORED])
    run_side([os.environ["HOTROD_C_SIDE"]], server, lines)
    server.java("read", "c")


def run_side(command: list[str], server: Server, lines: str = "") -> None:
    """Has a program read what Java wrote and write the same anew."""
    server.java("write")
    done = subprocess.run([*command, server.uri, str(VECTORS)], timeout=120, capture_output=True, text=True, input=lines)
    assert done.returncode == 0, done.stdout + done.stderr
