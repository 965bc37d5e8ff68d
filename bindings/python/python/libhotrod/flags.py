# Written by generate.py from spec/vocabulary.json: change it there.

"""Flags of requests."""

from enum import IntFlag


class Flags(IntFlag):
    """What a request asks for beside the operation."""

    FORCE_RETURN_VALUE = 1
    """Answer with the value that was there before."""
    DEFAULT_LIFESPAN = 2
    """Use the cache's default lifespan when none is given (2.0 and 2.1; later versions say it in the time unit)."""
    DEFAULT_MAX_IDLE = 4
    """Use the cache's default maximum idle time when none is given (2.0 and 2.1)."""
    SKIP_CACHE_LOAD = 8
    """Don't load from a cache store."""
    SKIP_INDEXING = 16
    """Don't index."""
    SKIP_LISTENER_NOTIFICATION = 32
    """Don't notify listeners."""
