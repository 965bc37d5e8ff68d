"""Options that are not what they must be are refused, and the message names what is allowed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from libhotrod import Flags, MisuseError, blocking, codecs, connect

from .conftest import Embedded

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"key_codec": "json"}, "key_codec: expected a codec, with media_type, encode and decode: BYTES, OCTETS, TEXT, JSON or PROTOSTREAM"),
    ({"value_codec": json}, "value_codec: expected a codec"),
    ({"value_codec": type(codecs.JSON)}, "value_codec: expected a codec.*got the class _Json"),
    ({"flags": "8"}, r"flags: expected any of Flags\..*FORCE_RETURN_VALUE.*got str"),
    ({"flags": True}, "flags: expected any of"),
    ({"timeout": "5"}, "timeout: expected seconds above 0, got str"),
    ({"read_from_any_owner": "no"}, "read_from_any_owner: expected bool, got str"),
    ({"traceparent": 5}, "traceparent: expected str, got int"),
]


@pytest.mark.parametrize("options, message", WRONG)
def test_options_of_a_cache(node: Embedded, options: dict[str, Any], message: str) -> None:
    async def run() -> None:
        async with connect(node.uri()) as client:
            with pytest.raises(MisuseError, match=message):
                client.cache("dist", **options)

    asyncio.run(run())
    with blocking.connect(node.uri()) as client, pytest.raises(MisuseError, match=message):
        client.cache("dist", **options)


def test_options_of_multimaps_and_counters(node: Embedded) -> None:
    wrong: Any = "no"
    with blocking.connect(node.uri()) as client:
        with pytest.raises(MisuseError, match="supports_duplicates: expected bool, got str"):
            client.multimap("dist", supports_duplicates=wrong)
        with pytest.raises(MisuseError, match="key_codec: expected a codec"):
            client.multimap("dist", key_codec=wrong)
        with pytest.raises(MisuseError, match="name: expected str, got int"):
            client.counter(wrong and 5)
        with pytest.raises(MisuseError, match="flags: expected any of"):
            client.cache("dist").with_flags(wrong)
        client.cache("dist").with_flags(Flags(0)).with_timeout(5)


def test_unknown_options_are_refused(node: Embedded) -> None:
    unknown: Any = {"ttl": 10}
    with blocking.connect(node.uri()) as client:
        for call in (client.cache, client.multimap, client.counter):
            with pytest.raises(TypeError, match="ttl"):
                call("dist", **unknown)
        with pytest.raises(TypeError, match="ttl"):
            client.cache("dist").put(b"k", b"v", **unknown)
