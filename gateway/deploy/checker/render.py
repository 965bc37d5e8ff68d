"""An overlay as `kubectl apply -k` would send it, and what stands in it."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

WORKLOADS = ("Deployment", "StatefulSet")


class Unrendered(Exception):
    """kustomize refuses the overlay, or is not there."""


@dataclass
class Pod:
    """A pod that a workload would have, with the labels that it gets by itself."""

    workload: dict
    labels: dict
    spec: dict

    @property
    def containers(self):
        return self.spec["containers"]

    def ports(self):
        """Ports by number and by name."""
        found = {}
        for container in self.containers:
            for port in container.get("ports", []):
                found[port["containerPort"]] = port["containerPort"]
                found[port.get("name")] = port["containerPort"]
        return found


@dataclass
class Overlay:
    name: str
    objects: list
    pods: list = field(init=False)

    def __post_init__(self):
        self.pods = [pod for workload in self.of(*WORKLOADS) for pod in _pods(workload)]

    def of(self, *kinds):
        return [found for found in self.objects if found["kind"] in kinds]

    def get(self, kind, name):
        return next((found for found in self.of(kind) if found["metadata"]["name"] == name), None)

    def selected(self, selector):
        """The pods of a label selector, which is a plain map or has matchLabels and matchExpressions."""
        return [pod for pod in self.pods if matches(selector, pod.labels)]


def title(found):
    return f"{found['kind']} {found['metadata']['name']}"


def matches(selector, labels):
    expressions = selector.get("matchExpressions", [])
    if "matchLabels" in selector or expressions:
        selector = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in selector.items()) and all(
        _matches_expression(expression, labels) for expression in expressions
    )


def _matches_expression(expression, labels):
    value = labels.get(expression["key"])
    return {
        "Exists": value is not None,
        "DoesNotExist": value is None,
        "In": value in expression.get("values", []),
        "NotIn": value not in expression.get("values", []),
    }[expression["operator"]]


def _pods(workload):
    template = workload["spec"]["template"]
    labels = template["metadata"]["labels"]
    if workload["kind"] != "StatefulSet":
        return [Pod(workload, labels, template["spec"])]
    names = (f"{workload['metadata']['name']}-{ordinal}" for ordinal in range(workload["spec"]["replicas"]))
    return [Pod(workload, {**labels, "statefulset.kubernetes.io/pod-name": name}, template["spec"]) for name in names]


def render(folder: Path) -> Overlay:
    """Raises Unrendered, with kustomize's words."""
    run = subprocess.run([*_kustomize(), str(folder)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Unrendered(run.stderr.strip())
    return Overlay(folder.name, [found for found in yaml.safe_load_all(run.stdout) if found])


def _kustomize():
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    raise Unrendered("neither kubectl (1.27 or later) nor kustomize (5 or later) is there")
