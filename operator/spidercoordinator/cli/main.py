"""The command `spidercoordinator`, and `kubectl spidercoordinator`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from spidercoordinator.cli.exits import Exit, exit_of
from spidercoordinator.errors import SpiderCoordinatorError

logger = logging.getLogger(__name__)

_PLUGIN: Final = "kubectl-spidercoordinator"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    called = "kubectl spidercoordinator" if Path(sys.argv[0]).name == _PLUGIN else ""
    try:
        # The operator is resident: it does not carry the library of the command line.
        return _run_operator() if arguments == ["run"] else _run(arguments, called)
    except SpiderCoordinatorError as error:
        print(f"{called or 'spidercoordinator'}: {error}", file=sys.stderr)
        return exit_of(error)
    except BrokenPipeError:
        # Python flushes standard output at its end, and would fail there once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CLOSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _run(arguments: list[str], called: str) -> int:
    import click  # noqa: PLC0415 - see main
    from click.shell_completion import shell_complete  # noqa: PLC0415

    from spidercoordinator.cli.commands import cli  # noqa: PLC0415
    from spidercoordinator.cli.completion import VARIABLE  # noqa: PLC0415

    name = called or "spidercoordinator"
    if asked := os.environ.get(VARIABLE):
        return shell_complete(cli, {}, name, VARIABLE, asked)
    # Libraries' warnings repeat what our errors say.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        with cli.make_context(name, arguments) as context:
            status = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return Exit.INTERRUPTED
    return int(status or Exit.OK)


def _run_operator() -> int:
    from spidercoordinator.cli.run import start  # noqa: PLC0415 - see main

    return start({})


if __name__ == "__main__":
    sys.exit(main())
