"""Binds a client to the process that created it: after a fork both processes would share its sockets."""

from __future__ import annotations

import os

from .errors import ClosedError

_process = os.getpid()


def _forked() -> None:
    global _process
    _process = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def process() -> int:
    """Returns the id of this process."""
    return _process


def check(owner: int) -> None:
    """Raises ClosedError if `owner` is another process."""
    if owner != _process:
        raise ClosedError("the client was made before this process was forked: connect anew in the child process")
