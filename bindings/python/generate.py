#!/usr/bin/env python3
"""Writes what comes from spec/vocabulary.json: outputs.py, errors.py and the operations of the caches.

`generate.py --check` writes nothing and fails if a file is stale.
"""

import json
import keyword
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "python" / "libhotrod"
VOCABULARY = json.loads((HERE / "../../spec/vocabulary.json").read_text(encoding="utf-8"))
NOTICE = "# Written by generate.py from spec/vocabulary.json: change it there.\n"

TYPES = {
    "id": "int",
    "number": "int",
    "opaque": "int",
    "signed": "int",
    "duration": "int",
    "flag": "bool",
    "text": "str",
    "bytes": "bytes",
    "word": "str",
    "tls": "Tls",
    "answer": "Any",
    "failure": "HotRodError",
    "entries": "list[IterationEntry[bytes, bytes]]",
}


def prose(text, indent):
    return textwrap.fill(text, width=118, initial_indent=indent, subsequent_indent=indent)


def docstring(text, indent):
    """A docstring; of one line where it fits."""
    line = f'{indent}"""{text}"""'
    if len(line) <= 118 and "\n" not in text:
        return line
    first, _, rest = text.partition("\n")
    body = prose(f'"""{first}', indent)
    return f"{body}\n{rest}\n{indent}\"\"\"" if rest else f'{body}\n{indent}"""'


def name_of(field):
    name = field["name"]
    return f"{name}_" if keyword.iskeyword(name) else name


def outputs():
    lines = [
        NOTICE,
        '"""What a machine tells its host: one class for each, to be told apart by `match` or by their type."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any, NamedTuple, Optional, Union",
        "",
        "from .errors import HotRodError",
        "from .types import IterationEntry, Tls",
        "",
    ]
    for shape in VOCABULARY["outputs"]:
        lines += ["", f"class {shape['name']}(NamedTuple):", docstring(shape["doc"], "    "), ""]
        for field in shape["fields"]:
            annotation = TYPES[field["kind"]]
            if field["optional"]:
                annotation = f"Optional[{annotation}]"
            lines.append(f"    {name_of(field)}: {annotation}")
            unit = " In microseconds." if field["kind"] == "duration" else ""
            words = f" One of {', '.join(field['words'])}." if field["kind"] == "word" else ""
            lines.append(docstring(field["doc"] + unit + words, "    "))
        if not shape["fields"]:
            lines.pop()
        lines.append("")
    names = [shape["name"] for shape in VOCABULARY["outputs"]]
    lines += ["", "Output = Union[", *[f"    {name}," for name in names], "]", ""]
    lines += ["OUTPUTS: dict[int, type[Any]] = {"]
    lines += [f"    {shape['tag']}: {shape['name']}," for shape in VOCABULARY["outputs"]]
    lines += ["}", '"""The classes by their number at the border."""', ""]
    return "\n".join(lines)


BASES = {"TimedOut": "HotRodError, TimeoutError", "Disconnected": "HotRodError, ConnectionError",
         "Unreachable": "HotRodError, ConnectionError", "Handshake": "HotRodError, ConnectionError",
         "Misuse": "HotRodError, ValueError"}


def error_name(failure):
    return f"{failure['name']}Error"


def errors():
    lines = [
        NOTICE,
        '"""What can go wrong: a class for each kind, all of them HotRodError."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Optional, Sequence",
        "",
        "__all__ = [",
        *[f'    "{error_name(failure)}",' for failure in sorted(VOCABULARY["failures"], key=error_name)],
        '    "HotRodError",',
        '    "STATUSES",',
        "]",
        "",
        "",
        "class HotRodError(Exception):",
        '    """The root of all errors of this package. Its text says which operation, which member, and what may have happened."""',
        "",
        "    def __init__(",
        "        self,",
        "        message: str,",
        "        *,",
        "        operation: Optional[str] = None,",
        "        member: Optional[str] = None,",
        "        status: Optional[int] = None,",
        "        may_have_been_applied: bool = False,",
        "        attempts: int = 0,",
        "        parts: Sequence[tuple[list[bytes], HotRodError]] = (),",
        "        entries: Sequence[tuple[bytes, bytes]] = (),",
        "    ) -> None:",
        "        super().__init__(message)",
        "        self.operation = operation",
        '        """The protocol\'s name of the operation, if one failed."""',
        "        self.member = member",
        '        """The address of the member that it was sent to last."""',
        "        self.status = status",
        '        """The server\'s status, if it answered with an error; STATUSES has their names."""',
        "        self.may_have_been_applied = may_have_been_applied",
        '        """Whether the operation may have been executed all the same. False: it certainly was not."""',
        "        self.attempts = attempts",
        '        """How often it reached a member."""',
        "        self.parts = parts",
        '        """Of a PartialError: the keys of each part that failed, and how."""',
        "        self.entries = entries",
        '        """Of a PartialError: what the other parts have read."""',
        "",
    ]
    for failure in VOCABULARY["failures"]:
        bases = BASES.get(failure["name"], "HotRodError")
        lines += ["", f"class {error_name(failure)}({bases}):", docstring(failure["doc"], "    "), ""]
    lines += ["", "ERRORS: dict[int, type[HotRodError]] = {"]
    lines += [f"    {failure['code']}: {error_name(failure)}," for failure in VOCABULARY["failures"]]
    lines += ["}", '"""The classes by their number at the border."""', ""]
    lines += ["STATUSES: dict[int, str] = {"]
    lines += [f"    {status['code']:#04x}: \"{status['text']}\"," for status in VOCABULARY["statuses"]]
    lines += ["}", '"""What the statuses of servers mean."""', ""]
    return "\n".join(lines)


