"""Runs the examples."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Embedded

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


@pytest.mark.skipif(sys.version_info < (3, 10), reason="match came with Python 3.10")
def test_own_sockets(three: Embedded) -> None:
    assert output_of("own_sockets.py", three.uri()) == "hello from my own sockets\n"
    assert len((EXAMPLES / "own_sockets.py").read_text().splitlines()) < 100
