"""The blocking client: thread-safe, and of the process that made it.

    with libhotrod.blocking.connect("hotrod://127.0.0.1:11222") as client:
        cache = client.cache("dist")
        cache[b"k"] = b"v"
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, TypeVar, Union, cast, overload

from ._blocking_driver import Driver
from ._blocking_operations import CacheOperations, CounterOperations, MultimapOperations
from ._blocking_streams import Iteration, Listener
from ._codec_use import CacheSettings, K, V, microseconds
from ._native import Machine
from .codecs import BYTES, Codec
from .flags import Flags
from .outputs import Output
from .types import Conditional, CounterConfiguration, Coverage, Member, View

__all__ = ["Cache", "Client", "Counter", "Iteration", "Listener", "Multimap", "connect"]

K2 = TypeVar("K2")
V2 = TypeVar("V2")
CHUNK = 64 << 10


def connect(uri: str) -> Client:
    """A client of the cluster that a URI names; to be closed, or used with `with`.

    Raises MisuseError of a wrong URI, UnreachableError if no server can be reached, HandshakeError if none accepts the
    client.
    """
    driver = Driver(Machine(uri))
    client = Client(driver)
    try:
        with driver.lock:
            cache = driver.machine.cache(driver.now(), driver.machine.default_cache)
            driver.machine.start(driver.now(), cache)
            driver.pump()
            driver.wait(driver.started)
    except BaseException:
        client.close()
        raise
    return client


class Client:
    """A client of one cluster, shared by any number of threads of one process.

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

    def counter_names(self) -> list[str]:
        """Tells the names of all counters."""
        names: list[str] = self.cache("")._execute("counter_get_names", ())
        return names

    def members(self) -> list[Member]:
        """Every member that the client knows, and the seeds."""
        with self._driver.lock:
            members: list[Member] = self._driver.machine.members()
        return members

    def view(self, cache: Cache[Any, Any]) -> Optional[View]:
        """The view of the cluster that a cache's operations are routed by; None before its first topology."""
        with self._driver.lock:
            view: Optional[View] = self._driver.machine.view(cache._cache)
        return view

    def counters(self) -> dict[str, Any]:
        """What the client has done: operations, direct hits, retries, bytes; latencies in seconds."""
        with self._driver.lock:
            counters: dict[str, Any] = self._driver.machine.counters()
        return counters

    def coverage(self) -> Coverage:
        """How many members are reached directly, and why not all."""
        with self._driver.lock:
            coverage: Coverage = self._driver.machine.coverage()
        return coverage

    def on_event(self, hear: Callable[[Optional[Output]], None]) -> None:
        """Has a function called with what happens to members, topologies, sites and near caches: outputs of the machine,
        and None at the end. It is called by some thread of the client's, must return at once and call nothing of it.
        """
        with self._driver.lock:
            self._driver.subscribers.append(hear)

    def switch_site(self, name: str) -> bool:
        """Goes over to another site; an empty name leads back to that of the URI. False if there is none of that name."""
        driver = self._driver
        driver.check()
        with driver.lock:
            switched: bool = driver.machine.switch_site(driver.now(), name)
            driver.pump()
        return switched

    def close(self) -> None:
        """Lets operations in flight finish and closes every link; returns when all are closed."""
        driver = self._driver
        driver.check()
        with driver.lock:
            driver.close()
            driver.wait(driver.ended)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


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

    def put_all(
        self,
        entries: Union[Mapping[K, V], Iterable[tuple[K, V]]],
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> None:
        """Stores many values, each at its owner. Raises PartialError if only some could be stored."""
        self._execute("put_all", ((lifespan, max_idle), self._entries(entries)))

    def get_all(self, keys: Iterable[K]) -> dict[K, V]:
        """Reads many values, each from its owner; keys without an entry are left out."""
        return self._mapping(self._execute("get_all", ([self._key(key) for key in keys],)))

    def bulk_get(self, count: int = 0) -> dict[K, V]:
        """Reads up to that many entries, 0 for all, in one answer. Better: `iterate`."""
        return self._mapping(self._execute("bulk_get", (count,)))

    def bulk_get_keys(self, scope: int = 0) -> list[K]:
        """Reads all keys in one answer; scope 0 default, 1 global, 2 local."""
        return self._keys(self._execute("bulk_get_keys", (scope,)))

    def read_stream(self, key: K, chunk_length: int = CHUNK) -> Iterator[bytes]:
        """A large value in chunks of that many bytes, none if there is no entry (4.1 and later)."""
        member, chunk = self._execute_on(None, "start_get_stream", (self._key(key), chunk_length))
        try:
            while chunk is not None:
                yield chunk.chunk
                if chunk.complete:
                    chunk = None
                else:
                    _, chunk = self._execute_on(member, "next_get_stream", (chunk.stream_id,))
        finally:
            if chunk is not None:
                self._execute_on(member, "end_get_stream", (chunk.stream_id,))

    def write_stream(
        self,
        key: K,
        chunks: Iterable[bytes],
        *,
        version: int = 0,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Conditional[V]:
        """Stores a large value given in chunks (4.1 and later): version 0 as `put`, 2**64 - 1 as `put_if_absent`, another
        as `replace_if_unmodified`.
        """
        arguments = (self._key(key), (lifespan, max_idle), version)
        member, stream = self._execute_on(None, "start_put_stream", arguments)
        try:
            # One behind: the last chunk is marked, and none may be empty.
            held = None
            for chunk in chunks:
                if chunk and held is not None:
                    self._execute_on(member, "next_put_stream", (stream, False, held))
                held = chunk or held
            outcome = self._execute_on(member, "next_put_stream", (stream, True, held or b""))
        except BaseException:
            self._execute_on(member, "end_put_stream", (stream,))
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
            driver.pump()
        return Iteration(driver, iteration, self._iterated)

    def listen(
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
        with driver.lock:
            listener = driver.machine.listen(
                driver.now(),
                self._cache,
                include_current_state=include_current_state,
                filter=filter,
                converter=converter,
                use_raw_data=use_raw_data,
                interests=sum(1 << kinds.index(interest) for interest in set(interests)),
            )
            return Listener(driver, listener, self.key_codec.decode)._ready()

    def enable_near_cache(
        self, *, max_entries: int = 10_000, max_bytes: int = 64 << 20, bloom_filter: bool = False
    ) -> None:
        """Keeps values in the client: reads in this form are answered by them. `on_event` tells when it is active."""
        driver = self._driver
        driver.check()
        with driver.lock:
            driver.machine.near_cache(
                driver.now(), self._cache, max_entries=max_entries, max_bytes=max_bytes, bloom_filter=bloom_filter
            )
            driver.pump()

    def disable_near_cache(self) -> None:
        """Keeps no values any more."""
        driver = self._driver
        driver.check()
        with driver.lock:
            driver.machine.remove_near_cache(driver.now(), self._cache)
            driver.pump()

    def execute(self, operation: str, *arguments: Any, member: Optional[int] = None) -> Any:
        """Executes any operation of the protocol by its name, with its fields in order, on one member if that is given.
        Keys and values are bytes here.
        """
        return self._execute_on(member, operation, arguments)[1]

    # As a mapping, where that is honest: each of these is one operation of the cluster.

    def __getitem__(self, key: K) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        if not self.remove(key).executed:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self.contains_key(cast(K, key))

    def __len__(self) -> int:
        return self.size()

    def __bool__(self) -> bool:
        """A cache is something, even an empty one."""
        return True

    def __iter__(self) -> Iterator[K]:
        return (entry.key for entry in self.iterate())


class Counter(CounterOperations):
    """A counter of the cluster."""

    def listen(self) -> Listener:
        """Listens to its changes."""
        driver = self._driver
        driver.check()
        with driver.lock:
            listener = driver.machine.listen_to_counter(driver.now(), self._cache, self.name)
            return Listener(driver, listener, bytes)._ready()

    def create_strong(self, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Makes it a strong counter; False if there is one of that name."""
        return self.create(CounterConfiguration("unbounded_strong", initial_value, persistent=persistent))

    def create_bounded(self, lower: int, upper: int, initial_value: int = 0, *, persistent: bool = False) -> bool:
        """Makes it a strong counter between two bounds; False if there is one of that name."""
        return self.create(
            CounterConfiguration("bounded_strong", initial_value, lower, upper, persistent=persistent)
        )

    def create_weak(self, initial_value: int = 0, *, concurrency: int = 16, persistent: bool = False) -> bool:
        """Makes it a weak counter; False if there is one of that name."""
        return self.create(
            CounterConfiguration("weak", initial_value, concurrency=concurrency, persistent=persistent)
        )


class Multimap(MultimapOperations[K, V]):
    """A multimap of the cluster."""
