"""What containers tell the gateway against the options that it has: gateway/src/config/options.rs is the truth."""

import re
import tomllib
from functools import cache
from pathlib import Path

from .render import title

SOURCE = Path(__file__).parent.parent.parent / "src/config/options.rs"
PREFIX = "HOTROD_GATEWAY_"
IMAGE = "hotrod-gateway"
WORKSPACE = Path(__file__).parent.parent.parent.parent / "Cargo.toml"
# Of the command line alone (config/mod.rs), and the password, which is in the environment alone.
FLAGS = {"config": "PathBuf", "check": "bool"}
PASSWORD = "password"
UNITS = {"ms": 0.001, "s": 1, "": 1, "min": 60, "h": 3600}
SIZES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
MEMORY = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


@cache
def known():
    """Options by name, with their Rust type, in kebab-case as on the command line."""
    source = SOURCE.read_text()
    options = re.findall(r"pub\(crate\) (\w+): Option<(.+)>,", source)
    return {name.replace("_", "-"): kind for name, kind in options} | FLAGS


@cache
def defaults():
    source = SOURCE.read_text()
    found = re.findall(r'(\w+): given\("([^"]+)"\)', source)
    found += re.findall(r"(\w+): NonZeroUsize::new\(([\d_]+)\)", source)
    return {name.replace("_", "-"): value.replace("_", "") for name, value in found}


def gateways(pod):
    return [each for each in pod.containers if each["image"].split("/")[-1].split(":")[0] == IMAGE]


def given(container):
    """Options by name, flags over the environment, as the gateway has it. A value from elsewhere is None."""
    options = {}
    for variable in container.get("env", []):
        if variable["name"].startswith(PREFIX):
            options[variable["name"].removeprefix(PREFIX).lower().replace("_", "-")] = variable.get("value")
    for argument in container.get("args", []):
        name, _, value = argument.removeprefix("--").partition("=")
        options[name] = value or "true"
    return options


def value(container, option):
    return given(container).get(option, defaults().get(option))


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", text).groups()
    return int(number) * UNITS[unit]


def complaints(overlay):
    for pod in {id(pod.workload): pod for pod in overlay.pods}.values():
        for container in gateways(pod):
            yield from (f"{title(pod.workload)}: {problem}" for problem in _problems(overlay, pod, container))


def _problems(overlay, pod, container):
    version = tomllib.loads(WORKSPACE.read_text())["workspace"]["package"]["version"]
    if container["image"] != f"{IMAGE}:{version}":
        yield f"{container['image']} is not {IMAGE}:{version}, which is this version"
    for argument in container.get("args", []):
        if not argument.startswith("--"):
            yield f"{argument!r} is no option of the gateway"
    options = given(container)
    unknown = list(_unknown(options))
    yield from unknown
    if unknown:
        return
    for name in ("listen", "admin", "upstream", "node-name"):
        if name not in options:
            yield f"{name} is missing"
    if "embedded" in options:
        yield "embedded is for demos"
    for first, second in (("tls-cert", "tls-key"), ("upstream-client-cert", "upstream-client-key")):
        if (first in options) != (second in options):
            yield f"{first} and {second} go together"
    yield from _upstream(overlay, pod, options)
    yield from _memory(container)


def is_readable(container):
    """Whether all options are known, with values of their kind."""
    return not any(_unknown(given(container)))


def _unknown(options):
    for name, text in options.items():
        if name not in known() and name != PASSWORD:
            yield f"the gateway has no option {name}"
        elif text is not None and not _is_of(known().get(name, ""), text):
            yield f"{text!r} is no value for {name}"


def _is_of(kind, text):
    patterns = {
        "Given<Duration>": r"\d+(ms|s|min|h)?",
        "Given<Size>": r"\d+(KB|MB|GB|KiB|MiB|GiB)?",
        "Given<Memory>": r"\d+(KiB|MiB|GiB)?",
        "Given<LinkMemory>": r"\d+(KB|MB|GB|KiB|MiB|GiB)?",
        "Given<RequestSize>": r"\d+(KB|MB|GB|KiB|MiB|GiB)?",
        "Given<MemberHosts>": r"[^,\s]+(,[^,\s]+)*",
        "NonZeroUsize": r"[1-9]\d*",
        "bool": r"true|false",
        "Given<ListenAddress>": r".+:\d+",
        "Given<Servers>": r".+:\d+(,.+:\d+)*",
        "Given<LogFormat>": r"text|json",
    }
    return re.fullmatch(patterns.get(kind, ".+"), text) is not None


def _upstream(overlay, pod, options):
    for server in filter(None, (options.get("upstream") or "").split(",")):
        host, _, port = server.rpartition(":")
        if host == "127.0.0.1":
            if int(port) not in pod.ports():
                yield f"nobody in the pod listens at {server}"
            continue
        service = overlay.get("Service", host)
        if service is None or int(port) not in [each["port"] for each in service["spec"]["ports"]]:
            yield f"there is no Service for upstream {server}"


def _memory(container):
    """The limit is what gateway/README.md says that the process needs: 1.15 × (16 MiB + max-memory)."""
    number, unit = re.fullmatch(r"(\d+)(\w*)", value(container, "max-memory")).groups()
    needed = 1.15 * ((16 << 20) + int(number) * SIZES[unit])
    number, unit = re.fullmatch(r"(\d+)(\w*)", container["resources"]["limits"]["memory"]).groups()
    if needed > int(number) * MEMORY[unit]:
        yield f"1.15 × (16 MiB + max-memory) is {needed / (1 << 20):.0f} MiB, and the limit {number}{unit}"
