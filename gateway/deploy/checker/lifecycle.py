"""Probes ask the admin port; and what is stopped has the time that it needs: preStop, drain, then the rest."""

from .options import gateways, is_readable, seconds, value
from .render import title

# For what comes after the drain: the rest is cut off, and the process ends.
SPARE = 5
# For a member: it hands its segments over.
MEMBER_STOP = 30
PROBES = {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}


def complaints(overlay):
    for pod in {id(pod.workload): pod for pod in overlay.pods}.values():
        for container in filter(is_readable, gateways(pod)):
            for problem in (*_probes(container), *_listens(container), *_stop(pod, container)):
                yield f"{title(pod.workload)}: {problem}"


def _probes(container):
    admin = _port_of(container, "admin")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for kind, path in PROBES.items():
        asked = container.get(kind, {}).get("httpGet")
        if asked is None:
            yield f"there is no {kind}"
        elif ports.get(asked["port"], asked["port"]) != admin:
            yield f"{kind} does not ask the admin port, {admin}"
        elif asked["path"] != path or asked.get("scheme", "HTTP") != "HTTP":
            yield f"{kind} is at {asked['path']}, and ought to be at {path}, without TLS"


def _listens(container):
    numbers = {port["containerPort"] for port in container["ports"]}
    for option in ("listen", "admin"):
        if _port_of(container, option) not in numbers:
            yield f"{option} is at a port that the container does not name: {value(container, option)}"


def _port_of(container, option):
    return int((value(container, option) or ":0").rpartition(":")[2])


def _stop(pod, container):
    grace = pod.spec["terminationGracePeriodSeconds"]
    before = _pause(container)
    end = before + seconds(value(container, "drain-timeout"))
    if before == 0:
        yield "the gateway has no preStop: SIGTERM closes its port before those who forward to it know"
    if end + SPARE > grace:
        yield f"preStop and drain take {end:g} s, and there are {grace} s"
    for member in pod.containers:
        if member is container:
            continue
        if _pause(member) < end:
            yield f"{member['name']} is stopped after {_pause(member)} s, and its gateway drains for {end:g} s"
        if _pause(member) + MEMBER_STOP > grace:
            yield f"{member['name']} has {grace - _pause(member)} s to stop, and may need {MEMBER_STOP} s"


def _pause(container):
    return container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
