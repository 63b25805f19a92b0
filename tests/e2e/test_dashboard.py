"""Every query of the Grafana dashboard has data in a real Prometheus that scrapes the operator.

Prometheus runs beside the test and reaches the operator's pods as a reader of `pods/proxy`, through
the API server, so that any cluster will do. The alerts are the chart's, without the time for which
they have to hold: promtool's tests in tests/chart are about that.

Some queries have data only when something fails, so it does here: a network that no node can serve,
a network whose NAD a quota refuses. Queries of what is a bug of the operator are left to promtool
in tests/chart, and those of nodes to test_node_metrics.py.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from testbed import scraping
from testbed.scraping import Server
from tests.e2e import manifests, scrape
from tests.e2e.cluster import ATTACHMENTS, NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork
from tests.e2e.manifests import NAMESPACE
from tests.panels import ASKED, OF_BUGS, OF_NODES, Panels, lacking, record

ELSEWHERE: Final = (OF_BUGS, OF_NODES)
QUOTA: Final = "no-more-nads"
WITHIN: Final = 60
"""Seconds, of which a second scrape after each kind of thing has happened needs a few."""


@pytest.fixture(scope="module")
def prometheus(
    cluster: Cluster, synced: Release, namespace: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    del namespace
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        scrape.reader(cluster, synced) as token,
        scraping.running(scrape.config(cluster, synced, token, folder), folder) as server,
    ):
        eventually("the operator is scraped", lambda: server.now("spidercoordinator_build_info"))
        yield server


def reasons(cluster: Cluster, name: str) -> set[str]:
    status = (cluster.get(NETWORKS, name, NAMESPACE) or {}).get("status", {})
    return {each["reason"] for each in status.get("conditions", ())}


@contextlib.contextmanager
def quota(cluster: Cluster) -> Iterator[None]:
    """A quota of no more NADs, in force."""
    hard = {f"count/{ATTACHMENTS}": "0"}
    meta = {"name": QUOTA, "namespace": NAMESPACE}
    cluster.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}
    )
    try:
        eventually("the quota is in force", lambda: is_refused(cluster), 30)
        yield
    finally:
        cluster.delete("resourcequota", QUOTA, NAMESPACE)


def is_refused(cluster: Cluster) -> bool:
    nad = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "beyond", "namespace": NAMESPACE},
    }
    text = f"kubectl create --dry-run=server -f - <<'END'\n{json.dumps(nad)}\nEND"
    return QUOTA in cluster.shell.run(text).output


@pytest.fixture
def failing(cluster: Cluster, network: MakeNetwork, ipam: Object, shown: str) -> Iterator[None]:
    """Beside one that is ready, a network that no node can serve, and one whose NAD is refused."""
    del shown
    network("elsewhere", macvlan={"master": ["nowhere9"]})
    eventually("a node lacks it", lambda: "MasterMissing" in reasons(cluster, "elsewhere"), 60)
    with quota(cluster):
        cluster.apply(manifests.network("refused", ipam))
        try:
            told = {"NADQuotaExceeded"}
            eventually("a NAD is refused", lambda: told <= reasons(cluster, "refused"), 30)
            yield
        finally:
            cluster.delete(NETWORKS, "refused", NAMESPACE)


def happenings(cluster: Cluster, network: str) -> Iterator[Callable[[], None]]:
    """What users do, over and over: a NAD edited by hand, a network that is refused and changed."""

    def edit() -> None:
        body = {"spec": {"config": "{}"}}
        assert cluster.patch(ATTACHMENTS, network, body, NAMESPACE).ok

    def refuse() -> None:
        spec = {"spec": {"chainCNIJsonData": ['{"type"']}}
        assert not cluster.patch(NETWORKS, network, spec, NAMESPACE).ok

    def change() -> None:
        address = f"169.254.100.{next(addresses)}"
        spec = {"spec": {"coordinator": {"vethLinkAddress": address}}}
        assert cluster.patch(NETWORKS, network, spec, NAMESPACE).ok

    addresses = itertools.cycle(range(1, 255))
    return itertools.cycle((edit, refuse, change))


@pytest.fixture(scope="module")
def panels(prometheus: Server) -> Panels:
    asked = [each for each in ASKED if not any(pattern.search(each.expr) for pattern in ELSEWHERE)]
    return Panels(prometheus, asked)


@pytest.fixture
def shown(panels: Panels, network: MakeNetwork) -> str:
    """A network that is ready, made while the operator is scraped."""
    del panels
    network("shown")
    return "shown"


@pytest.mark.usefixtures("failing")
def test_every_query_has_data(cluster: Cluster, panels: Panels, shown: str) -> None:
    things = happenings(cluster, shown)
    missing: list[str] = []

    def look() -> bool:
        next(things)()
        missing[:] = lacking(panels.data())
        return not missing

    def happen() -> bool:
        next(things)()
        return panels.long_enough()

    eventually("things have happened", happen, math.inf)
    eventually("every query has data", look, WITHIN, lambda: "\n".join(missing))
    record(panels)
