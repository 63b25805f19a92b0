"""Flags in the words of a command, as pflag and urfave/cli read them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from spidercoordinator.api.objects import Object
from spidercoordinator.discovery.shapes import items, mappings, section


def command_words(pod_spec: Object) -> list[str]:
    """The words of all containers' commands and arguments."""
    return [
        word
        for container in mappings(pod_spec, "containers")
        for text in (*items(container, "command"), *items(container, "args"))
        if isinstance(text, str)
        for word in split_words(text)
    ]


def template_words(workload: Object) -> list[str]:
    """The words of the containers that a DaemonSet or Deployment makes."""
    return command_words(section(workload, "spec", "template", "spec"))


def split_words(text: str) -> list[str]:
    """The words of one argument.

    `sh -c "exec kube-controller-manager --a=b --c=d"` hides the flags in one of them.
    """
    if "--" not in text or not any(blank in text for blank in " \t\n"):
        return [text]
    # A shell joins lines that end with a backslash, and ends words at its operators.
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def occurrences(words: Sequence[str], *names: str) -> Iterator[str]:
    """The values of a flag, in the order given; `--name=value`, `--name value`, or with one dash.

    Args:
        words: of the command.
        names: of the flag and its aliases, without dashes.
    """
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not name.startswith("-") or name.lstrip("-") not in names:
            continue
        if equals:
            yield value
        elif index + 1 < len(words):
            yield words[index + 1]


def last(values: Iterable[str]) -> str:
    """The value that counts for a flag that is no list, empty when it was not given."""
    value = ""
    for each in values:
        value = each
    return value
