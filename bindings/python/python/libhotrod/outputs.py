# Written by generate.py from spec/vocabulary.json: change it there.

"""What a machine tells its host: one class for each, to be told apart by `match` or by their type."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Union

from .errors import HotRodError
from .types import IterationEntry, Tls


class Connect(NamedTuple):
    """Establish a connection, and say `handle_connected` or `handle_link_lost`."""

    link: int
    """Its name from now on."""
    member: int
    """Who is to be at the other end."""
    host: str
    """Host name or IP address to connect to, without brackets."""
    port: int
    """TCP port."""
    tls: Optional[Tls]
    """TLS to be established before the link is said to be connected."""
    timeout: int
    """When the machine gives it up. In microseconds."""


class StartTls(NamedTuple):
    """Establish TLS on a connection that is there, and say `handle_connected` again, or `handle_link_lost`. Before it
    there is nothing left to send or to receive.
    """

    link: int
    """Which link."""
    tls: Tls
    """How."""


class Transmit(NamedTuple):
    """The link has bytes to send: write `transmit` until it is empty."""

    link: int
    """Which link."""


class Pause(NamedTuple):
    """Do not read from the link: the application has too many events of a listener to take. What comes all the same
    is not lost.
    """

    link: int
    """Which link."""


class Resume(NamedTuple):
    """Read from the link again."""

    link: int
    """Which link."""


class Close(NamedTuple):
    """Close the connection, or stop establishing it; nothing more is said of it."""

    link: int
    """Which link."""


class Completed(NamedTuple):
    """An operation is done. Exactly one comes for every one submitted and not cancelled."""

    id: int
    """Which operation."""
    member: Optional[int]
    """The member that answered, or that was the last one tried."""
    answer: Optional[Any]
    """What it answers; none if it failed."""
    error: Optional[HotRodError]
    """How it failed; none if it did not."""


class Entries(NamedTuple):
    """The next entries of an iteration. None of them mean that it is over, as an error does."""

    id: int
    """Which iteration."""
    entries: Optional[list[IterationEntry[bytes, bytes]]]
    """The entries; an empty list at the end."""
    error: Optional[HotRodError]
    """Why there are no more; none if there may be."""


class Started(NamedTuple):
    """A first member is ready: the answer to `start`."""


class StartFailed(NamedTuple):
    """No server could be reached, or none accepts the session: the other answer."""

    error: HotRodError
    """Why."""


class MemberReady(NamedTuple):
    """A session with a member is ready."""

    member: int
    """Which member."""
    address: str
    """Its address."""
    alpn: Optional[str]
    """The ALPN id that it has selected, if TLS was used and it selected one."""


class MemberUnavailable(NamedTuple):
    """A link failed or was lost."""

    member: int
    """Which member."""
    address: str
    """Its address."""
    reason: str
    """Why."""
    retry_after: int
    """It is not tried for so long. In microseconds."""


class Topology(NamedTuple):
    """A cache has a new view of the cluster."""

    cache: str
    """Which cache."""
    id: int
    """The id of the topology."""
    members: int
    """Its members."""


class Degraded(NamedTuple):
    """No member of the topology can be reached: operations go to the seeds, which forward them."""


class Restored(NamedTuple):
    """A member of the topology can be reached again."""


class SiteSwitched(NamedTuple):
    """Another site's cluster is used from now on."""

    from_: str
    """The name of the site that was left; empty for the one of the settings' seeds."""
    to: str
    """The name of the new one."""
    automatic: bool
    """Whether the machine did so by itself, because no member of the old one could be reached."""


class ListenerRegistered(NamedTuple):
    """A listener is registered: what happens from now on is told."""

    listener: int
    """Which listener."""
    member: int
    """The member that serves it."""


class ListenerMoved(NamedTuple):
    """A listener is registered anew, because its member was lost. What happened in between was missed, unless it
    includes the current state.
    """

    listener: int
    """Which listener."""
    member: int
    """The member that serves it now."""


class ListenerFailed(NamedTuple):
    """A listener could not be registered, and is gone."""

    listener: int
    """Which listener."""
    member: Optional[int]
    """The member that was asked last."""
    error: HotRodError
    """Why."""


