"""`spidercoordinator crds`: the CRDs of this version, for `kubectl apply -f -`."""

from __future__ import annotations

from spidercoordinator.api.crd import KINDS, crd
from spidercoordinator.api.kinds import VERSION
from spidercoordinator.cli.output import Format, print_objects, print_table


def print_crds(output: Format) -> None:
    """Print them as YAML documents, as a List of JSON, or their names in a table."""
    if output == "table":
        rows = [(kind.crd_name, kind.name, VERSION, kind.scope) for kind in KINDS]
        print_table(("NAME", "KIND", "VERSION", "SCOPE"), rows)
        return
    print_objects([crd(kind) for kind in KINDS], output)
