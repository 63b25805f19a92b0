"""`spidercoordinator render`: the NetworkAttachmentDefinitions of manifests, without a cluster."""

from __future__ import annotations

from collections.abc import Sequence

import click

from spidercoordinator.api.objects import Object
from spidercoordinator.cli.check import number_of_errors, print_diagnostics, reviewed
from spidercoordinator.cli.exits import Exit
from spidercoordinator.cli.output import Format, print_objects, print_table
from spidercoordinator.core.checks import offline
from spidercoordinator.core.network.render import json_text
from spidercoordinator.runtime.settings import Settings, parse_ipam


def render(
    names: Sequence[str],
    settings: Settings,
    default_ipam: str = "",
    *,
    namespace: str = "",
    output: Format = "yaml",
) -> Exit:
    """Print the NADs the operator would make of the manifests; returns the exit status.

    Args:
        names: Files, folders, or `-` for standard input.
        settings: Of the operator.
        default_ipam: What networks get that name no IPAM, as JSON; empty: the operator's setting,
            or else what the SpiderCoordinator among the manifests says of its cluster.
        namespace: Of manifests that name none.
        output: How to print.

    Raises:
        ManifestError: a file cannot be read, is no YAML, or there is nothing of this product.
        SettingsError: `default_ipam` is no IPAM object.
    """
    chosen = parse_ipam(default_ipam, "--default-ipam") if default_ipam else settings.default_ipam
    manifests, diagnostics = reviewed(names, namespace)
    print_diagnostics(diagnostics)
    if number_of_errors(diagnostics):
        click.echo("render: nothing is printed until the errors are mended", err=True)
        return Exit.FOUND
    rendered = offline.render_manifests(manifests, settings.name, default_ipam=chosen)
    if not rendered.nads:
        click.echo("render: no SpiderMultusConfig is given, so there is no NAD to print", err=True)
    for text in rendered.incomplete:
        click.echo(f"render: {text}", err=True)
    if output == "table":
        print_table(("NAMESPACE", "NAME", "PLUGINS"), map(_row, rendered.nads))
    else:
        print_objects(rendered.nads, output)
    return Exit.OK


def _row(nad: Object) -> tuple[str, str, str]:
    meta, text = nad["metadata"], nad["spec"]["config"]
    config = json_text.loads(text) if text else {}
    plugins = config.get("plugins") or [config]
    return meta["namespace"], meta["name"], ",".join(str(each.get("type")) for each in plugins)
