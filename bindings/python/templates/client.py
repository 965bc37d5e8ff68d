#if asyncio
"""The asyncio client.

    async with libhotrod.connect("hotrod://127.0.0.1:11222") as client:
        cache = client.cache("dist")
        await cache.put(b"k", b"v")
"""
#else
"""The blocking client: thread-safe, and bound to the process that created it.

    with libhotrod.blocking.connect("hotrod://127.0.0.1:11222") as client:
        cache = client.cache("dist")
        cache[b"k"] = b"v"
"""
#endif

from __future__ import annotations

#if asyncio
import asyncio
#endif
from types import TracebackType
#if asyncio
from typing import Any, AsyncIterable, AsyncIterator, Generator, Iterable, Optional, TypeVar, Union, overload
#else
from typing import Any, Callable, Iterable, Iterator, Optional, TypeVar, Union, cast, overload
#endif

from ._aio_driver import Driver
from ._aio_operations import CacheOperations, CounterOperations, MultimapOperations
from ._aio_schemas import CACHE as SCHEMAS, Schemas
#if asyncio
from ._aio_streams import ClientEvents, Iteration, Listener
#else
from ._blocking_streams import Iteration, Listener
#endif
from ._checks import check_codec
from ._codec_use import Argument, CacheSettings, Entries, K, V, interest_bits
from ._native import Machine
from .codecs import TEXT, Codec, default_codec
from .flags import Flags
#if blocking
from .outputs import ClientEvent
#endif
from .types import Conditional, CounterConfiguration, CounterEvent, Coverage, EntryEvent, Member, Moved, View

#if asyncio
__all__ = ["Cache", "Client", "ClientEvents", "Counter", "Iteration", "Listener", "Multimap", "Schemas", "connect"]
#else
__all__ = ["Cache", "Client", "Counter", "Iteration", "Listener", "Multimap", "Schemas", "connect"]
#endif

#if asyncio
T = TypeVar("T")
#endif
K2 = TypeVar("K2")
V2 = TypeVar("V2")
CHUNK = 64 << 10
#if asyncio
# Seconds that `close` waits for transports to flush before it aborts them.
CLOSE_TIMEOUT = 1.0
#endif


#if asyncio
def connect(
    uri: str, *, key_codec: Optional[Codec[Any]] = None, value_codec: Optional[Codec[Any]] = None
) -> Connecting:
    """Connects to the cluster that `uri` names; await the result, or enter it with `async with`.
#else
def connect(uri: str, *, key_codec: Optional[Codec[Any]] = None, value_codec: Optional[Codec[Any]] = None) -> Client:
    """Connects to the cluster that `uri` names; close the result, or use it with `with`.
#endif

    The codecs are those of caches and multimaps for which none is given; by default those of the URI's `key_media_type` and
    `value_media_type` (text/plain, application/json and application/x-protostream), or `BYTES`.

    Raises MisuseError for an invalid URI or a file of TLS that can't be used, UnreachableError if no server can be reached,
    HandshakeError if no server accepts the client.
    """
    for name, codec in (("key_codec", key_codec), ("value_codec", value_codec)):
        if codec is not None:
            check_codec(name, codec)
#if asyncio
    return Connecting(uri, key_codec, value_codec)


class Connecting:
    """A pending connection: an awaitable and a context manager."""

    def __init__(self, uri: str, key_codec: Optional[Codec[Any]], value_codec: Optional[Codec[Any]]) -> None:
        self._uri = uri
        self._key_codec, self._value_codec = key_codec, value_codec
        self._client: Optional[Client] = None

    async def _connect(self) -> Client:
        driver = Driver(Machine(self._uri))
        client = Client(driver, self._key_codec, self._value_codec)
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
#else
    driver = Driver(Machine(uri))
    client = Client(driver, key_codec, value_codec)
    try:
        with driver.lock:
            cache = driver.machine.cache(driver.now(), driver.default_cache)
            driver.machine.start(driver.now(), cache)
            driver.machine.release_cache(cache)
            driver.pump()
        driver.wait(driver.started)
    except BaseException:
        client.close()
        raise
    return client
#endif


class Client:
#if asyncio
    """A client of one cluster, shared by any number of tasks of one event loop.
