"""The blocking client against the embedded node."""

from __future__ import annotations

import gc
import math
import os
import threading
import time
from collections.abc import Callable

import pytest

import libhotrod
from libhotrod import Flags, Versioned, blocking, codecs, outputs

from .conftest import Embedded


def test_single_keys(three: Embedded) -> None:
    with blocking.connect(three.uri()) as client:
        cache = client.cache()
        assert cache.get(b"k") is None
        cache.put(b"k", b"one")
        assert cache.get(b"k") == b"one" and cache.contains_key(b"k")
        assert (cache.replace(b"k", b"two", lifespan=60, max_idle=math.inf)).executed
        entry = cache.get_with_metadata(b"k")
        assert entry is not None and entry.version is not None and entry.lifespan is not None
        assert cache.replace_if_unmodified(b"k", 1, b"x") is Versioned.MODIFIED
        assert cache.replace_if_unmodified(b"k", entry.version, b"three") is Versioned.DONE
        previous = cache.with_flags(Flags.FORCE_RETURN_VALUE).remove(b"k").previous
        assert previous is not None and previous.value == b"three"
        assert client.counters()["forwarded"] == 0
        end = time.monotonic() + 10
        while not all(member.ready for member in client.members()):
            assert time.monotonic() < end, client.members()
            cache.get(b"k")
        view = client.view(cache)
        assert view is not None and len(view.members) == 3
        assert client.coverage() == libhotrod.Coverage(covered=3, members=3, reason=None)


def test_as_a_mapping(three: Embedded) -> None:
    with blocking.connect(three.uri("items")) as client:
        cache = client.cache(key_codec=codecs.TEXT, value_codec=codecs.JSON)
        cache["a"] = [1, 2]
        assert cache["a"] == [1, 2] and "a" in cache and "b" not in cache
        assert len(cache) == 1 and list(cache) == ["a"] and cache
        del cache["a"]
        with pytest.raises(KeyError):
            cache["a"]
        with pytest.raises(KeyError):
            del cache["a"]
        assert len(cache) == 0 and cache


def test_many_keys(three: Embedded) -> None:
    with blocking.connect(three.uri()) as client:
        cache = client.cache()
        entries = {b"key %d" % number: b"value %d" % number for number in range(2500)}
        cache.put_all(entries)
        assert cache.get_all(entries) == entries
        assert {entry.key: entry.value for entry in cache.iterate(batch_size=100)} == entries
        with cache.iterate(batch_size=10) as iteration:
            next(iteration)
        assert list(iteration) == []
        cache.put(b"s", bytes(1 << 20))
        assert cache.get(b"s") == bytes(1 << 20)
        assert cache.write_stream(b"s", [b"a" * 100_000, b"b"]).executed
        assert b"".join(cache.read_stream(b"s")) == b"a" * 100_000 + b"b"
        cache.clear()


