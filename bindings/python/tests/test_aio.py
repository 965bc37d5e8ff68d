"""The asyncio client against the embedded node."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import socket
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import libhotrod
from libhotrod import Flags, Modification, Versioned, Xid, aio, codecs, outputs

from .conftest import Embedded
from .test_tls import certificate


def run(node: Embedded, test: Callable[[libhotrod.Client], Awaitable[None]], cache: str = "dist", query: str = "") -> None:
    async def main() -> None:
        async with libhotrod.connect(node.uri(cache, query)) as client:
            await asyncio.wait_for(test(client), 30)

    asyncio.run(main())


def test_single_keys(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        assert cache.name == "dist"
        assert await cache.get(b"k") is None
        await cache.put(b"k", b"one")
        assert await cache.get(b"k") == b"one"
        assert await cache.contains_key(b"k")
        assert not (await cache.put_if_absent(b"k", b"two")).executed
        assert (await cache.replace(b"k", b"two", lifespan=60, max_idle=math.inf)).executed
        entry = await cache.get_with_metadata(b"k")
        assert entry is not None and entry.value == b"two" and entry.version is not None
        assert entry.lifespan is not None and entry.lifespan.seconds == 60 and entry.max_idle is None
        assert await cache.replace_if_unmodified(b"k", 1, b"x") is Versioned.MODIFIED
        assert await cache.replace_if_unmodified(b"k", entry.version, b"three") is Versioned.DONE
        assert await cache.remove_if_unmodified(b"none", 1) is Versioned.MISSING
        previous = await cache.with_flags(Flags.FORCE_RETURN_VALUE).remove(b"k")
        assert previous.executed and previous.previous is not None and previous.previous.value == b"three"
        assert await cache.size() == 0
        counters = client.counters()
        assert counters["direct"] > 0 and counters["forwarded"] == 0 and counters["latency_p99"] > 0

    run(three, test)


def test_many_keys(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        entries = {b"key %d" % number: b"value %d" % number for number in range(2500)}
        await cache.put_all(entries, lifespan=600)
        assert await cache.get_all([*entries, b"none"]) == entries
        assert {entry.key: entry.value async for entry in cache.iterate(batch_size=100)} == entries
        with_metadata = [entry async for entry in cache.iterate(include_metadata=True)]
        assert len(with_metadata) == 2500 and all(entry.metadata for entry in with_metadata)
        async with cache.iterate(batch_size=10) as iteration:
            await iteration.__anext__()
        assert [entry async for entry in iteration] == []
        abandoned = cache.iterate(batch_size=10)
        await abandoned.__anext__()
        del abandoned
        gc.collect()
        assert sorted(await cache.bulk_get_keys()) == sorted(entries)
        assert await cache.bulk_get() == entries
        await cache.clear()
        assert await cache.size() == 0
        members = client.members()
        assert len(members) == 3 and all(member.ready and member.protocol_version == "4.1" for member in members)
        view = client.view(cache)
        assert view is not None and len(view.members) == 3 and len(view.owners) == 256 and len(view.owners[0]) == 2
        assert client.coverage() == (3, 3, None)

    run(three, test)


def test_why_a_member_is_not_reached_directly(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        while "members can't be told apart" not in (client.coverage().reason or ""):
            await client.cache().get(b"k")
        assert client.coverage()[:2] == (1, 3)

    run(three, test, query="?access=load-balancer&probe_cache=none")


def test_tasks_share_an_iteration(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        await cache.put_all({b"%d" % number: b"" for number in range(3000)})
        iteration = cache.iterate(batch_size=50)

        async def work() -> list[bytes]:
            return [entry.key async for entry in iteration]

        impatient = asyncio.create_task(work())
        await asyncio.sleep(0)
        impatient.cancel()
        found = [key for keys in await asyncio.gather(*(work() for _ in range(8))) for key in keys]
        assert len(found) == len(set(found)) == 3000
        waiting = cache.iterate(batch_size=1)
        task = asyncio.ensure_future(waiting.__anext__())
        await asyncio.sleep(0)
        await waiting.aclose()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(task, 10)
        cut_short = cache.iterate(batch_size=10)
        await cut_short.__anext__()
        events = client.events()
        await client.close()
        with pytest.raises(libhotrod.ClosedError):
            [entry async for entry in cut_short]
        assert [event async for event in events if isinstance(event, outputs.StartFailed)] == []
        assert [event async for event in client.events()] == []

    run(three, test)


def test_many_tasks_share_a_client(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()

        async def work(number: int) -> None:
            key = b"%d" % number
            for turn in range(50):
                await cache.put(key, b"%d" % turn)
                assert await cache.get(key) == b"%d" % turn

        await asyncio.gather(*(work(number) for number in range(50)))

    run(three, test)


def test_large_values(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        value = bytes(range(256)) * 40_000
        await cache.put(b"k", value)
        assert await cache.get(b"k") == value
        await cache.put(b"array", bytearray(value))  # type: ignore[arg-type]
        await cache.put(b"view", memoryview(value)[1:])  # type: ignore[arg-type]
        assert await cache.get(b"array") == value
        assert await cache.get(b"view") == value[1:]

    run(node, test, "local")


def test_streams(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        pieces = [b"a" * 70_000, b"", b"b" * 5, b"c" * 100_000]
        assert (await cache.write_stream(b"s", pieces)).executed
        assert b"".join([chunk async for chunk in cache.read_stream(b"s", 30_000)]) == b"".join(pieces)
        assert [chunk async for chunk in cache.read_stream(b"none")] == []
        async for _ in cache.read_stream(b"s", 1000):
            break

    run(node, test, "local")


def test_listeners(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        await cache.put(b"before", b"v")
        async with await cache.listen(include_current_state=True) as listener:
            first = await listener.__anext__()
            assert isinstance(first, libhotrod.EntryEvent) and (first.change, first.key) == ("created", b"before")
            await cache.put(b"k", b"v")
            await cache.remove(b"k")
            changes = [await listener.__anext__() for _ in range(2)]
            assert [event.change for event in changes if isinstance(event, libhotrod.EntryEvent)] == ["created", "removed"]
        assert [event async for event in listener] == []
        only = await cache.listen(interests=["removed"])
        count = 3000
        await cache.put_all({b"%d" % number: b"" for number in range(count)})
        for number in range(count):
            await cache.remove(b"%d" % number)
        received = [await only.__anext__() for _ in range(count)]
        assert {event.key for event in received if isinstance(event, libhotrod.EntryEvent)} == {b"%d" % n for n in range(count)}
        await only.aclose()

    run(three, test)


def test_the_state_of_a_large_cache_waits_for_the_application(three: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache, count = client.cache(), 5000
        await cache.put_all({b"%d" % number: b"" for number in range(count)})
        async with await cache.listen(include_current_state=True) as slow:
            async with await cache.listen(include_current_state=True) as quick:
                for listener in quick, slow:
                    received = [await listener.__anext__() for _ in range(count)]
                    assert all(isinstance(event, libhotrod.EntryEvent) for event in received)

    run(three, test)


def test_counters(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        counter = client.counter("visits")
        with pytest.raises(libhotrod.NoSuchCounterError):
            await counter.get()
        assert await counter.get_configuration() is None
        assert await counter.create_bounded(0, 10, 5)
        assert not await counter.create_strong()
        async with await counter.listen() as listener:
            assert await counter.add_and_get(5) == 10
            with pytest.raises(libhotrod.OutOfBoundsError) as raised:
                await counter.add_and_get(1)
            assert not raised.value.may_have_been_applied
            event = await listener.__anext__()
            assert event == libhotrod.CounterEvent("visits", 5, "valid", 10, "valid")
        assert await counter.compare_and_swap(10, 1) == 10
        assert await counter.get_and_set(7) == 1
        await counter.reset()
        assert await counter.get() == 5
        assert await client.counter_names() == ["visits"]
        assert await counter.remove()

    run(node, test)


def test_multimaps(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        tags = client.multimap("local", key_codec=codecs.TEXT, value_codec=codecs.TEXT)
        await tags.put("post", "red")
        await tags.put("post", "blue")
        assert sorted(await tags.get("post")) == ["blue", "red"]
        assert await tags.size() == 2 and await tags.contains_entry("post", "red")
        found = await tags.get_with_metadata("post")
        assert found is not None and len(found.values) == 2
        assert await tags.remove_entry("post", "red") and await tags.remove_key("post")
        assert await tags.get("post") == []

    run(node, test)


def test_near_cache(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache, events = client.cache(), client.events()
        await cache.put(b"k", b"v")
        cache.enable_near_cache(max_entries=10)
        async for event in events:
            if isinstance(event, outputs.NearCacheActive):
                assert event.cache == "local"
                break
        for _ in range(3):
            assert await cache.get(b"k") == b"v"
        assert client.counters()["near_hits"] == 2
        cache.disable_near_cache()

    run(node, test, "local")


def test_codecs(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache("items", key_codec=codecs.TEXT, value_codec=codecs.JSON)
        await cache.put("käse", {"age": 3, "names": ["a"]})
        assert await cache.get("käse") == {"age": 3, "names": ["a"]}
        assert [entry.key async for entry in cache.iterate()] == ["käse"]
        with pytest.raises(libhotrod.MisuseError, match="argument value: its codec can't encode this set"):
            await cache.put("k", {1})
        with pytest.raises(libhotrod.MisuseError, match="argument key: expected bytes, got int"):
            await client.cache().put(7, b"v")  # type: ignore[arg-type]
        text: Any = client.cache()
        await text.put("käse", "grün")
        assert await text.get("käse".encode()) == "grün".encode(), "text is UTF-8"
        assert await text.get_all(["käse"]) == {"käse".encode(): "grün".encode()}
        with pytest.raises(libhotrod.MisuseError, match="argument key: its codec can't encode this str"):
            await text.put("\udc80", b"v")

    run(node, test)


def test_any_operation(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        xid = Xid(1, b"g", b"b")
        with pytest.raises(libhotrod.ServerError) as raised:
            await cache.prepare_tx(xid, True, [Modification(b"k", b"v", "non_existing"), Modification(b"l", None, 3)])
        assert raised.value.operation == "PREPARE_TX" and raised.value.status == 0x85
        await cache.execute("put", b"k", (None, (5, "min")), b"v")
        assert await cache.execute("get", b"k") == b"v"
        for wrong in [("nothing",), ("get",), ("get", 3), ("get", b"k", b"l"), ("put", b"k", (0, None), b"v")]:
            with pytest.raises(libhotrod.MisuseError):
                await cache.execute(*wrong)
        info = await cache.ping()
        assert info.server_version is not None and "stores" in await cache.stats()

    run(node, test, "local")


def test_a_cancelled_task_cancels_its_operation(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        task = asyncio.create_task(cache.get(b"k"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not cache._driver.pending
        assert await cache.get(b"k") is None

    run(node, test)


def test_a_server_s_error_has_its_status(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        with pytest.raises(libhotrod.ServerError) as raised:
            await client.cache("nowhere").get(b"k")
        assert raised.value.status == 0x84 and node.addresses[0] in str(raised.value)

    run(node, test)


def test_a_dead_server_is_told_of(node: Embedded) -> None:
    async def main() -> None:
        client = await libhotrod.connect(node.uri("local", "?socket_timeout=300"))
        cache = client.cache()
        await cache.put(b"k", b"v")
        node.stop()
        with pytest.raises(libhotrod.HotRodError) as raised:
            for _ in range(10):
                await cache.put(b"k", b"v")
        assert isinstance(raised.value, (libhotrod.UnreachableError, libhotrod.DisconnectedError))
        await client.close()
        with pytest.raises(libhotrod.ClosedError):
            await cache.get(b"k")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("http://localhost", libhotrod.MisuseError),
        ("hotrod://127.0.0.1:1", libhotrod.UnreachableError),
        ("hotrods://127.0.0.1:1?trust_ca=/nowhere.pem", libhotrod.MisuseError),
    ],
)
def test_a_wrong_uri(uri: str, error: type[Exception]) -> None:
    async def main() -> None:
        with pytest.raises(error):
            await libhotrod.connect(uri)

    asyncio.run(main())


def test_uvloop(three: Embedded) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with libhotrod.connect(three.uri()) as client:
            cache = client.cache()
            await asyncio.gather(*(cache.put(b"%d" % number, b"v") for number in range(200)))
            assert await cache.size() == 200

    loop: Any = uvloop.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


def test_a_no_is_falsy(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        assert await cache.put_if_absent(b"lock", b"me", lifespan=10)
        assert not await cache.put_if_absent(b"lock", b"me", lifespan=10)
        assert not await cache.replace(b"none", b"v") and not await cache.remove(b"none")
        assert not await cache.replace_if_unmodified(b"lock", 1, b"v")
        assert not await cache.remove_if_unmodified(b"none", 1)
        entry = await cache.get_with_metadata(b"lock")
        assert entry and entry.version and await cache.replace_if_unmodified(b"lock", entry.version, b"v")
        returning = cache.with_flags(Flags.FORCE_RETURN_VALUE)
        denied = await returning.put_if_absent(b"lock", b"me")
        assert not denied and denied.previous is not None
        assert await returning.remove(b"lock")
        assert not await cache.write_stream(b"lock", [b"v"], version=1)

    run(node, test, "local")


@pytest.mark.parametrize("endless", [sys.maxsize, 2e16, 1e20, 1.7e308, (2**63 - 1, "ms"), (2**64 - 1, "d"), (2**63, "s")])
def test_lifetimes_that_no_server_can_count(node: Embedded, endless: Any) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        for lifetimes in ({"lifespan": endless}, {"max_idle": endless}, {"lifespan": endless, "max_idle": endless}):
            await cache.put(b"k", b"v", **lifetimes)
            await cache.put_all({b"l": b"v"}, **lifetimes)
            for key in (b"k", b"l"):
                entry = await cache.get_with_metadata(key)
                assert entry is not None and entry.lifespan is None and entry.max_idle is None

    run(node, test, "local")


@pytest.mark.parametrize("wrong", [(2**64, "ms"), (-1, "s"), (1.5, "s"), (1, "fortnight"), 0, -1, math.nan, "1", 10**400])
def test_lifetimes_that_are_none(node: Embedded, wrong: Any) -> None:
    async def test(client: libhotrod.Client) -> None:
        with pytest.raises(libhotrod.MisuseError, match="argument lifespan: .*(number|seconds|units)"):
            await client.cache().put(b"k", b"v", lifespan=wrong)
        with pytest.raises(libhotrod.MisuseError, match="argument max_idle: .*(number|seconds|units)"):
            await client.cache().put_all({b"k": b"v"}, max_idle=wrong)

    run(node, test, "local")


class Unchecked:
    """Bytes declared as JSON: a cache of JSON stores them unread."""

    media_type = "application/json"

    def encode(self, value: bytes, /) -> bytes:
        return value

    def decode(self, data: bytes, /) -> bytes:
        return data


def test_what_a_codec_can_not_decode(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        plain = client.cache(value_codec=Unchecked())
        await plain.put(b"key", b"\xff{")
        await plain.put(b"\xff", b"1")
        texts = client.cache(key_codec=codecs.TEXT, value_codec=codecs.JSON)
        flagged = texts.with_flags(Flags.FORCE_RETURN_VALUE)

        async def iterate() -> Any:
            return [entry async for entry in texts.iterate()]

        for read in (texts.get("key"), texts.get_with_metadata("key"), flagged.put_if_absent("key", 1), flagged.put("key", 2)):
            with pytest.raises(libhotrod.DecodeError, match="value .*cache 'items' with a key of 3 bytes") as raised:
                await read
            assert isinstance(raised.value.__cause__, ValueError) and raised.value.may_have_been_applied
            assert isinstance(raised.value, libhotrod.HotRodError)
            await plain.put(b"key", b"\xff{")
        for read in (texts.get_all(["key"]), texts.bulk_get(), iterate()):
            with pytest.raises(libhotrod.DecodeError, match="cache 'items' with a key of [13] bytes"):
                await read
        with pytest.raises(libhotrod.DecodeError, match="key .*cache 'items' with a key of 1 bytes"):
            await texts.bulk_get_keys()
        async with await texts.listen() as listener:
            await plain.remove(b"\xff")
            await plain.put(b"next", b"1")
            with pytest.raises(libhotrod.DecodeError, match="key"):
                await listener.__anext__()
            event = await listener.__anext__()
            assert isinstance(event, libhotrod.EntryEvent) and event.key == "next"
        tags = client.multimap("local", value_codec=codecs.JSON)
        await client.multimap("local").put(b"m", b"{")
        with pytest.raises(libhotrod.DecodeError, match="value .*with a key of 1 bytes"):
            await tags.get(b"m")

    run(node, test, "items")


def test_messages_name_what_is_allowed(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache, counter = client.cache(), client.counter("c")
        for kind, message in [
            (libhotrod.CounterConfiguration("strong"), "unbounded_strong, bounded_strong and weak"),
            (libhotrod.CounterConfiguration("bounded_strong", 1, lower=1), "upper .* bounded_strong is an int of 64 bits"),
            (libhotrod.CounterConfiguration("weak"), "concurrency .* weak is an int"),
            (libhotrod.CounterConfiguration("weak", concurrency=-1), "concurrency of a weak counter is an int of 32 bits"),
            (libhotrod.CounterConfiguration("weak", 2**63, concurrency=1), "initial_value .* is an int of 64 bits"),
        ]:
            with pytest.raises(libhotrod.MisuseError, match=message):
                await counter.create(kind)
        for interests in ("created", ["c"], ["created", "updated"]):
            with pytest.raises(libhotrod.MisuseError, match='"created", "modified", "removed", "expired"'):
                await cache.listen(interests=interests)
        with pytest.raises(libhotrod.MisuseError, match='"not_read", "non_existing" or the version'):
            await cache.prepare_tx(Xid(1, b"g", b"b"), True, [Modification(b"k", b"v", "seen")])

    run(node, test, "local")


def test_released_handles(node: Embedded) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache, machine = client.cache(), client._driver.machine
        handles = [cache.with_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), cache.with_timeout(1)]
        handles += [cache.with_flags(Flags.FORCE_RETURN_VALUE), client.cache("local")]
        numbers = [handle._cache for handle in handles]
        numbers += [client.counter("c")._cache, client.multimap("local")._cache]
        await cache.put(b"k", b"v")
        iteration = cache.iterate()
        listener = await cache.listen()
        del handles
        gc.collect()
        await cache.put(b"k", b"v")
        for number in numbers:
            with pytest.raises(libhotrod.MisuseError, match="there is no cache"):
                machine.view(number)
        # Operations begun with a released handle still complete.
        machine.release_cache(cache._cache)
        event = await listener.__anext__()
        assert isinstance(event, libhotrod.EntryEvent) and event.key == b"k"
        assert [entry.key async for entry in iteration] == [b"k"]

    run(node, test, "local")


def test_nothing_is_written_to_a_lost_transport(node: Embedded, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: libhotrod.Client) -> None:
        cache = client.cache()
        await cache.put(b"k", b"v")
        node.stop()
        driver = client._driver
        # The event loop has no turn in between to report the loss.
        for _ in range(30):
            driver.machine.submit(driver.now(), cache._cache, "put", (b"k", (None, None), b"v"))
            driver.pump()

    with contextlib.suppress(libhotrod.HotRodError):
        run(node, test, "local", "?socket_timeout=300")
    assert "socket.send() raised exception" not in caplog.text


def test_close_over_tls_does_not_wait_for_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio, "CLOSE_TIMEOUT", 60.0)
    cert, key = certificate(tmp_path, "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    received, accepted = threading.Event(), []

    def serve(listening: socket.socket) -> None:
        """Reads the first bytes, and never answers: not the closure alert either."""
        connection, _ = listening.accept()
        accepted.append(context.wrap_socket(connection, server_side=True))
        accepted[0].recv(1)
        received.set()

    async def main(port: int) -> None:
        uri = f"hotrods://127.0.0.1:{port}?carriage=raw&trust_ca={cert}"
        connecting = asyncio.ensure_future(libhotrod.connect(uri)._connect())
        await asyncio.to_thread(received.wait, 30)
        connecting.cancel()
        done, _ = await asyncio.wait({connecting}, timeout=10)
        assert done

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        asyncio.run(main(listening.getsockname()[1]))
        server.join()
        accepted[0].close()


def test_no_thread_for_the_name_lookup(node: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        def refuse(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse)
        with pytest.raises(libhotrod.UnreachableError, match="can't start new thread"):
            await libhotrod.connect("hotrod://localhost:1")

    asyncio.run(main())


def test_another_loop_is_refused(node: Embedded) -> None:
    async def connect() -> libhotrod.Client:
        return await libhotrod.connect(node.uri())

    async def use(cache: libhotrod.Cache[bytes, bytes]) -> None:
        with pytest.raises(libhotrod.ClosedError, match="another event loop"):
            await cache.get(b"k")

    async def create(client: libhotrod.Client, message: str) -> None:
        creations: list[Callable[[], Any]] = [client.cache, lambda: client.counter("c"), lambda: client.multimap("m")]
        creations += [client.events, lambda: client.switch_site(""), cache.iterate, cache.enable_near_cache]
        creations += [cache.disable_near_cache, lambda: cache.with_timeout(1)]
        for create in creations:
            with pytest.raises(libhotrod.ClosedError, match=message):
                create()
        for call in (client.close, cache.listen, client.counter_names):
            with pytest.raises(libhotrod.ClosedError, match=message):
                await call()

    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(connect())
    cache = client.cache()
    asyncio.run(use(cache))
    asyncio.run(create(client, "another event loop"))
    loop.run_until_complete(client.close())
    loop.close()
    asyncio.run(create(client, "event loop of the client is closed"))
    with pytest.raises(libhotrod.ClosedError):
        client.cache()
