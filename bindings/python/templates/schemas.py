"""Schemas of Protocol Buffers in the servers, by which they query, index and convert values of ProtoStream caches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Mapping, Optional, Union

from ._schema_files import read_files
from .errors import MisuseError, SchemaError

CACHE = "___protobuf_metadata"
ERRORS = ".errors"


class Schemas:
    """The schemas of a cluster: files of Protocol Buffers by name. They need the permission CREATE where the servers authorize.

    Servers keep a schema that has errors, and say nothing; `register` raises SchemaError.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    async def register(self, schemas: Mapping[str, str]) -> None:
        """Registers or updates files, given as `{"shop.proto": text}`, in any order. Raises SchemaError if any of them has errors,
        or if one that imports them has errors now. They are stored all the same, until they are registered again or removed.
        """
        for name in schemas:
            if not name.endswith(".proto"):
                raise MisuseError(f"schemas: the name of a schema ends with .proto, got {name!r}")
        before = await self.errors()
        await self._cache.put_all(schemas)
        after = await self.errors()
        failed = {name: reason for name, reason in after.items() if name in schemas or name not in before}
        if failed:
            raise SchemaError(failed)

    async def register_files(
        self, *paths: Union[str, os.PathLike[str]], root: Optional[Union[str, os.PathLike[str]]] = None
    ) -> None:
        """Registers files of the disk. Their names in the servers, by which they import each other, are relative to `root`; by
        default those of the files without a folder. Raises OSError for a file that can't be read.
        """
        await self.register(read_files([Path(path) for path in paths], None if root is None else Path(root)))

    async def get(self, name: str) -> Optional[str]:
        """Returns the text of a schema."""
        text: Optional[str] = await self._cache.get(name)
        return text

    async def names(self) -> list[str]:
        """Returns the names of all schemas, sorted."""
        return sorted(name for name in await self._cache.bulk_get_keys() if name.endswith(".proto"))

    async def errors(self) -> dict[str, str]:
        """Returns the errors of all schemas that have some, by name: with line and column, as the server's parser says them."""
        names = (await self._cache.get(ERRORS) or "").split()
        return {name: await self._cache.get(name + ERRORS) or "" for name in names}

    async def remove(self, name: str) -> bool:
        """Removes a schema. Returns False if there is none. Those that import it have errors then."""
        return bool(await self._cache.remove(name))
