"""Encoding and decoding of keys and values, shared by both drivers."""

from __future__ import annotations

from typing import Any, Generic, Iterable, Optional, Protocol, TypeVar, Union, cast

from ._checks import check_flag, check_flags, check_text
from .codecs import BYTES, Codec
from .errors import DecodeError, MisuseError
from .flags import Flags
from .types import Conditional, Entry, IterationEntry, ValuesWithMetadata

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
K_co = TypeVar("K_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)


class TextFor(Protocol[T_co]):
    """`str` if `T_co` is `bytes`, and nothing else: `str.encode()` returns `bytes`."""

    def encode(self) -> T_co:
        """Returns the bytes of the text."""


Argument = Union[T, TextFor[T]]
"""An argument for a key or a value: `T`, and `str` too where `T` is `bytes`."""


class HasItems(Protocol[K_co, V_co]):
    """A mapping, as an argument: unlike `Mapping` it is covariant in its keys."""

    def items(self) -> Iterable[tuple[K_co, V_co]]:
        """Returns the keys with their values."""


Entries = Union[HasItems[Argument[K], Argument[V]], Iterable[tuple[Argument[K], Argument[V]]]]
"""An argument for entries: a mapping, or pairs of a key and a value."""


class CodecUse(Generic[K, V]):
    """Converts keys and values between objects and bytes."""

    def __init__(self, name: str, key_codec: Codec[K], value_codec: Codec[V]) -> None:
        self._cache_name = name
        self.key_codec = key_codec
        self.value_codec = value_codec

    def _key(self, key: Argument[K]) -> Any:
        is_raw = self.key_codec is BYTES and not isinstance(key, str)
        return key if is_raw else self._encoded("key", self.key_codec, key)

    def _value(self, value: Argument[V]) -> Any:
        is_raw = self.value_codec is BYTES and not isinstance(value, str)
        return value if is_raw else self._encoded("value", self.value_codec, value)

    def _encoded(self, argument: str, codec: Codec[Any], value: Any) -> bytes:
        try:
            return codec.encode(value)
        except Exception as error:
            name = type(value).__name__
            form = f"{_form_of(codec)} for cache {self._cache_name!r}"
            raise MisuseError(f"argument {argument}: its codec can't encode this {name} as {form}: {error}") from error

    def _entries(self, entries: Entries[K, V]) -> list[tuple[Any, Any]]:
        items = getattr(entries, "items", None)
        pairs: Iterable[tuple[Argument[K], Argument[V]]] = cast(Any, entries) if items is None else items()
        return [(self._key(key), self._value(value)) for key, value in pairs]

    def _decoded_key(self, data: bytes) -> K:
        if self.key_codec is BYTES:
            return cast(K, data)
        try:
            return self.key_codec.decode(data)
        except Exception as error:
            raise self._undecoded("key", self.key_codec, len(data), error) from error

    def _decoded(self, data: bytes, key: Any, is_encoded: bool = False) -> V:
        """Decodes a value of `key`, which is a key of the user's or its bytes."""
        if self.value_codec is BYTES:
            return cast(V, data)
        try:
            return self.value_codec.decode(data)
        except Exception as error:
            length = len(key if is_encoded else self._key(key))
            raise self._undecoded("value", self.value_codec, length, error) from error

    def _undecoded(self, part: str, codec: Codec[Any], length: int, error: Exception) -> DecodeError:
        entry = f"{part} of an entry of cache {self._cache_name!r} with a key of {length} bytes as {_form_of(codec)}"
        reason = f"{type(error).__name__}: {error}"
        return DecodeError(f"its codec can't decode the {entry}: {reason}", may_have_been_applied=True)

    def _found(self, data: Optional[bytes], key: Argument[K]) -> Optional[V]:
        return None if data is None else self._decoded(data, key)

    def _entry(self, entry: Optional[Entry[bytes]], key: Argument[K]) -> Optional[Entry[V]]:
        if entry is None:
            return None
        value, version, lifespan, max_idle = entry
        return Entry(self._decoded(value, key), version, lifespan, max_idle)

    def _conditional(self, outcome: Conditional[bytes], key: Argument[K]) -> Conditional[V]:
        return Conditional(outcome.executed, self._entry(outcome.previous, key))

    def _keys(self, keys: list[bytes]) -> list[K]:
        return [self._decoded_key(key) for key in keys]

    def _values(self, values: list[bytes], key: Argument[K]) -> list[V]:
        return [self._decoded(value, key) for value in values]

    def _values_with_metadata(
        self, found: Optional[ValuesWithMetadata[bytes]], key: Argument[K]
    ) -> Optional[ValuesWithMetadata[V]]:
        return None if found is None else ValuesWithMetadata(self._values(found.values, key), found.metadata)

    def _mapping(self, entries: list[tuple[bytes, bytes]]) -> dict[K, V]:
        return {self._decoded_key(key): self._decoded(value, key, True) for key, value in entries}

    def _iterated(self, entry: IterationEntry[bytes, bytes]) -> IterationEntry[K, V]:
        values = [self._decoded(value, entry.key, True) for value in entry.values]
        return IterationEntry(self._decoded_key(entry.key), values, entry.metadata)


def _form_of(codec: Codec[Any]) -> str:
    return codec.media_type or "bytes"


INTERESTS = ("created", "modified", "removed", "expired")


def interest_bits(interests: Iterable[str]) -> int:
    """Converts the interests of a listener for the machine."""
    wanted = {interests} if isinstance(interests, str) else set(interests)
    if isinstance(interests, str) or not wanted.issubset(INTERESTS):
        words = ", ".join(f'"{interest}"' for interest in INTERESTS)
        got = interests if isinstance(interests, str) else sorted(map(str, wanted.difference(INTERESTS)))
        raise MisuseError(f"interests: expected a sequence of any of {words}, got {got!r}")
    return sum(1 << INTERESTS.index(interest) for interest in wanted)


class CacheSettings:
    """Settings that every request to a cache carries."""

    def __init__(
        self,
        name: str,
        flags: Flags,
        key_type: str,
        value_type: str,
        read_from_any_owner: bool,
        timeout: Optional[float],
        traceparent: Optional[str],
    ) -> None:
        check_text("name", name)
        check_flags("flags", flags)
        check_flag("read_from_any_owner", read_from_any_owner)
        if traceparent is not None:
            check_text("traceparent", traceparent)
        self.name = name
        self.flags = flags
        self.key_type = key_type
        self.value_type = value_type
        self.read_from_any_owner = read_from_any_owner
        self.timeout = timeout
        self.traceparent = traceparent

    def options(self) -> dict[str, Any]:
        """Returns the keyword arguments of `Machine.cache`."""
        return {
            "flags": int(self.flags),
            "key_type": self.key_type,
            "value_type": self.value_type,
            "read_from_any_owner": self.read_from_any_owner,
            "parameters": [("traceparent", self.traceparent.encode())] if self.traceparent else [],
        }
