"""Ports that are named exist, and those that lead to pods are let through."""

from .backends import served
from .render import title

# Infinispan's, on which it serves every protocol that it has.
SINGLE_PORT = 11222
# By this annotation a Service says that clients outside may reach REST.
OPEN = "hotrod-gateway/open-to-outside"


def complaints(overlay):
    yield from _services(overlay)
    yield from _policies(overlay)
    yield from _probes(overlay)
    yield from _unreachable(overlay)
    yield from _rest(overlay)
    for monitor in overlay.of("PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            for pod in overlay.selected(monitor["spec"]["selector"]):
                if endpoint["port"] not in pod.ports():
                    yield f"{title(monitor)}: {title(pod.workload)} has no port {endpoint['port']}"


def _services(overlay):
    for service in overlay.of("Service"):
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            for pod in overlay.selected(service["spec"]["selector"]):
                if target not in pod.ports():
                    yield f"{title(service)}: no container of {title(pod.workload)} has the port {target}"


def _policies(overlay):
    for policy in overlay.of("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            for port in rule.get("ports", []):
                for pod in overlay.selected(policy["spec"]["podSelector"]):
                    if port["port"] not in pod.ports():
                        yield f"{title(policy)}: no container of {title(pod.workload)} has the port {port['port']}"


def _probes(overlay):
    for pod in overlay.pods:
        for container in pod.containers:
            names = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = container.get(kind, {}).get("httpGet", {}).get("port")
                if port is not None and port not in names and port not in names.values():
                    yield f"{title(pod.workload)}: {kind} of {container['name']} asks a port that it lacks: {port}"


def _unreachable(overlay):
    """A pod to which traffic is sent, and which no NetworkPolicy lets in."""
    for found, service, port in served(overlay):
        for pod in overlay.selected(service["spec"]["selector"]):
            number = pod.ports().get(port.get("targetPort", port["port"]))
            if number is not None and not any(_lets_in(policy, pod, number) for policy in _of(overlay, pod)):
                yield f"{title(found)}: no NetworkPolicy lets anybody reach port {number} of {title(pod.workload)}"


def _rest(overlay):
    """Clients outside that reach a port with REST, by a path that carries whatever they send; and nobody says so."""
    for found, service, port in served(overlay):
        is_passthrough = found["kind"] == "Route" and found["spec"]["tls"]["termination"] == "passthrough"
        is_raw = found is service or is_passthrough
        is_said = service["metadata"].get("annotations", {}).get(OPEN) == "rest"
        if not is_raw or is_said:
            continue
        for pod in overlay.selected(service["spec"]["selector"]):
            if pod.ports().get(port.get("targetPort", port["port"])) == SINGLE_PORT:
                yield f"{title(found)}: port {SINGLE_PORT} of {title(pod.workload)} serves REST as well"


def _of(overlay, pod):
    return [
        policy
        for policy in overlay.of("NetworkPolicy")
        if pod in overlay.selected(policy["spec"]["podSelector"]) and "Ingress" in policy["spec"]["policyTypes"]
    ]


def _lets_in(policy, pod, number):
    return any(
        pod.ports().get(port["port"]) == number
        for rule in policy["spec"].get("ingress", [])
        for port in rule.get("ports", [])
    )
