# Written by generate.py from spec/vocabulary.json: change it there.

"""The operations of caches, counters and multimaps, awaited."""

from __future__ import annotations

from typing import Iterable, Mapping, Optional

from ._codec_use import K, V
from ._aio_base import CacheBase, CounterBase, MultimapBase
from .types import (
    Conditional,
    CounterConfiguration,
    Entry,
    Modification,
    ServerInfo,
    ValuesWithMetadata,
    Versioned,
    Xid,
)


class CacheOperations(CacheBase[K, V]):
    """The operations of a cache, as the protocol has them."""

    async def put(
        self,
        key: K,
        value: V,
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Optional[Entry[V]]:
        """Stores a value, whether or not there is one. Lifetimes are seconds, `math.inf` for no end, None for what
        the cache is configured with.
        """
        return self._entry(await self._execute("put", (self._key(key), (lifespan, max_idle), self._value(value))))

    async def get(self, key: K) -> Optional[V]:
        """Reads a value."""
        return self._found(await self._execute("get", (self._key(key),)))

    async def put_if_absent(
        self,
        key: K,
        value: V,
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Conditional[V]:
        """Stores a value if there is none. Lifetimes are seconds, `math.inf` for no end, None for what the cache is
        configured with.
        """
        return self._conditional(await self._execute("put_if_absent", (self._key(key), (lifespan, max_idle), self._value(value))))

    async def replace(
        self,
        key: K,
        value: V,
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Conditional[V]:
        """Stores a value if there is one. Lifetimes are seconds, `math.inf` for no end, None for what the cache is
        configured with.
        """
        return self._conditional(await self._execute("replace", (self._key(key), (lifespan, max_idle), self._value(value))))

    async def replace_if_unmodified(
        self,
        key: K,
        entry_version: int,
        value: V,
        *,
        lifespan: Optional[float] = None,
        max_idle: Optional[float] = None,
    ) -> Versioned:
        """Stores a value if the entry still has that version. Lifetimes are seconds, `math.inf` for no end, None for
        what the cache is configured with.
        """
        answer: Versioned = await self._execute("replace_if_unmodified", (self._key(key), (lifespan, max_idle), entry_version, self._value(value)))
        return answer

    async def remove(self, key: K) -> Conditional[V]:
        """Removes an entry."""
        return self._conditional(await self._execute("remove", (self._key(key),)))

    async def remove_if_unmodified(self, key: K, entry_version: int) -> Versioned:
        """Removes an entry if it still has that version."""
        answer: Versioned = await self._execute("remove_if_unmodified", (self._key(key), entry_version))
        return answer

    async def contains_key(self, key: K) -> bool:
        """Tells whether there is an entry."""
        answer: bool = await self._execute("contains_key", (self._key(key),))
        return answer

    async def get_with_version(self, key: K) -> Optional[Entry[V]]:
        """Reads a value and its version."""
        return self._entry(await self._execute("get_with_version", (self._key(key),)))

    async def clear(self) -> None:
        """Removes all entries."""
        await self._execute("clear", ())

    async def stats(self) -> dict[str, str]:
        """Tells the statistics of the cache and the server."""
        answer: dict[str, str] = await self._execute("stats", ())
        return answer

    async def ping(self) -> ServerInfo:
        """Asks whether the server and the cache are there; also what the server can do."""
        answer: ServerInfo = await self._execute("ping", ())
        return answer

    async def get_with_metadata(self, key: K) -> Optional[Entry[V]]:
        """Reads a value, its version and its lifetimes."""
        return self._entry(await self._execute("get_with_metadata", (self._key(key),)))

    async def query(self, query: bytes) -> Optional[bytes]:
        """Runs a query (a serialized `QueryRequest`)."""
        answer: Optional[bytes] = await self._execute("query", (query,))
        return answer

    async def size(self) -> int:
        """Counts the entries."""
        answer: int = await self._execute("size", ())
        return answer

    async def exec(self, task: str, parameters: Mapping[str, bytes] = {}) -> Optional[bytes]:
        """Runs a task in the server; at most 127 parameters."""
        answer: Optional[bytes] = await self._execute("exec", (task, parameters.items()))
        return answer

    async def prepare_tx(self, xid: Xid, one_phase_commit: bool, modifications: Iterable[Modification]) -> int:
        """Prepares a transaction, with a timeout of 60 s."""
        answer: int = await self._execute("prepare_tx", (xid, one_phase_commit, modifications))
        return answer

    async def commit_tx(self, xid: Xid) -> int:
        """Commits a prepared transaction."""
        answer: int = await self._execute("commit_tx", (xid,))
        return answer

    async def rollback_tx(self, xid: Xid) -> int:
        """Rolls a transaction back."""
        answer: int = await self._execute("rollback_tx", (xid,))
        return answer

    async def forget_tx(self, xid: Xid) -> None:
        """Drops what the server remembers of a finished transaction."""
        await self._execute("forget_tx", (xid,))

    async def fetch_tx_recovery(self) -> list[Xid]:
        """Asks for the prepared transactions that nobody finished."""
        answer: list[Xid] = await self._execute("fetch_tx_recovery", ())
        return answer

    async def prepare_tx_2(
        self,
        xid: Xid,
        one_phase_commit: bool,
        recoverable: bool,
        timeout: int,
        modifications: Iterable[Modification],
    ) -> int:
        """Prepares a transaction; the timeout is in milliseconds."""
        answer: int = await self._execute("prepare_tx_2", (xid, one_phase_commit, recoverable, timeout, modifications))
        return answer


class CounterOperations(CounterBase):
    """The operations of a counter, as the protocol has them."""

    async def create(self, configuration: CounterConfiguration) -> bool:
        """Makes a counter."""
        answer: bool = await self._execute("counter_create", (self.name, configuration))
        return answer

    async def get_configuration(self) -> Optional[CounterConfiguration]:
        """Tells how a counter was made."""
        answer: Optional[CounterConfiguration] = await self._execute("counter_get_configuration", (self.name,))
        return answer

    async def is_defined(self) -> bool:
        """Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors."""
        answer: bool = await self._execute("counter_is_defined", (self.name,))
        return answer

    async def add_and_get(self, delta: int) -> int:
        """Adds to a counter and tells its new value (0 for a weak one)."""
        answer: int = await self._execute("counter_add_and_get", (self.name, delta))
        return answer

    async def reset(self) -> None:
        """Sets a counter back to its initial value."""
        await self._execute("counter_reset", (self.name,))

    async def get(self) -> int:
        """Tells the value of a counter."""
        answer: int = await self._execute("counter_get", (self.name,))
        return answer

    async def compare_and_swap(self, expected: int, update: int) -> int:
        """Sets a strong counter if it has the expected value, and tells the value it had."""
        answer: int = await self._execute("counter_compare_and_swap", (self.name, expected, update))
        return answer

    async def remove(self) -> bool:
        """Drops the value of a counter; its configuration stays."""
        answer: bool = await self._execute("counter_remove", (self.name,))
        return answer

    async def get_and_set(self, value: int) -> int:
        """Sets a strong counter and tells the value it had."""
        answer: int = await self._execute("counter_get_and_set", (self.name, value))
        return answer


class MultimapOperations(MultimapBase[K, V]):
    """The operations of a multimap, as the protocol has them."""

    async def get(self, key: K) -> list[V]:
        """Reads the values of a multimap key."""
        return self._values(await self._execute("get_multimap", (self._key(key), self.supports_duplicates)))

    async def get_with_metadata(self, key: K) -> Optional[ValuesWithMetadata[V]]:
        """Reads the values of a multimap key, with version and lifetimes."""
        return self._values_with_metadata(await self._execute("get_multimap_with_metadata", (self._key(key), self.supports_duplicates)))

    async def put(self, key: K, value: V) -> None:
        """Adds a value to a multimap key; the expiration is sent and not used by the server."""
        await self._execute("put_multimap", (self._key(key), (None, None), self._value(value), self.supports_duplicates))

    async def remove_key(self, key: K) -> bool:
        """Removes a multimap key with all its values."""
        answer: bool = await self._execute("remove_key_multimap", (self._key(key), self.supports_duplicates))
        return answer

    async def remove_entry(self, key: K, value: V) -> bool:
        """Removes a value from a multimap key."""
        answer: bool = await self._execute("remove_entry_multimap", (self._key(key), (None, None), self._value(value), self.supports_duplicates))
        return answer

    async def size(self) -> int:
        """Counts the entries of a multimap."""
        answer: int = await self._execute("size_multimap", (self.supports_duplicates,))
        return answer

    async def contains_entry(self, key: K, value: V) -> bool:
        """Tells whether a multimap key has that value."""
        answer: bool = await self._execute("contains_entry_multimap", (self._key(key), (None, None), self._value(value), self.supports_duplicates))
        return answer

    async def contains_key(self, key: K) -> bool:
        """Tells whether a multimap has that key."""
        answer: bool = await self._execute("contains_key_multimap", (self._key(key), self.supports_duplicates))
        return answer

    async def contains_value(self, value: V) -> bool:
        """Tells whether any key of a multimap has that value."""
        answer: bool = await self._execute("contains_value_multimap", ((None, None), self._value(value), self.supports_duplicates))
        return answer
