"""What the exit status of a command means; docs/cli.md has the table."""

from __future__ import annotations

from enum import IntEnum

from spidercoordinator.errors import (
    ApiError,
    LoginError,
    ManifestError,
    SettingsError,
    SpiderCoordinatorError,
)


class Exit(IntEnum):
    """The exit status of all commands."""

    OK = 0
    """Done, and nothing found that is wrong."""
    FOUND = 1
    """Done, and the answer is no: errors were found, or, of `diff`, changes."""
    USAGE = 2
    """Not begun: the command line, a setting, or a file cannot be used."""
    NO_ANSWER = 3
    """Not done: the API server was not reached, or refused."""
    INTERRUPTED = 130
    """By Ctrl-C, as shells count it: 128 and SIGINT."""
    CLOSED = 141
    """Who read the output went away, as `head` does: 128 and SIGPIPE."""


def exit_of(error: SpiderCoordinatorError) -> Exit:
    """The status of a command that failed with this error."""
    if isinstance(error, SettingsError | ManifestError):
        return Exit.USAGE
    return Exit.NO_ANSWER if isinstance(error, ApiError | LoginError) else Exit.FOUND
