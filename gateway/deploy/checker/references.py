"""ConfigMaps and Secrets are there, or README.md says who makes them; files that are named are in them."""

import posixpath
import re
import xml.etree.ElementTree as xml
from functools import cache
from pathlib import Path

from .render import title

README = Path(__file__).parent.parent / "README.md"
SERVING = "service.beta.openshift.io/serving-cert-secret-name"
FILE = re.compile(r"(?:^|=)(/etc/[^\s:,]+)$")


def complaints(overlay):
    yield from _used_secrets(overlay)
    for pod in overlay.pods:
        account = pod.spec.get("serviceAccountName")
        if account is not None and overlay.get("ServiceAccount", account) is None:
            yield f"{title(pod.workload)}: there is no ServiceAccount {account}"
        yield from (f"{title(pod.workload)}: {problem}" for problem in _volumes(overlay, pod))
    for role in overlay.of("Role"):
        for name in (name for rule in role["rules"] for name in rule.get("resourceNames", [])):
            if secret(overlay, name) is None:
                yield f"{title(role)}: nobody makes Secret {name}"
    for configuration in overlay.of("ConfigMap"):
        for name, text in configuration["data"].items():
            if name.endswith(".xml"):
                yield from _well_formed(configuration, name, text)


def secret(overlay, name):
    """The keys of a Secret that will be there; None if nobody makes it."""
    for service in overlay.of("Service"):
        if service["metadata"].get("annotations", {}).get(SERVING) == name:
            return {"tls.crt", "tls.key"}
    return documented().get(name)


@cache
def documented():
    """The table of Secrets in README.md: name, keys."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \|", README.read_text(), re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", keys)) for name, keys in rows}


def _used_secrets(overlay):
    wanted = {"tls.crt", "tls.key"}
    for found in overlay.objects:
        spec = found.get("spec", {})
        names = []
        match found["kind"]:
            case "Route":
                names = [spec["tls"].get("externalCertificate", {}).get("name")]
            case "Ingress":
                names = [tls["secretName"] for tls in spec["tls"]]
            case "Gateway" if "listeners" in spec:
                names = [each["name"] for listener in spec["listeners"] for each in listener["tls"]["certificateRefs"]]
            case "Gateway":
                names = [server["tls"]["credentialName"] for server in spec["servers"]]
        for name in filter(None, names):
            if not wanted <= (secret(overlay, name) or set()):
                yield f"{title(found)}: nobody makes Secret {name} with {' and '.join(sorted(wanted))}"


def _volumes(overlay, pod):
    volumes = {}
    for volume in pod.spec.get("volumes", []):
        kind, name, keys = _source(overlay, volume)
        volumes[volume["name"]] = keys
        if keys is None:
            yield f"nobody makes {kind} {name}"
        items = {item["key"] for item in volume.get("secret", {}).get("items", [])}
        if keys is not None and not items <= keys:
            yield f"{kind} {name} has no {', '.join(sorted(items - keys))}"
    for container in pod.containers:
        mounts = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}
        for path, name in mounts.items():
            if name not in volumes:
                yield f"{container['name']} mounts a volume that is not there: {name}"
            if any(path != other and path.startswith(other + "/") for other in mounts):
                yield f"{container['name']} mounts {path} inside of another volume, which is read-only"
        yield from _files(container, {path: volumes.get(name) for path, name in mounts.items()})
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference and reference["key"] not in (secret(overlay, reference["name"]) or ()):
                yield f"nobody makes Secret {reference['name']} with {reference['key']}"


def _source(overlay, volume):
    if "configMap" in volume:
        name = volume["configMap"]["name"]
        configuration = overlay.get("ConfigMap", name)
        return "ConfigMap", name, set(configuration["data"]) if configuration else None
    if "secret" in volume:
        name = volume["secret"]["secretName"]
        return "Secret", name, secret(overlay, name)
    return "volume", volume["name"], set()


def _files(container, mounts):
    """Paths in arguments and variables, as far as they lead to where something is mounted or ought to be."""
    texts = [*container.get("args", []), *(variable.get("value", "") for variable in container.get("env", []))]
    for path in (found.group(1) for text in texts if (found := FILE.search(text))):
        folder, name = posixpath.split(path)
        if name not in (mounts.get(folder) or ()):
            yield f"{container['name']} reads {path}, which is in nothing that is mounted"


def _well_formed(configuration, name, text):
    try:
        xml.fromstring(text)
    except xml.ParseError as error:
        yield f"{title(configuration)}: {name} is not XML: {error}"
