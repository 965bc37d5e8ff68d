#if asyncio
"""Asynchronous iterators of the asyncio client: iterations, listeners, client events."""
#else
"""Iterators of the blocking client: iterations and listeners."""
#endif

from __future__ import annotations

#if asyncio
import asyncio
#else
import threading
import time
#endif
from collections import deque
from types import TracebackType
from typing import Any, Callable, Generic, Optional, TypeVar, cast

from . import outputs
#if asyncio
from ._aio_driver import EVENT_QUEUE, Driver
#else
from ._blocking_driver import Driver, Waiter
#endif
from ._codec_use import K, V
#if asyncio
from .errors import HotRodError
#else
from .errors import HotRodError, MisuseError
#endif
#if asyncio
from .outputs import ClientEvent, Output
#else
from .outputs import Output
#endif
from .types import CounterEvent, EntryEvent, IterationEntry, Moved

E = TypeVar("E")


class Iteration(Generic[K, V]):
    """Entries of a cache, each once, from all members in parallel; use it with `async for`. Tasks may share it.

    `aclose`, leaving its `async with`, and garbage collection end an unfinished iteration on the servers.
    """

    def __init__(self, driver: Driver, iteration: int, decode: Callable[[Any], IterationEntry[K, V]]) -> None:
        self._driver = driver
        self._iteration: Optional[int] = iteration
        self._decode = decode
        self._batch: deque[Any] = deque()
#if asyncio
        self._next: Optional[asyncio.Future[list[Any]]] = None
        self._fetch_lock = asyncio.Lock()
#else
        self._next: Optional[Waiter] = None
        self._fetch_lock = threading.RLock()
        self._is_fetching: Callable[[], bool] = cast(Any, self._fetch_lock)._is_owned
#endif

    def __aiter__(self) -> Iteration[K, V]:
        return self

    async def __anext__(self) -> IterationEntry[K, V]:
#if asyncio
        if not self._batch:
            # One task fetches for all tasks that share the iteration.
            async with self._fetch_lock:
                await self._fetch()
        return self._decode(self._batch.popleft())
#else
        # One thread fetches for all threads that share the iteration.
        self._driver.check()
        if self._is_fetching():
            raise MisuseError("a signal handler or finalizer called the iteration from inside of another call")
        with self._fetch_lock:
            while True:
                try:
                    entry = self._batch.popleft()
                    break
                except IndexError:
                    # Empty, or emptied by `close` in another thread.
                    self._fetch()
        return self._decode(entry)
#endif

#if asyncio
    async def _fetch(self) -> None:
        while not self._batch:
            if self._iteration is None:
                raise StopAsyncIteration
            self._request()
            assert self._next is not None
            try:
                # A cancelled task leaves the pending batch to the next one.
                entries = await asyncio.shield(self._next)
            except HotRodError:
                self._iteration = self._next = None
                raise
            self._take(entries)
#else
    def _fetch(self) -> None:
        driver = self._driver
        driver.check()
        with driver.lock:
            if self._iteration is None:
                raise StopIteration
            self._request()
            waiting = self._next
        assert waiting is not None
        try:
            # An interrupted thread leaves the pending batch to the next one.
            entries = driver.wait(waiting)
        except HotRodError:
            self._iteration = self._next = None
            raise
        with driver.lock:
            self._take(entries)
#endif

    def _take(self, entries: list[Any]) -> None:
        self._next = None
        if not entries or self._iteration is None:
            # An empty batch is the last; without an id the iteration was closed while the batch was pending.
            self._iteration = None
            raise StopAsyncIteration
        self._batch.extend(entries)
        # Prefetches the next batch.
        self._request()

    def _request(self) -> None:
        driver = self._driver
#if asyncio
        driver.check()
#endif
        if self._next is None and self._iteration is not None:
#if asyncio
            self._next = driver.loop.create_future()
            if driver.machine.next_entries(driver.now(), self._iteration):
                driver.iterations[self._iteration] = self._next
            else:
                self._next.set_result([])
#else
            self._next = Waiter()
            if driver.machine.next_entries(driver.now(), self._iteration):
                driver.iterations[self._iteration] = self._next
            else:
                self._next.finish([], None)
#endif
            driver.schedule()

    async def aclose(self) -> None:
        """Ends the iteration early."""
#if asyncio
        iteration, self._iteration = self._iteration, None
        self._batch.clear()
        if iteration is not None:
            self._end(self._driver, iteration)

    @staticmethod
    def _end(driver: Driver, iteration: int) -> None:
        waiting = driver.iterations.pop(iteration, None)
        if waiting is not None and not waiting.done():
            waiting.set_result([])
        driver.machine.end_iteration(driver.now(), iteration)
        driver.schedule()

    def __del__(self) -> None:
        if self._iteration is not None:
            self._driver.finalize(self._end, self._driver, self._iteration)
#else
        driver = self._driver
        driver.check()
        with driver.lock:
            iteration, self._iteration = self._iteration, None
            self._batch.clear()
            if iteration is not None:
                if waiter := driver.iterations.pop(iteration, None):
                    waiter.finish([], None)
                driver.machine.end_iteration(driver.now(), iteration)
                driver.pump()

    def __del__(self) -> None:
        if self._iteration is not None:
            self._driver.end_later(self._iteration)
#endif

    async def __aenter__(self) -> Iteration[K, V]:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()


