"""`spidercoordinator check`: whether manifests would be taken, without a cluster."""

from __future__ import annotations

from collections.abc import Sequence

import click

from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.manifests import read
from spidercoordinator.cli.output import Format, coloured, print_document
from spidercoordinator.core.checks.manifests import (
    DEFAULT_NAMESPACE,
    Diagnostic,
    Manifest,
    own_manifests,
    review_manifests,
)
from spidercoordinator.errors import ManifestError


def check(names: Sequence[str], *, namespace: str = "", output: Format = "table") -> Exit:
    """Print one line for each error and warning; returns the exit status.

    Args:
        names: files, folders, or `-` for standard input.
        namespace: of manifests that name none.
        output: how to print.

    Raises:
        ManifestError: a file cannot be read, is no YAML, or there is nothing of this product.
    """
    manifests, diagnostics = reviewed(names, namespace)
    errors = number_of_errors(diagnostics)
    if output == "table":
        print_diagnostics(diagnostics)
        if not errors:
            click.echo(
                f"check: {len(manifests)} SpiderCoordinators and SpiderMultusConfigs would be taken"
            )
    else:
        print_document(_document(manifests, diagnostics), output)
    return Exit.FOUND if errors else Exit.OK


def reviewed(names: Sequence[str], namespace: str = "") -> tuple[list[Manifest], list[Diagnostic]]:
    """Read manifests, and review them.

    Returns:
        The manifests of this product, and errors and warnings.

    Raises:
        ManifestError: a file cannot be read, is no YAML, or there is nothing of this product.
    """
    manifests, diagnostics = own_manifests(read(names), namespace or DEFAULT_NAMESPACE)
    if not manifests and not diagnostics:
        where = ", ".join("standard input" if name == "-" else name for name in names)
        raise ManifestError(
            f"{where}: no SpiderCoordinator or SpiderMultusConfig is in it; allowed are files of"
            " YAML or JSON, and folders with files called *.yaml, *.yml or *.json"
        )
    return manifests, diagnostics + review_manifests(manifests)


def number_of_errors(diagnostics: Sequence[Diagnostic]) -> int:
    """How many of them are errors."""
    return sum(each.severity == "error" for each in diagnostics)


def print_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Print one line for each on standard error."""
    for each in diagnostics:
        subject, rest = str(each)[: len(each.subject)], str(each)[len(each.subject) :]
        click.echo(subject + coloured(rest, each.severity), err=True)


def _document(
    manifests: Sequence[Manifest], diagnostics: Sequence[Diagnostic]
) -> dict[str, object]:
    errors = number_of_errors(diagnostics)
    return {
        "command": "check",
        "objects": [{"kind": each.kind, "name": each.name} for each in manifests],
        "counts": {"error": errors, "warning": len(diagnostics) - errors},
        "findings": [
            {"level": each.severity, "subject": each.subject, "observed": each.text}
            for each in diagnostics
        ],
    }
