"""What operations answer, and what they take beside keys and values."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING, Generic, NamedTuple, Optional, TypeVar, Union

V = TypeVar("V")
K = TypeVar("K")

# Generic named tuples came with Python 3.11; before, they are generic for type checkers only.
if TYPE_CHECKING or sys.version_info >= (3, 11):

    class Entry(NamedTuple, Generic[V]):
        """An entry without its key."""

        value: V
        """The value."""
        version: Optional[int] = None
        """Changes with every write; None where the protocol version does not tell it."""
        lifespan: Optional[Lifetime] = None
        """Time to live after the write; None for no end, or where it is not told."""
        max_idle: Optional[Lifetime] = None
        """Time to live after the last use; None for no end, or where it is not told."""

    class Conditional(NamedTuple, Generic[V]):
        """The outcome of an operation with a condition."""

        executed: bool
        """Whether the condition held, and the operation was executed."""
        previous: Optional[Entry[V]] = None
        """The entry before, or the present one if it was not executed: only with Flags.FORCE_RETURN_VALUE."""

    class ValuesWithMetadata(NamedTuple, Generic[V]):
        """The values of a multimap key."""

        values: list[V]
        """The values."""
        metadata: Metadata
        """Version and lifetimes of the key."""

    class IterationEntry(NamedTuple, Generic[K, V]):
        """An entry of an iteration."""

        key: K
        """The key."""
        values: list[V]
        """The value, or the projections that the filter-converter made of it."""
        metadata: Optional[Metadata] = None
        """Version and lifetimes, if asked for."""

        @property
        def value(self) -> V:
            """The value: the first of the values."""
            return self.values[0]

else:
    from collections import namedtuple

    Entry = namedtuple("Entry", ["value", "version", "lifespan", "max_idle"], defaults=(None, None, None))
    Conditional = namedtuple("Conditional", ["executed", "previous"], defaults=(None,))
    ValuesWithMetadata = namedtuple("ValuesWithMetadata", ["values", "metadata"])

    class IterationEntry(namedtuple("IterationEntry", ["key", "values", "metadata"], defaults=(None,))):
        __slots__ = ()

        @property
        def value(self):
            return self.values[0]

    for _class in (Entry, Conditional, ValuesWithMetadata, IterationEntry):
        _class.__class_getitem__ = classmethod(lambda cls, _parameters: cls)
        _class.__module__ = __name__
    del _class


class Lifetime(NamedTuple):
    """A lifetime and when it began."""

    since: float
    """Creation (lifespan) or last use (maximum idle time): seconds since 1970 by the server's clock."""
    seconds: int
    """The lifetime from then on, in seconds."""


class Metadata(NamedTuple):
    """What a server tells of an entry beside its value."""

    version: int
    """Changes with every write; opaque, for conditional operations."""
    lifespan: Optional[Lifetime] = None
    """Time to live after the write; None for no end."""
    max_idle: Optional[Lifetime] = None
    """Time to live after the last use; None for no end."""


class Versioned(str, Enum):
    """The outcome of an operation on a certain version of an entry."""

    DONE = "done"
    """It was executed."""
    MODIFIED = "modified"
    """The entry has another version by now."""
    MISSING = "missing"
    """There is no entry."""


class ServerInfo(NamedTuple):
    """What a server can do."""

    key_type: str
    """The form in which the cache stores keys; empty if it does not say."""
    value_type: str
    """The form in which the cache stores values; empty if it does not say."""
    server_version: Optional[int]
    """The newest protocol version of the server: 41 for 4.1 (3.0 and later)."""
    operations: list[int]
    """Request opcodes that it knows (3.0 and later)."""


class Chunk(NamedTuple):
    """A chunk of a streamed value."""

    stream_id: int
    """For what follows."""
    complete: bool
    """Whether it is the last."""
    metadata: Optional[Metadata]
    """Version and lifetimes of the entry, with the first one."""
    chunk: bytes
    """The bytes."""


