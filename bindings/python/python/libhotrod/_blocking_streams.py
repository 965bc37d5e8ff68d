"""What the blocking client gives piece by piece: entries and events."""

from __future__ import annotations

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
    """Entries of a cache, each once, from all members at the same time; to be used with `for`, by one thread.

    One that is left before its end is ended in the servers by `close`, by leaving its `with`, or when it is collected.
    """

    def __init__(self, driver: Driver, iteration: int, decode: Callable[[Any], IterationEntry[K, V]]) -> None:
        self._driver = driver
        self._iteration: Optional[int] = iteration
        self._decode = decode
        self._batch: deque[Any] = deque()
        self._next: Optional[Waiter] = None

    def __iter__(self) -> Iteration[K, V]:
        return self

    def __next__(self) -> IterationEntry[K, V]:
        while not self._batch:
            if self._iteration is None:
                raise StopIteration
            driver = self._driver
            driver.check()
            with driver.lock:
                self._ask()
                waiter, self._next = self._next, None
                assert waiter is not None
                try:
                    entries = driver.wait(waiter)
                except HotRodError:
                    self._iteration = None
                    raise
                if not entries:
                    self._iteration = None
                    raise StopIteration
                self._batch.extend(entries)
                # The next come while these are used.
                self._ask()
        return self._decode(self._batch.popleft())

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
        iteration, self._iteration = self._iteration, None
        self._batch.clear()
        driver = self._driver
        if iteration is not None and not driver.ended.done:
            driver.check()
            with driver.lock:
                driver.iterations.pop(iteration, None)
                driver.machine.end_iteration(driver.now(), iteration)
                driver.pump()

    def __enter__(self) -> Iteration[K, V]:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class Listener:
    """What happens to a cache's entries or to a counter, in order; to be used with `for`, by one thread.

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
        self._waiting: Optional[Waiter] = None
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
        if self._waiting is not None:
            self._waiting.finish(None, None)

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
        with driver.lock:
            while not self._events:
                if self._ended is not None:
                    raise self._ended
                if self._closed or driver.ended.done:
                    return None
                self._waiting = Waiter()
                try:
                    driver.wait(self._waiting, timeout)
                finally:
                    self._waiting = None
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
        if self._waiting is not None:
            self._waiting.finish(None, None)

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
