#!/usr/bin/env python3
"""Measures the native border without sockets: nanoseconds per call and per output. Prints one line of JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path

from libhotrod import Machine, outputs

SCENARIOS = Path(__file__).resolve().parents[3] / "tests" / "conformance" / "scenarios" / "operations.json"
BATCH = 500
ROUNDS = 200


def ready() -> tuple[Machine, int, int]:
    """Creates a machine with a session by replaying the first steps of a recorded scenario."""
    scenario = json.loads(SCENARIOS.read_text())[0]
    machine = Machine(scenario["uri"], seed=bytes.fromhex(scenario["seed"]))
    cache, link = 0, 0
    for step in scenario["steps"]:
        arguments = step.get("with", {})
        if step["call"] == "submit":
            break
        if step["call"] == "cache":
            cache = machine.cache(step["at"], arguments["name"])
        elif step["call"] == "start":
            machine.start(step["at"], arguments["cache"])
        elif step["call"] == "connected":
            machine.connected(step["at"], link)
        else:
            machine.received(step["at"], link, bytes.fromhex(arguments["bytes"]))
        for output in machine.poll():
            if isinstance(output, outputs.Connect):
                link = output.link
        machine.transmit(link)
    return machine, cache, link


def main() -> None:
    machine, cache, link = ready()
    value = bytes(64)
    submit = receive = poll = 0
    message = first = None
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        for _ in range(BATCH):
            machine.submit(1_000, cache, "get", (b"key",))
        submit += time.perf_counter_ns() - began
        machine.poll()
        sent = machine.transmit(link)
        # Message ids are varints (7 bits per byte), consecutive within a batch.
        replies, at = [], 0
        length = len(sent) // BATCH
        while at < len(sent):
            end = sent.find(b"\xa0", at + length - 2)
            end = len(sent) if end < 0 else end
            message = sent[at + 1 : at + 1 + next(i for i in range(9) if not sent[at + 1 + i] & 0x80) + 1]
            replies.append(b"\xa1" + message + b"\x04\x00\x00\x40" + value)
            at = end
        data = b"".join(replies)
        began = time.perf_counter_ns()
        machine.received(1_000, link, data)
        receive += time.perf_counter_ns() - began
        began = time.perf_counter_ns()
        batch = machine.poll()
        poll += time.perf_counter_ns() - began
        first = first or sum(isinstance(output, outputs.Completed) and output.answer == value for output in batch)
        assert len(batch) == BATCH, len(batch)
    assert first == BATCH
    began = time.perf_counter_ns()
    for _ in range(100_000):
        machine.poll_timeout()
    call = (time.perf_counter_ns() - began) / 100_000
    count = BATCH * ROUNDS
    print(json.dumps({"call_ns": call, "submit_ns": submit / count, "received_ns": receive / count, "output_ns": poll / count}))


if __name__ == "__main__":
    main()
