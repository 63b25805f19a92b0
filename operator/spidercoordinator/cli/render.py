"""`spidercoordinator render`: the NetworkAttachmentDefinitions of manifests, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import yaml

from spidercoordinator.cli.check import reviewed
from spidercoordinator.core.checks import offline
from spidercoordinator.runtime.settings import Settings


def render(names: Sequence[str], settings: Settings) -> int:
    """Print the NADs the operator would make of the manifests, as YAML; returns the exit status.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, errors = reviewed(names)
    if errors:
        print("render: nothing is printed until the errors are mended", file=sys.stderr)
        return 1
    rendered = offline.render_manifests(
        manifests, settings.name, default_ipam=settings.default_ipam
    )
    if rendered.incomplete:
        print(f"render: {rendered.incomplete}", file=sys.stderr)
    yaml.safe_dump_all(rendered.nads, sys.stdout, sort_keys=False, width=2**20)
    return 0
