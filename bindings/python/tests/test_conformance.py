"""Scenarios that every binding's machine must pass; tests/conformance/README.md describes their form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest

from libhotrod import CounterConfiguration, HotRodError, Machine, Modification, Xid, outputs, types

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "conformance"
VOCABULARY = json.loads((FOLDER / "../../spec/vocabulary.json").read_text())
OPERATIONS = {operation["name"]: operation for operation in VOCABULARY["operations"]}
SHAPES = {shape["name"]: shape for shape in VOCABULARY["outputs"]}
SCENARIOS = [
    pytest.param(scenario, id=f"{path.stem}: {scenario['name']}")
    for folder in ("scenarios", "vectors")
    for path in sorted((FOLDER / folder).glob("*.json"))
    for scenario in json.loads(path.read_text())
]


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) > 50


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: dict[str, Any]) -> None:
    def begin() -> Machine:
        return Machine(scenario["uri"], seed=bytes.fromhex(scenario["seed"]), now=0)

    if "error" in scenario:
        with pytest.raises(HotRodError) as raised:
            begin()
        assert failure(raised.value) == scenario["error"]
        return
    player = Player(begin())
    for number, step in enumerate(scenario["steps"]):
        assert player.play(step) == {key: step[key] for key in step if key not in ("at", "call", "with")}, number


class Player:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.ids: dict[str, int] = {}
        self.names: dict[tuple[str, int], str] = {}
        self.asked: dict[int, dict[str, Any]] = {}

    def play(self, step: dict[str, Any]) -> dict[str, Any]:
        """Returns the result of a step, in the scenario's form."""
        done: dict[str, Any] = {}
        try:
            returned = self.call(step["at"], step["call"], step.get("with", {}))
            if returned is not None:
                done["returns"] = returned
        except HotRodError as error:
            done["error"] = failure(error)
        batch = self.poll()
        transmitted: dict[str, str] = {}
        for output in batch:
            if output["type"] == "Transmit":
                sent = [transmitted.get(output["link"], "")]
                while data := self.machine.transmit(self.ids[output["link"]]):
                    sent.append(data.hex())
                transmitted[output["link"]] = "".join(sent)
        more = self.poll()
        for key, value in [("outputs", batch), ("transmit", transmitted), ("more_outputs", more)]:
            if value:
                done[key] = value
        done["timeout"] = self.machine.poll_timeout()
        return done

    def poll(self) -> list[dict[str, Any]]:
        return [self.output(output) for output in self.machine.poll()]

    def output(self, output: Any) -> dict[str, Any]:
        name = type(output).__name__
        fields = SHAPES[name]["fields"]
        values = {field["name"]: self.value(field, value) for field, value in zip(fields, output)}
        assert len(values) == len(output)
        if isinstance(output, outputs.Completed) and output.error is None:
            shape = self.asked.pop(output.id)["answer"]
            values["answer"] = {shape: ANSWERS[shape](output.answer)}
        return {"type": name, **values}

    def value(self, field: dict[str, Any], value: Any) -> Any:
        kind = field["kind"]
        if value is None or kind == "answer":
            return None
        if kind == "id":
            return self.name(field["of"], value)
        forms = {"opaque": str, "signed": str, "bytes": bytes.hex, "tls": tls, "failure": failure, "entries": entries}
        return forms.get(kind, lambda plain: plain)(value)

    def name(self, of: str, identity: int) -> str:
        count = sum(1 for other, _ in self.names if other == of)
        name = self.names.setdefault((of, identity), f"${of}{count + 1}")
        self.ids[name] = identity
        return name

    def call(self, now: int, call: str, given: dict[str, Any]) -> Any:
        machine = self.machine
        given = {key: self.ids[value] if isinstance(value, str) and value.startswith("$") else value for key, value in given.items()}
        if call == "submit":
            operation = OPERATIONS[given["operation"]]
            arguments = tuple(argument(field, value) for field, value in zip(operation["fields"], given["arguments"]))
            storage_keys = [bytes.fromhex(key) for key in given.get("storage_keys", ())]
            submitted = machine.submit(
                now, given["cache"], operation["name"], arguments, given["member"], given["timeout"], storage_keys
            )
            self.asked[submitted] = operation
            return self.name("operation", submitted)
        if call == "cache":
            parameters = [(name, bytes.fromhex(value)) for name, value in given.pop("parameters")]
            return machine.cache(now, given.pop("name"), parameters=parameters, **given)
        if call in ("listen", "listen_to_counter"):
            return self.name("listener", getattr(machine, call)(now, given.pop("cache"), **given))
        if call == "iterate":
            given["segments"] = given["segments"] and bytes.fromhex(given["segments"])
            return self.name("iteration", machine.iterate(now, given.pop("cache"), **given))
        if call == "received":
            return machine.received(now, given["link"], bytes.fromhex(given["bytes"]))
        if call == "set_peer":
            return machine.set_peer(given["link"], given["address"])
        if call == "set_tls_exporter":
            return machine.set_tls_exporter(given["link"], bytes.fromhex(given["exported"]))
        if call == "set_server_certificate":
            return machine.set_server_certificate(given["link"], bytes.fromhex(given["certificate"]))
        if call == "cancel":
            return machine.cancel(given["operation"])
        return getattr(machine, call)(now, **given)


def hexes(values: list[bytes]) -> list[str]:
    return [value.hex() for value in values]


