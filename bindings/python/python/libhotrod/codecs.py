"""How keys and values become bytes: by a declared media type, and never by pickling."""

from __future__ import annotations

import json
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Codec(Protocol, Generic[T]):
    """Turns values into bytes and back. Write your own with these three members."""

    @property
    def media_type(self) -> str:
        """What the server is told that the bytes are; empty for the form in which the cache stores them."""

    def encode(self, value: T, /) -> bytes:
        """The bytes of a value."""

    def decode(self, data: bytes, /) -> T:
        """The value of bytes."""


class _Bytes(NamedTuple):
    media_type: str = ""

    def encode(self, value: bytes, /) -> bytes:
        return value

    def decode(self, data: bytes, /) -> bytes:
        return data


class _Text(NamedTuple):
    media_type: str = "text/plain;charset=UTF-8"

    def encode(self, value: str, /) -> bytes:
        return value.encode()

    def decode(self, data: bytes, /) -> str:
        return data.decode()


class _Json(NamedTuple):
    media_type: str = "application/json"

    def encode(self, value: Any, /) -> bytes:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def decode(self, data: bytes, /) -> Any:
        return json.loads(data)


BYTES: Codec[bytes] = _Bytes()
"""Bytes as they are, in the form in which the cache stores them."""

OCTETS: Codec[bytes] = _Bytes("application/octet-stream")
"""Bytes as they are, declared to be just that."""

TEXT: Codec[str] = _Text()
"""`str`, as text/plain in UTF-8."""

JSON: Codec[Any] = _Json()
"""What the module json can write, as application/json."""
