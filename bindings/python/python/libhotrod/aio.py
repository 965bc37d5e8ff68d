"""The asyncio client.

    async with libhotrod.connect("hotrod://127.0.0.1:11222") as client:
        cache = client.cache("dist")
        await cache.put(b"k", b"v")
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, AsyncIterable, AsyncIterator, Generator, Iterable, Mapping, Optional, TypeVar, Union, overload

from ._aio_driver import Driver
from ._aio_operations import CacheOperations, CounterOperations, MultimapOperations
from ._aio_streams import Happenings, Iteration, Listener
from ._codec_use import CacheSettings, K, V, microseconds
from ._native import Machine
from .codecs import BYTES, Codec
from .flags import Flags
from .types import Conditional, CounterConfiguration, Coverage, Member, View

__all__ = ["Cache", "Client", "Counter", "Happenings", "Iteration", "Listener", "Multimap", "connect"]

T = TypeVar("T")
K2 = TypeVar("K2")
V2 = TypeVar("V2")
CHUNK = 64 << 10
# How long the links of a closed client may take to say goodbye.
GOODBYE = 5.0


def connect(uri: str) -> Connecting:
    """A client of the cluster that a URI names: to be awaited, or entered with `async with`.

    Raises MisuseError of a wrong URI, UnreachableError if no server can be reached, HandshakeError if none accepts the
    client.
    """
    return Connecting(uri)


class Connecting:
    """A client that is being connected."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: Optional[Client] = None

    async def _connect(self) -> Client:
        driver = Driver(Machine(self._uri))
        client = Client(driver)
        driver.machine.start(driver.now(), client.cache()._cache)
        driver.pump()
        try:
            await driver.started
        except BaseException:
            await client.close()
            raise
        return client

    def __await__(self) -> Generator[Any, None, Client]:
        return self._connect().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._connect()
        return self._client

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        assert self._client is not None
        await self._client.close()


