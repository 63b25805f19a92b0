"""Files can hold anything at any place: that is an error with a name, never a traceback."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from spidercoordinator.core.checks.changes import Rendering, changes
from spidercoordinator.core.checks.manifests import own_manifests, review_manifests
from spidercoordinator.core.checks.offline import render_manifests

API = "spiderpool.spidernet.io/v2beta1"
ODD: tuple[Any, ...] = (None, 5, "hello", [], [1], [{}], {5: 6}, {"a": 1}, float("nan"))
META = {
    "labels": {"a": "b"},
    "annotations": {
        "multus.spidernet.io/cr-name": "b",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    },
    "managedFields": [{"manager": "x", "fieldsV1": {"f:spec": {"f:zzz": {}}}}],
}
COORDINATOR: dict[str, Any] = {
    "apiVersion": API,
    "kind": "SpiderCoordinator",
    "metadata": {"name": "default", **META},
    "spec": {
        "podCIDR": ["10.1.0.0/16"],
        "policyRoutes": [{"dst": "10.2.0.0/16", "gw": "10.0.0.1"}],
        "vethLinkAddress": "169.254.100.1",
    },
    "status": {
        "phase": "Synced",
        "overlayPodCIDR": ["10.1.0.0/16"],
        "serviceCIDR": ["10.96.0.0/12"],
        "sources": {"overlayPodCIDR": "a", "serviceCIDR": "b"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "A"}],
        "defaultIPAM": {"type": "dhcp"},
    },
}


def network(cni_type: str, settings: Any, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "SpiderMultusConfig",
        "metadata": {"name": "a", "namespace": "default", **META},
        "spec": {"cniType": cni_type, cni_type: settings, **spec},
    }


MACVLAN = {"master": ["eth0"]}
ROUTES = [{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}]
HOST_LOCAL = {
    "type": "host-local",
    "ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.2", "gateway": "10.0.0.1"}]],
    "routes": ROUTES,
}
WHEREABOUTS = {
    "type": "whereabouts",
    "range": "10.0.0.0/24",
    "range_start": "10.0.0.2",
    "exclude": ["10.0.0.1/32"],
    "ipRanges": [{"range": "10.0.1.0/24"}],
    "gateway": "10.0.0.1",
}
STATIC = {"type": "static", "addresses": [{"address": "10.0.0.2/24", "gateway": "10.0.0.1"}]}
WHOLE: dict[str, dict[str, Any]] = {
    "SpiderCoordinator": COORDINATOR,
    "macvlan": network(
        "macvlan",
        MACVLAN | {"bond": {"name": "bond0", "mode": 1, "options": "miimon=100"}},
        coordinator={"policyRoutes": [{"dst": "10.2.0.0/16", "gw": "10.0.0.1"}]},
        chainCNIJsonData=['{"type": "tuning"}'],
        capabilities={"ips": True},
    ),
    "host-local": network("macvlan", MACVLAN, ipam=HOST_LOCAL),
    "whereabouts": network("macvlan", MACVLAN, ipam=WHEREABOUTS),
    "static": network("macvlan", MACVLAN, ipam=STATIC),
    "ovs": network("ovs", {"bridge": "b", "trunk": [{"minID": 1, "maxID": 2}, {"id": 9}]}),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from places(inner, (*path, key))


def replaced(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.copy(whole)
    changed[path[0]] = replaced(whole[path[0]], path[1:], value)
    return changed


@pytest.mark.parametrize("name", WHOLE)
def test_each_odd_value_at_each_place_is_judged(name: str) -> None:
    whole = WHOLE[name]
    other = WHOLE["static" if name == "SpiderCoordinator" else "SpiderCoordinator"]
    refused = 0
    for path in places(whole):
        for value in ODD:
            given = [("file", replaced(whole, path, value)), ("file", other)]
            manifests, diagnostics = own_manifests(given)
            found = [*diagnostics, *review_manifests(manifests)]
            if any(each.severity == "error" for each in found):
                refused += 1
                assert all(each.text and each.subject.startswith("file") for each in found)
                continue
            render_manifests(manifests, "default", default_ipam={})
            changes([], [each.obj for each in manifests], [], Rendering("default", {}))
    assert refused > len(ODD)
