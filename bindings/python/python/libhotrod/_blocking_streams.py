"""What the blocking client gives piece by piece: entries and events."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType
from typing import Any, Callable, Generic, Optional

from . import outputs
from ._blocking_driver import Driver, Waiter
from ._codec_use import K, V
from .errors import HotRodError
from .outputs import Output
from .types import CounterEvent, EntryEvent, IterationEntry, ListenerEvent, Moved


class Iteration(Generic[K, V]):
    """Entries of a cache, each once, from all members at the same time; to be used with `for`. Threads may share it.

    One that is left before its end is ended in the servers by `close`, by leaving its `with`, or when it is collected.
    """

    def __init__(self, driver: Driver, iteration: int, decode: Callable[[Any], IterationEntry[K, V]]) -> None:
        self._driver = driver
        self._iteration: Optional[int] = iteration
        self._decode = decode
        self._batch: deque[Any] = deque()
        self._next: Optional[Waiter] = None
        self._turn = threading.Lock()

    def __iter__(self) -> Iteration[K, V]:
        return self

    def __next__(self) -> IterationEntry[K, V]:
        # One thread fetches for all that share it.
        with self._turn:
            while True:
                try:
                    entry = self._batch.popleft()
                    break
                except IndexError:
                    # So it is too if another thread closes it.
                    self._fetch()
        return self._decode(entry)

    def _fetch(self) -> None:
        driver = self._driver
        driver.check()
        with driver.lock:
            if self._iteration is None:
                raise StopIteration
            self._ask()
            assert self._next is not None
            try:
                entries = driver.wait(self._next)
            except HotRodError:
                self._iteration = self._next = None
                raise
            self._next = None
            if not entries or self._iteration is None:
                # That was the last, or it was ended meanwhile.
                self._iteration = None
                raise StopIteration
            self._batch.extend(entries)
            # The next come while these are used.
            self._ask()

    def _ask(self) -> None:
        driver = self._driver
        if self._next is None and self._iteration is not None:
            self._next = Waiter()
            if driver.machine.next_entries(driver.now(), self._iteration):
                driver.iterations[self._iteration] = self._next
            else:
                self._next.finish([], None)
            driver.pump()

    def close(self) -> None:
        """Ends it before its end."""
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
            self._driver.abandon(self._iteration)

    def __enter__(self) -> Iteration[K, V]:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class Listener:
    """What happens to a cache's entries or to a counter, in order; to be used with `for`. Threads may share it.

    No event is dropped: a listener that is too slow has its link paused, and holds up no operation. `close`, or leaving
    its `with`, removes it from the server.
    """

    def __init__(self, driver: Driver, listener: int, decode: Callable[[bytes], Any]) -> None:
        """Under the lock."""
        self._driver = driver
        self._listener = listener
        self._decode = decode
        self._events: deque[Output] = deque()
        self._ended: Optional[BaseException] = None
        self._closed = False
        self._waiting: list[Waiter] = []
        self._registered = Waiter()
        driver.listeners[listener] = self._hear

    def _ready(self) -> Listener:
        """Under the lock."""
        try:
            self._driver.pump()
            self._driver.wait(self._registered)
        except BaseException:
            self._remove()
            raise
        return self

    def _hear(self, output: Optional[Output]) -> None:
        if output is None:
            self._closed = True
        elif isinstance(output, outputs.ListenerRegistered):
            return self._registered.finish(None, None)
        elif isinstance(output, outputs.ListenerFailed):
            self._driver.listeners.pop(self._listener, None)
            self._registered.finish(None, output.error)
            self._ended = output.error
        else:
            self._events.append(output)
        self._rouse()

    def _rouse(self) -> None:
        for waiter in self._waiting:
            waiter.finish(None, None)
        self._waiting.clear()

    def __iter__(self) -> Listener:
        return self

    def __next__(self) -> ListenerEvent:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout: Optional[float] = None) -> Optional[ListenerEvent]:
        """The next event; None after the last. Raises TimeoutError if none comes for so many seconds."""
        driver = self._driver
        driver.check()
        end = None if timeout is None else time.monotonic() + timeout
        with driver.lock:
            while not self._events:
                if self._ended is not None:
                    raise self._ended
                if self._closed or driver.ended.done:
                    return None
                waiter = Waiter()
                self._waiting.append(waiter)
                try:
                    driver.wait(waiter, None if end is None else end - time.monotonic())
                finally:
                    if waiter in self._waiting:
                        self._waiting.remove(waiter)
            output = self._events.popleft()
            if isinstance(output, outputs.ListenerMoved):
                return Moved(output.member)
            driver.machine.events_taken(driver.now(), self._listener, 1)
            driver.pump()
        if isinstance(output, outputs.Entry):
            key = None if output.key is None else self._decode(output.key)
            return EntryEvent(output.change, key, output.version, output.data, output.retried)
        assert isinstance(output, outputs.Counter)
        return CounterEvent(*output[2:])

    def _remove(self) -> None:
        driver = self._driver
        self._closed = True
        if driver.listeners.pop(self._listener, None) is not None:
            driver.machine.remove_listener(driver.now(), self._listener)
            driver.pump()
        self._rouse()

    def close(self) -> None:
        """Removes it from the server."""
        self._driver.check()
        with self._driver.lock:
            self._remove()

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
