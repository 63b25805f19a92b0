from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.azure import CONFIGS, AzureOverlay
from tests.unit.discovery.observing import FORBIDDEN, NOT_SERVED, observe

TYPE = "kubernetes.azure.com/podnetwork-type"


def config(name: str, *containers: Any, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "kube-system", "name": name, "labels": labels or {}},
        "spec": {"requestedIPCount": 0},
        "status": {"assignedIPCount": 256, "networkContainers": list(containers)},
    }


def container(block: str, space: Any, kind: str = "overlay") -> dict[str, Any]:
    return {
        "assignmentMode": "static",
        "nodeIP": "10.224.0.6",
        "primaryIP": block,
        "subnetAddressSpace": space,
        "subnetName": "routingdomain_0c1994ec-f208-56f6-abeb-fd3e51b272c8_overlaysubnet",
        "type": kind,
    }


def pods(*configs: Any) -> tuple[str, ...]:
    return AzureOverlay().report(observe(AzureOverlay(), {CONFIGS: list(configs)})).pod


@pytest.mark.parametrize(
    ("configs", "pod"),
    [
        pytest.param(
            [config("a", container("192.168.1.0/24", "192.168.0.0/16"))],
            ("192.168.0.0/16",),
            id="a node",
        ),
        pytest.param(
            [
                config("a", container("192.168.1.0/24", "192.168.0.0/16")),
                config("b", container("192.168.2.0/24", "192.168.0.0/16")),
            ],
            ("192.168.0.0/16",),
            id="nodes of one range",
        ),
        pytest.param(
            [
                config(
                    "a", container("10.1.0.0/24", "10.1.0.0/16"), container("fd1::/64", "fd1::/48")
                )
            ],
            ("10.1.0.0/16", "fd1::/48"),
            id="both families",
        ),
        pytest.param(
            [
                config(
                    "a",
                    container("192.168.1.0/24", "192.168.0.0/16", kind="vnet"),
                    labels={TYPE: "overlay"},
                )
            ],
            ("192.168.0.0/16",),
            id="labelled, of a version without the type",
        ),
        pytest.param(
            [config("a", container("10.241.0.21", "10.241.0.0/16", kind="vnet"))],
            (),
            id="a subnet of the virtual network",
        ),
        pytest.param(
            [config("a", container("10.241.0.0/28", "10.241.0.0/16", kind="vnetblock"))],
            (),
            id="blocks of such a subnet",
        ),
        pytest.param(
            [config("a", "odd", container("x", 7), container("x", None))], (), id="other shapes"
        ),
        pytest.param([{"metadata": {"name": "a"}, "status": None}], (), id="no status yet"),
    ],
)
def test_the_ranges_of_overlays(configs: list[Any], pod: tuple[str, ...]) -> None:
    assert pods(*configs) == pod


def test_a_node_more_changes_nothing() -> None:
    one = [config("a", container("192.168.1.0/24", "192.168.0.0/16"))]
    assert pods(*one, config("b", container("192.168.9.0/24", "192.168.0.0/16"))) == pods(*one)


def test_elsewhere_the_kind_is_not_served() -> None:
    found = AzureOverlay().report(observe(AzureOverlay(), {CONFIGS: NOT_SERVED}))
    assert found.missing == "the API server has no nodenetworkconfigs.acn.azure.com"


def test_what_may_not_be_read_is_unread() -> None:
    found = AzureOverlay().report(observe(AzureOverlay(), {CONFIGS: FORBIDDEN}))
    assert "may not list nodenetworkconfigs.acn.azure.com" in found.unread
