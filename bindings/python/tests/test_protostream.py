"""ProtoStream values: what Infinispan's own ProtoStream wrote, and what is refused."""

import json
import math
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libhotrod
from libhotrod import codecs
from libhotrod import protostream as ps
from libhotrod._protostream_numbers import NUMBERS
from libhotrod.codecs import PROTOSTREAM

from .conftest import Embedded

VECTORS = json.loads((Path(__file__).parents[3] / "spec/vectors/protostream.json").read_text(encoding="utf-8"))


def value_of(described: dict[str, Any]) -> Any:
    """The value in Python that a vector describes."""
    ((kind, content),) = described.items()
    if kind == "double_bits":
        return _float_of(content, 64)
    if kind == "float_bits":
        return ps.Float(_float_of(content, 32))
    if kind == "null":
        return None
    if kind == "int64":
        return int(content)
    if kind in ("string", "bool"):
        return content
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "instant":
        return ps.Instant(int(content["seconds"]), content["nanos"])
    if kind == "message":
        return ps.Message(_type_of(content), bytes.fromhex(content["bytes"]))
    if kind == "enum":
        return ps.EnumValue(_type_of(content), content["number"])
    if kind == "container":
        elements = [value_of(element) for element in content["elements"]]
        return ps.Container(_type_of(content), elements)
    return NUMBERS[kind](int(content))


