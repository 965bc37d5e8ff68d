"""The machine: a client of a whole cluster without IO.

The host owns sockets, TLS, DNS and the clock; `now` counts microseconds since an epoch of the host's choosing. After any
number of calls, `poll` returns what to do and `poll_timeout` the deadline of the next `timeout`. See the guide "bring your own
sockets".

Any thread may use a machine, one at a time: a concurrent call raises MisuseError.
"""

from collections.abc import Iterable
from typing import Any, Optional, Sequence, Union, final

from .outputs import Output
from .types import Coverage, Member, Tls, View

__all__ = ["ConnectionAttempts", "Machine", "__version__", "decode_protostream", "encode_protostream"]

__version__: str

_Buffer = Union[bytes, bytearray, memoryview]
_Factory = tuple[str, list[bytes]]

def encode_protostream(kind: str, content: Any) -> bytes:
    """Encodes a value of application/x-protostream. `kind` is one of `libhotrod.protostream.KINDS`. Contents of several parts
    are tuples: `(seconds, nanoseconds)` of an instant, `(type, number)` of an enum, `(type, data)` of a message, and `(type,
    data, elements)` of a container, whose elements are `(kind, content)`; a type is its name or its number. Raises ValueError,
    OverflowError or TypeError for what the kind does not hold.
    """

def decode_protostream(data: bytes) -> tuple[str, Any]:
    """Decodes a value of application/x-protostream to its kind and content, as `encode_protostream` takes them. Raises ValueError
    for data that is not valid, or has more than 32 containers within each other or 1,048,576 elements.
    """

@final
class ConnectionAttempts:
    """Decides when a connection to which address of a host is begun (RFC 8305): the first one that is established is kept."""

    def __new__(cls, is_ipv6: list[bool]) -> ConnectionAttempts:
        """Takes the addresses in the resolver's order: whether each is an IPv6 address."""

    def poll_attempt(self, now: int) -> Optional[int]:
        """Returns the index of the address to which a connection is to be begun now; call it again until it returns None."""

    def poll_timeout(self) -> Optional[int]:
        """Returns the time of the next attempt; None when every address has been tried."""

    def failed(self) -> None:
        """Reports that an attempt has failed: the next one is due now."""

    @property
    def exhausted(self) -> bool:
        """Whether every attempt has failed, or there is no address."""

