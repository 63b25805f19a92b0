"""The commands as click knows them; each imports what it needs when it is called."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import click

from spidercoordinator.cli import options
from spidercoordinator.cli.completion import script
from spidercoordinator.cli.connection import Connection
from spidercoordinator.cli.output import Format, wants_colour
from spidercoordinator.runtime.recursion import allow_deep_objects

# Imports inside of functions are by intent: `crds` must not wait for the operator's libraries.
# ruff: noqa: PLC0415

logger = logging.getLogger(__name__)

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@options.connection_options
@click.version_option(package_name="spidercoordinator", prog_name="spidercoordinator")
def cli(**connection: str | None) -> None:
    """Underlay pods that reach services, answer probes and stay inside a mesh."""
    context = click.get_current_context()
    context.color = wants_colour()
    context.obj = connection
    allow_deep_objects()


@cli.command(cls=options.WithSettings)
def run(**given: str | None) -> int:
    """Run the operator.

    What no option says comes from the environment, SPIDERCOORDINATOR_*.
    """
    from spidercoordinator.cli.run import start

    return start({name: value for name, value in given.items() if value is not None})


@cli.command()
@options.timeout("Of all that is waited for.")
@click.option(
    "--installer-namespace",
    default="",
    help="Namespace of the installer's pods, which restore another product's plugin.",
)
@click.option("--installer-selector", default="", help="Label selector of the installer's pods.")
def uninstall(timeout: float, installer_namespace: str, installer_selector: str) -> int:
    """Let everything go before the chart is removed."""
    from spidercoordinator.cli.installers import Installers
    from spidercoordinator.cli.uninstall import uninstall as act
    from spidercoordinator.runtime.logging import configure
    from spidercoordinator.runtime.settings import Settings, unknown_variables

    settings = Settings.read(os.environ)
    configure(settings.log_level, settings.log_format)
    for message in unknown_variables(os.environ):
        logger.warning(message)
    installers = Installers(installer_namespace, installer_selector) if installer_selector else None
    return asyncio.run(act(settings, timeout=timeout, installers=installers))


@cli.command()
@click.option("--namespace", required=True, help="Of all that is made.")
@click.option("--name", required=True, help="Of the network and the pod.")
@click.option("--interface", required=True, help="Of the nodes, the network's master.")
@click.option("--ipam", default="{}", metavar="JSON", help="CNI IPAM object of the network.")
@click.option(
    "--pod", required=True, metavar="JSON", help="Labels, annotations and spec of the pod."
)
@click.option("--service-account", default="", help="Of the pod that this runs in.")
@options.timeout("Of all that is waited for.")
def verify(service_account: str, timeout: float, ipam: str, pod: str, **given: str) -> int:
    """Try a network and a pod of it; `helm test` runs it."""
    from spidercoordinator.cli.verify import Runner
    from spidercoordinator.cli.verify import verify as act
    from spidercoordinator.core.checks.verification import Trial
    from spidercoordinator.runtime.settings import Settings

    settings = Settings.read(os.environ)
    objects = {"pod": options.json_object("pod", pod), "ipam": options.json_object("ipam", ipam)}
    trial = Trial(**objects, **given)  # type: ignore[arg-type] # texts and objects, by their names
    runner = Runner(settings.pod_name, settings.pod_uid, service_account)
    return asyncio.run(act(settings, trial, runner, seconds=timeout))


@cli.command()
@options.output("yaml")
def crds(output: Format) -> None:
    """Print the CRDs of this version, for kubectl apply."""
    from spidercoordinator.cli.crds import print_crds

    print_crds(output)


@cli.command()
@options.filename
@options.of_manifests
@options.output("table")
def check(filenames: tuple[str, ...], namespace: str, output: Format) -> int:
    """Say what is wrong with manifests, without a cluster."""
    from spidercoordinator.cli.check import check as act

    return act(_required(filenames), namespace=namespace, output=output)


@cli.command()
@options.filename
@options.of_manifests
@click.option(
    "--default-ipam",
    default="",
    metavar="JSON",
    help="CNI IPAM object of networks that name none, instead of the one that the operator's"
    " setting or the SpiderCoordinator's status says.",
)
@options.output("yaml")
def render(filenames: tuple[str, ...], namespace: str, default_ipam: str, output: Format) -> int:
    """Print the NADs of manifests, without a cluster.

    A NAD is a NetworkAttachmentDefinition, from which Multus reads a network.
    """
    from spidercoordinator.cli.render import render as act
    from spidercoordinator.runtime.settings import Settings

    names, settings = _required(filenames), Settings.read(os.environ)
    return act(names, settings, default_ipam, namespace=namespace, output=output)


@cli.command()
@click.argument("name", metavar="[KIND/NAME]", default="")
@options.filename
@click.option("-p", "--patch", default="", metavar="PATCH", help="Merge patch, JSON or YAML.")
@options.output("table")
@options.connects
def diff(connection: Connection, **arguments: Any) -> int:
    """Say what a change would do to NADs, and do nothing.

    The change is files (-f), or a patch of one object (KIND/NAME -p PATCH). A NAD is a
    NetworkAttachmentDefinition, from which Multus reads a network.
    """
    from spidercoordinator.cli.diff import Request
    from spidercoordinator.cli.diff import diff as act
    from spidercoordinator.runtime.settings import Settings

    output: Format = arguments.pop("output")
    request = Request.of(**arguments)
    return asyncio.run(act(connection, Settings.read(os.environ), request, output))


@cli.command()
@click.option("--all-nodes", is_flag=True, help="Ask the doctors of all nodes, too.")
@options.output("table")
@options.connects
def doctor(connection: Connection, output: Format, *, all_nodes: bool) -> int:
    """Say what keeps pods from being served.

    With -n only the networks of that namespace are looked at.
    """
    from spidercoordinator.cli.doctor import doctor as act
    from spidercoordinator.runtime.settings import Settings

    return asyncio.run(act(connection, Settings.read(os.environ), output, all_nodes=all_nodes))


@cli.command()
@click.argument("pod")
@click.option(
    "--no-container",
    is_flag=True,
    help="Do not look inside of the pod, which takes an ephemeral container.",
)
@options.output("table")
@options.connects
def explain(connection: Connection, pod: str, output: Format, *, no_container: bool) -> int:
    """Say what is wrong with a pod's network, and what to do.

    Prints what the network is, should be, and lacks.
    """
    from spidercoordinator.cli.explain import explain as act

    name = options.object_name(pod, ("pod", "pods", "po"))
    return asyncio.run(act(connection, name, output, inside=not no_container))


@cli.command()
@click.option(
    "-f",
    "--values",
    multiple=True,
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A values file of the chart, as for helm; may be given several times.",
)
@options.output("table")
@options.connects_without_namespace
def preflight(connection: Connection, values: tuple[str, ...], output: Format) -> int:
    """Say what a cluster lacks for an installation."""
    from spidercoordinator.cli.preflight import check_cluster

    return asyncio.run(check_cluster(connection, values, output))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the code for completion in a shell."""
    click.echo(script(cli, shell))


def _required(filenames: tuple[str, ...]) -> tuple[str, ...]:
    if not filenames:
        raise click.UsageError("-f is missing: give a file, a folder, or - for standard input")
    return filenames
