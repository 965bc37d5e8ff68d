"""Codecs of keys and values: each declares a media type; none uses pickle."""

from __future__ import annotations

import json
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Codec(Protocol, Generic[T]):
    """Turns values into bytes and back. Write your own with these three members."""

    @property
    def media_type(self) -> str:
        """Media type sent to the server; empty for the cache's storage format."""

    def encode(self, value: T, /) -> bytes:
        """Encodes a value."""

    def decode(self, data: bytes, /) -> T:
        """Decodes a value."""


class _Bytes(NamedTuple):
    media_type: str = ""

    def encode(self, value: bytes | str, /) -> bytes:
        return value.encode() if isinstance(value, str) else value

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
"""`bytes`, unchanged, in the cache's storage format; a `str` is sent as its UTF-8 bytes."""

OCTETS: Codec[bytes] = _Bytes("application/octet-stream")
"""`bytes`, unchanged, as application/octet-stream; a `str` is sent as its UTF-8 bytes."""

TEXT: Codec[str] = _Text()
"""`str`, as text/plain in UTF-8."""

JSON: Codec[Any] = _Json()
"""JSON values by the module json, as application/json."""
