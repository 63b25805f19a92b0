"""`spidercoordinator render`: the NetworkAttachmentDefinitions of manifests, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import yaml

from spidercoordinator.cli.check import reviewed
from spidercoordinator.core.checks import offline
from spidercoordinator.runtime.settings import Settings, parse_ipam


def render(names: Sequence[str], settings: Settings, default_ipam: str = "") -> int:
    """Print the NADs the operator would make of the manifests, as YAML; returns the exit status.

    Args:
        names: Files, folders, or `-` for standard input.
        settings: Of the operator.
        default_ipam: What networks get that name no IPAM, as JSON; empty: the operator's setting,
            or else what the SpiderCoordinator among the manifests says of its cluster.

    Raises:
        ManifestError: a file cannot be read, or is no YAML.
        SettingsError: `default_ipam` is no IPAM object.
    """
    chosen = parse_ipam(default_ipam, "--default-ipam") if default_ipam else settings.default_ipam
    manifests, errors = reviewed(names)
    if errors:
        print("render: nothing is printed until the errors are mended", file=sys.stderr)
        return 1
    rendered = offline.render_manifests(manifests, settings.name, default_ipam=chosen)
    for text in rendered.incomplete:
        print(f"render: {text}", file=sys.stderr)
    yaml.safe_dump_all(rendered.nads, sys.stdout, sort_keys=False, width=2**20)
    return 0
