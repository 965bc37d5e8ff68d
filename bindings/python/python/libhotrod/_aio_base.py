"""What the classes of the asyncio client have in common: they submit operations and wait for the answers."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, Optional

from ._aio_driver import Driver
from ._codec_use import CacheSettings, CodecUse, K, V, microseconds
from .codecs import Codec


class Base:
    """A cache of the machine, by its number."""

    def __init__(self, driver: Driver, settings: CacheSettings) -> None:
        self._driver = driver
        self._settings = settings
        self._timeout = microseconds(settings.timeout)
        self._cache = driver.machine.cache(driver.now(), settings.name, **settings.given())
        driver.schedule()

    async def _execute(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        return (await self._execute_on(None, operation, arguments))[1]

    async def _execute_on(
        self, member: Optional[int], operation: str, arguments: tuple[Any, ...]
    ) -> tuple[Optional[int], Any]:
        driver = self._driver
        driver.check()
        submitted = driver.machine.submit(driver.now(), self._cache, operation, arguments, member, self._timeout)
        future = driver.pending[submitted] = driver.loop.create_future()
        driver.schedule()
        try:
            answer: tuple[Optional[int], Any] = await future
            return answer
        except asyncio.CancelledError:
            if driver.pending.pop(submitted, None) is not None:
                driver.machine.cancel(submitted)
                driver.schedule()
            raise


class CacheBase(Base, CodecUse[K, V]):
    """A cache and its codecs."""

    def __init__(self, driver: Driver, settings: CacheSettings, key_codec: Codec[K], value_codec: Codec[V]) -> None:
        Base.__init__(self, driver, settings)
        CodecUse.__init__(self, key_codec, value_codec)


class CounterBase(Base):
    """A counter, by its name."""

    def __init__(self, driver: Driver, settings: CacheSettings, name: str) -> None:
        super().__init__(driver, settings)
        self.name = name
        """Its name."""


class MultimapBase(CacheBase[K, V], Generic[K, V]):
    """A multimap: a cache whose keys have several values."""

    def __init__(
        self,
        driver: Driver,
        settings: CacheSettings,
        key_codec: Codec[K],
        value_codec: Codec[V],
        supports_duplicates: bool,
    ) -> None:
        super().__init__(driver, settings, key_codec, value_codec)
        self.supports_duplicates = supports_duplicates
        """Whether a key may have the same value more than once (4.0 and later)."""
