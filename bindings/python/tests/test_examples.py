"""Runs the examples."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT, Embedded, Real, real

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def output_of(example: str, uri: str) -> str:
    command = [sys.executable, str(EXAMPLES / example), uri]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def test_the_program_of_the_readme(three: Embedded) -> None:
    assert output_of("readme.py", f"hotrod://{three.addresses[0]}") == "done\n"


def test_the_readme_shows_that_program() -> None:
    program = (EXAMPLES / "readme.py").read_text()
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    body = program[program.index("import asyncio") :]
    assert body in shown


@pytest.fixture(scope="module")
def configured() -> Iterator[Real]:
    """A real server with the caches that docs/keys-and-values.md shows."""
    shown = re.findall(r"```xml\n(.*?)```", (ROOT / "docs/keys-and-values.md").read_text(), re.DOTALL)
    yield from real("--caches", "".join(shown))


def test_objects(configured: Real) -> None:
    assert output_of("objects.py", f"hotrod://{configured.addresses[0]}").splitlines() == [
        *["lamp costs 1999", "together 10899", "last order: 7", "order 7: lamp for 1999"],
        "{'_type': 'shop.Order', 'item': 'lamp', 'price': 1999}",
    ]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="match came with Python 3.10")
def test_own_sockets(three: Embedded) -> None:
    assert output_of("own_sockets.py", three.uri()) == "hello from my own sockets\n"
    assert len((EXAMPLES / "own_sockets.py").read_text().splitlines()) < 100
