"""Infinispan's JavaScript client (npm `infinispan`) and ours share caches: keys are found, and values are equal, both ways.

On caches of a real server: ProtoStream (the kinds of spec/vectors/protostream.json that this client has, and as a value an order
whose type has a number), and text and JSON (media_types.json), which it sends to caches of text, JSON and ProtoStream. npm_side.mjs names
what it can't do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HERE, MEDIA_TYPES, VECTORS, Server, run
from exchange import exchange_media_types, exchange_protostream, stored_in
from messages import order

import libhotrod
from libhotrod import codecs

CACHE = "npm-protostream"
# As in npm_side.mjs.
ORDER_ID = 1000042
# Java's names of the kinds that the npm client both writes and reads.
KINDS = ("string", "double", "boolean")
# JSON is sent to a ProtoStream cache as messages of these types. Infinispan 16.0.7 writes JSON with one `}` too many for a message
# in which a map follows a repeated message, so no value has both.
SCHEMA = """syntax = "proto3"; package npm;
enum Status { OPEN = 0; PAID = 1; LOST = 2; }
message Line { string item = 1; int64 count = 2; }
message Order { int32 number = 1; string customer = 2; Status status = 3; Line first = 4; repeated Line lines = 5;
  map<string, string> labels = 6; double price = 7; bytes signature = 8; int64 paidAt = 9; }"""

Npm = Callable[..., None]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors of the kinds that the npm client has."""
    known = [vector for vector in json.loads(VECTORS.read_text(encoding="utf-8")) if vector["java"] in KINDS]
    path = tmp_path_factory.mktemp("npm") / "vectors.json"
    path.write_text(json.dumps(known), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def npm(server: Server, vectors: Path) -> Npm:
    """Runs the npm client: `write`, `read LANGUAGE` or `exceptions`."""
    with libhotrod.blocking.connect(server.uri(CACHE)) as client:
        client.schemas.register({"npm.proto": SCHEMA})
    command = ["node", str(HERE / "npm/npm_side.mjs"), server.host, str(server.port), str(vectors), str(MEDIA_TYPES)]
    return lambda *words: run([*command, *words])


def test_python(server: Server, npm: Npm, vectors: Path) -> None:
    npm("write")
    exchange_protostream(server.uri(CACHE), vectors, "npm", ORDER_ID)
    exchange_media_types(server.uri(CACHE), MEDIA_TYPES, "npm")
    npm("read", "python")


@pytest.mark.parametrize("language", ["node", "rust"])
def test_node_and_rust(server: Server, npm: Npm, vectors: Path, language: str) -> None:
    sides = {"node": ["node", str(HERE / "node_side.mjs")], "rust": [os.environ["HOTROD_RUST_SIDE"]]}
    npm("write")
    run([*sides[language], server.uri(CACHE), str(vectors), "npm", str(ORDER_ID)])
    run([*sides[language], server.uri(CACHE), str(MEDIA_TYPES), "npm", "--media-types"])
    npm("read", language)


def test_c(server: Server, npm: Npm, vectors: Path) -> None:
    """Values of ProtoStream; C has no codec of text and JSON, whose bytes are the caller's."""
    npm("write")
    orders = [order(language).SerializeToString(deterministic=True) for language in ("npm", "c")]
    lines = "".join(f"{data.hex()}\n" for data in [*orders, *stored_in(vectors)])
    run([os.environ["HOTROD_C_SIDE"], server.uri(CACHE), str(vectors), "npm", str(ORDER_ID)], lines)
    npm("read-protostream", "c")


def test_what_the_npm_client_can_not_do(server: Server, npm: Npm) -> None:
    with libhotrod.blocking.connect(server.uri(CACHE), key_codec=codecs.PROTOSTREAM) as client:
        for n, data in enumerate([b"", b"\x00", b"\x01\x00\xff"]):
            client.cache(value_codec=codecs.PROTOSTREAM).put(f"bytes {n}", data)
    npm("exceptions")
