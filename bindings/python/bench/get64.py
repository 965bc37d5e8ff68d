#!/usr/bin/env python3
"""Measures GETs of 64-byte values on one client. Prints one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import threading
import time
from typing import Any

import libhotrod
from libhotrod import codecs

KEYS = 1000
CODECS = {"bytes": codecs.BYTES, "text": codecs.TEXT, "protostream": codecs.PROTOSTREAM}


def keys_of(codec: str) -> list[Any]:
    keys = [f"key-{number}" for number in range(KEYS)]
    return [key.encode() for key in keys] if codec == "bytes" else list(keys)


def usage() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Measurement:
    """Measurements between the end of the warm-up and the end."""

    def __init__(self, seconds: float, warmup: float) -> None:
        self.begin = time.monotonic() + warmup
        self.end = self.begin + seconds
        self.operations = 0
        self.cpu = 0.0

    def report(self, seconds: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            json.dumps(
                {
                    "operations": self.operations,
                    "ops_per_second": self.operations / seconds,
                    "cpu_us_per_operation": self.cpu / self.operations * 1e6,
                    "peak_rss_kib": peak,
                }
            )
        )


async def asynchronous(options: argparse.Namespace, uri: str) -> None:
    async with libhotrod.connect(uri) as client:
        cache: Any = client.cache(key_codec=CODECS[options.key_codec])
        keys = keys_of(options.key_codec)
        await cache.put_all({key: bytes(options.value_size) for key in keys})
        measurement = Measurement(options.seconds, options.warmup_seconds)

        async def work(number: int) -> int:
            turn, counted = number, 0
            while (now := time.monotonic()) < measurement.end:
                for _ in range(20):
                    await cache.get(keys[turn % KEYS])
                    turn += 1
                if now >= measurement.begin:
                    counted += 20
            return counted

        async def meter() -> float:
            await asyncio.sleep(measurement.begin - time.monotonic())
            return usage()

        began, *counts = await asyncio.gather(meter(), *(work(number) for number in range(options.in_flight)))
        measurement.operations, measurement.cpu = int(sum(counts)), usage() - began
    measurement.report(options.seconds)


def blocking(options: argparse.Namespace, uri: str) -> None:
    with libhotrod.blocking.connect(uri) as client:
        cache: Any = client.cache(key_codec=CODECS[options.key_codec])
        keys = keys_of(options.key_codec)
        cache.put_all({key: bytes(options.value_size) for key in keys})
        counts = [0] * options.in_flight
        began_all = threading.Event()

        def work(number: int) -> None:
            began_all.wait()
            turn = number
            while (now := time.monotonic()) < measurement.end:
                for _ in range(20):
                    cache.get(keys[turn % KEYS])
                    turn += 1
                if now >= measurement.begin:
                    counts[number] += 20

        threads = [threading.Thread(target=work, args=(number,)) for number in range(options.in_flight)]
        for thread in threads:
            thread.start()
        # A busy machine needs time to start hundreds.
        measurement = Measurement(options.seconds, options.warmup_seconds)
        began_all.set()
        time.sleep(max(0.0, measurement.begin - time.monotonic()))
        began = usage()
        for thread in threads:
            thread.join()
        measurement.operations, measurement.cpu = sum(counts), usage() - began
    measurement.report(options.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11222)
    parser.add_argument("--cache", default="bench")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--warmup-seconds", type=float, default=1)
    parser.add_argument("--value-size", type=int, default=64)
    parser.add_argument("--key-codec", choices=sorted(CODECS), default="bytes")
    parser.add_argument("--blocking", action="store_true")
    options = parser.parse_args()
    uri = f"hotrod://{options.host}:{options.port}/{options.cache}"
    if options.blocking:
        blocking(options, uri)
    else:
        asyncio.run(asynchronous(options, uri))


if __name__ == "__main__":
    main()
