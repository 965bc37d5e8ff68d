"""Infinispan's own Java client and ours share a cache: keys are found, and values are equal, both ways.

A cache of a real server that stores application/x-protostream, the values of spec/vectors/protostream.json (every type of Java's
client, with its extremes), and an order: a class of an application with a schema that Java generates.
"""

from __future__ import annotations

import os

from conftest import HERE, VECTORS, Server, run
from exchange import exchange_protostream, stored_in
from messages import order

CACHE = "interoperability"


def test_python(server: Server) -> None:
    server.java("write")
    exchange_protostream(server.uri(CACHE), VECTORS, "java")
    server.java("read", "python")


def test_node(server: Server) -> None:
    run_side(["node", str(HERE / "node_side.mjs")], server)
    server.java("read", "node")


def test_rust(server: Server) -> None:
    run_side([os.environ["HOTROD_RUST_SIDE"]], server)
    server.java("read", "rust")


def test_c(server: Server) -> None:
    orders = [order(language).SerializeToString(deterministic=True) for language in ("java", "c")]
    run_side([os.environ["HOTROD_C_SIDE"]], server, "".join(f"{data.hex()}\n" for data in [*orders, *stored_in(VECTORS)]))
    server.java("read", "c")


def run_side(command: list[str], server: Server, lines: str = "") -> None:
    """Has a program read what Java wrote and write the same anew."""
    server.java("write")
    run([*command, server.uri(CACHE), str(VECTORS), "java"], lines)
