"""`spidercoordinator crds`: the CRDs of this version, for `kubectl apply -f -`."""

from __future__ import annotations

import sys

import yaml

from spidercoordinator.api.crd import KINDS, crd


def print_crds() -> int:
    """Print them as YAML documents."""
    yaml.safe_dump_all([crd(kind) for kind in KINDS], sys.stdout, sort_keys=False)
    return 0
