"""Annotations of our domains that nobody reads, which is what a misspelt one is.

The API server takes any annotation, so a misspelt `cr-name` looks as if it were there.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from spidercoordinator.api import nad
from spidercoordinator.api.objects import Object
from spidercoordinator.core.network.validation import Problem, annotation_path

_DOMAINS: Final = ("multus.spidernet.io/", "cni.spidernet.io/", nad.OWN_PREFIX)
_READ: Final = (
    nad.CR_NAME,
    nad.CNI_VERSION,
    nad.CNICONFIG_NAME,
    nad.RDMA_INJECT,
    nad.NETWORK_INJECT,
)
"""Those that a SpiderMultusConfig has a use for."""
_BY_NAME: Final = {each.rpartition("/")[2]: each for each in _READ}


def unknown_annotations(network: Object) -> Iterator[Problem]:
    """The annotations of a SpiderMultusConfig that look like ours and are not."""
    for key in network["metadata"].get("annotations") or {}:
        name = key.rpartition("/")[2]
        of_ours = key.startswith(_DOMAINS)
        # Also one with the right name and the domain of another annotation, or none.
        if key in _READ or not (of_ours or name in _BY_NAME):
            continue
        if key == nad.ADOPT:
            message = (
                "it is read on the NetworkAttachmentDefinition that is to be adopted, not here"
            )
        elif like := get_close_matches(name, _BY_NAME, n=1):
            message = f"nobody reads it; did you mean {_BY_NAME[like[0]]}?"
        else:
            message = f"nobody reads it; known are {', '.join(_READ)}"
        yield Problem(annotation_path(key), message[:200])
