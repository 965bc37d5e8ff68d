"""Schemas from files."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from .errors import MisuseError


def read_files(paths: list[Path], root: Optional[Path]) -> dict[str, str]:
    """The texts of files by their names in the servers."""
    schemas: dict[str, str] = {}
    for path in paths:
        try:
            name = path.name if root is None else path.resolve().relative_to(root.resolve()).as_posix()
        except ValueError:
            raise MisuseError(f"schemas: {str(path)!r} is not in root {str(root)!r}") from None
        if name in schemas:
            raise MisuseError(f"schemas: two files are named {name!r}; give their root")
        schemas[name] = path.read_text(encoding="utf-8")
    return schemas