#else
    """A client of one cluster, shared by any number of threads of one process.
#endif

    Keeps a link to every member, sends each operation to the member that owns its key, and continues while members join,
    leave and fail. The error of a failed operation says whether the operation may have been applied.
    """

    def __init__(
        self, driver: Driver, key_codec: Optional[Codec[Any]] = None, value_codec: Optional[Codec[Any]] = None
    ) -> None:
        self._driver = driver
        key_type, value_type = driver.machine.default_media_types
        self._key_codec = default_codec(key_type) if key_codec is None else key_codec
        self._value_codec = default_codec(value_type) if value_codec is None else value_codec

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
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[K2, bytes]: ...

    @overload
    def cache(
        self,
        name: Optional[str] = None,
        *,
        value_codec: Codec[V2],
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[bytes, V2]: ...

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
        key_codec: Optional[Codec[Any]] = None,
        value_codec: Optional[Codec[Any]] = None,
        flags: Flags = Flags(0),
        timeout: Optional[float] = None,
        read_from_any_owner: bool = False,
        traceparent: Optional[str] = None,
    ) -> Cache[Any, Any]:
        """Returns a cache by its name, by default the cache of the URI or the server's default cache. A cache that does not
        exist fails with the first operation. `timeout` is in seconds, over all attempts of an operation. Without codecs those of
        `connect` are used: `BYTES`, if neither it nor the URI has any.
        """
        name = self._driver.default_cache if name is None else name
        key_codec, value_codec = self._codecs(key_codec, value_codec)
        key_type, value_type = key_codec.media_type, value_codec.media_type
        settings = CacheSettings(name, flags, key_type, value_type, read_from_any_owner, timeout, traceparent)
        return Cache(self._driver, settings, key_codec, value_codec)

    def counter(self, name: str, *, timeout: Optional[float] = None) -> Counter:
        """Returns a counter by its name. A counter that does not exist fails with the first operation."""
        return Counter(self._driver, self._plain("", timeout), name)

    @overload
    def multimap(
        self,
        name: str,
        *,
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[bytes, bytes]: ...

    @overload
    def multimap(
        self,
        name: str,
        *,
        key_codec: Codec[K2],
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[K2, bytes]: ...

    @overload
    def multimap(
        self,
        name: str,
        *,
        value_codec: Codec[V2],
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[bytes, V2]: ...

    @overload
    def multimap(
        self,
        name: str,
        *,
        key_codec: Codec[K2],
        value_codec: Codec[V2],
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[K2, V2]: ...

    def multimap(
        self,
        name: str,
        *,
        key_codec: Optional[Codec[Any]] = None,
        value_codec: Optional[Codec[Any]] = None,
        supports_duplicates: bool = False,
        timeout: Optional[float] = None,
    ) -> Multimap[Any, Any]:
        """Returns a multimap stored in the cache `name`."""
        settings = self._plain(name, timeout)
        key_codec, value_codec = self._codecs(key_codec, value_codec)
        settings.key_type, settings.value_type = key_codec.media_type, value_codec.media_type
        return Multimap(self._driver, settings, key_codec, value_codec, supports_duplicates)

    def _codecs(
        self, key_codec: Optional[Codec[Any]], value_codec: Optional[Codec[Any]]
    ) -> tuple[Codec[Any], Codec[Any]]:
        key_codec = self._key_codec if key_codec is None else key_codec
        value_codec = self._value_codec if value_codec is None else value_codec
        check_codec("key_codec", key_codec)
        check_codec("value_codec", value_codec)
        return key_codec, value_codec

    def _plain(self, name: str, timeout: Optional[float]) -> CacheSettings:
        return CacheSettings(name, Flags(0), "", "", False, timeout, None)

    @property
    def schemas(self) -> Schemas:
        """The schemas of Protocol Buffers in the servers: register, update, list and remove them."""
        return Schemas(self.cache(SCHEMAS, key_codec=TEXT, value_codec=TEXT))

    async def counter_names(self) -> list[str]:
        """Returns the names of all counters."""
        names: list[str] = await self.cache("")._execute("counter_get_names", ())
        return names

    def members(self) -> list[Member]:
        """Returns every known member, and the seeds."""
        self._driver.check_inspection()
        with self._driver.lock:
            members: list[Member] = self._driver.machine.members()
        return members

    def view(self, cache: Cache[Any, Any]) -> Optional[View]:
        """Returns the view by which operations of `cache` are routed; None before its first topology."""
        self._driver.check_inspection()
        with self._driver.lock:
            view: Optional[View] = self._driver.machine.view(cache._cache)
        return view

    def counters(self) -> dict[str, Any]:
        """Returns the client's statistics: operations, direct hits, retries, bytes; latencies in seconds."""
        self._driver.check_inspection()
        with self._driver.lock:
            counters: dict[str, Any] = self._driver.machine.counters()
        return counters

    def coverage(self) -> Coverage:
        """Returns how many members are reached directly, and why not all."""
        self._driver.check_inspection()
        with self._driver.lock:
            coverage: Coverage = self._driver.machine.coverage()
        return coverage

#if asyncio
    def events(self) -> ClientEvents:
        """Subscribes to events of members, topologies, sites and near caches."""
        self._driver.check()
        return ClientEvents(self._driver)
#else
    def on_event(self, callback: Callable[[Optional[ClientEvent]], None]) -> None:
        """Subscribes to events of members, topologies, sites and near caches: `callback` gets outputs of the machine, and None
        at the end. It runs in any of the client's threads, must return at once and must not call the client.
        """
        self._driver.check()
        with self._driver.lock:
            self._driver.subscribers.append(cast(Any, callback))
#endif

    def switch_site(self, name: str) -> bool:
        """Switches to another site; an empty name means the site of the URI. Returns False if the site is unknown."""
        driver = self._driver
        driver.check()
        with driver.lock:
            switched: bool = driver.machine.switch_site(driver.now(), name)
            driver.schedule()
        return switched

    async def close(self) -> None:
        """Lets operations in flight finish, closes every link, and returns when all are closed."""
        driver = self._driver
        driver.check()
#if asyncio
        driver.close()
        await driver.ended
        await driver.close_transports(CLOSE_TIMEOUT)
#else
        with driver.lock:
            driver.close()
            ended = driver.closer()
        driver.wait(ended)
#endif

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
        """The cache's name; empty for the server's default cache."""
        return self._settings.name

    def _copy(self, **changes: Any) -> Cache[K, V]:
        settings = CacheSettings(**{**vars(self._settings), **changes})
        return Cache(self._driver, settings, self.key_codec, self.value_codec)

    def with_flags(self, flags: Flags) -> Cache[K, V]:
        """Returns the same cache with other flags."""
        return self._copy(flags=flags)

    def with_timeout(self, timeout: Optional[float]) -> Cache[K, V]:
        """Returns the same cache with another timeout for each operation, in seconds over all its attempts."""
        return self._copy(timeout=timeout)

    def with_traceparent(self, traceparent: Optional[str]) -> Cache[K, V]:
        """Returns the same cache with a W3C Trace Context header for its operations (4.0 and later)."""
        return self._copy(traceparent=traceparent)

    async def put_all(
        self,
        entries: Entries[K, V],
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> None:
        """Stores values, each at its owner. Raises PartialError if only some of them were stored."""
        await self._execute("put_all", ((lifespan, max_idle), self._entries(entries)))

    async def get_all(self, keys: Iterable[Argument[K]]) -> dict[K, V]:
        """Reads values, each from its owner; keys without an entry are left out."""
        return self._mapping(await self._execute("get_all", ([self._key(key) for key in keys],)))

    async def bulk_get(self, count: int = 0) -> dict[K, V]:
        """Reads up to `count` entries, 0 for all, in one response. Prefer `iterate`."""
        return self._mapping(await self._execute("bulk_get", (count,)))

    async def bulk_get_keys(self, scope: int = 0) -> list[K]:
        """Reads all keys in one response; `scope` 0 is the default, 1 global, 2 local."""
        return self._keys(await self._execute("bulk_get_keys", (scope,)))

    async def read_stream(self, key: Argument[K], chunk_length: int = CHUNK) -> AsyncIterator[bytes]:
        """Yields a large value in chunks of `chunk_length` bytes; none if there is no entry (4.1 and later)."""
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
        key: Argument[K],
#if asyncio
        chunks: Union[Iterable[bytes], AsyncIterable[bytes]],
#else
        chunks: Iterable[bytes],
#endif
        *,
        version: int = 0,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Conditional[V]:
        """Stores a large value from chunks (4.1 and later): like `put` with version 0, like `put_if_absent` with 2**64 - 1,
        like `replace_if_unmodified` with any other.
        """
        arguments = (self._key(key), (lifespan, max_idle), version)
        member, stream = await self._execute_on(None, "start_put_stream", arguments)
        try:
            # Holds one chunk back: the last chunk carries a flag, and no chunk may be empty.
            held = None
#if asyncio
            async for chunk in _asynchronous(chunks):
#else
            for chunk in chunks:
#endif
                if chunk and held is not None:
                    await self._execute_on(member, "next_put_stream", (stream, False, held))
                held = chunk or held
            outcome = await self._execute_on(member, "next_put_stream", (stream, True, held or b""))
        except BaseException:
#if asyncio
            await asyncio.shield(self._execute_on(member, "end_put_stream", (stream,)))
#else
            self._execute_on(member, "end_put_stream", (stream,))
#endif
            raise
        return self._conditional(outcome[1], key)

    def iterate(
        self,
        *,
        batch_size: int = 1000,
        segments: Optional[bytes] = None,
        filter_converter: Optional[tuple[str, list[bytes]]] = None,
        include_metadata: bool = False,
    ) -> Iteration[K, V]:
        """Iterates over all entries, each once, on all members in parallel. `segments` has one bit per segment, least
        significant first; None for all.
        """
        driver = self._driver
        driver.check()
        with driver.lock:
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
    ) -> Listener[Union[EntryEvent[K], Moved]]:
        """Registers a listener. `interests` are any of "created", "modified", "removed" and "expired"; none means all.
        `filter` and `converter` are the name and the parameters of a factory that the server has.
        """
        driver = self._driver
        driver.check()
        wanted = interest_bits(interests)
        with driver.lock:
            listener = driver.machine.listen(
                driver.now(),
                self._cache,
                include_current_state=include_current_state,
                filter=filter,
                converter=converter,
                use_raw_data=use_raw_data,
                interests=wanted,
            )
            events: Listener[Union[EntryEvent[K], Moved]] = Listener(driver, listener, self._decoded_key)
            driver.schedule()
        return await events._ready()

    def enable_near_cache(
        self, *, max_entries: int = 10_000, max_bytes: int = 64 << 20, bloom_filter: bool = False
    ) -> None:
#if asyncio
        """Enables a near cache for reads through this object. `events` reports when it is active."""
#else
        """Enables a near cache for reads through this object. `on_event` reports when it is active."""
#endif
        driver = self._driver
        driver.check()
        with driver.lock:
            driver.machine.near_cache(
                driver.now(), self._cache, max_entries=max_entries, max_bytes=max_bytes, bloom_filter=bloom_filter
            )
            driver.schedule()

    def disable_near_cache(self) -> None:
        """Disables the near cache and drops its values."""
        driver = self._driver
        driver.check()
        with driver.lock:
            driver.machine.remove_near_cache(driver.now(), self._cache)
            driver.schedule()

    async def execute(self, operation: str, *arguments: Any, member: Optional[int] = None) -> Any:
        """Executes any operation of the protocol by its name, with its fields in order, on `member` if that is not None.
        Keys and values are bytes here.
        """
        return (await self._execute_on(member, operation, arguments))[1]
#if blocking

    # The mapping protocol: each of these is one operation of the cluster.

    def __getitem__(self, key: Argument[K]) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Argument[K], value: Argument[V]) -> None:
        self.put(key, value)

    def __delitem__(self, key: Argument[K]) -> None:
        if not self.remove(key).executed:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self.contains_key(cast(K, key))

    def __len__(self) -> int:
        return self.size()

    def __bool__(self) -> bool:
        """Returns True, also for an empty cache, without a request for the size."""
        return True

    def __iter__(self) -> Iterator[K]:
        return (entry.key for entry in self.iterate())
#endif


class Counter(CounterOperations):
    """A counter of the cluster."""

    async def listen(self) -> Listener[Union[CounterEvent, Moved]]:
        """Registers a listener for changes of the counter."""
        driver = self._driver
        driver.check()
        with driver.lock:
            listener = driver.machine.listen_to_counter(driver.now(), self._cache, self.name)
            events: Listener[Union[CounterEvent, Moved]] = Listener(driver, listener, bytes)
            driver.schedule()
        return await events._ready()

    async def create_strong(self, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Creates a strong counter; returns False if the name is in use."""
        return await self.create(CounterConfiguration("unbounded_strong", initial_value, persistent=persistent))

    async def create_bounded(self, lower: int, upper: int, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Creates a strong counter with bounds; returns False if the name is in use."""
        return await self.create(
            CounterConfiguration("bounded_strong", initial_value, lower, upper, persistent=persistent)
        )

    async def create_weak(self, initial_value: int = 0, *, concurrency: int = 16, persistent: bool = False) -> bool:
        """Creates a weak counter; returns False if the name is in use."""
        return await self.create(
            CounterConfiguration("weak", initial_value, concurrency=concurrency, persistent=persistent)
        )


class Multimap(MultimapOperations[K, V]):
    """A multimap of the cluster."""
#if asyncio


async def _asynchronous(items: Union[Iterable[T], AsyncIterable[T]]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
#endif
