"""A cluster client for Hot Rod, the binary protocol of Infinispan.

    async with libhotrod.connect("hotrod://127.0.0.1:11222") as client:
        cache = client.cache("dist")
        await cache.put(b"k", b"v")

`libhotrod.blocking.connect` is the same without asyncio. `libhotrod.Machine` is the client without IO, for hosts with their
own sockets.
"""

from . import blocking, codecs, errors, outputs, protostream, types
from ._native import ConnectionAttempts, Machine, __version__
from .aio import Cache, Client, Counter, Iteration, Listener, Multimap, connect
from .errors import *  # noqa: F403
from .errors import HotRodError
from .flags import Flags
from .types import (
    Conditional,
    CounterConfiguration,
    CounterEvent,
    Coverage,
    Entry,
    EntryEvent,
    IterationEntry,
    Lifetime,
    Member,
    Metadata,
    Modification,
    Moved,
    ServerInfo,
    ValuesWithMetadata,
    Versioned,
    View,
    Xid,
)

__all__ = [
    "Cache",
    "Client",
    "Conditional",
    "ConnectionAttempts",
    "Counter",
    "CounterConfiguration",
    "CounterEvent",
    "Coverage",
    "Entry",
    "EntryEvent",
    "Flags",
    "HotRodError",
    "Iteration",
    "IterationEntry",
    "Lifetime",
    "Listener",
    "Machine",
    "Member",
    "Metadata",
    "Modification",
    "Moved",
    "Multimap",
    "ServerInfo",
    "ValuesWithMetadata",
    "Versioned",
    "View",
    "Xid",
    "__version__",
    "blocking",
    "codecs",
    "connect",
    "errors",
    "outputs",
    "protostream",
    "types",
    *errors.__all__,
]
