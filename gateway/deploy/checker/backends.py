"""What leads somewhere leads to a Service that is there, at a port that it has; and policies to what they are for."""

from .render import title


def complaints(overlay):
    for found, name, port in _backends(overlay):
        if _port(overlay.get("Service", name), port) is None:
            yield f"{title(found)}: there is no Service {name} with the port {port}"
    for found, kind, name in _targets(overlay):
        if overlay.get(kind, name) is None:
            yield f"{title(found)}: there is no {kind} {name}"
    yield from _listeners(overlay)


def served(overlay):
    """Who sends to which Service and port, where those exist; Services that are open to the outside among them."""
    for found, name, port in _backends(overlay):
        service = overlay.get("Service", name)
        if _port(service, port) is not None and found["kind"] != "StatefulSet":
            yield found, service, _port(service, port)
    for service in overlay.of("Service"):
        # Istio's own gateway is open to everybody, as the load balancer before it.
        if service["spec"].get("type") == "LoadBalancer" and overlay.get("EnvoyFilter", "hotrod-connect") is None:
            yield from ((service, service, port) for port in service["spec"]["ports"])


def _port(service, wanted):
    if service is None:
        return None
    return next((port for port in service["spec"]["ports"] if wanted in (port["port"], port["name"])), None)


def _backends(overlay):
    for found in overlay.objects:
        spec = found.get("spec", {})
        match found["kind"]:
            case "Route":
                yield found, spec["to"]["name"], spec["port"]["targetPort"]
            case "Ingress":
                for rule in spec["rules"]:
                    for path in rule["http"]["paths"]:
                        service = path["backend"]["service"]
                        yield found, service["name"], next(iter(service["port"].values()))
            case "HTTPRoute":
                for rule in spec["rules"]:
                    yield from ((found, backend["name"], backend["port"]) for backend in rule["backendRefs"])
            case "VirtualService":
                for rule in spec["http"]:
                    for route in rule["route"]:
                        yield found, route["destination"]["host"], route["destination"]["port"]["number"]
            case "StatefulSet":
                headless = overlay.get("Service", spec["serviceName"])
                yield found, spec["serviceName"], headless["spec"]["ports"][0]["port"] if headless else "(any)"


def _targets(overlay):
    for found in overlay.objects:
        spec = found.get("spec", {})
        for target in spec.get("targetRefs", []):
            yield found, target["kind"], target["name"]
        match found["kind"]:
            case "DestinationRule":
                yield found, "Service", spec["host"]
            case "Gateway" if "infrastructure" in spec:
                reference = spec["infrastructure"]["parametersRef"]
                yield found, reference["kind"], reference["name"]
            case "HTTPRoute":
                yield from ((found, "Gateway", parent["name"]) for parent in spec["parentRefs"])
            case "VirtualService":
                yield from ((found, "Gateway", name) for name in spec["gateways"])
            case "RoleBinding":
                yield found, found["roleRef"]["kind"], found["roleRef"]["name"]


def _listeners(overlay):
    for route in overlay.of("HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            gateway = overlay.get("Gateway", parent["name"])
            names = [listener["name"] for listener in gateway["spec"]["listeners"]] if gateway else []
            if gateway and parent["sectionName"] not in names:
                yield f"{title(route)}: {title(gateway)} has no listener {parent['sectionName']}"
    for patched in overlay.of("EnvoyFilter"):
        named = {rule.get("name") for service in overlay.of("VirtualService") for rule in service["spec"]["http"]}
        for patch in patched["spec"]["configPatches"]:
            route = patch["match"].get("routeConfiguration", {}).get("vhost", {}).get("route", {}).get("name")
            if route is not None and route not in named:
                yield f"{title(patched)}: no VirtualService has a route {route}"