def _float_of(bits: str, size: int) -> float:
    number: float = struct.unpack(">d" if size == 64 else ">f", bytes.fromhex(bits.zfill(size // 4)))[0]
    return number


def _type_of(content: dict[str, Any]) -> Any:
    return content["type"] if "type" in content else content["type_id"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['java']} {vector['bytes'][:24]}")
def test_values_have_the_bytes_that_java_writes(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    assert PROTOSTREAM.encode(value_of(vector["value"])) == data
    assert PROTOSTREAM.encode(PROTOSTREAM.decode(data)) == data, "what is decoded is encoded to the same bytes"


@given(
    st.recursive(
        st.one_of(
            st.text(),
            st.binary(),
            st.booleans(),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.integers(-(2**31), 2**31 - 1).map(ps.Int32),
            st.datetimes(timezones=st.just(timezone.utc)),
        ),
        lambda elements: st.lists(st.one_of(st.none(), elements)),
        max_leaves=20,
    )
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    decoded = PROTOSTREAM.decode(PROTOSTREAM.encode(value))
    assert (decoded, type(decoded)) == (value, type(value))


def test_numbers_remember_their_kind() -> None:
    read = PROTOSTREAM.decode(PROTOSTREAM.encode(ps.Int32(7)))
    assert (read, repr(read), str(read), f"{read}", read + 1) == (7, "Int32(7)", "7", "7", 8)
    assert PROTOSTREAM.encode(7) != PROTOSTREAM.encode(ps.Int32(7)), "different keys"
    of_java = codecs.protostream(int="int32", float="float")
    assert of_java.encode(7) == PROTOSTREAM.encode(ps.Int32(7))
    assert type(of_java.decode(of_java.encode(7))) is int
    assert of_java.encode(ps.Int64(7)) == PROTOSTREAM.encode(7)
    assert type(of_java.decode(of_java.encode(0.5))) is float
    assert math.isnan(PROTOSTREAM.decode(PROTOSTREAM.encode(math.nan)))


def test_a_moment_keeps_its_time_whatever_its_zone() -> None:
    east = datetime(2024, 2, 29, 1, 2, 3, 4, timezone(timedelta(hours=5, minutes=30)))
    assert PROTOSTREAM.decode(PROTOSTREAM.encode(east)) == east
    before = datetime(1, 1, 1, tzinfo=timezone.utc)
    assert PROTOSTREAM.decode(PROTOSTREAM.encode(before)) == before
    fine = ps.Instant(1, 1)
    assert PROTOSTREAM.decode(PROTOSTREAM.encode(fine)) == fine
    late = ps.Instant(10**15, 0)
    assert PROTOSTREAM.decode(PROTOSTREAM.encode(late)) == late


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null can't be stored"),
        (2**63, "too large|too big"),
        (ps.Int32(2**31), "out of the range of int32"),
        (ps.Float(1e39), "out of the range of float"),
        (ps.UInt64(-1), "negative"),
        (datetime(2024, 1, 1), "time zone"),
        ({1}, "no order"),
        ({"a": 1}, "ProtoStream has no dict"),
        (object(), "ProtoStream has no object"),
        (ps.Message("", b""), "a type needs a name"),
        (ps.Message(2**31, b""), "a type needs a name"),
        (ps.Instant(0, 10**9), "1000000000 nanoseconds"),
        ("\ud800", "surrogates"),
        (b"x" and [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]], "nested too deeply"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_can_not_be_stored_is_refused(value: Any, reason: str) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError), match=reason):
        PROTOSTREAM.encode(value)


def test_a_list_in_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises((ValueError, RecursionError)):
        PROTOSTREAM.encode(value)


@pytest.mark.parametrize("data", ["", "4a", "4a056162", "ffffffffffffffffffff01", "d801ffffffff07", "f80101"])
def test_hostile_data_is_no_value(data: str) -> None:
    with pytest.raises(ValueError, match="not a valid ProtoStream value, at byte"):
        PROTOSTREAM.decode(bytes.fromhex(data))


class Item:
    """A message of an application, as a library of Protocol Buffers makes it."""

    class DESCRIPTOR:
        full_name = "shop.Item"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def SerializeToString(self, deterministic: bool) -> bytes:
        assert deterministic
        return self.data

    @staticmethod
    def FromString(data: bytes) -> "Item":
        return Item(data)


def test_registered_messages_are_objects() -> None:
    by_name = codecs.protostream(messages=[Item])
    by_number = codecs.protostream(messages=[ps.MessageType.of(Item, type_id=100_042)])
    named, numbered = by_name.encode(Item(b"\x08\x2a")), by_number.encode(Item(b"\x08\x2a"))
    assert PROTOSTREAM.decode(named) == ps.Message("shop.Item", b"\x08\x2a")
    assert PROTOSTREAM.decode(numbered) == ps.Message(100_042, b"\x08\x2a")
    for data in (named, numbered):
        assert by_number.decode(data).data == b"\x08\x2a"
    assert [item.data for item in by_name.decode(by_name.encode([Item(b"a"), Item(b"b")]))] == [b"a", b"b"]
    with pytest.raises(ValueError, match="type 100042, which is not registered; registered are shop.Item"):
        by_name.decode(numbered)
    with pytest.raises(ValueError, match="^a message of the type 'x{200}', which is not registered") as raised:
        by_name.decode(PROTOSTREAM.encode(ps.Message("x" * 10_000, b"")))
    assert len(str(raised.value)) < 400
    with pytest.raises(TypeError, match="ProtoStream has no Item; .* registered messages: none"):
        PROTOSTREAM.encode(Item(b""))


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="int: expected any of int64, .*, got 'int'"):
        codecs.protostream(int="int")
    with pytest.raises(TypeError, match="expected classes of protobuf"):
        codecs.protostream(messages=[str])


TEXT_AND_JSON = "?key_media_type=text/plain&value_media_type=application/json"


def test_codecs_of_a_client(node: Embedded) -> None:
    """By `connect`, by the URI, and by the cache; the nearer one holds."""
    with libhotrod.blocking.connect(node.uri("items", TEXT_AND_JSON)) as client:
        cache = client.cache("items")
        assert (cache.key_codec.media_type, cache.value_codec) == ("text/plain", codecs.JSON)
        cache.put("k", {"a": [1]})
        assert cache.get("k") == {"a": [1]}
        assert client.cache("dist", value_codec=PROTOSTREAM).value_codec is PROTOSTREAM
    with libhotrod.blocking.connect(node.uri(), key_codec=PROTOSTREAM, value_codec=PROTOSTREAM) as client:
        cache = client.cache("dist")
        cache[ps.Int32(7)] = [True, None, "a"]
        assert (cache.get(ps.Int32(7)), cache.get(7)) == ([True, None, "a"], None)
        assert client.multimap("dist").key_codec is PROTOSTREAM
        with pytest.raises(libhotrod.MisuseError, match="as application/x-protostream for cache 'dist': ProtoStream has no dict"):
            cache[7] = {}
        assert cache.get(7) is None, "nothing was sent"
        raw = client.cache("dist", key_codec=PROTOSTREAM, value_codec=codecs.OCTETS)
        raw[7] = b"\x4a\x05ab"
        with pytest.raises(libhotrod.DecodeError, match="with a key of 2 bytes as application/x-protostream: ValueError: not a"):
            cache.get(7)
    with pytest.raises(libhotrod.MisuseError, match="key_codec: expected a codec"):
        libhotrod.blocking.connect(node.uri(), key_codec=str)  # type: ignore[arg-type]
