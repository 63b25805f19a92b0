"""`spidercoordinator check`: whether manifests would be taken, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from spidercoordinator.cli.manifests import read
from spidercoordinator.core.checks.manifests import Manifest, own_manifests, review_manifests


def check(names: Sequence[str]) -> int:
    """Print one line for each error and warning; returns the exit status.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, errors = reviewed(names)
    if not errors:
        print(f"check: {len(manifests)} SpiderCoordinators and SpiderMultusConfigs would be taken")
    return 1 if errors else 0


def reviewed(names: Sequence[str]) -> tuple[list[Manifest], int]:
    """Read manifests, and print errors and warnings on standard error.

    Returns:
        The manifests of this product, and the number of errors.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, diagnostics = own_manifests(read(names))
    diagnostics += review_manifests(manifests)
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)
    return manifests, sum(each.severity == "error" for each in diagnostics)
