from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.families import Candidate
from spidercoordinator.core.cidrs.known import FamilyCIDRs, KnownList
from spidercoordinator.core.cidrs.ranges import Family
from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.core.cidrs.selection import select_list
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.k0s import CONFIG, K0s
from tests.unit.discovery.observing import FORBIDDEN, NOT_SERVED, Found, node, observe


def cluster_config(network: Any, **spec: Any) -> dict[str, Any]:
    body = {"api": {"externalAddress": ""}, "konnectivity": {"adminPort": 8133}, **spec}
    if network is not None:
        body["network"] = network
    return {"metadata": {"namespace": "kube-system", "name": "k0s"}, "spec": body}


def report(config: Any, *of_nodes: Any) -> SourceReport:
    given = [config] if isinstance(config, dict) else config
    found: Found = {CONFIG: given, nodes.WATCHED: list(of_nodes)}
    return K0s().report(observe(K0s(), found))


def candidate(given: SourceReport) -> Candidate:
    return Candidate(given, given.pod, given.missing)


DUAL = {"enabled": True, "IPv6podCIDR": "fd00:1::/108", "IPv6serviceCIDR": "fd00:2::/108"}


@pytest.mark.parametrize(
    ("network", "pod", "service"),
    [
        pytest.param(
            {"podCIDR": "10.50.0.0/16", "serviceCIDR": "10.60.0.0/16", "provider": "kuberouter"},
            ("10.50.0.0/16",),
            ("10.60.0.0/16",),
            id="one family",
        ),
        pytest.param(
            {"podCIDR": "10.50.0.0/16", "serviceCIDR": "10.60.0.0/16", "dualStack": DUAL},
            ("10.50.0.0/16", "fd00:1::/108"),
            ("10.60.0.0/16", "fd00:2::/108"),
            id="both families",
        ),
        pytest.param(
            {"podCIDR": "10.50.0.0/16", "dualStack": DUAL | {"enabled": False}},
            ("10.50.0.0/16",),
            (),
            id="dual stack written, but off",
        ),
        pytest.param({"podCIDR": "10.50.0.0/16", "dualStack": []}, ("10.50.0.0/16",), (), id="odd"),
    ],
)
def test_the_ranges_that_it_names(
    network: dict[str, Any], pod: tuple[str, ...], service: tuple[str, ...]
) -> None:
    found = report(cluster_config(network))
    assert (found.pod, found.service) == (pod, service)


@pytest.mark.parametrize(
    ("network", "podcidr", "pod"),
    [
        pytest.param(None, "10.244.3.0/24", ("10.244.0.0/16",), id="k0s left it out"),
        pytest.param({}, "10.244.3.0/24", ("10.244.0.0/16",), id="empty"),
        pytest.param(
            {"dualStack": DUAL}, "10.244.3.0/24", ("10.244.0.0/16", "fd00:1::/108"), id="IPv6 named"
        ),
        pytest.param(None, "10.50.0.0/24", (), id="nodes have others"),
        pytest.param([], "10.50.0.0/24", (), id="a list"),
    ],
)
def test_what_it_leaves_out_is_the_default_if_nodes_show_it(
    network: Any, podcidr: str, pod: tuple[str, ...]
) -> None:
    found = report(cluster_config(network), node("a", podcidr))
    assert found.pod == pod
    assert ("has no spec.network.podCIDR" in found.missing) == (not pod)
    assert ("has no spec.network.serviceCIDR" in found.missing) == (not found.service)


def test_without_nodes_a_default_is_no_evidence() -> None:
    assert report(cluster_config(None)).pod == ()


def test_the_default_of_a_family_stays_when_the_last_node_goes() -> None:
    config, known = cluster_config({"dualStack": DUAL}), ("10.244.0.0/16", "fd00:1::/108")
    before = select_list([candidate(report(config, node("a", "10.244.3.0/24")))], KnownList())
    assert before.cidrs == known
    named: dict[Family, FamilyCIDRs] = {
        4: FamilyCIDRs(known[:1], "k0s ClusterConfig"),
        6: FamilyCIDRs(known[1:], "k0s ClusterConfig"),
    }
    after = select_list([candidate(report(config))], KnownList(known, named))
    assert (after.cidrs, after.last_known) == (known, True)
    again = select_list(
        [candidate(report(config, node("b", "10.244.0.0/24")))], KnownList(known, named)
    )
    assert (again.cidrs, again.last_known) == (known, False)


def test_it_is_given_up_where_nodes_have_others() -> None:
    named: dict[Family, FamilyCIDRs] = {4: FamilyCIDRs(("10.244.0.0/16",), "k0s ClusterConfig")}
    other = report(cluster_config({"dualStack": DUAL}), node("a", "10.50.0.0/24"))
    after = select_list([candidate(other)], KnownList(("10.244.0.0/16",), named))
    assert after.cidrs == ("fd00:1::/108",)


def test_without_dynamic_configuration_there_is_none() -> None:
    assert report([]).missing == "there is no k0s ClusterConfig kube-system/k0s"


def test_elsewhere_the_kind_is_not_served() -> None:
    found = report(NOT_SERVED)
    assert found.missing == "the API server has no clusterconfigs.k0s.k0sproject.io"


def test_what_may_not_be_read_is_unread() -> None:
    assert "may not list clusterconfigs.k0s.k0sproject.io" in report(FORBIDDEN).unread
