from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.kubeovn import SUBNETS, KubeOVN, agents
from tests.unit.discovery.observing import (
    FORBIDDEN,
    NOT_SERVED,
    Found,
    daemon_set,
    node,
    observe,
)

SOURCE = KubeOVN(agents(("kube-system",)))
RUNNING = [daemon_set("kube-system", "kube-ovn-cni")]


def subnet(name: str, cidr: Any, created: str = "2026-01-01T00:00:00Z", **spec: Any) -> Any:
    body = {
        "cidrBlock": cidr,
        "default": False,
        "gatewayType": "distributed",
        "natOutgoing": True,
        "private": False,
        "provider": "ovn",
        "vpc": "ovn-cluster",
        **spec,
    }
    return {"metadata": {"name": name, "creationTimestamp": created}, "spec": body, "status": {}}


DEFAULT = subnet("ovn-default", "10.16.0.0/16", default=True)
JOIN = subnet("join", "100.64.0.0/16")


def report(*subnets: Any, found: Found | None = None) -> SourceReport:
    given: Found = {SUBNETS: list(subnets), SOURCE.agents: RUNNING}
    return SOURCE.report(observe(SOURCE, given | (found or {})))


@pytest.mark.parametrize(
    ("subnets", "pod"),
    [
        pytest.param([DEFAULT, JOIN], ("10.16.0.0/16",), id="as installed"),
        pytest.param(
            [subnet("ovn-default", "10.16.0.0/16,fd00:10:16::/112", default=True)],
            ("10.16.0.0/16", "fd00:10:16::/112"),
            id="both families",
        ),
        pytest.param(
            [
                subnet("a", "10.17.0.0/16", created="2026-01-03T00:00:00Z"),
                subnet("b", "10.18.0.0/16", created="2026-01-02T00:00:00Z"),
                DEFAULT,
            ],
            ("10.16.0.0/16", "10.18.0.0/16", "10.17.0.0/16"),
            id="the default one, then the oldest",
        ),
        pytest.param(
            [DEFAULT, subnet("u", "192.168.1.0/24", vlan="vlan0")],
            ("10.16.0.0/16",),
            id="underlay, routed by the physical network",
        ),
        pytest.param(
            [DEFAULT, subnet("u", "192.168.1.0/24", vlan="vlan0", logicalGateway=True)],
            ("10.16.0.0/16", "192.168.1.0/24"),
            id="underlay behind Kube-OVN's own router",
        ),
        pytest.param(
            [DEFAULT, subnet("v", "10.16.0.0/24", vpc="tenant")], ("10.16.0.0/16",), id="vpc"
        ),
        pytest.param(
            [DEFAULT, subnet("n", "10.19.0.0/16", provider="net1.default.ovn")],
            ("10.16.0.0/16",),
            id="for further interfaces",
        ),
        pytest.param(
            [DEFAULT, subnet("mac-only", None), subnet("odd", 7)], ("10.16.0.0/16",), id="no CIDR"
        ),
        pytest.param(
            [{"metadata": {"name": "a"}, "spec": {"cidrBlock": "10.16.0.0/16"}}],
            ("10.16.0.0/16",),
            id="fields that Kube-OVN fills in later",
        ),
        pytest.param([{"metadata": {"name": "a"}, "spec": None}], (), id="no spec"),
    ],
)
def test_the_subnets_of_pods(subnets: list[Any], pod: tuple[str, ...]) -> None:
    assert report(*subnets).pod == pod


def test_the_default_vpc_may_have_another_name() -> None:
    join = subnet("join", "100.64.0.0/16", vpc="mine")
    other = subnet("other", "10.17.0.0/16", vpc="ovn-cluster")
    found = report(subnet("a", "10.16.0.0/16", default=True, vpc="mine"), join, other)
    assert found.pod == ("10.16.0.0/16",)


def test_join_alone_is_no_range_of_pods() -> None:
    found = report(JOIN)
    assert found.pod == ()
    assert found.missing == "no Kube-OVN Subnet but join is in the default VPC"


def test_its_agents_make_it_the_one_that_gives_addresses() -> None:
    found = report(DEFAULT, found={nodes.WATCHED: [node("a", "10.244.0.0/24")]})
    assert (found.pod, found.supersedes_cluster, found.warning) == (("10.16.0.0/16",), True, "")


@pytest.mark.parametrize(
    "of_agents",
    [
        pytest.param([], id="none"),
        pytest.param([daemon_set("tenant", "kube-ovn-cni")], id="a tenant's"),
    ],
)
def test_without_its_agents_its_subnets_lose_against_the_nodes(of_agents: Any) -> None:
    found = report(
        DEFAULT, found={SOURCE.agents: of_agents, nodes.WATCHED: [node("a", "10.244.0.0/24")]}
    )
    assert (found.pod, found.supersedes_cluster) == ((), False)
    assert found.warning == (
        "Kube-OVN in its Subnets names 10.16.0.0/16, but nodes have their podCIDRs elsewhere: "
        "10.244.0.0/24"
    )


def test_without_its_agents_they_count_where_nothing_speaks_against_them() -> None:
    found = report(DEFAULT, found={SOURCE.agents: []})
    assert (found.pod, found.supersedes_cluster) == (("10.16.0.0/16",), False)


def test_elsewhere_the_kind_is_not_served() -> None:
    found = report(found={SUBNETS: NOT_SERVED, SOURCE.agents: []})
    assert (found.missing, found.unread) == ("the API server has no subnets.kubeovn.io", "")


@pytest.mark.parametrize(
    ("subnets", "agents", "supersedes"),
    [
        pytest.param(NOT_SERVED, FORBIDDEN, False, id="no kind, agents unread"),
        pytest.param([], FORBIDDEN, False, id="no subnets, agents unread"),
        pytest.param([DEFAULT], FORBIDDEN, True, id="subnets, agents unread"),
        pytest.param(FORBIDDEN, FORBIDDEN, True, id="all unread"),
        pytest.param(FORBIDDEN, [daemon_set("kube-system", "kube-ovn-cni")], True, id="agents"),
        pytest.param(FORBIDDEN, [], False, id="no agents, subnets unread"),
    ],
)
def test_agents_that_cannot_be_read_are_no_sign_of_it_without_its_subnets(
    subnets: Any, agents: Any, supersedes: bool
) -> None:
    found = report(found={SUBNETS: subnets, SOURCE.agents: agents})
    assert found.supersedes_cluster is supersedes
    assert bool(found.unread) is (FORBIDDEN in (subnets, agents))


def test_what_may_not_be_read_is_unread() -> None:
    assert "may not list subnets.kubeovn.io" in report(found={SUBNETS: FORBIDDEN}).unread
