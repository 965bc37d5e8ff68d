"""Schemas of Protocol Buffers on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import libhotrod
from libhotrod import blocking, codecs
from libhotrod.protostream import Message

from .conftest import Real, real

LINE = 'syntax = "proto3"; package shop; message Line { string item = 1; }'
ORDER = 'syntax = "proto3"; import "line.proto"; package shop; message Order { repeated Line lines = 1; }'
BROKEN = 'syntax = "proto3";\npackage shop;\nmessage Broken { strin item = 1; }'


@pytest.fixture(scope="module")
def server() -> Iterator[Real]:
    yield from real("--caches", '<distributed-cache name="items"><encoding media-type="application/x-protostream"/></distributed-cache>')


def uri(server: Real) -> str:
    return f"hotrod://{server.addresses[0]}/items"


def test_schemas_are_registered_in_any_order(server: Real, tmp_path: Path) -> None:
    with blocking.connect(uri(server)) as client:
        schemas = client.schemas
        schemas.register({"order.proto": ORDER, "line.proto": LINE})
        with pytest.raises(libhotrod.SchemaError, match="order.proto: .*Type not found : Line"):
            schemas.register({"line.proto": LINE.replace("Line", "Row")})
        schemas.register({"line.proto": LINE})
        assert (schemas.names(), schemas.errors(), schemas.get("line.proto")) == (["line.proto", "order.proto"], {}, LINE)
        assert (schemas.remove("order.proto"), schemas.remove("order.proto"), schemas.names()) == (True, False, ["line.proto"])
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "line.proto").write_text(LINE.replace("Line", "Row"))
        schemas.register_files(tmp_path / "shop" / "line.proto", root=tmp_path)
        assert schemas.names() == ["line.proto", "shop/line.proto"]
        schemas.remove("shop/line.proto")
        schemas.register_files(tmp_path / "shop" / "line.proto")
        assert "Row" in (schemas.get("line.proto") or "")


def test_errors_of_schemas_are_raised_with_their_file(server: Real) -> None:
    with blocking.connect(uri(server)) as client:
        with pytest.raises(libhotrod.SchemaError, match=r"broken\.proto: .*") as raised:
            client.schemas.register({"line.proto": LINE, "broken.proto": BROKEN})
        assert list(raised.value.errors) == ["broken.proto"] == list(client.schemas.errors())
        with pytest.raises(libhotrod.MisuseError, match="ends with .proto, got 'broken'"):
            client.schemas.register({"broken": BROKEN})
        with pytest.raises(libhotrod.SchemaError, match="a.proto: .*; b.proto: "):
            client.schemas.register({"a.proto": 'import "b.proto";', "b.proto": 'import "a.proto";'})
        for name in ("broken.proto", "a.proto", "b.proto"):
            client.schemas.remove(name)
        assert client.schemas.errors() == {}


class Typed:
    """JSON keys of a ProtoStream cache, whose conversion needs a schema: the codec gives their stored form."""

    media_type = "application/json"

    def encode(self, key: str) -> bytes:
        return codecs.JSON.encode({"_type": "shop.Line", "item": key})

    def decode(self, data: bytes) -> str:
        return str(codecs.JSON.decode(data)["item"])

    def storage_key(self, encoded: bytes) -> bytes:
        item = self.decode(encoded).encode()
        return codecs.PROTOSTREAM.encode(Message("shop.Line", b"\x0a" + bytes([len(item)]) + item))


class Underived(Typed):
    storage_key = None  # type: ignore[assignment]


class Failing(Typed):
    def storage_key(self, encoded: bytes) -> bytes:
        raise ValueError("no such key")


def test_a_codec_gives_the_stored_form_of_a_key(server: Real) -> None:
    with blocking.connect(uri(server), value_codec=codecs.PROTOSTREAM) as client:
        client.schemas.register({"line.proto": LINE})
        client.cache(key_codec=codecs.PROTOSTREAM).put("any", "thing")
        by_json = client.cache(key_codec=Typed())
        by_json.put("a", "one")
        by_json.put_all({"b": "two", "c": "three"})
        assert by_json.get_all(["a", "b", "c"]) == {"a": "one", "b": "two", "c": "three"}
        stored = Message("shop.Line", b"\x0a\x01a")
        assert client.cache(key_codec=codecs.PROTOSTREAM).get(stored) == "one"
        assert client.counters()["unrouted"] == 0
        assert client.cache(key_codec=Underived()).get("a") == "one"
        assert client.counters()["unrouted"] == 1
        with pytest.raises(libhotrod.MisuseError, match="storage_key failed for cache 'items': ValueError: no such key"):
            client.cache("items", key_codec=Failing()).get("a")


def test_json_values_of_a_protostream_cache_have_a_type(server: Real) -> None:
    async def main() -> None:
        async with libhotrod.connect(uri(server), key_codec=codecs.PROTOSTREAM) as client:
            await client.schemas.register({"line.proto": LINE})
            lines = client.cache(value_codec=codecs.JSON)
            await lines.put("k", {"_type": "shop.Line", "item": "\U0001f600"})
            assert await lines.get("k") == {"_type": "shop.Line", "item": "\U0001f600"}
            stored = await client.cache(value_codec=codecs.PROTOSTREAM).get("k")
            assert stored == Message("shop.Line", b"\x0a\x04" + "\U0001f600".encode())
            with pytest.raises(libhotrod.ServerError, match="JSON in a ProtoStream cache is an object whose \"_type\" names"):
                await lines.put("k", "no object")

    asyncio.run(main())
