"""A Prometheus of a test's own: Debian's, on a port of loopback, for as long as the test runs."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed import prometheus
from testbed.apiserver import free_port
from testbed.errors import TestbedError

_PATIENCE = 60.0
_PAUSE = 0.1


@dataclass(frozen=True)
class Server:
    """A running Prometheus.

    Attributes:
        url: of its API.
        log: what it writes.
    """

    url: str
    log: Path

    def series(self, expr: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series of a query over a range of time.

        Args:
            expr: in PromQL.
            start: its first moment, in seconds since 1970.
            end: its last one.
            step: seconds between two values.

        Raises:
            TestbedError: Prometheus refuses the query; the text says why.
        """
        asked = {"query": expr, "start": start, "end": end, "step": step}
        return list(self._get("query_range", asked)["result"])

    def now(self, expr: str) -> list[dict[str, Any]]:
        """The series of a query at this moment.

        Raises:
            TestbedError: Prometheus refuses the query; the text says why.
        """
        return list(self._get("query", {"query": expr})["result"])

    def _get(self, what: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - http
                data: dict[str, Any] = json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise TestbedError(f"{parameters}: {refused.read().decode()}") from None
        return data

    def ready(self) -> bool:
        """Whether it serves queries."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):  # noqa: S310 - http
                return True
        except OSError:
            return False


@contextmanager
def running(config: str, folder: Path) -> Iterator[Server]:
    """Run Prometheus with a configuration and an empty database in a folder, until the end.

    Raises:
        TestbedError: it does not come up; the text has its log.
    """
    (folder / "prometheus.yaml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    server = Server(f"http://{address}", folder / "log")
    command = [
        str(prometheus.ensure() / "prometheus"),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (
        server.log.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise TestbedError(f"Prometheus does not come up: {server.log.read_text()}")
        time.sleep(_PAUSE)