@final
class Machine:
    def __new__(cls, uri: str, *, seed: Optional[bytes] = None, now: int = 0) -> Machine:
        """Creates a client for `uri`. `seed`, 32 bytes, is its only source of randomness; by default the system's random
        source gives one. Raises MisuseError for an invalid URI.
        """

    @property
    def default_cache(self) -> str:
        """Name of the URI's cache; empty for the server's default cache."""

    @property
    def default_media_types(self) -> tuple[str, str]:
        """Media types of keys and of values in caches that declare none; empty if the URI has none."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called and every link is closed."""

    @property
    def site(self) -> str:
        """Name of the current site; empty for the site of the URI."""

    @property
    def tls(self) -> Optional[Tls]:
        """Settings of TLS; None without TLS. `server_name` is empty unless the settings have one for all links. A host reads
        the files when the client is created, and refuses those that can't be used.
        """

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
        """Returns a new number for a cache with these request settings; valid until `release_cache`."""

    def release_cache(self, cache: int) -> None:
        """Releases the number of a cache. Operations, listeners and iterations that were begun with it go on."""

    def start(self, now: int, cache: int) -> None:
        """Connects to a first member; the outcome is Started or StartFailed."""

    def submit(
        self,
        now: int,
        cache: int,
        operation: str,
        arguments: tuple[Any, ...],
        member: Optional[int] = None,
        timeout: Optional[int] = None,
        storage_keys: Optional[Sequence[bytes]] = None,
    ) -> int:
        """Submits an operation by its name, with its fields in order; Completed carries the answer. `timeout` is in
        microseconds, over all attempts. `storage_keys` are the bytes that servers store for its `keys`, where the application knows
        them better than the machine. Raises MisuseError, FullError or ClosedError; nothing is sent then.
        """

    @staticmethod
    def keys(operation: str, arguments: tuple[Any, ...]) -> list[bytes]:
        """Returns the keys by which an operation is routed, in their order."""

    def cancel(self, operation: int) -> bool:
        """Cancels an operation: no output follows. It may still be executed. Returns False if it was completed."""

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
        """Registers a listener on a cache; interests: 1 created, 2 modified, 4 removed, 8 expired, 0 for all."""

    def listen_to_counter(self, now: int, cache: int, counter: str) -> int:
        """Registers a listener on a counter."""

    def remove_listener(self, now: int, listener: int) -> bool:
        """Removes a listener. Returns False if it does not exist."""

    def events_taken(self, now: int, listener: int, count: int) -> None:
        """Reports that the application consumed `count` events; unconsumed events pause the listener's link."""

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
        """Starts an iteration over the entries of a cache. `timeout` is in microseconds."""

    def next_entries(self, now: int, iteration: int) -> bool:
        """Requests a batch; one Entries follows. Returns False for an unknown iteration or while a batch is pending."""

    def end_iteration(self, now: int, iteration: int) -> None:
        """Ends an iteration early."""

    def near_cache(
        self,
        now: int,
        cache: int,
        *,
        max_entries: int = 10_000,
        max_bytes: int = 67_108_864,
        bloom_filter: bool = False,
    ) -> None:
        """Enables a near cache; NearCacheActive reports when it is active."""

    def remove_near_cache(self, now: int, cache: int) -> None:
        """Disables a near cache and drops its values."""

    def near_cache_size(self, cache: int) -> tuple[int, int]:
        """Returns the entries and bytes in a near cache."""

    def switch_site(self, now: int, name: str) -> bool:
        """Switches to another site; an empty name means the site of the URI. Returns False if the site is unknown."""

    def set_discovered(
        self,
        address: str,
        host: Optional[str] = None,
        port: Optional[int] = None,
        server_name: Optional[str] = None,
    ) -> None:
        """Sets the endpoint at which the member of an advertised address is reached; without a host removes it."""

    def set_peer(self, link: int, address: str) -> None:
        """Sets the peer's IP address of a link; call it before `connected`."""

    def set_tls_exporter(self, link: int, exported: bytes) -> None:
        """Sets the TLS 1.3 exporter value for channel binding (RFC 9266); call it before `connected`."""

    def set_server_certificate(self, link: int, certificate: bytes) -> None:
        """Sets the server's certificate in DER for channel binding (RFC 5929); call it before `connected`."""

    def connected(self, now: int, link: int, alpn: Optional[str] = None) -> None:
        """Reports that Connect or StartTls succeeded, with the ALPN id that the server selected."""

    def received(self, now: int, link: int, data: _Buffer) -> None:
        """Feeds bytes received on a link."""

    def link_lost(self, now: int, link: int, why: str) -> None:
        """Reports that a link was lost or not established; `why` is for error messages."""

    def timeout(self, now: int) -> None:
        """Advances time; early and late calls are harmless."""

    def transmit(self, link: int, most: Optional[int] = None) -> bytes:
        """Returns up to `most` queued bytes of a link; empty if there are none."""

    def wants_read(self, link: int) -> bool:
        """Returns whether the host should read from the link."""

    def poll(self, into: Optional[list[Output]] = None) -> list[Output]:
        """Returns the outputs since the last call, in order. With `into` they are appended to that list, which is returned:
        an exception, such as a signal handler's, loses none then.
        """

    def poll_timeout(self) -> Optional[int]:
        """Returns the time of the next `timeout` call; None for never."""

    def close(self, now: int) -> None:
        """Lets operations in flight finish, then closes every link. New operations are refused."""

    def counters(self) -> dict[str, Any]:
        """Returns statistics: counts, and latencies in seconds."""

    def coverage(self) -> Coverage:
        """Returns how many members are reached directly, and why not all."""

    def members(self) -> list[Member]:
        """Returns every known member."""

    def view(self, cache: int) -> Optional[View]:
        """Returns a cache's view of the cluster; None before its first topology."""
