"""Both clients against real Infinispan: TLS, SCRAM, a proxy, and a node that is killed under load."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

import libhotrod
from libhotrod import Modification, Xid, blocking

from .conftest import Real, real
from .proxy import Proxy


@pytest.fixture(scope="module")
def secure() -> Iterator[Real]:
    yield from real("--flavour", "secure")


@pytest.fixture(scope="module")
def plain() -> Iterator[Real]:
    yield from real("--nodes", "3")


def secure_uri(secure: Real, user: str = "admin:changeme", query: str = "") -> str:
    certificate = secure.announced["ca"]
    return f"hotrods://{user}@{secure.addresses[0]}/local?trust_ca={certificate}&sasl_mechanism=SCRAM-SHA-256{query}"


def test_tls_and_scram(secure: Real) -> None:
    async def main() -> None:
        async with libhotrod.connect(secure_uri(secure)) as client:
            cache = client.cache()
            await cache.put(b"k", b"v" * 1_000_000)
            assert await cache.get(b"k") == b"v" * 1_000_000

    asyncio.run(main())
    with blocking.connect(secure_uri(secure)) as client:
        assert client.cache().get(b"k") == b"v" * 1_000_000


def test_a_wrong_password_is_refused(secure: Real) -> None:
    uri = secure_uri(secure, "admin:wrong")
    with pytest.raises(libhotrod.HandshakeError, match="authentication as \"admin\" by SCRAM-SHA-256 failed") as raised:
        blocking.connect(uri)
    assert "wrong" not in str(raised.value)

    async def main() -> None:
        with pytest.raises(libhotrod.HandshakeError):
            await libhotrod.connect(uri)

    asyncio.run(main())


def test_an_unknown_authority_is_refused(secure: Real) -> None:
    uri = f"hotrods://admin:changeme@{secure.addresses[0]}/local"
    with pytest.raises(libhotrod.UnreachableError, match="(?i)certificate"):
        blocking.connect(uri)

    async def main() -> None:
        with pytest.raises(libhotrod.UnreachableError, match="(?i)certificate"):
            await libhotrod.connect(uri)

    asyncio.run(main())


def test_another_name_is_refused(secure: Real) -> None:
    with pytest.raises(libhotrod.UnreachableError, match="(?i)certificate|hostname"):
        blocking.connect(secure_uri(secure, query="&sni_host_name=example.com"))


def test_tls_through_a_proxy(secure: Real) -> None:
    with Proxy("me", "secret") as proxy:
        query = f"&proxy=http://me:secret%40{proxy.address}"

        async def main() -> None:
            async with libhotrod.connect(secure_uri(secure, query=query)) as client:
                await client.cache().put(b"through", b"a proxy")

        asyncio.run(main())
        with blocking.connect(secure_uri(secure, query=query)) as client:
            assert client.cache().get(b"through") == b"a proxy"
        assert proxy.tunnels >= 2
        with pytest.raises(libhotrod.HandshakeError, match="407"):
            blocking.connect(secure_uri(secure, query=f"&proxy=http://{proxy.address}"))


def test_a_transaction(plain: Real) -> None:
    with blocking.connect(f"hotrod://{plain.addresses[0]}/tx") as client:
        cache = client.cache()
        xid = Xid(7, b"global", b"branch")
        changes = [Modification(b"a", b"1", "non_existing"), Modification(b"b", b"2")]
        assert cache.prepare_tx_2(xid, False, False, 60_000, changes) == 0
        assert cache.commit_tx(xid) == 0
        cache.forget_tx(xid)
        assert cache.get_all([b"a", b"b"]) == {b"a": b"1", b"b": b"2"}


def test_a_query_and_a_task(plain: Real) -> None:
    with blocking.connect(f"hotrod://{plain.addresses[0]}/dist") as client:
        names = client.cache().exec("@@cache@names")
        assert names is not None and b"dist" in names
        with pytest.raises(libhotrod.ServerError):
            client.cache().exec("no such task")


def honest(error: libhotrod.HotRodError) -> bool:
    """Returns whether the error says that the write may have been applied."""
    return error.may_have_been_applied


def test_a_node_is_killed_under_load(plain: Real) -> None:
    """Checks that each key has the value of the last acknowledged or unknown write."""

    async def main() -> None:
        async with libhotrod.connect(f"hotrod://{plain.addresses[0]},{plain.addresses[1]}/dist") as client:
            cache = client.cache()
            end = time.monotonic() + 8
            written: dict[bytes, set[bytes]] = {}
            errors: list[libhotrod.HotRodError] = []
            operations = 0

            async def work(number: int) -> None:
                nonlocal operations
                key, turn = b"aio %d" % number, 0
                # A busy machine needs longer for enough operations.
                while (time.monotonic() < end or operations <= 1000) and len(errors) < 5:
                    turn += 1
                    value = b"%d" % turn
                    try:
                        await cache.put(key, value)
                        written[key] = {value}
                        assert await cache.get(key) == value
                        operations += 2
                    except libhotrod.HotRodError as error:
                        errors.append(error)
                        if honest(error):
                            written.setdefault(key, set()).add(value)

            async def kill() -> None:
                await asyncio.sleep(2)
                await asyncio.to_thread(plain.obey, "kill 2")

            await asyncio.gather(kill(), *(work(number) for number in range(32)))
            for key, values in written.items():
                assert await cache.get(key) in values
            assert operations > 1000 and len(errors) < 5, errors
            await asyncio.to_thread(plain.obey, "restart 2")

    asyncio.run(main())


def test_a_node_is_killed_under_blocking_load(plain: Real) -> None:
    written: dict[bytes, set[bytes]] = {}
    errors: list[BaseException] = []
    with blocking.connect(f"hotrod://{plain.addresses[0]},{plain.addresses[1]}/dist") as client:
        cache = client.cache()
        end = time.monotonic() + 8

        def work(number: int) -> None:
            key, turn = b"blocking %d" % number, 0
            while time.monotonic() < end:
                turn += 1
                value = b"%d" % turn
                try:
                    cache.put(key, value)
                    written[key] = {value}
                    assert cache.get(key) == value
                except libhotrod.HotRodError as error:
                    errors.append(error)
                    if honest(error):
                        written.setdefault(key, set()).add(value)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        time.sleep(2)
        plain.obey("kill 1")
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        for key, values in written.items():
            assert cache.get(key) in values
        assert len(written) == 16 and len(errors) < 5, errors
