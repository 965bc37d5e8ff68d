"""The machine: a client of a whole cluster without IO.

The host owns sockets, TLS, DNS and the clock; `now` counts microseconds since an epoch of the host's choosing. After any
number of calls `poll` tells what to do, and `poll_timeout` when to call `timeout` if nothing else happens before. See the
guide "bring your own sockets".

A machine may be used by any thread, by one at a time: MisuseError tells of a second one.
"""

from collections.abc import Iterable
from typing import Any, Optional, Union, final

from .outputs import Output
from .types import Coverage, Member, View

__all__ = ["Machine", "__version__"]

__version__: str

_Buffer = Union[bytes, bytearray, memoryview]
_Factory = tuple[str, list[bytes]]

@final
class Machine:
    def __new__(cls, uri: str, *, seed: Optional[bytes] = None, now: int = 0) -> Machine:
        """A client of what a URI names. All its randomness comes from `seed`, of 32 bytes; from the system without one.
        Raises MisuseError of a wrong URI.
        """

    @property
    def default_cache(self) -> str:
        """The cache that the URI names; empty for the server's default cache."""

    @property
    def closed(self) -> bool:
        """Whether it was closed and every link is gone."""

    @property
    def site(self) -> str:
        """The site in use; empty for that of the URI."""

    def cache(
        self,
        now: int,
        name: str,
        *,
        flags: int = 0,
        key_type: str = "",
        value_type: str = "",
        read_from_any_owner: bool = False,
        parameters: Optional[Iterable[tuple[str, bytes]]] = None,
    ) -> int:
        """A number for a cache asked in that way; every call gives a new one."""

    def start(self, now: int, cache: int) -> None:
        """Begins to look for a member: Started or StartFailed tells how it went."""

    def submit(
        self,
        now: int,
        cache: int,
        operation: str,
        arguments: tuple[Any, ...],
        member: Optional[int] = None,
        timeout: Optional[int] = None,
    ) -> int:
        """Submits an operation by its name, with its fields in order; Completed brings the answer. `timeout` is in
        microseconds, over all attempts. Raises MisuseError, FullError or ClosedError; nothing is sent then.
        """

    def cancel(self, operation: int) -> bool:
        """Gives an operation up: nothing will be said of it. It may be executed all the same. False if it is done."""

    def listen(
        self,
        now: int,
        cache: int,
        *,
        include_current_state: bool = False,
        filter: Optional[_Factory] = None,
        converter: Optional[_Factory] = None,
        use_raw_data: bool = False,
        interests: int = 0,
    ) -> int:
        """Listens to a cache; interests: 1 created, 2 modified, 4 removed, 8 expired, 0 for all."""

    def listen_to_counter(self, now: int, cache: int, counter: str) -> int:
        """Listens to a counter."""

    def remove_listener(self, now: int, listener: int) -> bool:
        """Listens no more. False if there is no such listener (any more)."""

    def events_taken(self, now: int, listener: int, count: int) -> None:
        """The application has taken so many events: what it has not taken pauses the listener's link in the end."""

    def iterate(
        self,
        now: int,
        cache: int,
        *,
        segments: Optional[_Buffer] = None,
        filter_converter: Optional[_Factory] = None,
        batch_size: int = 0,
        include_metadata: bool = False,
        timeout: Optional[int] = None,
    ) -> int:
        """Begins to iterate over the entries of a cache."""

    def next_entries(self, now: int, iteration: int) -> bool:
        """Asks for the next entries: one Entries comes. False if there is no such iteration, or it was asked already."""

    def end_iteration(self, now: int, iteration: int) -> None:
        """Ends an iteration before its end."""

    def near_cache(
        self,
        now: int,
        cache: int,
        *,
        max_entries: int = 10_000,
        max_bytes: int = 67_108_864,
        bloom_filter: bool = False,
    ) -> None:
        """Keeps values of a cache in the client; NearCacheActive tells when."""

    def remove_near_cache(self, now: int, cache: int) -> None:
        """Keeps no values of a cache any more."""

    def near_cache_size(self, cache: int) -> tuple[int, int]:
        """Entries and bytes that a near cache holds."""

    def switch_site(self, now: int, name: str) -> bool:
        """Goes over to another site; an empty name leads back. False if there is none of that name."""

    def set_discovered(
        self,
        address: str,
        host: Optional[str] = None,
        port: Optional[int] = None,
        server_name: Optional[str] = None,
    ) -> None:
        """Says where the member of an advertised address was found; without a host that it is there no more."""

    def set_peer(self, link: int, address: str) -> None:
        """The IP address to which a link was connected; before `connected`."""

    def set_tls_exporter(self, link: int, exported: bytes) -> None:
        """What TLS 1.3 exports for channel binding (RFC 9266); before `connected`."""

    def set_server_certificate(self, link: int, certificate: bytes) -> None:
        """The server's certificate in DER, for channel binding (RFC 5929); before `connected`."""

    def connected(self, now: int, link: int, alpn: Optional[str] = None) -> None:
        """What Connect or StartTls asked for is there; with the ALPN id that the server has selected."""

    def received(self, now: int, link: int, data: _Buffer) -> None:
        """Takes bytes from a link."""

    def link_lost(self, now: int, link: int, why: str) -> None:
        """A link is gone, or could not be established; `why` is for people."""

    def timeout(self, now: int) -> None:
        """Time has passed; early and late calls do no harm."""

    def transmit(self, link: int, most: Optional[int] = None) -> bytes:
        """Takes what a link has to send, at most so many bytes; empty if that is nothing."""

    def wants_read(self, link: int) -> bool:
        """Whether the host should read from the link."""

    def poll(self) -> list[Output]:
        """What there is to do and to know, in order."""

    def poll_timeout(self) -> Optional[int]:
        """When to call `timeout`, if nothing else happens before."""

    def close(self, now: int) -> None:
        """Lets the operations in flight finish, and closes every link. Nothing more is accepted."""

    def counters(self) -> dict[str, Any]:
        """What the machine has done: counts, and latencies in seconds."""

    def coverage(self) -> Coverage:
        """How many members are reached directly, and why not all."""

    def members(self) -> list[Member]:
        """Every member that the machine knows."""

    def view(self, cache: int) -> Optional[View]:
        """A cache's view of the cluster; None before its first topology."""
