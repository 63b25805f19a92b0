"""The real cert-manager beside a real API server, which `make cert-manager` builds and runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import certmanager
from testbed.apiserver import ApiServer
from tests.chart.conftest import cluster, helm, server, with_kinds
from tests.chart.helm import Helm

__all__ = ["cluster", "helm", "server", "with_kinds"]

MODES = ("controller", "cainjector")


@pytest.fixture
def cert_manager(with_kinds: Helm, server: ApiServer, tmp_path: Path) -> Iterator[Helm]:
    """A cluster in which cert-manager works."""
    files = [f"-f={each}" for each in sorted(certmanager.crds().glob("*.yaml"))]
    with_kinds.kubectl("apply", "--server-side", *files)
    with_kinds.kubectl("wait", "--for=condition=Established", *files)
    environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
    running = []
    for mode in MODES:
        with (tmp_path / f"{mode}.log").open("wb") as log:
            command = [str(certmanager.controllers()), mode]
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    yield with_kinds
    for each in running:
        each.terminate()
        each.wait()
    with_kinds.kubectl("delete", *files)
