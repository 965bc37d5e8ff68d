"""Every object against the schema of its kind; a field that the kind does not have is wrong."""

import json
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
from referencing import Registry, Resource

from .render import title

# Sleep as a preStop came on by default with 1.30: nothing older is promised.
VERSIONS = ("1.30", "1.33", "1.37")
SCHEMAS = Path(__file__).parent.parent / "schemas"


def complaints(overlay):
    for found in overlay.objects:
        own = _own(f"{found['kind']}.{found['apiVersion'].replace('/', '.')}")
        if own is not None:
            yield from (f"{title(found)}: {_place(error)}: {error.message}" for error in own.iter_errors(found))
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(found, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{title(found)}: {_place(error)}: {error.message} (Kubernetes {version})"
            except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.VersionNotSupportedError):
                yield f"{title(found)}: there is no schema of {found['apiVersion']} (Kubernetes {version})"


def _place(error):
    return ".".join(str(step) for step in error.path) or "the object"


@cache
def _own(kind):
    """A validator for a kind that Kubernetes itself does not have."""
    path = SCHEMAS / f"{kind}.json"
    if not path.exists():
        return None
    common = json.loads((SCHEMAS / "common.json").read_text())
    registry = Registry().with_resource("common.json", Resource.from_contents(common))
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=registry)
