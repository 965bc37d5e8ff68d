"""Types of answers and arguments beside keys and values."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Optional, TypeVar, Union

V = TypeVar("V")
K = TypeVar("K")

# Python supports generic named tuples since 3.11; before, they are generic for type checkers only.
if TYPE_CHECKING or sys.version_info >= (3, 11):

    class Entry(NamedTuple, Generic[V]):
        """An entry without its key."""

        value: V
        version: Optional[int] = None
        """Changes with every write; None where the protocol version does not report it."""
        lifespan: Optional[Lifetime] = None
        """Time to live after the write; None if unlimited or not reported."""
        max_idle: Optional[Lifetime] = None
        """Time to live after the last use; None if unlimited or not reported."""

    class Conditional(NamedTuple, Generic[V]):
        """The outcome of an operation with a condition."""

        executed: bool
        """Whether the condition held and the operation was executed."""
        previous: Optional[Entry[V]] = None
        """The previous entry, or the current one if the operation was not executed; only with Flags.FORCE_RETURN_VALUE."""

        def __bool__(self) -> bool:
            """Returns whether the operation was executed."""
            return self.executed

    class ValuesWithMetadata(NamedTuple, Generic[V]):
        """The values of a multimap key."""

        values: list[V]
        metadata: Metadata
        """Version and lifetimes of the key."""

    class IterationEntry(NamedTuple, Generic[K, V]):
        """An entry of an iteration."""

        key: K
        values: list[V]
        """The value, or the projections that the filter-converter returned."""
        metadata: Optional[Metadata] = None
        """Version and lifetimes, if requested."""

        @property
        def value(self) -> V:
            """The value: the first of the values."""
            return self.values[0]

    class EntryEvent(NamedTuple, Generic[K]):
        """Change of an entry, as a listener receives it."""

        change: str
        """"created", "modified", "removed" or "expired"."""
        key: Optional[K]
        """The decoded key; None if the listener has a converter."""
        version: Optional[int] = None
        """The entry's version, if it was created or modified."""
        data: Optional[bytes] = None
        """Output of the listener's converter."""
        retried: bool = False
        """Whether the server retried the write, so the event may be a duplicate."""

else:
    from collections import namedtuple

    Entry = namedtuple("Entry", ["value", "version", "lifespan", "max_idle"], defaults=(None, None, None))
    EntryEvent = namedtuple(
        "EntryEvent", ["change", "key", "version", "data", "retried"], defaults=(None, None, False)
    )

    class Conditional(namedtuple("Conditional", ["executed", "previous"], defaults=(None,))):
        __slots__ = ()

        def __bool__(self):
            return self.executed

    ValuesWithMetadata = namedtuple("ValuesWithMetadata", ["values", "metadata"])

    class IterationEntry(namedtuple("IterationEntry", ["key", "values", "metadata"], defaults=(None,))):
        __slots__ = ()

        @property
        def value(self):
            return self.values[0]

    for _class in (Entry, Conditional, ValuesWithMetadata, IterationEntry, EntryEvent):
        _class.__class_getitem__ = classmethod(lambda cls, _parameters: cls)
        _class.__module__ = __name__
    del _class


class Lifetime(NamedTuple):
    """A lifetime and its start."""

    since: float
    """Creation (lifespan) or last use (maximum idle time): seconds since 1970 by the server's clock."""
    seconds: int
    """Length of the lifetime in seconds."""


class Metadata(NamedTuple):
    """Metadata of an entry."""

    version: int
    """Changes with every write; opaque, for conditional operations."""
    lifespan: Optional[Lifetime] = None
    """Time to live after the write; None if unlimited."""
    max_idle: Optional[Lifetime] = None
    """Time to live after the last use; None if unlimited."""


class Versioned(str, Enum):
    """The outcome of an operation on a given version of an entry."""

    DONE = "done"
    """The operation was executed."""
    MODIFIED = "modified"
    """The entry has another version."""
    MISSING = "missing"
    """There is no entry."""

    def __bool__(self) -> bool:
        """Returns whether the operation was executed."""
        return self is Versioned.DONE


class ServerInfo(NamedTuple):
    """Capabilities of a server."""

    key_type: str
    """Storage media type of keys; empty if not reported."""
    value_type: str
    """Storage media type of values; empty if not reported."""
    server_version: Optional[int]
    """The server's newest protocol version: 41 for 4.1 (3.0 and later)."""
    operations: list[int]
    """Request opcodes that the server supports (3.0 and later)."""


