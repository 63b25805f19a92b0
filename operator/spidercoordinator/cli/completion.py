"""Completion in shells: of `spidercoordinator` by click, of the kubectl plugin by kubectl."""

from __future__ import annotations

import sys
from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

VARIABLE: Final = "_SPIDERCOORDINATOR_COMPLETE"
"""Set by the shell's function when it asks for completions."""

# cobra's ShellCompDirective, which kubectl reads in the last line
# (https://github.com/spf13/cobra/blob/v1.9.1/completions.go).
_NO_FILES: Final = 4
_FILES: Final = 0


def script(command: click.Command, shell: str) -> str:
    """The code with which a shell completes `spidercoordinator`."""
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"{shell} is no shell that can complete; allowed: bash, zsh, fish")
    return completer(command, {}, "spidercoordinator", VARIABLE).source()


def complete_for_kubectl() -> int:
    """Print completions of `kubectl spidercoordinator ARGUMENTS...`, as kubectl asks for them.

    kubectl runs `kubectl_complete-NAME` with the words so far, the last one being incomplete
    (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/, "Autocompletion").
    """
    from spidercoordinator.cli.commands import cli  # noqa: PLC0415 - it imports this module

    words = sys.argv[1:] or [""]
    found = kubectl_lines(cli, words[:-1], words[-1])
    print("\n".join(found))
    return 0


def kubectl_lines(command: click.Command, words: list[str], incomplete: str) -> list[str]:
    """Candidates, one a line with a description after a tab, and the directive."""
    shell = ShellComplete(command, {}, "kubectl spidercoordinator", VARIABLE)
    items = shell.get_completions(words, incomplete)
    files = any(item.type in {"file", "dir"} for item in items)
    plain = [_line(item) for item in items if item.type == "plain"]
    return [*plain, f":{_FILES if files else _NO_FILES}"]


def _line(item: CompletionItem) -> str:
    return f"{item.value}\t{item.help}" if item.help else str(item.value)
