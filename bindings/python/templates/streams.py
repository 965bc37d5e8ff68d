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
from typing import Any, Callable, Generic, Optional

from . import outputs
#if asyncio
from ._aio_driver import EVENT_QUEUE, Driver
#else
from ._blocking_driver import Driver, Waiter
#endif
from ._codec_use import K, V
from .errors import HotRodError
from .outputs import Output
from .types import CounterEvent, EntryEvent, IterationEntry, ListenerEvent, Moved


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
        self._fetch_lock = threading.Lock()
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

    async def _fetch(self) -> None:
#if asyncio
        while not self._batch:
#else
        driver = self._driver
        driver.check()
        with driver.lock:
#endif
            if self._iteration is None:
                raise StopAsyncIteration
            self._request()
            assert self._next is not None
            try:
#if asyncio
                # A cancelled task leaves the pending batch to the next one.
                entries = await asyncio.shield(self._next)
#else
                entries = driver.wait(self._next)
#endif
            except HotRodError:
                self._iteration = self._next = None
                raise
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
        if self._iteration is not None and not self._driver.loop.is_closed():
            self._driver.loop.call_soon_threadsafe(self._end, self._driver, self._iteration)
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


class Listener:
    """Events of a cache or a counter, in order; use it with `async for`. Tasks may share it.

    No event is dropped: the link of a slow listener is paused, which delays no operation. `aclose`, and leaving its
    `async with`, remove the listener from the server.
    """

    def __init__(self, driver: Driver, listener: int, decode: Callable[[bytes], Any]) -> None:
#if blocking
        """Requires the driver's lock."""
#endif
        self._driver = driver
        self._listener = listener
        self._decode = decode
        self._error: Optional[BaseException] = None
#if asyncio
        self._events: asyncio.Queue[Optional[Output]] = asyncio.Queue()
        self._registered: asyncio.Future[None] = driver.loop.create_future()
        driver.listeners[listener] = self._on_output
        driver.schedule()

    async def _ready(self) -> Listener:
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

    def _ready(self) -> Listener:
        """Waits for the registration. Requires the driver's lock."""
        try:
            self._driver.pump()
            self._driver.wait(self._registered)
        except BaseException:
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
        else:
            self._events.append(output)
        self._wake_readers()

    def _wake_readers(self) -> None:
        for reader in self._readers:
            reader.finish(None, None)
        self._readers.clear()
#endif

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> ListenerEvent:
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
            return Moved(output.member)
        driver.machine.events_taken(driver.now(), self._listener, 1)
        driver.schedule()
#else
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: Optional[float] = None) -> Optional[ListenerEvent]:
        """Returns the next event; None after the last. Raises TimeoutError after `timeout` seconds without an event."""
        driver = self._driver
        driver.check()
        end = None if timeout is None else time.monotonic() + timeout
        with driver.lock:
            while not self._events:
                if self._error is not None:
                    raise self._error
                if self._closed or driver.ended.done:
                    return None
                reader = Waiter()
                self._readers.append(reader)
                try:
                    driver.wait(reader, None if end is None else end - time.monotonic())
                finally:
                    if reader in self._readers:
                        self._readers.remove(reader)
            output = self._events.popleft()
            if isinstance(output, outputs.ListenerMoved):
                return Moved(output.member)
            driver.machine.events_taken(driver.now(), self._listener, 1)
            driver.pump()
#endif
        if isinstance(output, outputs.Entry):
            key = None if output.key is None else self._decode(output.key)
            return EntryEvent(output.change, key, output.version, output.data, output.retried)
        assert isinstance(output, outputs.Counter)
        return CounterEvent(*output[2:])
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

    async def __aenter__(self) -> Listener:
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

    async def __anext__(self) -> Output:
        output = await self._queue.get()
        if output is None:
            self._queue.put_nowait(None)
            raise StopAsyncIteration
        return output
#endif