def flags():
    lines = [NOTICE, '"""Flags of requests."""', "", "from enum import IntFlag", "", "", "class Flags(IntFlag):"]
    lines += ['    """What a request asks for beside the operation."""', ""]
    for flag in VOCABULARY["flags"]:
        lines += [f"    {flag['name']} = {flag['value']}", docstring(flag["doc"], "    ")]
    return "\n".join(lines) + "\n"


# What the classes do in a way of their own: streams stay with one member, entries and keys are mappings.
BY_HAND = {"start_get_stream", "next_get_stream", "end_get_stream", "start_put_stream", "next_put_stream",
           "end_put_stream", "get_stream", "put_stream", "put_all", "get_all", "bulk_get", "bulk_get_keys"}

PLAIN = {"text": "str", "flag": "bool", "number": "int", "signed": "int", "opaque": "int", "xid": "Xid",
         "modifications": "Iterable[Modification]", "counter": "CounterConfiguration",
         "parameters": "Mapping[str, bytes]", "byte_list": "Iterable[bytes]"}

RETURNS = {"nothing": "None", "flag": "bool", "size": "int", "number": "int", "entry": "Optional[Entry[V]]",
           "conditional": "Conditional[V]", "versioned": "Versioned", "values": "list[V]",
           "values_with_metadata": "Optional[ValuesWithMetadata[V]]", "names": "list[str]",
           "text_map": "dict[str, str]", "server": "ServerInfo", "xids": "list[Xid]",
           "counter": "Optional[CounterConfiguration]"}

DECODED = {"entry": "self._entry", "conditional": "self._conditional", "values": "self._values",
           "values_with_metadata": "self._values_with_metadata"}


def method(operation, group, awaiting):
    parameters, keywords, arguments = [], [], []
    for field in operation["fields"]:
        name, argument = field["name"], field["argument"]
        if argument == "expiration":
            if group == "cache":
                keywords += ["lifespan: Optional[float] = None", "max_idle: Optional[float] = None"]
                arguments.append("(lifespan, max_idle)")
            else:
                # Sent, and not used by the server.
                arguments.append("(None, None)")
        elif group == "counter" and name == "counter":
            arguments.append("self.name")
        elif name == "supports_duplicates":
            arguments.append("self.supports_duplicates")
        elif name == "key":
            parameters.append("key: K")
            arguments.append("self._key(key)")
        elif name == "value" and argument == "bytes":
            parameters.append("value: V")
            arguments.append("self._value(value)")
        elif argument == "parameters":
            parameters.append("parameters: Mapping[str, bytes] = {}")
            arguments.append("parameters.items()")
        else:
            parameters.append(f"{name}: {PLAIN.get(argument, 'bytes')}")
            arguments.append(name)
    answer = operation["answer"]
    returns = RETURNS.get(answer)
    decode = DECODED.get(answer)
    if answer == "value":
        is_entry = operation["routed_by_key"]
        returns = "Optional[V]" if is_entry else "Optional[bytes]"
        decode = "self._found" if is_entry else None
    signature = ", ".join(["self", *parameters, *(["*", *keywords] if keywords else [])])
    call = f"{awaiting}self._execute(\"{operation['name']}\", ({', '.join(arguments)}{',' if len(arguments) == 1 else ''}))"
    doc = operation["doc"]
    if "lifespan: Optional[float] = None" in keywords:
        doc += " Lifetimes are seconds, `math.inf` for no end, None for what the cache is configured with."
    definition = f"    {'async ' if awaiting else ''}def {operation['method']}({signature}) -> {returns}:"
    if len(definition) > 118:
        joined = "".join(f"        {part.strip()},\n" for part in signature.split(", "))
        definition = f"    {'async ' if awaiting else ''}def {operation['method']}(\n{joined}    ) -> {returns}:"
    if decode:
        body = f"        return {decode}({call})"
    elif returns == "None":
        body = f"        {call}"
    else:
        body = f"        answer: {returns} = {call}\n        return answer"
    return "\n".join([definition, docstring(doc, "        "), body, ""])


def operations(awaiting):
    base = "_aio_base" if awaiting else "_blocking_base"
    lines = [
        NOTICE,
        f'"""The operations of caches, counters and multimaps, {"awaited" if awaiting else "blocking"}."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Iterable, Mapping, Optional",
        "",
        "from ._codec_use import K, V",
        f"from .{base} import CacheBase, CounterBase, MultimapBase",
        "from .types import (",
        "    Conditional,",
        "    CounterConfiguration,",
        "    Entry,",
        "    Modification,",
        "    ServerInfo,",
        "    ValuesWithMetadata,",
        "    Versioned,",
        "    Xid,",
        ")",
        "",
    ]
    for group, header in [
        ("cache", "class CacheOperations(CacheBase[K, V]):"),
        ("counter", "class CounterOperations(CounterBase):"),
        ("multimap", "class MultimapOperations(MultimapBase[K, V]):"),
    ]:
        lines += ["", header, f'    """The operations of a {group}, as the protocol has them."""', ""]
        for operation in VOCABULARY["operations"]:
            if operation["group"] == group and operation["name"] not in BY_HAND:
                lines.append(method(operation, group, "await " if awaiting else ""))
    return "\n".join(lines)


FILES = {
    "outputs.py": outputs,
    "errors.py": errors,
    "flags.py": flags,
    "_aio_operations.py": lambda: operations(True),
    "_blocking_operations.py": lambda: operations(False),
}


def main():
    stale = []
    for name, write in FILES.items():
        path, text = PACKAGE / name, write()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run `make generate`")


if __name__ == "__main__":
    main()
