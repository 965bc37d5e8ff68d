"""check [OVERLAY…]: all overlays, the Containerfile and the pages, or some overlays alone. One line for each complaint."""

import sys
from pathlib import Path

from . import backends, image, lifecycle, options, pages, ports, references, schema, security, selectors
from .render import Unrendered, render

DEPLOY = Path(__file__).parent.parent
ROOT = DEPLOY.parent.parent
RULES = (schema, selectors, ports, backends, references, options, lifecycle, security)


def check(folder):
    """What is wrong with one overlay."""
    try:
        overlay = render(folder)
    except Unrendered as error:
        return [str(error)]
    found = list(schema.complaints(overlay))
    if found:
        # What has not the form of its kind can't be looked at any further.
        return found
    rest = [complaint for rule in RULES[1:] for complaint in rule.complaints(overlay)]
    return list(dict.fromkeys([*rest, *image.tags(ROOT, overlay)]))


def main(names):
    folders = sorted(path.parent for path in (DEPLOY / "overlays").glob("*/kustomization.yaml"))
    chosen = [folder for folder in folders if not names or folder.name in names]
    if not chosen or len(chosen) < len(names):
        sys.exit(f"check: known overlays are {', '.join(folder.name for folder in folders)}")
    found = [f"{folder.name}: {complaint}" for folder in chosen for complaint in check(folder)]
    if not names:
        found += image.complaints(ROOT)
        found += pages.complaints(ROOT, [folder.name for folder in folders])
    print(*found, sep="\n", end="\n" if found else "")
    if not found:
        print(f"{len(chosen)} overlays are as they should be")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
