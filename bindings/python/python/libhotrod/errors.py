# Written by generate.py from spec/vocabulary.json: change it there.

"""What can go wrong: a class for each kind, all of them HotRodError."""

from __future__ import annotations

from typing import Optional, Sequence

__all__ = [
    "ClosedError",
    "DisconnectedError",
    "FullError",
    "HandshakeError",
    "IterationLostError",
    "MemberGoneError",
    "MisuseError",
    "NoSuchCounterError",
    "OutOfBoundsError",
    "PartialError",
    "RefusedError",
    "ServerError",
    "TimedOutError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "HotRodError",
    "STATUSES",
]


class HotRodError(Exception):
    """The root of all errors of this package. Its text says which operation, which member, and what may have happened."""

    def __init__(
        self,
        message: str,
        *,
        operation: Optional[str] = None,
        member: Optional[str] = None,
        status: Optional[int] = None,
        may_have_been_applied: bool = False,
        attempts: int = 0,
        parts: Sequence[tuple[list[bytes], HotRodError]] = (),
        entries: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.operation = operation
        """The protocol's name of the operation, if one failed."""
        self.member = member
        """The address of the member that it was sent to last."""
        self.status = status
        """The server's status, if it answered with an error; STATUSES has their names."""
        self.may_have_been_applied = may_have_been_applied
        """Whether the operation may have been executed all the same. False: it certainly was not."""
        self.attempts = attempts
        """How often it reached a member."""
        self.parts = parts
        """Of a PartialError: the keys of each part that failed, and how."""
        self.entries = entries
        """Of a PartialError: what the other parts have read."""


class MisuseError(HotRodError, ValueError):
    """The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent."""


class FullError(HotRodError):
    """Too much is going on: not now. Nothing was sent."""


class ClosedError(HotRodError):
    """The client is closed."""


class ServerError(HotRodError):
    """The server answered with an error; its status and words are given."""


class TimedOutError(HotRodError, TimeoutError):
    """No answer came in time."""


class DisconnectedError(HotRodError, ConnectionError):
    """The connection was lost, or the server broke the protocol, before the answer came."""


class UnreachableError(HotRodError, ConnectionError):
    """No member could be reached in time."""


class HandshakeError(HotRodError, ConnectionError):
    """A server was reached and did not accept the session: wrong credentials, another protocol."""


class RefusedError(HotRodError):
    """The operation can't be sent: the server's protocol version does not have it, or a field is too large."""


class MemberGoneError(HotRodError):
    """The member that holds the state that the operation speaks of is gone."""


class IterationLostError(HotRodError):
    """Servers lost an iteration again and again."""


class PartialError(HotRodError):
    """Some parts of a bulk operation failed, and the others did not."""


class NoSuchCounterError(HotRodError):
    """There is no counter of that name."""


class OutOfBoundsError(HotRodError):
    """A counter would leave its bounds; it was not changed."""


class UnexpectedAnswerError(HotRodError):
    """The server answered with something that the operation does not have for an answer."""


ERRORS: dict[int, type[HotRodError]] = {
    1: MisuseError,
    2: FullError,
    3: ClosedError,
    4: ServerError,
    5: TimedOutError,
    6: DisconnectedError,
    7: UnreachableError,
    8: HandshakeError,
    9: RefusedError,
    10: MemberGoneError,
    11: IterationLostError,
    12: PartialError,
    13: NoSuchCounterError,
    14: OutOfBoundsError,
    15: UnexpectedAnswerError,
}
"""The classes by their number at the border."""

STATUSES: dict[int, str] = {
    0x00: "success",
    0x01: "not executed",
    0x02: "key does not exist",
    0x03: "success, with the previous value",
    0x04: "not executed, with the present value",
    0x05: "invalid iteration",
    0x06: "success, object storage",
    0x07: "success, with the previous value, object storage",
    0x08: "not executed, with the present value, object storage",
    0x81: "invalid magic or message id",
    0x82: "unknown operation",
    0x83: "unknown version",
    0x84: "request parsing error",
    0x85: "server error",
    0x86: "operation timed out in the server",
    0x87: "node suspected",
    0x88: "illegal lifecycle state",
}
"""What the statuses of servers mean."""
