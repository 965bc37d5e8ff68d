"""Codecs of keys and values: each declares a media type; none uses pickle."""

from __future__ import annotations

import json
from typing import Any, Generic, NamedTuple, Optional, Protocol, TypeVar

from .protostream import PROTOSTREAM, protostream

__all__ = ["BYTES", "JSON", "OCTETS", "PROTOSTREAM", "TEXT", "Codec", "protostream"]

T = TypeVar("T")


class Codec(Protocol, Generic[T]):
    """Turns values into bytes and back. Write your own with these three members.

    A codec of keys may have a fourth one, `storage_key(encoded: bytes) -> bytes`: the bytes that servers store for an encoded key, to
    whose owner operations go. It is for keys whose conversion in the server depends on a schema (the event KeysNotRouted names them);
    the client derives the others. Wrong bytes cost a hop, and nothing else.
    """

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


def default_codec(media_type: str) -> Codec[Any]:
    """Returns the codec of a client's default media type (`key_media_type` and `value_media_type` of its URI)."""
    name = media_type.partition(";")[0].strip()
    if name == "text/plain":
        charset = _parameter(media_type, "charset")
        if charset is None or charset.lower() in ("utf-8", "utf8"):
            return _Text(media_type)
    if name == JSON.media_type:
        return JSON
    return PROTOSTREAM if media_type == PROTOSTREAM.media_type else BYTES


def _parameter(media_type: str, wanted: str) -> Optional[str]:
    for parameter in media_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == wanted:
            return value.strip().strip('"')
    return None
