"""What a pod may do: as little as it needs. And what it may use, and that it is not evicted with all others."""

from .options import gateways
from .render import title


def complaints(overlay):
    for pod in {id(pod.workload): pod for pod in overlay.pods}.values():
        for problem in (*_pod(pod), *_kept(overlay, pod)):
            yield f"{title(pod.workload)}: {problem}"
        for container in pod.containers:
            for problem in _container(pod, container):
                yield f"{title(pod.workload)}: {container['name']}: {problem}"


def _pod(pod):
    context = pod.spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True:
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    for sharing in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(sharing):
            yield f"has {sharing}"
    # OpenShift gives each project users and groups of its own, and refuses others.
    for fixed in ("runAsUser", "runAsGroup", "fsGroup"):
        if fixed in context:
            yield f"{fixed} is not for a manifest that OpenShift takes"
    if any("hostPath" in volume for volume in pod.spec.get("volumes", [])):
        yield "mounts a folder of the host"
    if pod.spec.get("automountServiceAccountToken") is not False and "serviceAccountName" not in pod.spec:
        yield "gets a token for the API that it does not use"


def _container(pod, container):
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "may get more rights"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context["capabilities"].get("add"):
        yield "has capabilities"
    if container in gateways(pod) and context.get("readOnlyRootFilesystem") is not True:
        yield "may write into its own image"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= set(resources.get("requests", {})) or "memory" not in resources.get("limits", {}):
        yield "asks for no CPU and memory, or has no limit of memory"


def _kept(overlay, pod):
    every = overlay.of("PodDisruptionBudget")
    budgets = [budget for budget in every if pod in overlay.selected(budget["spec"]["selector"])]
    if len(budgets) != 1:
        yield f"has {len(budgets)} PodDisruptionBudgets, and ought to have one"
    if pod.workload["spec"]["replicas"] < 2:
        yield "is one pod alone"
    policies = [each for each in overlay.of("NetworkPolicy") if pod in overlay.selected(each["spec"]["podSelector"])]
    if not policies and overlay.get("EnvoyFilter", "hotrod-connect") is None:
        yield "is open to the whole network: no NetworkPolicy selects it"
