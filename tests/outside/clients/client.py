"""A client for the rows of other languages: client.py URI MEMBERS KEYS.

Says in a line of JSON what it covers, waits for a line, works, says how that went, and waits for the end of its input.
"""

from __future__ import annotations

import json
import sys
import time

import libhotrod
from libhotrod import blocking

PATIENCE = 15.0


def wait_for_coverage(client: blocking.Client, members: int) -> libhotrod.Coverage:
    began = time.monotonic()
    while True:
        coverage = client.coverage()
        if coverage.covered == coverage.members == members or time.monotonic() - began > PATIENCE:
            return coverage
        time.sleep(0.001)


def work(cache: blocking.Cache[bytes, bytes], run: str, keys: int) -> list[float]:
    took = []
    for turn in range(4):
        for number in range(keys):
            key, value = f"{run} {number}".encode(), f"value of {run} {number}".encode()
            began = time.perf_counter()
            found = cache.put(key, value) if turn == 0 else cache.get(key)
            took.append(time.perf_counter() - began)
            assert turn == 0 or found == value, f"{key!r} has {found!r}"
    return sorted(took)


def main(uri: str, members: int, keys: int) -> None:
    with blocking.connect(uri) as client:
        coverage = wait_for_coverage(client, members) if members else client.coverage()
        connects = client.counters()["connects"]
        say({"covered": coverage.covered, "members": coverage.members, "reason": coverage.reason, "connects": connects})
        run = sys.stdin.readline().strip()
        took = work(client.cache(), run, keys)
        say({"p50_us": int(took[len(took) // 2] * 1e6), "p99_us": int(took[len(took) * 99 // 100] * 1e6)})
        sys.stdin.readline()


def say(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
