"""The Python client: reads what another client wrote, then writes what that reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

from messages import Order, order

import libhotrod
from libhotrod import codecs
from libhotrod.protostream import MessageType

# The vectors have messages of Java's class library too, which nobody registered: they are `Message`.
VALUES = codecs.PROTOSTREAM


def stored_in(vectors: Path) -> list[bytes]:
    return [bytes.fromhex(vector["bytes"]) for vector in json.loads(vectors.read_text(encoding="utf-8"))]


def exchange_protostream(uri: str, vectors: Path, peer: str, type_id: Optional[int] = None) -> None:
    """Keys and values of ProtoStream, and orders, whose type has a number or none."""
    of_orders = codecs.protostream(messages=[MessageType.of(Order, type_id)])
    with libhotrod.blocking.connect(uri, key_codec=VALUES, value_codec=VALUES) as client:
        cache: Any = client.cache()
        for n, stored in enumerate(stored_in(vectors)):
            value = VALUES.decode(stored)
            assert cache.get(value) == f"{peer} {n}", f"the entry with the key of vector {n}, {value!r}"
            assert VALUES.encode(cache.get(f"{peer} value {n}")) == stored, f"the value of vector {n}"
            cache.put(value, f"python {n}")
            cache.put(f"python value {n}", value)
        orders: Any = client.cache(key_codec=of_orders, value_codec=of_orders)
        assert orders.get(f"{peer} order") == order(peer)
        # The npm client writes the number of a type behind the message, Java's before it: another key.
        assert orders.get(order(peer)) == (f"{peer} order" if type_id is None else None), "the peer's order as a key"
        orders.put(order("python"), "python order")
        orders.put("python order", order("python"))


def exchange_media_types(uri: str, media_types: Path, peer: str) -> None:
    """Text and JSON, on caches that store what media_types.json says."""
    of_media_type: dict[str, codecs.Codec[Any]] = {"text/plain": codecs.TEXT, "application/json": codecs.JSON}
    with libhotrod.blocking.connect(uri) as client:
        for mode in json.loads(media_types.read_text(encoding="utf-8")):
            name = mode["cache"]
            cache = client.cache(name, key_codec=of_media_type[mode["key"]], value_codec=of_media_type[mode["value"]])
            for n, key in enumerate(mode["keys"]):
                assert cache.get(key) == f"{peer} {n}", f"{name}, key {n}"
                cache.put(key, f"python {n}")
            for n, value in enumerate(mode["values"]):
                assert cache.get(f"{peer} value {n}") == value, f"{name}, value {n}"
                cache.put(f"python value {n}", value)