class Listener(Generic[E]):
    """Events of a cache or a counter, in order; use it with `async for`. Tasks may share it.

    No event is dropped: the link of a slow listener is paused, which delays no operation. `aclose`, and leaving its
    `async with`, remove the listener from the server.
    """

    def __init__(self, driver: Driver, listener: int, decode: Callable[[bytes], Any]) -> None:
#if blocking
        """Requires the driver's lock, and `pump` after it."""
#endif
        self._driver = driver
        self._listener = listener
        self._decode = decode
        self._error: Optional[BaseException] = None
#if asyncio
        self._events: asyncio.Queue[Optional[Output]] = asyncio.Queue()
        self._registered: asyncio.Future[None] = driver.loop.create_future()
        driver.listeners[listener] = self._on_output

    async def _ready(self) -> Listener[E]:
        try:
            await self._registered
        except BaseException:
            await self.aclose()
            raise
        return self

    def _on_output(self, output: Optional[Output]) -> None:
        if isinstance(output, outputs.ListenerRegistered):
            if not self._registered.done():
                self._registered.set_result(None)
        elif isinstance(output, outputs.ListenerFailed):
            self._driver.listeners.pop(self._listener, None)
            if not self._registered.done():
                self._registered.set_exception(output.error)
            else:
                self._error = output.error
                self._events.put_nowait(None)
        else:
            self._events.put_nowait(output)
#else
        self._events: deque[Output] = deque()
        self._closed = False
        self._readers: list[Waiter] = []
        self._registered = Waiter()
        driver.listeners[listener] = self._on_output

    def _ready(self) -> Listener[E]:
        """Waits for the registration."""
        try:
            self._driver.wait(self._registered)
        except BaseException:
            with self._driver.lock:
                self._remove()
            raise
        return self

    def _on_output(self, output: Optional[Output]) -> None:
        if output is None:
            self._closed = True
        elif isinstance(output, outputs.ListenerRegistered):
            return self._registered.finish(None, None)
        elif isinstance(output, outputs.ListenerFailed):
            self._driver.listeners.pop(self._listener, None)
            self._registered.finish(None, output.error)
            self._error = output.error
        elif not self._events or self._events[-1] is not output:
            # Otherwise it is there already: an exception interrupted the driver after that.
            self._events.append(output)
        self._wake_readers()

    def _wake_readers(self) -> None:
        for reader in self._readers:
            reader.finish(None, None)
        self._readers.clear()
#endif

    def __aiter__(self) -> Listener[E]:
        return self

    async def __anext__(self) -> E:
#if asyncio
        output = await self._events.get()
        if output is None:
            # Stays in the queue for later reads.
            self._events.put_nowait(None)
            if self._error is not None:
                raise self._error
            raise StopAsyncIteration
        driver = self._driver
        if isinstance(output, outputs.ListenerMoved):
            return cast(E, Moved(output.member))
        driver.machine.events_taken(driver.now(), self._listener, 1)
        driver.schedule()
#else
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: Optional[float] = None) -> Optional[E]:
        """Returns the next event; None after the last. Raises TimeoutError after `timeout` seconds without an event."""
        driver = self._driver
        driver.check()
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with driver.lock:
                if self._events:
                    # Leaves the queue last, so that an exception does not lose it.
                    output = self._events[0]
                    if not isinstance(output, outputs.ListenerMoved):
                        driver.machine.events_taken(driver.now(), self._listener, 1)
                        driver.pump()
                    del self._events[0]
                    break
                if self._error is not None:
                    raise self._error
                if self._closed or driver.ended:
                    return None
                reader = Waiter()
                self._readers.append(reader)
            try:
                driver.wait(reader, None if end is None else end - time.monotonic())
            finally:
                with driver.lock:
                    if reader in self._readers:
                        self._readers.remove(reader)
        if isinstance(output, outputs.ListenerMoved):
            return cast(E, Moved(output.member))
#endif
        if isinstance(output, outputs.Entry):
            key = None if output.key is None else self._decode(output.key)
            return cast(E, EntryEvent(output.change, key, output.version, output.data, output.retried))
        assert isinstance(output, outputs.Counter)
        return cast(E, CounterEvent(*output[2:]))
#if blocking

    def _remove(self) -> None:
        driver = self._driver
        self._closed = True
        if driver.listeners.pop(self._listener, None) is not None:
            driver.machine.remove_listener(driver.now(), self._listener)
            driver.pump()
        self._wake_readers()
#endif

    async def aclose(self) -> None:
        """Removes the listener from the server."""
#if asyncio
        driver = self._driver
        if driver.listeners.pop(self._listener, None) is not None:
            driver.machine.remove_listener(driver.now(), self._listener)
            driver.schedule()
            self._events.put_nowait(None)
#else
        self._driver.check()
        with self._driver.lock:
            self._remove()
#endif

    async def __aenter__(self) -> Listener[E]:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()
#if asyncio


class ClientEvents:
    """Events of members, topologies, sites and near caches, as outputs of the machine; use it with `async for`.

    At most 1,024 events are queued; beyond that the oldest is dropped.
    """

    def __init__(self, driver: Driver) -> None:
        self._queue: asyncio.Queue[Optional[Output]] = asyncio.Queue(EVENT_QUEUE)
        if driver.ended.done():
            self._queue.put_nowait(None)
        else:
            driver.subscribers.append(self._queue)

    def __aiter__(self) -> ClientEvents:
        return self

    async def __anext__(self) -> ClientEvent:
        output = await self._queue.get()
        if output is None:
            self._queue.put_nowait(None)
            raise StopAsyncIteration
        return cast(ClientEvent, output)
#endif
