"""Every object against the schema of its kind; a field that the kind does not have is wrong."""

import json
import re
from functools import cache
from importlib import resources
from pathlib import Path

import jsonschema
from referencing import Registry, Resource

from .render import title

# Sleep as a preStop came on by default with 1.30: nothing older is promised.
VERSIONS = ("1.30", "1.33", "1.37")
KUBERNETES = resources.files("kubernetes_validate") / "kubernetes-json-schema"
OWN = Path(__file__).parent.parent / "schemas"


def complaints(overlay):
    for found in overlay.objects:
        api, kind = found["apiVersion"], found["kind"]
        own = _own(api, kind)
        builtin = {f" (Kubernetes {version})": _builtin(api, kind, version) for version in VERSIONS}
        schemas = {"": own} if own else builtin
        for where, schema in schemas.items():
            if schema is None:
                yield f"{title(found)}: there is no schema of {kind} in {api}{where}"
                continue
            for error in schema.iter_errors(found):
                place = ".".join(str(step) for step in error.path) or "the object"
                yield f"{title(found)}: {place}: {error.message}{where}"


@cache
def _own(api, kind):
    """For a kind that Kubernetes itself does not have."""
    path = OWN / f"{kind}.{api.replace('/', '.')}.json"
    if not path.exists():
        return None
    common = Resource.from_contents(json.loads((OWN / "common.json").read_text()))
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=Registry().with_resource("common.json", common))


@cache
def _builtin(api, kind, version):
    folder = _folder(version)
    # The package's names: rbac.authorization.k8s.io/v1 is rbac-v1.
    group, _, version_of_group = api.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".")[0], version_of_group))) + ".json"
    if not (folder / name).is_file():
        return None
    schema = json.loads((folder / name).read_text())
    registry = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(version):
    definitions = json.loads((_folder(version) / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


@cache
def _folder(version):
    return next(each for each in KUBERNETES.iterdir() if re.fullmatch(rf"v{version}[.]\d+-local-strict", each.name))
