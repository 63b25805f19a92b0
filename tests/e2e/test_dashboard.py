"""Every query of the Grafana dashboard has data in a real Prometheus that scrapes the operator.

Prometheus runs beside the test and reaches the operator's pods as a reader of `pods/proxy`, through
the API server, so that any cluster will do. The alerts are the chart's, without the time for which
they have to hold: promtool's tests in tests/chart are about that.

Some queries have data only when something fails, so it does here: a network that no node can serve,
a network whose NAD a quota refuses. Queries of what is a bug of the operator are left to promtool,
in tests/chart/test_dashboard.py.

DASHBOARD_RECORD names a file for the data of all panels, from which
`python -m tools.dashboard.plot` draws docs/images/dashboard; DASHBOARD_SECONDS is how long things
happen for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from testbed import scraping
from testbed.scraping import Server
from tests.chart.test_dashboard import DASHBOARD, OF_BUGS
from tests.e2e import manifests, scrape
from tests.e2e.cluster import ATTACHMENTS, NETWORKS, Cluster, Object, Release, eventually
from tests.e2e.conftest import MakeNetwork
from tests.e2e.manifests import NAMESPACE
from tools.dashboard.reading import Asked, labels_of, queries, with_values

ASKED: Final = [each for each in queries(DASHBOARD) if not OF_BUGS.search(each.expr)]
STEP: Final = 1
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


@dataclass
class Panels:
    """What the dashboard would show."""

    server: Server
    began: float = field(default_factory=time.time)

    def values(self) -> dict[str, str]:
        """Grafana's variables, with all that the dashboard's own queries offer."""
        found = {"__rate_interval": "10s"}
        for variable in json.loads(DASHBOARD)["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
                assert asked is not None
                expr = with_values(f"count by ({asked[2]}) ({asked[1]})", found)
                offered = [each["metric"].get(asked[2], "") for each in self.server.now(expr)]
                found[variable["name"]] = "|".join(map(re.escape, filter(None, offered)))
                assert found[variable["name"]], variable["name"]
        return found

    def data(self) -> dict[Asked, list[Object]]:
        """The series of each query, since the beginning."""
        values, end = self.values(), time.time()
        return {
            each: self.server.series(with_values(each.expr, values), self.began, end, STEP)
            for each in ASKED
        }


def is_finite(series: Object) -> bool:
    return any(math.isfinite(float(value)) for _, value in series["values"])


def lacking(data: dict[Asked, list[Object]]) -> list[str]:
    """The queries without a number, or with a label in the legend that no series has."""
    problems = []
    for asked, series in data.items():
        if not any(map(is_finite, series)):
            problems.append(f"{asked.panel}: no data: {asked.expr}")
        labels = {key for each in series for key, value in each["metric"].items() if value}
        if series and not labels_of(asked.legend) <= labels:
            problems.append(f"{asked.panel}: {asked.legend} of {sorted(labels)}")
    return problems


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
    return Panels(prometheus)


@pytest.fixture
def shown(panels: Panels, network: MakeNetwork) -> str:
    """A network that is ready, made while the operator is scraped."""
    del panels
    network("shown")
    return "shown"


@pytest.mark.usefixtures("failing")
def test_every_query_has_data(cluster: Cluster, panels: Panels, shown: str) -> None:
    things = happenings(cluster, shown)
    until = time.monotonic() + float(os.environ.get("DASHBOARD_SECONDS", "0"))
    missing: list[str] = []

    def look() -> bool:
        next(things)()
        if time.monotonic() < until:
            return False
        missing[:] = lacking(panels.data())
        return not missing

    within = until - time.monotonic() + WITHIN
    eventually("every query has data", look, within, lambda: "\n".join(missing))
    record(panels)


def record(panels: Panels) -> None:
    """Write down what the panels show, if it was asked for."""
    if file := os.environ.get("DASHBOARD_RECORD"):
        data = [
            {**dataclasses.asdict(asked), "series": series}
            for asked, series in panels.data().items()
        ]
        Path(file).write_text(json.dumps(data))
