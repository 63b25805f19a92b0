"""The nodes' row of the dashboard has data in a real Prometheus that scrapes a node.

The node is a network namespace in which real calls are counted, and what is scraped is what the
program that serves the nodes' metrics tells of it. tests/e2e/test_node_metrics.py does the same
with the nodes of a cluster; here an installer puts back what was deleted, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
import yaml
from typing_extensions import override

from testbed import scraping
from testbed.scraping import Server
from tests.cni.conftest import binary, pod, programs, segment, wait_for
from tests.cni.counted import Counted
from tests.cni.test_node_metrics import counted, node
from tests.cni.topology import PluginError, Pod
from tests.e2e.cluster import eventually
from tests.panels import ASKED, OF_NODES, Panels, lacking, record

# pytest finds fixtures by their names in this module.
__all__ = ["binary", "counted", "node", "pod", "programs", "segment"]

SPACE: Final = "spiderpool"


@pytest.fixture
def prometheus(counted: Counted, tmp_path: Path) -> Iterator[Server]:
    """One that scrapes the node, labelled as by the chart's PodMonitor."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(counted.told().encode())

        @override
        def log_message(self, *args: object) -> None:
            """Prometheus tells of what fails."""

    folder = tmp_path / "prometheus"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        target = {
            "targets": [f"127.0.0.1:{http.server_port}"],
            "labels": {"namespace": SPACE, "node": "node1"},
        }
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "nodes", "static_configs": [target]}],
        }
        try:
            with scraping.running(yaml.safe_dump(config), folder) as server:
                yield server
        finally:
            http.shutdown()


def test_every_query_of_nodes_has_data(counted: Counted, pod: Pod, prometheus: Server) -> None:
    asked = [each for each in ASKED if OF_NODES.search(each.expr)]
    assert asked
    panels = Panels(prometheus, asked, {"namespace": SPACE, "job": "operator"})
    pod.attach()

    def happen() -> None:
        pod.coordinator()
        with pytest.raises(PluginError):
            pod.coordinator(notReadyReason="no CIDR is known")

    with counted.resident("--count"):
        wait_for(lambda: bool(prometheus.now("spidercoordinator_node_build_info")))
        (counted.plugins / "ifacer").unlink()
        while not panels.long_enough():
            happen()
        missing = [""]

        def has_data() -> bool:
            happen()
            missing[:] = lacking(panels.data())
            return not missing

        eventually("every query has data", has_data, 60, lambda: "\n".join(missing))
    record(panels)