class Entry(NamedTuple):
    """An event for a cache listener."""

    listener: int
    """Which listener."""
    link: int
    """The link that it came by: one that is not read holds up no operation."""
    change: str
    """What happened to the entry. One of created, modified, removed, expired."""
    key: Optional[bytes]
    """Its key; none if the listener has a converter."""
    version: Optional[int]
    """Its version, if it was created or modified."""
    data: Optional[bytes]
    """What the listener's converter made of it."""
    retried: bool
    """Whether the write was retried in the server: the event may have been sent before."""


class Counter(NamedTuple):
    """An event for a counter listener."""

    listener: int
    """Which listener."""
    link: int
    """The link that it came by: one that is not read holds up no operation."""
    counter: str
    """The counter."""
    old_value: int
    """Its value before."""
    old_state: str
    """Whether that was at a bound. One of valid, lower_bound_reached, upper_bound_reached."""
    new_value: int
    """Its value now."""
    new_state: str
    """Whether that is at a bound. One of valid, lower_bound_reached, upper_bound_reached."""


class CarriageChosen(NamedTuple):
    """Which carriage is used with an endpoint, where the settings leave the choice: told when it is found, and again
    whenever another takes its place.
    """

    endpoint: str
    """The endpoint, `host:port`."""
    carriage: str
    """The name of the carriage, as in connection URIs."""
    reason: str
    """What the endpoint does not offer of what is better; empty if there is nothing."""


class AccessChosen(NamedTuple):
    """Which access path is used, where the settings leave the choice."""

    path: str
    """Its name, as in connection URIs."""
    reason: str
    """What it was chosen for."""


class Coverage(NamedTuple):
    """How many members are reached directly has changed, or why they are not all. Not told where members are simply
    dialled.
    """

    covered: int
    """Members with a session that is ready."""
    members: int
    """Members of the newest topology."""
    reason: str
    """Why they are not the same; empty if they are."""


class BalancingRecognised(NamedTuple):
    """How a balancer chooses the member of a connection, as far as it was seen."""

    balancing: str
    """`round-robin`, `random`, `client-address` or `cookie`."""
    reason: str
    """What was seen."""


class MemberNotAllowed(NamedTuple):
    """A topology names a member outside `member_hosts`: no link is opened to it, and its operations go to other
    members, which forward them. Reported once for each member.
    """

    member: int
    """Which member."""
    address: str
    """Its address."""
    reason: str
    """The hosts that are allowed, and the property that sets them."""


class NearCacheActive(NamedTuple):
    """A near cache keeps values from now on."""

    cache: str
    """Of which cache."""


class NearCacheInactive(NamedTuple):
    """A near cache is empty and keeps nothing, because nobody tells of changes at the moment."""

    cache: str
    """Of which cache."""
    error: Optional[HotRodError]
    """Why it stays so; `None` if it is being made active again."""


Output = Union[
    Connect,
    StartTls,
    Transmit,
    Pause,
    Resume,
    Close,
    Completed,
    Entries,
    Started,
    StartFailed,
    MemberReady,
    MemberUnavailable,
    Topology,
    Degraded,
    Restored,
    SiteSwitched,
    ListenerRegistered,
    ListenerMoved,
    ListenerFailed,
    Entry,
    Counter,
    CarriageChosen,
    AccessChosen,
    Coverage,
    BalancingRecognised,
    MemberNotAllowed,
    NearCacheActive,
    NearCacheInactive,
]

OUTPUTS: dict[int, type[Any]] = {
    1: Connect,
    2: StartTls,
    3: Transmit,
    4: Pause,
    5: Resume,
    6: Close,
    7: Completed,
    8: Entries,
    32: Started,
    33: StartFailed,
    34: MemberReady,
    35: MemberUnavailable,
    36: Topology,
    37: Degraded,
    38: Restored,
    39: SiteSwitched,
    40: ListenerRegistered,
    41: ListenerMoved,
    42: ListenerFailed,
    43: Entry,
    44: Counter,
    47: CarriageChosen,
    48: AccessChosen,
    49: Coverage,
    50: BalancingRecognised,
    51: MemberNotAllowed,
    45: NearCacheActive,
    46: NearCacheInactive,
}
"""The classes by their number at the border."""
