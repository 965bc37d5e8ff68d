"""Every overlay has its page in docs/outside, and every link there leads somewhere."""

import re

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def complaints(root, overlays):
    pages = sorted((root / "docs/outside").glob("*.md"))
    texts = {page: page.read_text() for page in [*pages, root / "gateway/deploy/README.md"]}
    for page, text in texts.items():
        for target in LINK.findall(text):
            if "://" not in target and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: a link leads nowhere: {target}"
        for named in set(re.findall(r"deploy/overlays/([a-z-]+)", text)) - set(overlays):
            yield f"{page.relative_to(root)}: there is no overlay {named}"
    for overlay in overlays:
        if not any(f"deploy/overlays/{overlay}" in texts[page] for page in pages):
            yield f"no page in docs/outside is about {overlay}"
