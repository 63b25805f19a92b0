"""`spidercoordinator check`: whether manifests would be taken, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from spidercoordinator.cli.manifests import read
from spidercoordinator.core.checks.manifests import Manifest, ours, review


def check(names: Sequence[str]) -> int:
    """Print one line for each thing that is wrong or doubtful; gives the exit status.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, errors = judged(names)
    if not errors:
        print(f"check: {len(manifests)} SpiderCoordinators and SpiderMultusConfigs would be taken")
    return 1 if errors else 0


def judged(names: Sequence[str]) -> tuple[list[Manifest], int]:
    """Read manifests and tell on standard error what is to say of them.

    Gives:
        The manifests of this product, and the number of errors.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
    """
    manifests, remarks = ours(read(names))
    remarks += review(manifests)
    for remark in remarks:
        print(remark, file=sys.stderr)
    return manifests, sum(remark.wrong for remark in remarks)
