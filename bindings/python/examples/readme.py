"""The program of the README."""

import asyncio
import sys

import libhotrod


async def main(uri: str) -> None:
    async with libhotrod.connect(uri) as client:
        cache = client.cache("dist")
        await cache.put(b"greeting", b"hello")
        entry = await cache.get_with_metadata(b"greeting")
        assert entry is not None and entry.version is not None
        outcome = await cache.replace_if_unmodified(b"greeting", entry.version, b"hello, world")
        print(outcome.value)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "hotrod://127.0.0.1:11222"))
