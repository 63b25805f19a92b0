from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.core.cidrs.reports import SourceReport
from spidercoordinator.discovery import nodes
from spidercoordinator.discovery.openshift import NETWORK, OpenShift
from tests.unit.discovery.observing import FORBIDDEN, NOT_SERVED, node, observe

V4 = {"cidr": "10.128.0.0/14", "hostPrefix": 23}
V6 = {"cidr": "fd01::/48", "hostPrefix": 64}


def network(spec: Any, status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "cluster"}, "spec": spec, "status": status}


def lists(clusters: Any, services: Any) -> dict[str, Any]:
    common = {"networkType": "OVNKubernetes", "clusterNetworkMTU": 1400}
    return common | {"clusterNetwork": clusters, "serviceNetwork": services}


def report(found: Any) -> SourceReport:
    given = found if found in (NOT_SERVED, FORBIDDEN) else [found]
    return OpenShift().report(observe(OpenShift(), {NETWORK: given}))


WANTED = lists([{"cidr": "10.132.0.0/14"}], ["172.31.0.0/16"])


@pytest.mark.parametrize(
    ("status", "pod", "service"),
    [
        pytest.param(
            lists([V4], ["172.30.0.0/16"]), ("10.128.0.0/14",), ("172.30.0.0/16",), id="one family"
        ),
        pytest.param(
            lists([V4, V6], ["172.30.0.0/16", "fd02::/112"]),
            ("10.128.0.0/14", "fd01::/48"),
            ("172.30.0.0/16", "fd02::/112"),
            id="both families",
        ),
        pytest.param({}, ("10.132.0.0/14",), ("172.31.0.0/16",), id="not deployed yet"),
        pytest.param(None, ("10.132.0.0/14",), ("172.31.0.0/16",), id="no status"),
        pytest.param(
            {"clusterNetwork": [V4]}, ("10.128.0.0/14",), ("172.31.0.0/16",), id="one list"
        ),
        pytest.param(
            lists([{"hostPrefix": 23}, "10.9.0.0/16", {"cidr": 7}], [None, 7]),
            ("10.132.0.0/14",),
            ("172.31.0.0/16",),
            id="entries of other shapes",
        ),
    ],
)
def test_the_status_counts_and_the_spec_stands_in(
    status: Any, pod: tuple[str, ...], service: tuple[str, ...]
) -> None:
    found = report(network(WANTED, status))
    assert (found.pod, found.service, found.missing) == (pod, service, "")


@pytest.mark.parametrize("spec", [None, {}, [], {"clusterNetwork": {}}])
def test_an_empty_object_is_named(spec: Any) -> None:
    found = report(network(spec, None))
    assert (found.pod, found.service) == ((), ())
    assert found.missing == "OpenShift Network cluster has no clusterNetwork and no serviceNetwork"


def test_pods_have_addresses_from_it_whatever_else_is_configured() -> None:
    assert report(network(WANTED, {})).supersedes_cluster
    assert not report(network({}, {})).supersedes_cluster


def test_what_is_left_of_it_loses_against_the_nodes() -> None:
    given = {NETWORK: [network(WANTED, None)], nodes.WATCHED: [node("a", "10.244.3.0/24")]}
    found = OpenShift().report(observe(OpenShift(), given))
    assert (found.pod, found.supersedes_cluster) == ((), False)
    assert found.warning == (
        "OpenShift Network cluster names 10.132.0.0/14, but nodes have their podCIDRs elsewhere: "
        "10.244.3.0/24"
    )


def test_elsewhere_the_kind_is_not_served() -> None:
    found = report(NOT_SERVED)
    assert found.missing == "the API server has no networks.config.openshift.io"
    assert found.unread == ""


def test_what_may_not_be_read_is_unread() -> None:
    assert "may not list networks.config.openshift.io" in report(FORBIDDEN).unread
