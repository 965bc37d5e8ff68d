"""What the asyncio client gives piece by piece: entries, events, happenings."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Callable, Generic, Optional

from . import outputs
from ._aio_driver import EVENT_QUEUE, Driver
from ._codec_use import K, V
from .errors import HotRodError
from .outputs import Output
from .types import CounterEvent, EntryEvent, IterationEntry, ListenerEvent, Moved


class Iteration(Generic[K, V]):
    """Entries of a cache, each once, from all members at the same time; to be used with `async for`.

    One that is left before its end is ended in the servers by `aclose`, by leaving its `async with`, or when it is
    collected.
    """

    def __init__(self, driver: Driver, iteration: int, decode: Callable[[Any], IterationEntry[K, V]]) -> None:
        self._driver = driver
        self._iteration: Optional[int] = iteration
        self._decode = decode
        self._batch: deque[Any] = deque()
        self._next: Optional[asyncio.Future[list[Any]]] = None
        self._turn = asyncio.Lock()

    def __aiter__(self) -> Iteration[K, V]:
        return self

    async def __anext__(self) -> IterationEntry[K, V]:
        if not self._batch:
            # Tasks may share an iteration: one of them fetches for all.
            async with self._turn:
                await self._fetch()
        return self._decode(self._batch.popleft())

    async def _fetch(self) -> None:
        while not self._batch:
            if self._iteration is None:
                raise StopAsyncIteration
            self._ask()
            assert self._next is not None
            try:
                # A task that is cancelled leaves the question to the next one.
                entries = await asyncio.shield(self._next)
            except HotRodError:
                self._iteration = self._next = None
                raise
            self._next = None
            if not entries or self._iteration is None:
                # That was the last, or it was ended meanwhile.
                self._iteration = None
                raise StopAsyncIteration
            self._batch.extend(entries)
            # The next come while these are used.
            self._ask()

    def _ask(self) -> None:
        driver = self._driver
        driver.check()
        if self._next is None and self._iteration is not None:
            self._next = driver.loop.create_future()
            if driver.machine.next_entries(driver.now(), self._iteration):
                driver.iterations[self._iteration] = self._next
            else:
                self._next.set_result([])
            driver.schedule()

    async def aclose(self) -> None:
        """Ends it before its end."""
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

    async def __aenter__(self) -> Iteration[K, V]:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()


class Listener:
    """What happens to a cache's entries or to a counter, in order; to be used with `async for`.

    No event is dropped: a listener that is too slow has its link paused, and holds up no operation. `aclose`, or leaving
    its `async with`, removes it from the server.
    """

    def __init__(self, driver: Driver, listener: int, decode: Callable[[bytes], Any]) -> None:
        self._driver = driver
        self._listener = listener
        self._decode = decode
        self._events: asyncio.Queue[Optional[Output]] = asyncio.Queue()
        self._ended: Optional[BaseException] = None
        self._registered: asyncio.Future[None] = driver.loop.create_future()
        driver.listeners[listener] = self._hear
        driver.schedule()

    async def _ready(self) -> Listener:
        try:
            await self._registered
        except BaseException:
            await self.aclose()
            raise
        return self

    def _hear(self, output: Optional[Output]) -> None:
        if isinstance(output, outputs.ListenerRegistered):
            if not self._registered.done():
                self._registered.set_result(None)
        elif isinstance(output, outputs.ListenerFailed):
            self._driver.listeners.pop(self._listener, None)
            if not self._registered.done():
                self._registered.set_exception(output.error)
            else:
                self._ended = output.error
                self._events.put_nowait(None)
        else:
            self._events.put_nowait(output)

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> ListenerEvent:
        output = await self._events.get()
        if output is None:
            # Whoever asks again hears the same.
            self._events.put_nowait(None)
            if self._ended is not None:
                raise self._ended
            raise StopAsyncIteration
        if isinstance(output, outputs.ListenerMoved):
            return Moved(output.member)
        driver = self._driver
        driver.machine.events_taken(driver.now(), self._listener, 1)
        driver.schedule()
        if isinstance(output, outputs.Entry):
            key = None if output.key is None else self._decode(output.key)
            return EntryEvent(output.change, key, output.version, output.data, output.retried)
        assert isinstance(output, outputs.Counter)
        return CounterEvent(*output[2:])

    async def aclose(self) -> None:
        """Removes it from the server."""
        driver = self._driver
        if driver.listeners.pop(self._listener, None) is not None:
            driver.machine.remove_listener(driver.now(), self._listener)
            driver.schedule()
            self._events.put_nowait(None)

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()


class Happenings:
    """What happens to members, topologies, sites and near caches: outputs of the machine; to be used with `async for`.

    Whoever is more than 1,024 behind misses the oldest.
    """

    def __init__(self, driver: Driver) -> None:
        self._queue: asyncio.Queue[Optional[Output]] = asyncio.Queue(EVENT_QUEUE)
        if driver.ended.done():
            self._queue.put_nowait(None)
        else:
            driver.subscribers.append(self._queue)

    def __aiter__(self) -> Happenings:
        return self

    async def __anext__(self) -> Output:
        output = await self._queue.get()
        if output is None:
            self._queue.put_nowait(None)
            raise StopAsyncIteration
        return output
