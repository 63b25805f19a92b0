"""What is kept of a node, of which images and conditions are not even parsed."""

from __future__ import annotations

from typing import Any

import pytest

from spidercoordinator.discovery.nodes import WATCHED, NodeFacts
from tests.unit.discovery.observing import listed

BULK: dict[str, Any] = {"images": [{"names": ["x"]}], "conditions": [{"type": "Ready"}]}
ADDRESSES = [
    {"type": "Hostname", "address": "a"},
    {"type": "InternalIP", "address": "172.16.0.1"},
    {"type": "ExternalIP", "address": "203.0.113.7"},
]


@pytest.mark.parametrize(
    ("meta", "spec", "status", "kept"),
    [
        ({}, {"podCIDR": "10.1.0.0/24"}, {}, NodeFacts(("10.1.0.0/24",))),
        ({}, {"podCIDRs": ["10.1.0.0/24"]}, {}, NodeFacts(("10.1.0.0/24",))),
        ({}, {}, {"addresses": ADDRESSES}, NodeFacts((), addresses=("172.16.0.1", "203.0.113.7"))),
        (
            {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            {},
            {},
            NodeFacts((), control_plane=True),
        ),
        (
            {"annotations": {"kube-router.io/pod-cidr": "10.9.0.0/24"}},
            {"podCIDR": "10.1.0.0/24"},
            {},
            NodeFacts(("10.1.0.0/24",), ("10.9.0.0/24",)),
        ),
        (
            {"annotations": {"projectcalico.org/IPv4Address": "172.16.0.1/16"}},
            {},
            {},
            NodeFacts((), of_calico=True),
        ),
    ],
    ids=["podCIDR", "podCIDRs", "addresses", "labels", "kube-router", "Calico"],
)
def test_what_is_kept(
    meta: dict[str, Any], spec: dict[str, Any], status: dict[str, Any], kept: NodeFacts
) -> None:
    given = {"metadata": {"name": "a"} | meta, "spec": spec, "status": BULK | status}
    [parsed] = listed(WATCHED, [given])
    assert parsed.get("status", {}).keys() == status.keys()
    assert WATCHED.read(parsed).value == kept