class Chunk(NamedTuple):
    """A chunk of a streamed value."""

    stream_id: int
    """Identifies the stream in requests for further chunks."""
    complete: bool
    """Whether this is the last chunk."""
    metadata: Optional[Metadata]
    """Version and lifetimes of the entry, in the first chunk."""
    chunk: bytes


class Xid(NamedTuple):
    """The identity of a transaction branch (X/Open XA)."""

    format_id: int
    """Format identifier (formatID of X/Open XA)."""
    global_transaction_id: bytes
    """At most 64 bytes."""
    branch_qualifier: bytes
    """At most 64 bytes."""


class Modification(NamedTuple):
    """One change that a transaction makes."""

    key: bytes
    """Key of the entry."""
    value: Optional[bytes]
    """New value; None removes the entry."""
    seen: Union[int, str] = "not_read"
    """State that the transaction read: the entry's version, "non_existing", or "not_read"."""
    lifespan: Optional[float] = None
    """New time to live in seconds."""
    max_idle: Optional[float] = None
    """New time to live after the last use, in seconds."""


class CounterConfiguration(NamedTuple):
    """Configuration of a counter."""

    kind: str
    """"unbounded_strong", "bounded_strong" or "weak"."""
    initial_value: int = 0
    """Initial value."""
    lower: Optional[int] = None
    """Lower bound of a bounded counter, inclusive."""
    upper: Optional[int] = None
    """Upper bound of a bounded counter, inclusive."""
    concurrency: Optional[int] = None
    """Number of partial values of a weak counter."""
    persistent: bool = False
    """Whether the counter survives a restart of the cluster."""


class Tls(NamedTuple):
    """TLS settings of a link."""

    server_name: str
    """Server name for SNI (not sent for an IP address) and for verification of the certificate."""
    alpn: list[str]
    """ALPN protocol ids to offer, in order of preference."""
    trust_ca: Optional[str]
    """PEM file with trust anchors; None for the system's."""
    client_certificate: Optional[tuple[str, str]]
    """PEM files with the client's certificate chain and private key."""
    client_key_password: Optional[str] = None
    """Pass phrase of an encrypted private key. Without it refuse the key rather than prompt."""

    def __repr__(self) -> str:
        shown = self._replace(client_key_password=self.client_key_password and "…")
        fields = (f"{name}={value!r}" for name, value in zip(self._fields, tuple(shown)))
        return f"Tls({', '.join(fields)})"


class Coverage(NamedTuple):
    """Coverage of the cluster: servers forward operations on keys of members that are not reached directly."""

    covered: int
    """Members with a ready session."""
    members: int
    """Members of the newest topology; 0 before the first topology."""
    reason: Optional[str]
    """Why `covered` is below `members`; None if it is not."""


class Member(NamedTuple):
    """State of a member in the client."""

    id: int
    """Identity in this client."""
    address: str
    """Advertised address, or the address of a seed."""
    ready: bool
    """Whether a session with the member is ready."""
    is_seed: bool
    """Whether the member is a seed of the URI."""
    links: int
    """Links to the member that are open or being established."""
    in_flight: int
    """Operations in flight on the member."""
    answered: int
    """Operations answered on the current links."""
    protocol_version: Optional[str]
    """Protocol version of its ready session."""
    failure: Optional[str]
    """Last connection failure; None after a success."""


class View(NamedTuple):
    """A cache's view of the cluster."""

    topology_id: int
    """Topology id: opaque, compare for equality only."""
    members: list[str]
    """Addresses of the members."""
    owners: list[list[int]]
    """For each segment the indexes of its owners in `members`, the primary owner first."""


class CounterEvent(NamedTuple):
    """Change of a counter, as a listener receives it."""

    counter: str
    """Name of the counter."""
    old_value: int
    """Previous value."""
    old_state: str
    """"valid", "lower_bound_reached" or "upper_bound_reached"."""
    new_value: int
    """New value."""
    new_state: str
    """One of the values of `old_state`."""


class Moved(NamedTuple):
    """The listener moved to another member: events in between were missed."""

    member: int
    """Identity of the new member."""


ListenerEvent = Union[EntryEvent[Any], CounterEvent, Moved]
