"""TCP connections to hosts with several addresses (RFC 8305): the machine of the native module says when which one is tried."""

from __future__ import annotations

import asyncio
import errno
import os
import selectors
import socket
import time
from typing import Any, Optional

from ._native import ConnectionAttempts

_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))
_SECOND = 1_000_000


def _attempts(addresses: list[Any]) -> ConnectionAttempts:
    return ConnectionAttempts([family == socket.AF_INET6 for family, *_ in addresses])


def _begin(address: Any) -> socket.socket:
    """Begins a connection to an address of getaddrinfo."""
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        code = connection.connect_ex(where)
        if code not in _IN_PROGRESS:
            raise OSError(code, os.strerror(code))
        return connection
    except BaseException:
        connection.close()
        raise


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connects to the first of the host's addresses that answers. The socket has the timeout, in seconds."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    attempts, start, error = _attempts(addresses), time.monotonic(), OSError("the host has no address")
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                now = int((time.monotonic() - start) * _SECOND)
                while (index := attempts.poll_attempt(now)) is not None:
                    try:
                        selector.register(_begin(addresses[index]), selectors.EVENT_WRITE)
                    except OSError as failure:
                        error = failure
                        attempts.failed()
                if attempts.exhausted:
                    raise error
                left = timeout - now / _SECOND
                if left <= 0:
                    raise TimeoutError(f"no connection within {timeout:g} s")
                due = attempts.poll_timeout()
                for key, _ in selector.select(left if due is None else min(left, max(0, due - now) / _SECOND)):
                    connection: Any = key.fileobj
                    selector.unregister(connection)
                    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        connection.settimeout(timeout)
                        return connection  # type: ignore[no-any-return]
                    connection.close()
                    error = OSError(code, os.strerror(code))
                    attempts.failed()
        finally:
            for key in [*selector.get_map().values()]:
                key.fileobj.close()  # type: ignore[union-attr]


async def _attempt(loop: asyncio.AbstractEventLoop, address: Any) -> socket.socket:
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, where)
        return connection
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError) and error.errno:
            # As in `connect`: asyncio writes the address instead of the reason.
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise


async def connect_async(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Connects to the first of the host's addresses that answers.

    The loop's own `create_connection` has no `happy_eyeballs_delay` in uvloop.
    """
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    attempts, start, error = _attempts(addresses), loop.time(), OSError("the host has no address")
    tasks: set[asyncio.Task[socket.socket]] = set()
    pending: set[asyncio.Task[socket.socket]] = set()
    connected: Optional[socket.socket] = None
    try:
        while True:
            now = int((loop.time() - start) * _SECOND)
            while (index := attempts.poll_attempt(now)) is not None:
                task = loop.create_task(_attempt(loop, addresses[index]))
                tasks.add(task)
                pending.add(task)
            if attempts.exhausted:
                raise error
            due = attempts.poll_timeout()
            delay = None if due is None else max(0, due - now) / _SECOND
            done, pending = await asyncio.wait(pending, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failure = task.exception()
                if failure is None:
                    connected = task.result()
                    return connected
                if not isinstance(failure, OSError):
                    raise failure
                error = failure
                attempts.failed()
    finally:
        for task in tasks:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception() is None and task.result() is not connected:
                task.result().close()
