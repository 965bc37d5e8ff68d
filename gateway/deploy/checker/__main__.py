"""check [OVERLAY…]: all overlays, the Containerfile and the pages, or some overlays alone; a line for each complaint.

Options are told to the program in GATEWAY_PROGRAM as well, if there is one.
"""

import os
import sys
from pathlib import Path

from . import image, pages
from .rules import check

DEPLOY = Path(__file__).parent.parent
ROOT = DEPLOY.parent.parent


def main(names):
    folders = sorted(path.parent for path in (DEPLOY / "overlays").glob("*/kustomization.yaml"))
    chosen = [folder for folder in folders if not names or folder.name in names]
    if not chosen or len(chosen) < len(names):
        sys.exit(f"check: known overlays are {', '.join(folder.name for folder in folders)}")
    gateway = os.environ.get("GATEWAY_PROGRAM")
    found = [f"{folder.name}: {complaint}" for folder in chosen for complaint in check(folder, gateway)]
    if not names:
        found += image.complaints(ROOT)
        found += pages.complaints(ROOT, [folder.name for folder in folders])
    print("\n".join(found) if found else f"deploy: {', '.join(folder.name for folder in chosen)} are as they should be")
    if not gateway:
        print("deploy: hotrod-gateway has not been built: what it is told was checked by names and kinds alone")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
