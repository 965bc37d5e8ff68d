"""Rules of the machine at the border: misuse raises, and never crashes."""

from __future__ import annotations

import gc
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libhotrod import ClosedError, Machine, MisuseError, outputs

from .conftest import Embedded

URI = "hotrod://127.0.0.1:11222/c"


def machine() -> Machine:
    return Machine(URI, seed=bytes(32))


def test_wrong_types_are_told() -> None:
    with pytest.raises(TypeError):
        Machine(3)  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError)):
        Machine(URI, seed=b"short")
    one = machine()
    cache = one.cache(0, "c")
    for operation, arguments in [
        ("get", ("k",)),
        ("get", ()),
        ("get", (b"k", b"l")),
        ("nothing", ()),
        ("auth", ()),
        ("put", (b"k", (None, -1.0), b"v")),
        ("put", (b"k", (None, (1, "weeks")), b"v")),
        ("put", (b"k", 7, b"v")),
        ("replace_if_unmodified", (b"k", (None, None), -1, b"v")),
        ("bulk_get", (1 << 40,)),
        ("put_all", ((None, None), [(b"k",)])),
        ("prepare_tx", (3, False, [])),
        ("counter_create", ("c", "weak")),
    ]:
        with pytest.raises(MisuseError):
            one.submit(0, cache, operation, arguments)
    with pytest.raises(MisuseError):
        one.submit(0, 99, "get", (b"k",))
    with pytest.raises(MisuseError):
        one.received(0, 1, "text")  # type: ignore[arg-type]


def test_nothing_is_covered_before_the_first_topology() -> None:
    assert machine().coverage() == (0, 0, None)


def test_numbers_that_mean_nothing_are_ignored() -> None:
    one = machine()
    for number in [0, 1, 1 << 63]:
        one.connected(0, number)
        one.received(0, number, b"bytes")
        one.link_lost(0, number, "gone")
        assert one.transmit(number) == b"" and not one.wants_read(number)
        assert not one.cancel(number) and not one.next_entries(0, number) and not one.remove_listener(0, number)
        one.end_iteration(0, number)
        one.events_taken(0, number, 1)
    assert one.poll() == []


def test_a_closed_machine_refuses() -> None:
    one = machine()
    cache = one.cache(0, "c")
    one.close(0)
    assert any(isinstance(output, outputs.Close) for output in one.poll()) and one.closed
    with pytest.raises(ClosedError):
        one.submit(0, cache, "get", (b"k",))


def test_a_second_thread_is_told(node: Embedded) -> None:
    """A second call while a thread parses a large input without the GIL."""
    one = Machine(node.uri("local"))
    # Larger requests have a link of their own.
    cache, size = one.cache(0, "local"), 8 << 20
    connect = one.poll()[0]
    assert isinstance(connect, outputs.Connect)
    refused, enough = threading.Event(), threading.Event()

    def meddle() -> None:
        while not refused.is_set() and not enough.is_set():
            try:
                one.poll_timeout()
            except MisuseError as error:
                assert "another thread" in str(error)
                refused.set()

    with socket.create_connection((connect.host, connect.port)) as connection:

        def run_until(wanted: type[outputs.Output]) -> None:
            while not any(isinstance(output, wanted) for output in one.poll()):
                connection.sendall(one.transmit(connect.link))
                one.received(0, connect.link, connection.recv(1 << 16))

        one.connected(0, connect.link)
        one.start(0, cache)
        run_until(outputs.Started)
        one.submit(0, cache, "put", (b"k", (None, None), bytes(size)))
        run_until(outputs.Completed)
        meddling = threading.Thread(target=meddle)
        meddling.start()
        for _ in range(100):
            one.submit(0, cache, "get", (b"k",))
            connection.sendall(one.transmit(connect.link))
            data = bytearray()
            while len(data) <= size:
                data += connection.recv(1 << 22)
            one.received(0, connect.link, data)
            if refused.is_set():
                break
        enough.set()
        meddling.join()
    assert refused.is_set()


@given(st.lists(st.tuples(st.sampled_from(["received", "connected", "link_lost", "timeout", "submit", "close"]), st.binary()), max_size=30))
def test_whatever_comes_in_whatever_order(steps: list[tuple[str, bytes]]) -> None:
    one = machine()
    cache = one.cache(0, "c")
    links = [0]
    for now, (step, data) in enumerate(steps):
        for output in one.poll():
            if isinstance(output, outputs.Connect):
                links.append(output.link)
        link: Any = links[-1]
        if step == "received":
            one.received(now, link, data)
        elif step == "connected":
            one.connected(now, link)
        elif step == "link_lost":
            one.link_lost(now, link, "gone")
        elif step == "timeout":
            one.timeout(now * 1_000_000)
        elif step == "close":
            one.close(now)
        else:
            try:
                one.submit(now, cache, "get", (data,))
            except ClosedError:
                pass
        one.transmit(link)


def test_large_values_are_let_go() -> None:
    one = machine()
    cache = one.cache(0, "c")
    submitted = one.submit(0, cache, "put", (b"k", (None, None), bytes(1 << 20)))
    assert one.cancel(submitted)
    del one
    gc.collect()


def test_bytes_before_the_connection_is_reported_are_kept() -> None:
    """asyncio may deliver them before it returns from the dial."""
    one = Machine("hotrod://127.0.0.1:11222/c?access=header&carriage=connect-http2", seed=bytes(32))
    one.cache(0, "c")
    link = next(output.link for output in one.poll() if isinstance(output, outputs.Connect))
    settings = b"\0\0\0\4\0\0\0\0\0"
    one.received(1, link, settings)
    one.connected(2, link)
    # The preface, the SETTINGS of the client, and the acknowledgement of the server's.
    assert b"\0\0\0\4\1\0\0\0\0" in one.transmit(link)
