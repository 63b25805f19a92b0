from __future__ import annotations

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery.kuberouter import AGENTS, KubeRouter, runs_firewall
from tests.unit.discovery.observing import FORBIDDEN, Found, daemon_set, observe


def report(found: Found) -> SourceReport:
    return KubeRouter().report(observe(KubeRouter(), found))


@pytest.mark.parametrize(
    ("args", "service"),
    [
        pytest.param(["--service-cluster-ip-range=10.60.0.0/16"], ("10.60.0.0/16",), id="one"),
        pytest.param(
            ["--service-cluster-ip-range", "10.60.0.0/16,fd60::/112"],
            ("10.60.0.0/16", "fd60::/112"),
            id="both families",
        ),
        pytest.param(
            ["--service-cluster-ip-range=10.60.0.0/16", "--service-cluster-ip-range=fd60::/112"],
            ("10.60.0.0/16", "fd60::/112"),
            id="given twice",
        ),
        pytest.param(["--service-external-ip-range=10.70.0.0/16"], (), id="another range"),
    ],
)
def test_the_service_range_of_its_flags(args: list[str], service: tuple[str, ...]) -> None:
    agents = daemon_set("kube-system", "kube-router", "--run-router=true", *args)
    found = report({AGENTS: [agents]})
    assert (found.pod, found.service, found.kinds) == ((), service, ("service",))
    assert bool(found.missing) == (not service)


def test_its_own_default_is_not_taken() -> None:
    agents = daemon_set("kube-system", "kube-router", "--run-router=true")
    missing = "DaemonSet kube-system/kube-router has no --service-cluster-ip-range"
    assert report({AGENTS: [agents]}).missing == missing


def test_without_kube_router_it_says_so() -> None:
    assert report({}).missing == "there is no DaemonSet kube-system/kube-router"
    assert "may not list daemonsets.apps" in report({AGENTS: FORBIDDEN}).unread


@pytest.mark.parametrize(
    ("args", "runs"),
    [
        pytest.param([], True, id="its default"),
        pytest.param(["--run-firewall"], True, id="on"),
        pytest.param(["--run-firewall", "--run-router=false"], True, id="on, before another flag"),
        pytest.param(["--run-firewall=true"], True, id="on, by its value"),
        pytest.param(["--run-firewall=false"], False, id="off"),
        pytest.param(["--run-firewall=F"], False, id="off, in Go's short form"),
        pytest.param(["--run-firewall=true", "--run-firewall=0"], False, id="the last one counts"),
    ],
)
def test_whether_it_is_a_firewall(args: list[str], runs: bool) -> None:
    assert runs_firewall(daemon_set("kube-system", "kube-router", *args)) is runs