def pairs(values: Any) -> list[list[str]]:
    return [[key.hex(), value.hex()] for key, value in values]


def failure(error: HotRodError) -> dict[str, Any]:
    result = {
        "kind": type(error).__name__.removesuffix("Error"),
        "message": str(error),
        "operation": error.operation,
        "member": error.member,
        "status": error.status,
        "applied": "unknown" if error.may_have_been_applied else "no",
        "attempts": error.attempts,
    }
    if result["kind"] == "Partial":
        result["parts"] = [{"keys": hexes(keys), "error": failure(part)} for keys, part in error.parts]
        result["entries"] = pairs(error.entries)
    return result


def tls(tls: types.Tls) -> dict[str, Any]:
    pair = tls.client_certificate and {"certificate": tls.client_certificate[0], "key": tls.client_certificate[1]}
    return {"server_name": tls.server_name, "alpn": tls.alpn, "trust_ca": tls.trust_ca, "client_certificate": pair}


def lifetime(lifetime: Optional[types.Lifetime]) -> Optional[dict[str, int]]:
    return lifetime and {"since": round(lifetime.since * 1000), "seconds": lifetime.seconds}


def metadata(metadata: Optional[types.Metadata]) -> Optional[dict[str, Any]]:
    return metadata and {
        "version": str(metadata.version),
        "lifespan": lifetime(metadata.lifespan),
        "max_idle": lifetime(metadata.max_idle),
    }


def entries(entries: list[types.IterationEntry[bytes, bytes]]) -> list[dict[str, Any]]:
    return [
        {"key": entry.key.hex(), "values": hexes(entry.values), "metadata": metadata(entry.metadata)}
        for entry in entries
    ]


def entry(entry: Optional[types.Entry[bytes]]) -> Optional[dict[str, Any]]:
    return entry and {
        "value": entry.value.hex(),
        "version": None if entry.version is None else str(entry.version),
        "lifespan": lifetime(entry.lifespan),
        "max_idle": lifetime(entry.max_idle),
    }


def counter(counter: Optional[CounterConfiguration]) -> Optional[dict[str, Any]]:
    return counter and {
        "kind": counter.kind,
        "lower": None if counter.lower is None else str(counter.lower),
        "upper": None if counter.upper is None else str(counter.upper),
        "concurrency": counter.concurrency,
        "persistent": counter.persistent,
        "initial_value": str(counter.initial_value),
    }


def xid(xid: Xid) -> dict[str, Any]:
    return {
        "format_id": xid.format_id,
        "global_transaction_id": xid.global_transaction_id.hex(),
        "branch_qualifier": xid.branch_qualifier.hex(),
    }


def chunk(chunk: Optional[types.Chunk]) -> Optional[dict[str, Any]]:
    return chunk and {
        "stream_id": chunk.stream_id,
        "complete": chunk.complete,
        "metadata": metadata(chunk.metadata),
        "chunk": chunk.chunk.hex(),
    }


ANSWERS = {
    "nothing": lambda _: True,
    "flag": lambda answer: answer,
    "size": lambda answer: answer,
    "number": str,
    "value": lambda answer: None if answer is None else answer.hex(),
    "entry": entry,
    "conditional": lambda answer: {"executed": answer.executed, "previous": entry(answer.previous)},
    "versioned": lambda answer: answer.value,
    "entries": pairs,
    "values": hexes,
    "values_with_metadata": lambda answer: answer
    and {"metadata": metadata(answer.metadata), "values": hexes(answer.values)},
    "names": lambda answer: answer,
    "text_map": lambda answer: [[name, text] for name, text in answer.items()],
    "server": lambda answer: answer._asdict(),
    "chunk": chunk,
    "xids": lambda answer: [xid(each) for each in answer],
    "counter": counter,
}


def argument(field: dict[str, Any], value: Any) -> Any:
    kind = field["argument"]
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind in ("signed", "opaque"):
        return int(value)
    if kind == "expiration":
        return expiration(value)
    if kind == "byte_list":
        return [bytes.fromhex(item) for item in value]
    if kind == "entries":
        return [(bytes.fromhex(key), bytes.fromhex(item)) for key, item in value]
    if kind == "parameters":
        return [(name, bytes.fromhex(item)) for name, item in value]
    if kind == "xid":
        return Xid(value["format_id"], *(bytes.fromhex(value[part]) for part in ("global_transaction_id", "branch_qualifier")))
    if kind == "modifications":
        return [modification(item) for item in value]
    if kind == "counter":
        numbers = {key: None if value[key] is None else int(value[key]) for key in ("lower", "upper", "initial_value")}
        return CounterConfiguration(**{**value, **numbers})
    return value


def expiration(value: dict[str, Any]) -> tuple[Any, Any]:
    def one(lifetime: Any) -> Any:
        if isinstance(lifetime, str):
            return {"default": None, "infinite": float("inf")}[lifetime]
        return int(lifetime["count"]), lifetime["unit"]

    return one(value["lifespan"]), one(value["max_idle"])


def modification(value: dict[str, Any]) -> Modification:
    seen = value["seen"] if value["seen"] in ("not_read", "non_existing") else int(value["seen"])
    change = value["change"]
    if change == "remove":
        return Modification(bytes.fromhex(value["key"]), None, seen)
    return Modification(bytes.fromhex(value["key"]), bytes.fromhex(change["value"]), seen, *expiration(change["expiration"]))
