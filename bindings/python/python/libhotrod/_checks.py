"""Checks of options. A message has the option's name and the type of its value, never the value: it may be a secret."""

from __future__ import annotations

from typing import Any, Optional

from .errors import MisuseError
from .flags import Flags


def _wrong(name: str, wanted: str, value: Any) -> MisuseError:
    kind = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    return MisuseError(f"{name}: expected {wanted}, got {kind}")


def check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(name, "str", value)


def check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(name, "bool", value)


def check_flags(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        words = ", ".join(f"Flags.{flag.name}" for flag in Flags)
        raise _wrong(name, f"any of {words}, combined by |", value)


def check_codec(name: str, value: Any) -> None:
    has_methods = all(callable(getattr(value, method, None)) for method in ("encode", "decode"))
    if isinstance(value, type) or not has_methods or not isinstance(getattr(value, "media_type", None), str):
        wanted = "a codec, with media_type, encode and decode: BYTES, OCTETS, TEXT, JSON or PROTOSTREAM of libhotrod.codecs, or your own"
        raise _wrong(name, wanted, value)


def microseconds(seconds: Optional[float]) -> Optional[int]:
    """Converts a timeout for the machine."""
    if seconds is None:
        return None
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise _wrong("timeout", "seconds above 0", seconds)
    if not 0 < seconds < 1e12:
        raise MisuseError(f"timeout: expected seconds above 0, got {seconds!r}")
    return max(1, int(seconds * 1_000_000))
