"""Schemas in the order of their imports, and from files."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Iterable, Mapping, Optional

from .errors import MisuseError

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_IMPORT = re.compile(r"""^\s*import\s+(?:public\s+|weak\s+)?["']([^"']+)["']\s*;""", re.MULTILINE)


def in_order_of_imports(schemas: Mapping[str, str]) -> Iterable[str]:
    """The names of schemas, each after those that it imports. Files that import each other keep their order: the server tells."""
    imports = {name: _IMPORT.findall(_COMMENT.sub("", text)) for name, text in schemas.items()}
    known = {name: [other for other in imported if other in schemas] for name, imported in imports.items()}
    try:
        return list(TopologicalSorter(known).static_order())
    except CycleError:
        return list(schemas)


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
