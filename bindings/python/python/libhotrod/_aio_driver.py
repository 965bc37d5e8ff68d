"""The asyncio driver: moves bytes between the machine and the event loop's transports, and decides nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Callable, Optional, cast

from . import outputs
from ._connect import connect_async
from ._fork import check, process
from ._native import Machine
from ._tls import Contexts, explained
from .errors import ClosedError, HotRodError
from .outputs import Output

# Bytes per write; between writes the transport may ask to pause.
WRITE_SIZE = 1 << 18
# Events queued for a subscriber before the oldest is dropped.
EVENT_QUEUE = 1024


def is_closing(transport: asyncio.Transport) -> bool:
    """Returns whether a transport is closing or closed."""
    try:
        return transport.is_closing()
    except AttributeError:
        # A TLS transport of Python 3.10 and older that has lost its connection.
        return True


class Link(asyncio.Protocol):
    """A link of the machine, as an asyncio protocol."""

    def __init__(self, driver: Driver, link: int) -> None:
        self.driver = driver
        self.link = link
        self.dialling: Optional[asyncio.Task[None]] = None
        self.transport: Optional[asyncio.Transport] = None
        self.can_write = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.driver.transports.add(self.transport)

    def data_received(self, data: bytes) -> None:
        # Bytes before `connected` are kept by the machine.
        driver = self.driver
        driver.machine.received(driver.now(), self.link, data)
        driver.pump()

    def pause_writing(self) -> None:
        self.can_write = False

    def resume_writing(self) -> None:
        self.can_write = True
        self.send()
        self.driver.pump()

    def connection_lost(self, error: Optional[Exception]) -> None:
        if self.transport is not None:
            self.driver.transports.discard(self.transport)
        self.driver.lost(self.link, str(error or "the server closed the connection"))

    def send(self) -> None:
        """Writes until the transport applies backpressure; `resume_writing` continues. A transport that is closing, which
        `connection_lost` reports later, takes nothing.
        """
        while self.can_write and self.transport is not None and not is_closing(self.transport):
            data = self.driver.machine.transmit(self.link, WRITE_SIZE)
            if not data:
                return
            self.transport.write(data)

    async def dial(self, connect: outputs.Connect) -> None:
        # Files are read first: no connection is made in vain.
        context = self.driver.contexts.get(connect.tls) if connect.tls else None
        name = connect.tls.server_name if connect.tls else None
        connection = await connect_async(self.driver.loop, connect.host, connect.port)
        try:
            await self.driver.loop.create_connection(lambda: self, sock=connection, ssl=context, server_hostname=name)
        except OSError as error:
            raise OSError(explained(error) if context else str(error)) from error

    async def start_tls(self, output: outputs.StartTls) -> None:
        assert self.transport is not None
        context, name = self.driver.contexts.get(output.tls), output.tls.server_name
        try:
            secured = await self.driver.loop.start_tls(self.transport, self, context, server_hostname=name)
        except OSError as error:
            raise OSError(explained(error)) from error
        if secured is None:
            raise ConnectionError("the connection was lost while TLS was established")
        self.transport = secured

    async def establish(self, work: Any) -> None:
        """Runs a dial or a TLS handshake and reports the outcome to the machine."""
        driver = self.driver
        try:
            await work
        except (OSError, ValueError, RuntimeError) as error:
            # RuntimeError: no thread for the name lookup is left, or the interpreter is shutting down.
            return driver.lost(self.link, str(error) or type(error).__name__)
        finally:
            self.dialling = None
        assert self.transport is not None
        secured = self.transport.get_extra_info("ssl_object")
        if peer := self.transport.get_extra_info("peername"):
            driver.machine.set_peer(self.link, peer[0])
        if secured and (certificate := secured.getpeercert(binary_form=True)):
            driver.machine.set_server_certificate(self.link, certificate)
        driver.machine.connected(driver.now(), self.link, secured and secured.selected_alpn_protocol())
        driver.pump()

    def close(self) -> None:
        if self.dialling is not None:
            self.dialling.cancel()
        if self.transport is not None:
            self.transport.close()


class Driver:
    """A machine, its links, and the futures and queues that receive its outputs."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.default_cache = machine.default_cache
        # The blocking driver has a lock here; all tasks of an event loop run in one thread.
        self.lock: AbstractContextManager[None] = nullcontext()
        self.loop = asyncio.get_running_loop()
        self.contexts = Contexts(machine.tls)
        self.process = process()
        self.transports: set[asyncio.Transport] = set()
        self.pending: dict[int, asyncio.Future[tuple[Optional[int], Any]]] = {}
        self.iterations: dict[int, asyncio.Future[list[Any]]] = {}
        self.listeners: dict[int, Callable[[Optional[Output]], None]] = {}
        self.subscribers: list[asyncio.Queue[Optional[Output]]] = []
        self.started: asyncio.Future[None] = self.loop.create_future()
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self._epoch = self.loop.time()
        self._links: dict[int, Link] = {}
        self._scheduled = False
        self._to_release: deque[int] = deque()
        self._timer: Optional[asyncio.TimerHandle] = None
        self._alarm: Optional[int] = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            outputs.Connect: self._connect,
            outputs.StartTls: self._start_tls,
            outputs.Transmit: self._transmit,
            outputs.Pause: self._pause,
            outputs.Resume: self._resume,
            outputs.Close: self._close,
            outputs.Completed: self._completed,
            outputs.Entries: self._entries,
            outputs.Started: lambda _: self._start(None),
            outputs.StartFailed: lambda failed: self._start(failed.error),
            **dict.fromkeys(
                [outputs.Entry, outputs.Counter, outputs.ListenerRegistered, outputs.ListenerMoved, outputs.ListenerFailed],
                self._listen,
            ),
        }

    def now(self) -> int:
        """Returns the machine's time: microseconds since the driver was created."""
        return int((self.loop.time() - self._epoch) * 1_000_000)

    def check(self) -> None:
        """Raises ClosedError in another process, another thread or another event loop than the client's, and after the end
        of its event loop.
        """
        check(self.process)
        try:
            running: Optional[asyncio.AbstractEventLoop] = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if self.loop.is_closed():
            raise ClosedError("the event loop of the client is closed")
        if running is not self.loop and (running is not None or self.loop.is_running()):
            raise ClosedError("the client belongs to another event loop")

    def check_inspection(self) -> None:
        """Raises ClosedError in another process: it has the state of the fork only."""
        check(self.process)

    def finalize(self, call: Callable[..., None], *arguments: Any) -> None:
        """Calls in the event loop, if it still runs; a finalizer may run in any thread."""
        if self.process != process() or self.loop.is_closed():
            return
        try:
            self.loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # Closed meanwhile.
            pass

    def release_later(self, cache: int) -> None:
        """Releases the number of a garbage-collected cache in the next `pump`; a finalizer may run in any thread."""
        self._to_release.append(cache)

    def schedule(self) -> None:
        """Schedules `pump` after the tasks that are ready now, so that their operations share a write."""
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        self.pump()

    def pump(self) -> None:
        """Executes the machine's outputs."""
        machine, handlers = self.machine, self._handlers
        while self._to_release:
            machine.release_cache(self._to_release.popleft())
        while batch := machine.poll():
            for output in batch:
                handle: Callable[[Any], None] = handlers.get(type(output), self._publish)
                handle(output)
        self._set_timer()

    def lost(self, link: int, reason: str) -> None:
        if link in self._links:
            self.machine.link_lost(self.now(), link, reason)
            self.pump()

    def _connect(self, connect: outputs.Connect) -> None:
        link = self._links[connect.link] = Link(self, connect.link)
        link.dialling = self.loop.create_task(link.establish(link.dial(connect)))

    def _start_tls(self, output: outputs.StartTls) -> None:
        link = self._links[output.link]
        # Bytes read after this output are not decrypted.
        if link.transport and not is_closing(link.transport):
            link.transport.pause_reading()
        link.dialling = self.loop.create_task(link.establish(link.start_tls(output)))

    def _transmit(self, output: outputs.Transmit) -> None:
        if link := self._links.get(output.link):
            link.send()

    def _pause(self, output: outputs.Pause) -> None:
        if (link := self._links.get(output.link)) and link.transport and not is_closing(link.transport):
            link.transport.pause_reading()

    def _resume(self, output: outputs.Resume) -> None:
        if (link := self._links.get(output.link)) and link.transport and not is_closing(link.transport):
            link.transport.resume_reading()

    def _close(self, output: outputs.Close) -> None:
        if link := self._links.pop(output.link, None):
            link.close()

    def _completed(self, output: outputs.Completed) -> None:
        future = self.pending.pop(output.id, None)
        if future is None or future.done():
            return
        if output.error is None:
            future.set_result((output.member, output.answer))
        else:
            future.set_exception(output.error)

    def _entries(self, output: outputs.Entries) -> None:
        future = self.iterations.pop(output.id, None)
        if future is None or future.done():
            return
        if output.error is None:
            future.set_result(output.entries or [])
        else:
            future.set_exception(output.error)

    def _listen(self, output: Any) -> None:
        if listener := self.listeners.get(output.listener):
            listener(output)

    def _start(self, error: Optional[HotRodError]) -> None:
        if not self.started.done():
            if error is None:
                self.started.set_result(None)
            else:
                self.started.set_exception(error)

    def _publish(self, output: Output) -> None:
        for queue in self.subscribers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(output)

    def _set_timer(self) -> None:
        deadline = self.machine.poll_timeout()
        if deadline is None:
            if self.machine.closed:
                self._end()
            return
        # A timer that fires early is harmless: it sets the next one.
        if self._alarm is None or deadline < self._alarm:
            if self._timer is not None:
                self._timer.cancel()
            self._alarm = deadline
            self._timer = self.loop.call_at(self._epoch + deadline / 1_000_000, self._wake)

    def _wake(self) -> None:
        self._timer = self._alarm = None
        # The loop may fire a timer up to its clock resolution early.
        self.machine.timeout(self.now() + 1)
        self.pump()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._alarm = None
        for queue in self.subscribers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self.subscribers.clear()
        for listener in self.listeners.values():
            listener(None)
        self.listeners.clear()
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        """Closes the machine; `ended` is set when every link is closed."""
        self.machine.close(self.now())
        self.pump()

    async def close_transports(self, timeout: float) -> None:
        """Lets closing transports flush for at most `timeout` seconds, then aborts them: a TLS peer may never answer the
        closure alert (RFC 8446, 6.1), and nothing is read from it any more.
        """
        end = self.loop.time() + timeout
        while any(self._is_flushing(transport) for transport in self.transports) and self.loop.time() < end:
            await asyncio.sleep(0.001)
        for transport in [*self.transports]:
            transport.abort()
        # Aborted transports report their end in the next turns of the event loop.
        while self.transports and self.loop.time() < end:
            await asyncio.sleep(0)

    @staticmethod
    def _is_flushing(transport: asyncio.Transport) -> bool:
        try:
            return transport.get_write_buffer_size() > 0
        except AttributeError:
            # As in `is_closing`.
            return False
