"""Whoever selects pods selects some."""

from .render import matches, title


def complaints(overlay):
    for found, selector in _selectors(overlay):
        if not selector:
            yield f"{title(found)}: its selector selects everything"
        elif not overlay.selected(selector):
            yield f"{title(found)}: no pod has the labels {selector}"
    for workload in overlay.of("Deployment", "StatefulSet"):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        if not matches(workload["spec"]["selector"], labels):
            yield f"{title(workload)}: its selector does not match the labels of its own pods, {labels}"
        for spread in workload["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
            if not matches(spread["labelSelector"], labels):
                yield f"{title(workload)}: it spreads other pods than its own"


def _selectors(overlay):
    for found in overlay.objects:
        spec = found.get("spec", {})
        match found["kind"]:
            case "Service" | "PodDisruptionBudget" | "PodMonitor":
                yield found, spec["selector"]
            case "Gateway" if "selector" in spec:
                yield found, spec["selector"]
            case "EnvoyFilter":
                yield found, spec["workloadSelector"]["labels"]
            case "NetworkPolicy":
                yield found, spec["podSelector"]
                for peer in _peers(spec):
                    # A selector of namespaces as well means pods of others.
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        yield found, peer["podSelector"]


def _peers(spec):
    for rule in spec.get("ingress", []):
        yield from rule.get("from", [])
    for rule in spec.get("egress", []):
        yield from rule.get("to", [])
