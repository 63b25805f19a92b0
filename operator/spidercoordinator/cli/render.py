"""`spidercoordinator render`: the NetworkAttachmentDefinitions of manifests, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import yaml

from spidercoordinator.cli.check import judged
from spidercoordinator.core.checks import offline
from spidercoordinator.runtime.settings import Settings


def render(names: Sequence[str], settings: Settings) -> int:
    """Print what the operator would make of the manifests, as YAML; gives the exit status.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, errors = judged(names)
    if errors:
        print("render: nothing is printed until the errors are mended", file=sys.stderr)
        return 1
    made = offline.render(manifests, settings.name, default_ipam=settings.default_ipam or {})
    if made.lacking:
        print(f"render: {made.lacking}", file=sys.stderr)
    yaml.safe_dump_all(made.attachments, sys.stdout, sort_keys=False, width=2**20)
    return 0
