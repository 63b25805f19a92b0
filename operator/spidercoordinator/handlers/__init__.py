"""kopf's handlers, one module a kind; importing this registers all of them.

Each one is thin: it takes in what kopf delivers, and the reconcilers do the rest.
"""

from spidercoordinator.handlers import (
    admission,
    lifecycle,
    spidercoordinator,
    spidermultusconfig,
)

__all__ = ["admission", "lifecycle", "spidercoordinator", "spidermultusconfig"]
