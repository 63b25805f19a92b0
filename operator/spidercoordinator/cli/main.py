"""The command `spidercoordinator`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from spidercoordinator.errors import SpiderCoordinatorError
from spidercoordinator.runtime.logging import configure
from spidercoordinator.runtime.recursion import allow_deep_objects

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="spidercoordinator",
        description="Underlay pods that reach services, answer probes and stay inside a mesh.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the operator (settings come from SPIDERCOORDINATOR_*)")
    uninstall = commands.add_parser(
        "uninstall", help="let everything go before the chart is removed"
    )
    uninstall.add_argument("--timeout", type=float, default=60.0, help="seconds (default 60)")
    uninstall.add_argument(
        "--installer-namespace",
        default="",
        help="namespace of the installer's pods, which restore another product's plugin",
    )
    uninstall.add_argument(
        "--installer-selector", default="", help="label selector of the installer's pods"
    )
    commands.add_parser("crds", help="print the CRDs of this version")
    commands.add_parser(
        "doctor", help="say what keeps pods from being served, as far as the API server knows"
    )
    before = commands.add_parser(
        "preflight", help="say what a cluster lacks before the chart is installed there"
    )
    before.add_argument(
        "-f",
        "--values",
        action="append",
        default=[],
        metavar="FILE",
        help="a values file of the chart, as for helm; may be given several times",
    )
    for name, purpose in (
        ("check", "say what is wrong with manifests, without a cluster"),
        ("render", "print the NetworkAttachmentDefinitions of manifests, without a cluster"),
    ):
        offline = commands.add_parser(name, help=purpose)
        offline.add_argument(
            "-f",
            "--filename",
            action="append",
            required=True,
            help="a file, a folder, or - for standard input; may be given several times",
        )
        if name == "render":
            offline.add_argument(
                "--default-ipam",
                default="",
                metavar="JSON",
                help="CNI IPAM object of networks that name none, instead of the one that the"
                " operator's setting or the SpiderCoordinator's status says",
            )
    arguments = parser.parse_args(argv)
    try:
        return _dispatch(arguments)
    except SpiderCoordinatorError as error:
        print(f"spidercoordinator: {error}", file=sys.stderr)
        return 1


def _dispatch(arguments: argparse.Namespace) -> int:
    # Each command imports what it needs: `crds` must not wait for the operator's libraries.
    if arguments.command in {"crds", "check", "preflight"}:
        return _without_settings(arguments)
    from spidercoordinator.runtime.settings import Settings, unknown_variables  # noqa: PLC0415

    allow_deep_objects()
    settings = Settings.read(os.environ)
    if arguments.command == "render":
        from spidercoordinator.cli.render import render  # noqa: PLC0415

        return render(arguments.filename, settings, arguments.default_ipam)
    if arguments.command == "doctor":
        from spidercoordinator.cli.doctor import doctor  # noqa: PLC0415

        return asyncio.run(doctor(settings))
    configure(settings.log_level, settings.log_format)
    for message in unknown_variables(os.environ):
        logger.warning(message)
    if arguments.command == "uninstall":
        from spidercoordinator.cli.installers import Installers  # noqa: PLC0415
        from spidercoordinator.cli.uninstall import uninstall  # noqa: PLC0415

        installers = (
            Installers(arguments.installer_namespace, arguments.installer_selector)
            if arguments.installer_selector
            else None
        )
        return asyncio.run(uninstall(settings, timeout=arguments.timeout, installers=installers))
    from spidercoordinator.cli.run import run  # noqa: PLC0415

    return run()


def _without_settings(arguments: argparse.Namespace) -> int:
    """The commands that the operator's settings do not concern."""
    if arguments.command == "crds":
        from spidercoordinator.cli.crds import print_crds  # noqa: PLC0415

        return print_crds()
    if arguments.command == "check":
        from spidercoordinator.cli.check import check  # noqa: PLC0415

        return check(arguments.filename)
    from spidercoordinator.cli.preflight import check_cluster  # noqa: PLC0415

    return asyncio.run(check_cluster(arguments.values))


if __name__ == "__main__":
    sys.exit(main())