class Xid(NamedTuple):
    """The identity of a transaction branch (X/Open XA)."""

    format_id: int
    """Format of the two ids."""
    global_transaction_id: bytes
    """At most 64 bytes."""
    branch_qualifier: bytes
    """At most 64 bytes."""


class Modification(NamedTuple):
    """One change that a transaction makes."""

    key: bytes
    """The entry's key."""
    value: Optional[bytes]
    """Its new value; None to remove it."""
    seen: Union[int, str] = "not_read"
    """What the transaction has seen of the entry: its version, "non_existing", or "not_read"."""
    lifespan: Optional[float] = None
    """Its new time to live, in seconds."""
    max_idle: Optional[float] = None
    """Its new time to live after the last use, in seconds."""


class CounterConfiguration(NamedTuple):
    """How a counter is made."""

    kind: str
    """"unbounded_strong", "bounded_strong" or "weak"."""
    initial_value: int = 0
    """Its first value."""
    lower: Optional[int] = None
    """The smallest value of a bounded counter."""
    upper: Optional[int] = None
    """The largest value of a bounded counter."""
    concurrency: Optional[int] = None
    """How many values a weak counter is made of."""
    persistent: bool = False
    """Whether it outlives a restart of the cluster."""


class Tls(NamedTuple):
    """How to establish TLS on a link."""

    server_name: str
    """The name to ask for (SNI; not if it is an IP address) and to find in the server's certificate."""
    alpn: list[str]
    """ALPN ids to offer, in order."""
    trust_ca: Optional[str]
    """PEM file with the authorities to trust; None for those of the system."""
    client_certificate: Optional[tuple[str, str]]
    """PEM files with the client's certificate chain and its private key."""


class Coverage(NamedTuple):
    """Members that are reached directly; operations on keys of the others are forwarded by the servers."""

    covered: int
    """Members with a session that is ready."""
    members: int
    """Members of the newest topology; 0 before the first."""
    reason: Optional[str]
    """Why they are not the same; None if they are."""


class Member(NamedTuple):
    """A member of the cluster as the client sees it."""

    id: int
    """Its identity in this client."""
    address: str
    """The address that it advertises, or that of a seed."""
    ready: bool
    """Whether a session with it is ready."""
    is_seed: bool
    """Whether it is a seed of the URI."""
    links: int
    """Links to it that are open or being established."""
    in_flight: int
    """Operations in flight there."""
    answered: int
    """Operations that it has answered on its present links."""
    protocol_version: Optional[str]
    """What its session speaks, if one is ready."""
    failure: Optional[str]
    """Why it could not be reached the last time, if it was not reached since."""


class View(NamedTuple):
    """A cache's view of the cluster."""

    topology_id: int
    """The topology's id; only good for comparing."""
    members: list[str]
    """The addresses of its members."""
    owners: list[list[int]]
    """For each segment the indexes of its owners in `members`, the primary one first."""


class EntryEvent(NamedTuple):
    """What happened to an entry, as a listener hears it."""

    change: str
    """"created", "modified", "removed" or "expired"."""
    key: object
    """Its key, decoded; None if the listener has a converter."""
    version: Optional[int] = None
    """Its version, if it was created or modified."""
    data: Optional[bytes] = None
    """What the listener's converter made of it."""
    retried: bool = False
    """Whether the write was retried in the server: the event may have been sent before."""


class CounterEvent(NamedTuple):
    """What happened to a counter, as a listener hears it."""

    counter: str
    """The counter."""
    old_value: int
    """Its value before."""
    old_state: str
    """"valid", "lower_bound_reached" or "upper_bound_reached"."""
    new_value: int
    """Its value now."""
    new_state: str
    """As old_state."""


class Moved(NamedTuple):
    """A listener is served by another member now: what happened in between was missed."""

    member: int
    """The member."""


ListenerEvent = Union[EntryEvent, CounterEvent, Moved]
