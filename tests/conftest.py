"""Tests run the programs that are declared, and no others: PATH holds links to these alone."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from testbed import guard, prerequisites
from testbed.errors import TestbedError
from testbed.paths import State

TESTS = Path(__file__).parent

# A deadline for an example is a timed assertion, which a busy machine fails.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")


# API servers, helm and kubectl live for seconds or minutes here: collecting seldom costs them some
# memory, and saves a tenth of the processor's time of whatever uses them.
os.environ.setdefault("GOGC", "400")


def pytest_configure() -> None:
    try:
        guard.enter()
    except TestbedError as failed:
        raise pytest.UsageError(str(failed)) from failed


def pytest_collection_finish(session: pytest.Session) -> None:
    """End at once, with all packages in one message, when something is not there."""
    if session.config.option.collectonly:
        return
    folders = {item.path.relative_to(TESTS).parts[0] for item in session.items}
    light = {"unit", "e2e"} if elsewhere() else {"unit"}
    wanted = prerequisites.REQUIREMENTS if folders - light else prerequisites.UNIT
    missing = prerequisites.missing_packages(wanted)
    if missing:
        command = " ".join(prerequisites.install_command(missing))
        pytest.exit(f"these tests need programs that are not there: sudo {command}", returncode=4)


def elsewhere() -> bool:
    """Tell whether the end-to-end tests run on somebody else's cluster."""
    named = os.environ.get("KUBECONFIG")
    return bool(named) and Path(str(named)).resolve() != State.of_clone().kubeconfig.resolve()
