"""The metrics of the nodes, switched on by a chart value: who gets them, and what they tell.

A real Prometheus scrapes every node, and each query of the dashboard's row about nodes has data.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from testbed import scraping
from testbed.scraping import Server
from tests.e2e import manifests
from tests.e2e.cluster import Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork, MakePod, upgrade
from tests.e2e.manifests import NAMESPACE
from tests.e2e.test_foreign_plugin import rolled_out
from tests.panels import ASKED, OF_NODES, Panels, lacking

PORT: Final = 9811
INSTALLER: Final = "-l app.kubernetes.io/component=installer"
STRANGER: Final = "stranger"
SCRAPER: Final = "scraper"
REFUSING: Final = "refusing"
ADDED: Final = (
    'spidercoordinator_cni_calls_total{outcome="success",plugin="coordinator",verb="ADD"}'
)


def switch(cluster: Cluster, release: Release, enabled: str) -> None:
    setting = f"--set installer.metrics.enabled={enabled} --wait --timeout 2m"
    upgrade(cluster, release, setting)
    rolled_out(cluster, release, "status --timeout=120s")


@pytest.fixture(scope="module")
def serving(cluster: Cluster, synced: Release, node_shell: str) -> Iterator[Release]:
    """The release, whose nodes serve metrics; without the value nothing listens."""
    asked = cluster.execute(node_shell, f"wget -q -O - http://127.0.0.1:{PORT}/", NAMESPACE)
    assert "refused" in asked.output
    switch(cluster, synced, "true")
    yield synced
    switch(cluster, synced, "false")


def token(cluster: Cluster, account: str) -> str:
    """Make an account, which may do nothing yet; gives its token."""
    meta = {"name": account, "namespace": NAMESPACE}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    return cluster.shell.output(f"kubectl create token {account} -n {NAMESPACE}").strip()


@pytest.fixture
def stranger(cluster: Cluster, namespace: None) -> Iterator[str]:
    """The token of somebody else."""
    del namespace
    yield token(cluster, STRANGER)
    cluster.delete("serviceaccount", STRANGER, NAMESPACE)


@pytest.fixture
def reader(cluster: Cluster, serving: Release, namespace: None) -> Iterator[str]:
    """The token of an account that has the chart's role for readers."""
    del serving, namespace
    names = [each["metadata"]["name"] for each in cluster.items("clusterroles", INSTALLER)]
    [role] = [name for name in names if name.endswith("-metrics-reader")]
    made = token(cluster, SCRAPER)
    cluster.shell.output(
        f"kubectl create clusterrolebinding {SCRAPER} --clusterrole={role}"
        f" --serviceaccount={NAMESPACE}:{SCRAPER}"
    )
    yield made
    cluster.delete("clusterrolebinding", SCRAPER)
    cluster.delete("serviceaccount", SCRAPER, NAMESPACE)


@contextlib.contextmanager
def forwarded(cluster: Cluster, pod: Object) -> Iterator[int]:
    """A port of this machine that leads to the metrics of an installer's node."""
    meta = pod["metadata"]
    command = f"exec kubectl port-forward -n {meta['namespace']} pod/{meta['name']} :{PORT}"
    with subprocess.Popen(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        text=True,
        env=cluster.shell.environment(),
    ) as process:
        try:
            assert process.stdout
            said = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert said
            yield int(said[1])
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def ports(cluster: Cluster, serving: Release) -> Iterator[dict[str, int]]:
    """A port of this machine for each node, by the node's name."""
    with contextlib.ExitStack() as stack:
        yield {
            pod["spec"]["nodeName"]: stack.enter_context(forwarded(cluster, pod))
            for pod in cluster.items("pods", f"{INSTALLER} -n {serving.namespace}")
            if "deletionTimestamp" not in pod["metadata"]
        }


def scraped(port: int, bearer: str = "") -> tuple[int, str]:
    """Status and text of the answer."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def prometheus(
    ports: dict[str, int], serving: Release, reader: str, tmp_path: Path
) -> Iterator[Server]:
    """One that scrapes every node, labelled as by the chart's PodMonitor."""
    (tmp_path / "token").write_text(reader)
    targets = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"namespace": serving.namespace, "node": node},
        }
        for node, port in ports.items()
    ]
    job = {
        "job_name": "nodes",
        "scheme": "https",
        "authorization": {"credentials_file": str(tmp_path / "token")},
        "tls_config": {"insecure_skip_verify": True},
        "static_configs": targets,
    }
    seconds = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config = yaml.safe_dump({"global": seconds, "scrape_configs": [job]})
    with scraping.running(config, tmp_path) as server:

        def all_scraped() -> bool:
            return len(server.now("spidercoordinator_node_build_info")) == len(ports)

        eventually("every node is scraped", all_scraped, 60)
        yield server


@pytest.fixture
def refusing(cluster: Cluster, namespace: None) -> Iterator[str]:
    """A network, made by hand, of which coordinator says that it is not ready."""
    del namespace
    plugins = [
        {"type": "macvlan", "master": "eth0", "ipam": {}},
        {"type": "coordinator", "notReadyReason": "the test wants a failure"},
    ]
    config = {"cniVersion": "0.3.1", "name": REFUSING, "plugins": plugins}
    meta = {"name": REFUSING, "namespace": NAMESPACE}
    cluster.apply(
        {
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": meta,
            "spec": {"config": json.dumps(config)},
        }
    )
    yield f"{NAMESPACE}/{REFUSING}"
    cluster.delete("pod", REFUSING, NAMESPACE)
    cluster.delete("network-attachment-definition", REFUSING, NAMESPACE)


@pytest.fixture
def starting(
    cluster: Cluster, network: MakeNetwork, pod: MakePod, refusing: str, node: str
) -> Callable[[], None]:
    """Start a pod, and one that coordinator refuses."""

    def start() -> None:
        pod("counted", first=network("counted"))
        cluster.apply(manifests.pod(REFUSING, node, {manifests.FIRST_INTERFACE: refusing}))

    return start


def test_strangers_are_told_nothing(ports: dict[str, int], stranger: str) -> None:
    for port in ports.values():
        assert scraped(port)[0] == 401
        status, text = scraped(port, stranger)
        assert status == 403
        assert "spidercoordinator_" not in text


def test_the_dashboard_shows_what_readers_are_told(
    prometheus: Server, serving: Release, starting: Callable[[], None]
) -> None:
    asked = [each for each in ASKED if OF_NODES.search(each.expr)]
    panels = Panels(prometheus, asked, {"namespace": serving.namespace, "job": "operator"})
    starting()
    missing: list[str] = []

    def shown() -> bool:
        missing[:] = lacking(panels.data())
        return not missing

    eventually("every query has data", shown, 60, lambda: "\n".join(missing))
    added = prometheus.now(f"sum({ADDED})")
    assert float(added[0]["value"][1]) >= 1