class Client:
    """A client of one cluster, shared by any number of tasks of one event loop.

    It keeps a link to every member, sends each operation to the member that owns its key, and goes on while members join,
    leave and fail. An operation that fails says whether it may have been applied.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @overload
    def cache(
        self,
        name: Optional[str] = None,
        *,
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[bytes, bytes]: ...

    @overload
    def cache(
        self,
        name: Optional[str] = None,
        *,
        key_codec: Codec[K2],
        value_codec: Codec[V2],
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[K2, V2]: ...

    def cache(
        self,
        name: Optional[str] = None,
        *,
        key_codec: Codec[Any] = BYTES,
        value_codec: Codec[Any] = BYTES,
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[Any, Any]:
        """A cache; without a name the one of the URI, or the server's default cache. Whether it exists shows with the
        first operation. `timeout` is in seconds, over all attempts of an operation.
        """
        name = self._driver.machine.default_cache if name is None else name
        key_type, value_type = key_codec.media_type, value_codec.media_type
        settings = CacheSettings(name, flags, key_type, value_type, read_from_any_owner, timeout, traceparent)
        return Cache(self._driver, settings, key_codec, value_codec)

    def counter(self, name: str, *, timeout: Optional[float] = None) -> Counter:
        """A counter, by its name; whether it exists shows with the first operation."""
        return Counter(self._driver, self._plain("", timeout), name)

    def multimap(
        self,
        name: str,
        *,
        key_codec: Codec[Any] = BYTES,
        value_codec: Codec[Any] = BYTES,
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[Any, Any]:
        """A multimap in the cache of that name."""
        settings = self._plain(name, timeout)
        settings.key_type, settings.value_type = key_codec.media_type, value_codec.media_type
        return Multimap(self._driver, settings, key_codec, value_codec, supports_duplicates)

    def _plain(self, name: str, timeout: Optional[float]) -> CacheSettings:
        return CacheSettings(name, Flags(0), "", "", False, timeout, None)

    async def counter_names(self) -> list[str]:
        """Tells the names of all counters."""
        names: list[str] = await self.cache("")._execute("counter_get_names", ())
        return names

    def members(self) -> list[Member]:
        """Every member that the client knows, and the seeds."""
        members: list[Member] = self._driver.machine.members()
        return members

    def view(self, cache: Cache[Any, Any]) -> Optional[View]:
        """The view of the cluster that a cache's operations are routed by; None before its first topology."""
        view: Optional[View] = self._driver.machine.view(cache._cache)
        return view

    def counters(self) -> dict[str, Any]:
        """What the client has done: operations, direct hits, retries, bytes; latencies in seconds."""
        counters: dict[str, Any] = self._driver.machine.counters()
        return counters

    def coverage(self) -> Coverage:
        """How many members are reached directly, and why not all."""
        coverage: Coverage = self._driver.machine.coverage()
        return coverage

    def events(self) -> Happenings:
        """What happens to members, topologies, sites and near caches from now on."""
        return Happenings(self._driver)

    def switch_site(self, name: str) -> bool:
        """Goes over to another site; an empty name leads back to that of the URI. False if there is none of that name."""
        switched = self._driver.machine.switch_site(self._driver.now(), name)
        self._driver.schedule()
        return switched

    async def close(self) -> None:
        """Lets operations in flight finish and closes every link; returns when all are closed."""
        driver = self._driver
        driver.check()
        driver.close()
        await driver.ended
        end = driver.loop.time() + GOODBYE
        while driver.transports and driver.loop.time() < end:
            await asyncio.sleep(0.001)
        for transport in driver.transports:
            transport.abort()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class Cache(CacheOperations[K, V]):
    """A cache of the cluster."""

    @property
    def name(self) -> str:
        """Its name; empty for the server's default cache."""
        return self._settings.name

    def _like(self, **changes: Any) -> Cache[K, V]:
        settings = CacheSettings(**{**vars(self._settings), **changes})
        return Cache(self._driver, settings, self.key_codec, self.value_codec)

    def with_flags(self, flags: Flags) -> Cache[K, V]:
        """The same cache with other flags."""
        return self._like(flags=flags)

    def with_timeout(self, timeout: Optional[float]) -> Cache[K, V]:
        """The same cache with another timeout for each operation, in seconds over all its attempts."""
        return self._like(timeout=timeout)

    def with_traceparent(self, traceparent: Optional[str]) -> Cache[K, V]:
        """The same cache, whose operations are parts of a trace, as W3C Trace Context has it (4.0 and later)."""
        return self._like(traceparent=traceparent)

    async def put_all(
        self,
        entries: Union[Mapping[K, V], Iterable[tuple[K, V]]],
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> None:
        """Stores many values, each at its owner. Raises PartialError if only some could be stored."""
        await self._execute("put_all", ((lifespan, max_idle), self._entries(entries)))

    async def get_all(self, keys: Iterable[K]) -> dict[K, V]:
        """Reads many values, each from its owner; keys without an entry are left out."""
        return self._mapping(await self._execute("get_all", ([self._key(key) for key in keys],)))

    async def bulk_get(self, count: int = 0) -> dict[K, V]:
        """Reads up to that many entries, 0 for all, in one answer. Better: `iterate`."""
        return self._mapping(await self._execute("bulk_get", (count,)))

    async def bulk_get_keys(self, scope: int = 0) -> list[K]:
        """Reads all keys in one answer; scope 0 default, 1 global, 2 local."""
        return self._keys(await self._execute("bulk_get_keys", (scope,)))

    async def read_stream(self, key: K, chunk_length: int = CHUNK) -> AsyncIterator[bytes]:
        """A large value in chunks of that many bytes, none if there is no entry (4.1 and later)."""
        member, chunk = await self._execute_on(None, "start_get_stream", (self._key(key), chunk_length))
        try:
            while chunk is not None:
                yield chunk.chunk
                if chunk.complete:
                    chunk = None
                else:
                    _, chunk = await self._execute_on(member, "next_get_stream", (chunk.stream_id,))
        finally:
            if chunk is not None:
                await self._execute_on(member, "end_get_stream", (chunk.stream_id,))

    async def write_stream(
        self,
        key: K,
        chunks: Union[Iterable[bytes], AsyncIterable[bytes]],
        *,
        version: int = 0,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Conditional[V]:
        """Stores a large value given in chunks (4.1 and later): version 0 as `put`, 2**64 - 1 as `put_if_absent`, another
        as `replace_if_unmodified`.
        """
        arguments = (self._key(key), (lifespan, max_idle), version)
        member, stream = await self._execute_on(None, "start_put_stream", arguments)
        try:
            # One behind: the last chunk is marked, and none may be empty.
            held = None
            async for chunk in _asynchronous(chunks):
                if chunk and held is not None:
                    await self._execute_on(member, "next_put_stream", (stream, False, held))
                held = chunk or held
            outcome = await self._execute_on(member, "next_put_stream", (stream, True, held or b""))
        except BaseException:
            await asyncio.shield(self._execute_on(member, "end_put_stream", (stream,)))
            raise
        return self._conditional(outcome[1])

    def iterate(
        self,
        *,
        batch_size: int = 1000,
        segments: Optional[bytes] = None,
        filter_converter: Optional[tuple[str, list[bytes]]] = None,
        include_metadata: bool = False,
    ) -> Iteration[K, V]:
        """All entries, each once, from all members at the same time. `segments` has one bit for each, least significant
        first; None for all.
        """
        driver = self._driver
        driver.check()
        iteration = driver.machine.iterate(
            driver.now(),
            self._cache,
            segments=segments,
            filter_converter=filter_converter,
            batch_size=batch_size,
            include_metadata=include_metadata,
            timeout=self._timeout,
        )
        driver.schedule()
        return Iteration(driver, iteration, self._iterated)

    async def listen(
        self,
        *,
        include_current_state: bool = False,
        filter: Optional[tuple[str, list[bytes]]] = None,
        converter: Optional[tuple[str, list[bytes]]] = None,
        use_raw_data: bool = False,
        interests: Iterable[str] = (),
    ) -> Listener:
        """Listens to changes. `interests` are of "created", "modified", "removed" and "expired"; none means all. Filters
        and converters are factories of the server's: their name and parameters.
        """
        driver = self._driver
        driver.check()
        kinds = ["created", "modified", "removed", "expired"]
        listener = driver.machine.listen(
            driver.now(),
            self._cache,
            include_current_state=include_current_state,
            filter=filter,
            converter=converter,
            use_raw_data=use_raw_data,
            interests=sum(1 << kinds.index(interest) for interest in set(interests)),
        )
        return await Listener(driver, listener, self.key_codec.decode)._ready()

    def enable_near_cache(
        self, *, max_entries: int = 10_000, max_bytes: int = 64 << 20, bloom_filter: bool = False
    ) -> None:
        """Keeps values in the client: reads in this form are answered by them. `events` tells when it is active."""
        driver = self._driver
        driver.machine.near_cache(
            driver.now(), self._cache, max_entries=max_entries, max_bytes=max_bytes, bloom_filter=bloom_filter
        )
        driver.schedule()

    def disable_near_cache(self) -> None:
        """Keeps no values any more."""
        self._driver.machine.remove_near_cache(self._driver.now(), self._cache)
        self._driver.schedule()

    async def execute(self, operation: str, *arguments: Any, member: Optional[int] = None) -> Any:
        """Executes any operation of the protocol by its name, with its fields in order, on one member if that is given.
        Keys and values are bytes here.
        """
        return (await self._execute_on(member, operation, arguments))[1]


class Counter(CounterOperations):
    """A counter of the cluster."""

    async def listen(self) -> Listener:
        """Listens to its changes."""
        driver = self._driver
        driver.check()
        listener = driver.machine.listen_to_counter(driver.now(), self._cache, self.name)
        return await Listener(driver, listener, bytes)._ready()

    async def create_strong(self, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Makes it a strong counter; False if there is one of that name."""
        return await self.create(CounterConfiguration("unbounded_strong", initial_value, persistent=persistent))

    async def create_bounded(self, lower: int, upper: int, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Makes it a strong counter between two bounds; False if there is one of that name."""
        return await self.create(
            CounterConfiguration("bounded_strong", initial_value, lower, upper, persistent=persistent)
        )

    async def create_weak(self, initial_value: int = 0, *, concurrency: int = 16, persistent: bool = False) -> bool:
        """Makes it a weak counter; False if there is one of that name."""
        return await self.create(
            CounterConfiguration("weak", initial_value, concurrency=concurrency, persistent=persistent)
        )


class Multimap(MultimapOperations[K, V]):
    """A multimap of the cluster."""


async def _asynchronous(items: Union[Iterable[T], AsyncIterable[T]]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
