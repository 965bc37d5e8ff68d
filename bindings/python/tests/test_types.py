"""Types as mypy --strict and pyright check them; running the file tests the values as well."""

from __future__ import annotations

import sys
from typing import Any, Optional, Union

if sys.version_info >= (3, 11):
    from typing import assert_type
else:
    from typing_extensions import assert_type

import libhotrod
from libhotrod import Conditional, Entry, Machine, Versioned, codecs, outputs


async def asyncio_client(client: libhotrod.Client) -> None:
    plain = client.cache("c")
    assert_type(plain, libhotrod.Cache[bytes, bytes])
    assert_type(await plain.get(b"k"), Optional[bytes])
    assert_type(await plain.put(b"k", b"v", lifespan=1.5), Optional[Entry[bytes]])
    assert_type(await plain.put_if_absent(b"k", b"v"), Conditional[bytes])
    assert_type(await plain.replace_if_unmodified(b"k", 1, b"v"), Versioned)
    # Text is accepted where bytes are, and results are bytes.
    assert_type(await plain.put("k", "v"), Optional[Entry[bytes]])
    assert_type(await plain.get_all(["k"]), dict[bytes, bytes])
    await plain.put_all({"k": "v"})
    texts_of_bytes: dict[str, bytes] = {}
    await plain.put_all(texts_of_bytes)
    await plain.put_all([("k", b"v"), (b"k", "v")])
    texts = client.cache("c", key_codec=codecs.TEXT, value_codec=codecs.JSON)
    assert_type(texts, libhotrod.Cache[str, Any])
    assert_type(await texts.get_all(["k"]), dict[str, Any])
    async for entry in texts.iterate():
        assert_type(entry.key, str)
    async with await plain.listen() as listener:
        async for event in listener:
            assert_type(event, Union[libhotrod.EntryEvent[bytes], libhotrod.Moved])
            if not isinstance(event, libhotrod.Moved):
                assert_type(event.key, Optional[bytes])
    async for of_text in await texts.listen():
        assert_type(of_text, Union[libhotrod.EntryEvent[str], libhotrod.Moved])
    async for changed in await client.counter("c").listen():
        assert_type(changed, Union[libhotrod.CounterEvent, libhotrod.Moved])
    assert_type(client.cache("c", key_codec=codecs.TEXT), libhotrod.Cache[str, bytes])
    assert_type(client.cache("c", value_codec=codecs.TEXT), libhotrod.Cache[bytes, str])
    assert_type(client.multimap("m"), libhotrod.Multimap[bytes, bytes])
    assert_type(client.multimap("m", key_codec=codecs.TEXT), libhotrod.Multimap[str, bytes])
    assert_type(client.multimap("m", value_codec=codecs.TEXT), libhotrod.Multimap[bytes, str])
    both = client.multimap("m", key_codec=codecs.TEXT, value_codec=codecs.TEXT)
    assert_type(both, libhotrod.Multimap[str, str])
    assert_type(await both.get("k"), list[str])
    async for reported in client.events():
        assert_type(reported, outputs.ClientEvent)
        if isinstance(reported, outputs.MemberReady):
            assert_type(reported.address, str)
    assert_type(await client.counter("c").add_and_get(1), int)
    assert_type(client.coverage(), libhotrod.Coverage)
    assert_type(client.coverage().reason, Optional[str])


async def text_for_bytes_only(numbers: libhotrod.Cache[int, bool], texts: libhotrod.Cache[str, str]) -> None:
    await numbers.put("k", True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await numbers.put(1, "v")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await texts.put("k", b"v")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def blocking_client(client: libhotrod.blocking.Client) -> None:
    plain = client.cache()
    assert_type(plain[b"k"], bytes)
    assert_type(plain["k"], bytes)
    plain["k"] = "v"
    for event in plain.listen():
        assert_type(event, Union[libhotrod.EntryEvent[bytes], libhotrod.Moved])
    assert_type(client.cache(key_codec=codecs.TEXT)["k"], bytes)
    assert_type(client.multimap("m", value_codec=codecs.JSON).get(b"k"), list[Any])

    def happened(event: Optional[outputs.ClientEvent]) -> None:
        assert_type(event, Optional[outputs.ClientEvent])

    client.on_event(happened)
    assert_type(plain.get(b"k"), Optional[bytes])
    assert_type(client.cache(key_codec=codecs.TEXT, value_codec=codecs.TEXT).get("k"), Optional[str])


def machine(machine: Machine) -> None:
    for output in machine.poll():
        if isinstance(output, outputs.Connect):
            assert_type(output.host, str)
            assert_type(output.tls, Optional[libhotrod.types.Tls])
        elif isinstance(output, outputs.Completed):
            assert_type(output.error, Optional[libhotrod.HotRodError])


def test_the_names_are_there() -> None:
    for name in libhotrod.__all__:
        assert hasattr(libhotrod, name), name