def test_threads_share_a_client(three: Embedded) -> None:
    failures = []

    def work(cache: blocking.Cache[bytes, bytes], number: int) -> None:
        try:
            key = b"%d" % number
            for turn in range(100):
                cache.put(key, b"%d" % turn)
                assert cache.get(key) == b"%d" % turn
        except BaseException as error:
            failures.append(error)

    with blocking.connect(three.uri()) as client:
        cache = client.cache()
        threads = [threading.Thread(target=work, args=(cache, number)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failures and not any(thread.is_alive() for thread in threads)
        assert len(cache) == 20


def test_threads_share_an_iteration_and_a_listener(three: Embedded) -> None:
    def together(work: Callable[[], object], count: int) -> None:
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)

    with blocking.connect(three.uri()) as client:
        cache = client.cache()
        cache.put_all({b"%d" % number: b"" for number in range(2000)})
        iteration = cache.iterate(batch_size=10)
        found: list[bytes] = []
        together(lambda: found.extend(entry.key for entry in iteration), 8)
        assert len(found) == len(set(found)) == 2000
        ended = cache.iterate(batch_size=1)
        consumers = threading.Thread(target=together, args=(lambda: list(ended), 4))
        consumers.start()
        ended.close()
        consumers.join(60)
        assert not consumers.is_alive() and list(ended) == []
        received: list[object] = []
        with cache.listen() as listener:

            def receive() -> None:
                for event in listener:
                    received.append(event)
                    if len(received) == 100:
                        listener.close()

            receiver = threading.Thread(target=together, args=(receive, 4))
            receiver.start()
            for number in range(100):
                cache.put(b"%d" % number, b"again")
            receiver.join(60)
        assert len(received) == 100


def test_an_iteration_ends_however_it_is_left(three: Embedded) -> None:
    client = blocking.connect(three.uri())
    cache = client.cache()
    cache.put_all({b"%d" % number: b"" for number in range(2000)})
    collected = cache.iterate(batch_size=10)
    next(collected)
    known = collected._iteration
    assert known is not None
    del collected
    gc.collect()
    assert cache.get(b"1") == b""
    driver = client._driver
    with driver.lock:
        assert not driver.machine.next_entries(driver.now(), known)
    cut_short = cache.iterate(batch_size=10)
    next(cut_short)
    client.close()
    with pytest.raises(libhotrod.ClosedError):
        list(cut_short)


def test_listeners(three: Embedded) -> None:
    with blocking.connect(three.uri()) as client:
        cache = client.cache()
        with cache.listen() as listener:
            with pytest.raises(TimeoutError):
                listener.get(timeout=0.05)
            writer = threading.Thread(target=lambda: [cache.put(b"%d" % number, b"v") for number in range(2000)])
            writer.start()
            received = [listener.get(timeout=20) for _ in range(2000)]
            writer.join()
            assert {event.key for event in received if isinstance(event, libhotrod.EntryEvent)} == {b"%d" % n for n in range(2000)}
        assert list(listener) == []
        counter = client.counter("c")
        counter.create_weak()
        with counter.listen() as listener:
            counter.add_and_get(3)
            event = listener.get(timeout=5)
            assert isinstance(event, libhotrod.CounterEvent) and event.new_value == 3
        late = cache.listen()
        closer = threading.Timer(0.2, client.close)
        closer.start()
        assert list(late) == []
        closer.join()


def test_the_state_of_a_large_cache_waits_for_the_application(three: Embedded) -> None:
    with blocking.connect(three.uri()) as client:
        cache, count = client.cache(), 5000
        cache.put_all({b"%d" % number: b"" for number in range(count)})
        with cache.listen(include_current_state=True) as slow, cache.listen(include_current_state=True) as quick:
            for listener in quick, slow:
                received = [listener.get(timeout=20) for _ in range(count)]
                assert all(isinstance(event, libhotrod.EntryEvent) for event in received)


def test_what_happens_is_told_while_nobody_calls(three: Embedded) -> None:
    happened: list[object] = []
    with blocking.connect(three.uri("dist", "?keep_alive=50")) as client:
        client.on_event(happened.append)
        cache = client.cache()
        cache.put(b"k", b"v")
        three.stop()
        end = time.monotonic() + 10
        while not any(isinstance(event, outputs.Degraded) for event in happened):
            assert time.monotonic() < end, happened
            time.sleep(0.01)
        with pytest.raises(libhotrod.HotRodError):
            cache.with_timeout(0.2).get(b"k")
    assert happened[-1] is None


def test_closed(node: Embedded) -> None:
    client = blocking.connect(node.uri())
    cache = client.cache()
    client.close()
    client.close()
    with pytest.raises(libhotrod.ClosedError):
        cache.get(b"k")


def test_wrong_uris() -> None:
    with pytest.raises(libhotrod.MisuseError, match="must begin with hotrod://"):
        blocking.connect("http://localhost")
    with pytest.raises(libhotrod.UnreachableError, match="127.0.0.1:1"):
        blocking.connect("hotrod://127.0.0.1:1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_is_refused_and_the_parent_goes_on(node: Embedded) -> None:
    with blocking.connect(node.uri()) as client:
        cache = client.cache()
        cache.put(b"k", b"v")
        child = os.fork()
        if child == 0:
            try:
                cache.get(b"k")
            except libhotrod.ClosedError as error:
                os._exit(0 if "forked" in str(error) else 1)
            except BaseException:
                os._exit(2)
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert cache.get(b"k") == b"v"


def test_the_driver_s_threads_end(node: Embedded) -> None:
    client = blocking.connect(node.uri())
    client.cache().put(b"k", b"v")
    client.close()
    end = time.monotonic() + 5
    while any(thread.name.startswith("libhotrod") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
