"""Changes of the caller's memory, and re-entrant calls, while the native part reads arguments or creates outputs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from libhotrod import Machine, MisuseError, outputs

NOTHING = (None, None)
SIZE = 1 << 16


def machine() -> tuple[Machine, int]:
    one = Machine("hotrod://127.0.0.1:11222/c", seed=bytes(32))
    return one, one.cache(0, "c")


class Clearing:
    """Converts by `__index__` and `__float__`; each clears the memory."""

    def __init__(self, memory: bytearray) -> None:
        self.memory = memory

    def __index__(self) -> int:
        self.memory.clear()
        gc.collect()
        return 1

    def __float__(self) -> float:
        return float(self.__index__())


def test_a_bytearray_that_is_resized_by_a_later_element() -> None:
    one, cache = machine()
    memory = bytearray(SIZE)

    def entries() -> Iterator[tuple[Any, Any]]:
        yield memory, memory
        memory.clear()
        gc.collect()
        yield memory, b"v"

    one.submit(0, cache, "put_all", (NOTHING, entries()))
    memory = bytearray(SIZE)
    one.submit(0, cache, "get_all", ([item for item in (memory, b"k")],))


def test_a_bytearray_that_is_resized_by_a_later_argument() -> None:
    one, cache = machine()
    memory = bytearray(SIZE)
    one.submit(0, cache, "put", (memory, (Clearing(memory), None), b"v"))
    assert memory == b""
    memory = bytearray(SIZE)
    one.submit(0, cache, "replace_if_unmodified", (memory, NOTHING, Clearing(memory), b"v"))
    assert memory == b""


def test_memory_of_a_view_can_not_be_resized_while_it_is_read() -> None:
    one, cache = machine()
    memory = bytearray(SIZE)
    view = memoryview(memory)

    def keys() -> Iterator[Any]:
        yield view
        with pytest.raises(BufferError):
            memory.clear()
        yield b"k"

    one.submit(0, cache, "get_all", (keys(),))
    view.release()
    memory.clear()
    for gone in (view, memoryview(bytes(8))[::2].cast):
        with pytest.raises(MisuseError):
            one.submit(0, cache, "get", (gone,))
    # A non-contiguous view is copied element by element.
    one.submit(0, cache, "get", (memoryview(bytes(8))[::2],))


def test_an_error_of_the_callers_code_is_no_half_operation() -> None:
    one, cache = machine()

    def entries() -> Iterator[tuple[bytes, bytes]]:
        yield b"k", b"v"
        raise RuntimeError("mine")

    one.poll()
    with pytest.raises(MisuseError):
        one.submit(0, cache, "put_all", (NOTHING, entries()))
    assert one.poll() == []


def test_the_machine_may_be_called_by_the_arguments_of_a_call() -> None:
    one, cache = machine()
    inner = []

    def keys() -> Iterator[bytes]:
        inner.append(one.submit(0, cache, "get", (b"inner",)))
        yield b"k"

    outer = one.submit(0, cache, "get_all", (keys(),))
    assert inner and outer != inner[0]


def test_a_finalizer_may_call_the_machine_while_outputs_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    one, cache = machine()
    one.start(0, cache)
    failures: list[BaseException] = []
    called: list[bool] = []

    def call_the_machine(*_: Any) -> None:
        try:
            one.wants_read(1)
            one.submit(0, cache, "get", (b"k",))
            called.append(True)
        except BaseException as error:
            failures.append(error)

    # A call while an output is created, as garbage collection may cause.
    monkeypatch.setattr(outputs.Connect, "__init__", call_the_machine)
    assert any(isinstance(output, outputs.Connect) for output in one.poll())
    assert called and failures == []


def test_threads_that_share_a_machine_and_its_memory() -> None:
    """Each call is executed or refused as a whole; on free-threaded builds calls run in parallel."""
    one, cache = machine()
    one.start(0, cache)
    memory = bytearray(SIZE)
    unexpected: list[BaseException] = []
    begin = threading.Barrier(4)

    def work(number: int) -> None:
        begin.wait()
        for _ in range(300):
            try:
                if number == 0:
                    memory.clear()
                    memory.extend(bytes(SIZE))
                elif number == 1:
                    one.received(0, 1, memory)
                else:
                    one.submit(0, cache, "put", (memory, NOTHING, memory))
                    one.poll()
            except MisuseError:
                pass
            except BaseException as error:
                unexpected.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
