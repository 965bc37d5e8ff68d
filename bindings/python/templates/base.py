#if asyncio
"""Base classes of the asyncio client: they submit operations and await the answers."""
#else
"""Base classes of the blocking client: they submit operations and wait for the answers."""
#endif

from __future__ import annotations

#if asyncio
import asyncio
#endif
from typing import Any, Callable, Generic, Optional

#if asyncio
from ._aio_driver import Driver
#else
from ._blocking_driver import Driver, Waiter
#endif
from ._checks import check_flag, check_text, microseconds
from ._codec_use import CacheSettings, CodecUse, K, V
from .codecs import Codec
from .errors import MisuseError


class Base:
    """A cache of the machine, identified by its number."""

    def __init__(self, driver: Driver, settings: CacheSettings) -> None:
        self._driver = driver
        self._settings = settings
        self._timeout = microseconds(settings.timeout)
        self._storage_key: Optional[Callable[[bytes], bytes]] = None
        driver.check()
        with driver.lock:
            self._cache = driver.machine.cache(driver.now(), settings.name, **settings.options())
            driver.schedule()

    def __del__(self) -> None:
        # Not there if the constructor raised an exception.
        cache = getattr(self, "_cache", None)
        if cache is not None:
            self._driver.release_later(cache)

    async def _execute(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        return (await self._execute_on(None, operation, arguments))[1]

    async def _execute_on(
        self, member: Optional[int], operation: str, arguments: tuple[Any, ...]
    ) -> tuple[Optional[int], Any]:
        driver = self._driver
        driver.check()
        storage_key = self._storage_key
        storage_keys = None if storage_key is None else self._storage_keys(storage_key, operation, arguments)
#if asyncio
        submitted = driver.machine.submit(
            driver.now(), self._cache, operation, arguments, member, self._timeout, storage_keys
        )
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
#else
        waiter = Waiter()
        with driver.lock:
            submitted = driver.machine.submit(
                driver.now(), self._cache, operation, arguments, member, self._timeout, storage_keys
            )
            driver.pending[submitted] = waiter
            driver.pump()
        try:
            answer: tuple[Optional[int], Any] = driver.wait(waiter)
            return answer
        except BaseException:
            # Includes KeyboardInterrupt.
            with driver.lock:
                if driver.pending.pop(submitted, None) is not None:
                    driver.machine.cancel(submitted)
                    driver.pump()
            raise
#endif

    def _storage_keys(
        self, storage_key: Callable[[bytes], bytes], operation: str, arguments: tuple[Any, ...]
    ) -> list[bytes]:
        """Returns the stored forms of an operation's keys, as the key codec gives them."""
        try:
            return [storage_key(key) for key in self._driver.machine.keys(operation, arguments)]
        except MisuseError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise MisuseError(f"the key codec's storage_key failed for cache {self._settings.name!r}: {reason}") from error


class CacheBase(Base, CodecUse[K, V]):
    """A cache and its codecs."""

    def __init__(self, driver: Driver, settings: CacheSettings, key_codec: Codec[K], value_codec: Codec[V]) -> None:
        Base.__init__(self, driver, settings)
        CodecUse.__init__(self, settings.name, key_codec, value_codec)
        self._storage_key = getattr(key_codec, "storage_key", None)


class CounterBase(Base):
    """A counter, by its name."""

    def __init__(self, driver: Driver, settings: CacheSettings, name: str) -> None:
        check_text("name", name)
        super().__init__(driver, settings)
        self.name = name
        """The counter's name."""


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
        check_flag("supports_duplicates", supports_duplicates)
        super().__init__(driver, settings, key_codec, value_codec)
        self.supports_duplicates = supports_duplicates
        """Whether a key may have the same value more than once (4.0 and later)."""
