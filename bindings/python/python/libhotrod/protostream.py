"""Values of caches that store application/x-protostream, the default of Infinispan's Java clients.

The codec `PROTOSTREAM` converts Python's own types; `protostream` makes one for other types of numbers and for messages:

    items = protostream(messages=[Item])
    cache = client.cache("items", key_codec=PROTOSTREAM, value_codec=items)

| Python | stored as | Java |
|---|---|---|
| `str`, `bytes`, `bool` | string, bytes, bool | `String`, `byte[]`, `boolean` |
| `int`, `float` | int64, double, or what `protostream` is told | `long`, `double` |
| `Int32(7)`, `Short(7)`, `Float(0.5)`, … | that kind | `int`, `short`, `float` |
| `datetime` with a time zone, `Instant` | instant | `java.time.Instant` |
| `DateMillis` | date_millis | `java.util.Date` |
| `list`, `tuple` | a container of the type `ARRAY_LIST` | `java.util.ArrayList` |
| `Container` | a container of another type | sets, arrays, other lists |
| a registered message, or `Message` | a message | a class with a schema |
| `EnumValue` | a constant of an enum | an `enum` with a schema |

Whatever is decoded is encoded to the same bytes again: an int32 that is read by `PROTOSTREAM` is an `Int32`, which is an `int` that
remembers its kind. That matters for keys: Java's `Integer` 7 and `Long` 7 are different keys. `None` is refused, except as an
element of a container.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Iterable, NamedTuple, Optional, Union

from ._native import decode_protostream, encode_protostream
from ._protostream_numbers import (
    KINDS,
    NUMBERS,
    Byte,
    Char,
    DateMillis,
    Double,
    Fixed32,
    Fixed64,
    Float,
    Int32,
    Int64,
    SFixed32,
    SFixed64,
    Short,
    SInt32,
    SInt64,
    UInt32,
    UInt64,
)

__all__ = [
    "ARRAY_LIST",
    "HASH_SET",
    "KINDS",
    "OBJECT_ARRAY",
    "PROTOSTREAM",
    "Byte",
    "Char",
    "Container",
    "DateMillis",
    "Double",
    "EnumValue",
    "Fixed32",
    "Fixed64",
    "Float",
    "Instant",
    "Int32",
    "Int64",
    "Message",
    "MessageType",
    "ProtoStream",
    "SFixed32",
    "SFixed64",
    "SInt32",
    "SInt64",
    "Short",
    "UInt32",
    "UInt64",
    "protostream",
]

ARRAY_LIST = "org.infinispan.protostream.commons.ArrayList"
"""Type of `java.util.ArrayList`: what Java's client needs to receive a `List`."""

HASH_SET = "org.infinispan.protostream.commons.HashSet"
"""Type of `java.util.HashSet`."""

OBJECT_ARRAY = "org.infinispan.protostream.commons.ObjectArray"
"""Type of `Object[]`."""

TypeName = Union[str, int]
"""A type by its full name, such as `shop.Item`, or by the number that its schema gives it (`@TypeId`)."""


class Message(NamedTuple):
    """An encoded message."""

    type: TypeName
    """Its type. A type that has a number is always stored by its number."""
    data: bytes
    """The message, as Protocol Buffers encode it."""


class EnumValue(NamedTuple):
    """A constant of an enum."""

    type: TypeName
    """Type of the enum."""
    number: int
    """Number of the constant."""


class Instant(NamedTuple):
    """A point in time that `datetime` can't hold: by its nanoseconds, or by its year."""

    seconds: int
    """Seconds since 1970-01-01T00:00:00Z."""
    nanoseconds: int
    """Nanoseconds after `seconds`: 0 to 999,999,999."""


class Container(list[Any]):
    """A list, set or array of a certain type; a `list` of its elements."""

    def __init__(self, type: TypeName, elements: Iterable[Any] = (), data: bytes = b"") -> None:
        super().__init__(elements)
        self.type = type
        """Type of the container, such as `HASH_SET`."""
        self.data = data
        """The container's own fields, an encoded message; empty for all containers of Java's class library."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Container) and (self.type, self.data) != (other.type, other.data):
            return False
        return list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return f"Container({self.type!r}, {list.__repr__(self)})"


class MessageType(NamedTuple):
    """A type of messages, and how its objects are encoded: for another library than Google's `protobuf`."""

    cls: type[Any]
    """Class of the objects."""
    name: str
    """Full name of the type, such as `shop.Item`."""
    encode: Callable[[Any], bytes]
    """Encodes an object."""
    decode: Callable[[bytes], Any]
    """Decodes an object."""
    type_id: Optional[int] = None
    """Number that the schema gives to the type (`@TypeId`), if it has one: Java's client stores such a type by its number."""

    @staticmethod
    def of(cls: type[Any], type_id: Optional[int] = None) -> MessageType:
        """Returns the type of a class that Google's `protobuf` made. Messages are encoded deterministically, so they may be keys."""
        name = getattr(getattr(cls, "DESCRIPTOR", None), "full_name", None)
        if not isinstance(name, str):
            raise TypeError(f"messages: expected classes of protobuf, or MessageType, got {cls!r}")
        return MessageType(cls, name, lambda message: message.SerializeToString(deterministic=True), cls.FromString, type_id)


