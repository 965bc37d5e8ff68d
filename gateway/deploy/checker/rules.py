"""All that is looked at in one overlay."""

from . import backends, lifecycle, options, ports, program, references, schema, security, selectors
from .render import Unrendered, render

RULES = (selectors, ports, backends, references, options, lifecycle, security)


def check(folder, gateway=None):
    """What is wrong with the overlay in a folder, one line for each; `gateway` is the program, if it has been built."""
    try:
        overlay = render(folder)
    except Unrendered as error:
        return [str(error)]
    found = list(schema.complaints(overlay))
    if not found:
        # What has not the form of its kind can't be looked at any further.
        found = [complaint for rule in RULES for complaint in rule.complaints(overlay)]
        found += program.complaints(overlay, gateway) if gateway else []
    return list(dict.fromkeys(found))
