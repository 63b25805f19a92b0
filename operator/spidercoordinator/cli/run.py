"""`spidercoordinator run`: the operator, run by kopf until SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import kopf

from spidercoordinator import handlers
from spidercoordinator.errors import OperatorEndedError
from spidercoordinator.handlers.bookkeeping import NoMemories
from spidercoordinator.kube.crash import brief
from spidercoordinator.runtime.logging import configure
from spidercoordinator.runtime.recursion import allow_deep_objects
from spidercoordinator.runtime.settings import Settings, unknown_variables

__all__ = ["handlers", "run", "start"]

logger = logging.getLogger(__name__)

# kopf names a process by the name of its user, and a container's user id has none
# (https://github.com/nolar/kopf/blob/1.45.2/kopf/_core/engines/peering.py, detect_own_id). Only
# peering would use it.
_IDENTITY: Any = "spidercoordinator"


def start(options: Mapping[str, str]) -> int:
    """Read the settings and run; as `run`.

    Args:
        options: Settings of the command line, by the names of fields.

    Raises:
        SettingsError: a setting cannot be used.
    """
    allow_deep_objects()
    settings = Settings.read(os.environ, options)
    configure(settings.log_level, settings.log_format)
    for message in unknown_variables(os.environ):
        logger.warning(message)
    return run(options)


def run(options: Mapping[str, str]) -> int:
    """Run until told to end, or until it cannot go on; gives the exit status.

    Raises:
        LoginError: there is no way to the API server.
        LeadershipLostError: another replica leads now, or may do so soon.
        KindRemovedError: the CRD of one of our kinds was deleted.
        SettingsError: the HTTP port cannot be had.
        OperatorEndedError: kopf itself failed.
    """
    memo = kopf.Memo(options=options)
    try:
        kopf.run(
            standalone=True,
            clusterwide=True,
            memo=memo,
            memories=NoMemories(),
            identity=_IDENTITY,
        )
    except Exception as error:
        _raise_failure(memo)
        # kopf has logged its trace.
        text = f"kopf ended with an unexpected error: {brief(error)}"
        raise OperatorEndedError(f"{text}; started again this process goes on") from error
    _raise_failure(memo)
    return 0


def _raise_failure(memo: kopf.Memo) -> None:
    """Raise what ended the operator, if that was no signal, instead of what kopf made of it."""
    manager = memo.get("manager")
    failure = memo.get("failure") or (manager and manager.failure)
    if failure:
        raise failure from None