# Of a type in an error, in characters: it came from the network.
_LONGEST_NAME = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NUMBERS: tuple[type[Any], ...] = tuple(NUMBERS.values())


def _instant_of(moment: datetime) -> tuple[int, int]:
    if moment.utcoffset() is None:
        raise ValueError("a datetime needs a time zone to be an instant")
    since = moment - _EPOCH
    return since.days * 86_400 + since.seconds, since.microseconds * 1_000


def _moment(seconds: int, nanoseconds: int) -> Union[datetime, Instant]:
    microseconds, rest = divmod(nanoseconds, 1_000)
    try:
        return Instant(seconds, nanoseconds) if rest else _EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
    except OverflowError:
        return Instant(seconds, nanoseconds)


class ProtoStream:
    """Codec of application/x-protostream; see `protostream`."""

    media_type = "application/x-protostream"

    def __init__(self, int: str, float: str, messages: Iterable[Union[type[Any], MessageType]]) -> None:
        self._int, self._float = int, float
        types = [item if isinstance(item, MessageType) else MessageType.of(item) for item in messages]
        self._by_class = {item.cls: item for item in types}
        self._by_type: dict[TypeName, MessageType] = {item.name: item for item in types}
        self._by_type.update({item.type_id: item for item in types if item.type_id is not None})

    def encode(self, value: Any, /) -> bytes:
        """Encodes a value. Raises TypeError, ValueError or OverflowError for what can't be stored."""
        return encode_protostream(*self._content(value))

    def decode(self, data: bytes, /) -> Any:
        """Decodes a value. Raises ValueError for data that is not valid, or a message of a type that is not registered while
        others are.
        """
        return self._value(*decode_protostream(data))

    def _content(self, value: Any) -> tuple[str, Any]:
        if isinstance(value, str):
            return "string", str(value)
        if isinstance(value, bool):
            return "bool", value
        if isinstance(value, _NUMBERS):
            return value.KIND, value
        if isinstance(value, int):
            return self._int, value
        if isinstance(value, float):
            return self._float, value
        if isinstance(value, (bytes, bytearray, memoryview)):
            return "bytes", bytes(value)
        return self._composed(value)

    def _composed(self, value: Any) -> tuple[str, Any]:
        if value is None:
            return "null", None
        message = self._by_class.get(type(value))
        if message is not None:
            return "message", (message.name if message.type_id is None else message.type_id, message.encode(value))
        if isinstance(value, Message):
            return "message", (value.type, bytes(value.data))
        if isinstance(value, EnumValue):
            return "enum", tuple(value)
        if isinstance(value, Instant):
            return "instant", tuple(value)
        if isinstance(value, datetime):
            return "instant", _instant_of(value)
        if isinstance(value, Container):
            return "container", (value.type, value.data, [self._content(element) for element in value])
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return "container", (ARRAY_LIST, b"", [self._content(element) for element in value])
        raise TypeError(self._refusal(value))

    def _refusal(self, value: Any) -> str:
        name = type(value).__name__
        if isinstance(value, (set, frozenset)):
            return f"a {name} has no order: give Container(HASH_SET, elements) in an order of yours"
        registered = ", ".join(sorted(cls.__name__ for cls in self._by_class)) or "none"
        return (
            f"ProtoStream has no {name}; it has str, bytes, bool, int, float, datetime, list, the types of libhotrod.protostream, "
            f"and registered messages: {registered}"
        )

    def _value(self, kind: str, content: Any) -> Any:
        number = NUMBERS.get(kind)
        if number is not None:
            return content if kind in (self._int, self._float) else number(content)
        if kind == "instant":
            return _moment(*content)
        if kind == "enum":
            return EnumValue(*content)
        if kind == "message":
            return self._message(*content)
        if kind == "container":
            type, data, elements = content
            values = [self._value(*element) for element in elements]
            return values if type == ARRAY_LIST and not data else Container(type, values, data)
        return content

    def _message(self, type: TypeName, data: bytes) -> Any:
        message = self._by_type.get(type)
        if message is not None:
            return message.decode(data)
        if self._by_type:
            registered = ", ".join(sorted({item.name for item in self._by_type.values()}))
            name = type[:_LONGEST_NAME] if isinstance(type, str) else type
            raise ValueError(f"a message of the type {name!r}, which is not registered; registered are {registered}")
        return Message(type, data)


def protostream(
    *, int: str = "int64", float: str = "double", messages: Iterable[Union[type[Any], MessageType]] = ()
) -> ProtoStream:
    """Returns a codec of application/x-protostream.

    `int` and `float` are the kinds of Python's `int` and `float`: `int="int32"` for keys or values of Java's `Integer`. `messages` are
    the classes of messages that it encodes and decodes, made by Google's `protobuf`, or each a `MessageType`. Without any, a message
    is decoded to a `Message` with its bytes. Raises TypeError or ValueError for other arguments.
    """
    for argument, kind, base in (("int", int, _INT), ("float", float, _FLOAT)):
        kinds = [name for name, cls in NUMBERS.items() if issubclass(cls, base)]
        if kind not in kinds:
            raise ValueError(f"{argument}: expected any of {', '.join(kinds)}, got {kind!r}")
    return ProtoStream(int, float, messages)


# The arguments of `protostream` have the names of these.
_INT, _FLOAT = int, float

PROTOSTREAM = protostream()
"""Python's own types, as application/x-protostream: `int` as int64 and `float` as double."""
