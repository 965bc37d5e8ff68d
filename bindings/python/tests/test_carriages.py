"""Both clients through a gateway, over every carriage; only the URI differs."""

from __future__ import annotations

import asyncio

import pytest

import libhotrod
from libhotrod import blocking

from .conftest import ROOT, Gateway

LINES = (ROOT / "tests" / "conformance" / "carriages.txt").read_text().splitlines()
CARRIAGES = [pytest.param(*line.split(" ")[1:], id=line.split(" ")[0]) for line in LINES]
LARGE = bytes(range(256)) * 4096


@pytest.mark.parametrize(("scheme", "properties"), CARRIAGES)
def test_asyncio(gateway: Gateway, scheme: str, properties: str) -> None:
    async def use(client: libhotrod.Client, name: str) -> None:
        cache = client.cache()
        # Its response carries the topology, after which a listener does not move.
        await cache.ping()
        async with await cache.listen() as listener:
            for value in [b"", b"v", LARGE]:
                await cache.put(b"k", value)
                assert await cache.get(b"k") == value
            assert (await cache.remove(b"k")).executed
            assert await cache.get(b"k") is None
            received = [await listener.__anext__() for _ in range(4)]
            changes = [event.change for event in received if isinstance(event, libhotrod.EntryEvent)]
            assert changes == ["created", "modified", "modified", "removed"]
        counter = client.counter(name)
        assert await counter.create_strong(5)
        assert await counter.add_and_get(3) == 8
        assert await counter.remove()

    async def main() -> None:
        async with libhotrod.connect(gateway.uri(scheme, properties)) as client:
            await asyncio.wait_for(use(client, f"aio {scheme} {properties}"), 30)

    asyncio.run(main())


@pytest.mark.parametrize(("scheme", "properties"), CARRIAGES)
def test_blocking(gateway: Gateway, scheme: str, properties: str) -> None:
    with blocking.connect(gateway.uri(scheme, properties)) as client:
        cache = client.cache()
        cache.ping()
        with cache.listen() as listener:
            cache.put(b"blocking", LARGE)
            assert cache.get(b"blocking") == LARGE
            assert cache.remove(b"blocking").executed
            changes = [event.change for event in (next(listener), next(listener)) if isinstance(event, libhotrod.EntryEvent)]
            assert changes == ["created", "removed"]
        counter = client.counter(f"blocking {scheme} {properties}")
        assert counter.create_strong(5)
        assert counter.add_and_get(3) == 8
        assert counter.remove()
