"""Networks to judge, from short descriptions, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.nad import DEFAULT_CNI_VERSION
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.network.compatibility import (
    network_warnings,
    subject_of,
)
from spidercoordinator.core.network.validation import parse
from spidercoordinator.core.status.warnings import FieldWarning

Spec = dict[str, Any]

MINIMAL: dict[str, Spec] = {
    "macvlan": {"macvlan": {"master": ["ens5"]}},
    "ipvlan": {"ipvlan": {"master": ["ens5"]}},
    "vlan": {"vlan": {"master": ["ens5"], "vlanID": 7}},
    "sriov": {"sriov": {"resourceName": "acme.io/vf"}},
    "ib-sriov": {"ibsriov": {"resourceName": "acme.io/ib"}},
    "ipoib": {"ipoib": {"master": "ib0"}},
    "ovs": {"ovs": {"bridge": "br0"}},
}
BOND = {"name": "bond0", "mode": 1}
V4, V6 = {"ipv4": ["p4"]}, {"ipv6": ["p6"]}
DUAL = {**V4, **V6}


def of(cni_type: str, fields: Spec | None = None, **rest: Any) -> Spec:
    [(key, network)] = MINIMAL[cni_type].items()
    return {"cniType": cni_type, key: {**network, **(fields or {})}, **rest}


def custom(*plugins: Spec, **keys: Any) -> Spec:
    config = {"cniVersion": "0.4.0", **keys, "plugins": list(plugins)}
    return {"cniType": "custom", "customCNI": json.dumps(config)}


MACVLAN: Spec = {"type": "macvlan", "ipam": {"type": "dhcp"}}
COORDINATOR: Spec = {"type": "coordinator"}
HOST_LOCAL: Spec = {"type": "host-local", "ranges": [[{"subnet": "10.6.0.0/16"}]]}
STATIC: Spec = {"type": "static", "addresses": [{"address": "10.6.0.9/16"}]}
WHEREABOUTS: Spec = {"type": "whereabouts", "range": "10.6.0.5-10.6.0.9/16"}


def routed(gateway: str, ipam: Spec | None = None, **settings: Any) -> Spec:
    route = {"dst": "10.9.0.0/16", "gw": gateway}
    spec = of("macvlan", coordinator={"policyRoutes": [route], **settings})
    return {**spec, **({"ipam": ipam} if ipam else {})}


SHOWN = 256
"""Characters of a warning that an API server shows in any case."""


def cluster(**spec: Any) -> ClusterConfig:
    given = SpiderCoordinatorSpec.model_validate(spec)
    return ClusterConfig("main", given, ("10.244.0.0/16",), ("10.96.0.0/12",))


def parsed(spec: Spec) -> Any:
    meta = {"name": "a", "namespace": "b", "uid": "1"}
    return parse({"metadata": meta, "spec": spec})


def warnings(
    spec: Spec, around: ClusterConfig | None = None, version: str = DEFAULT_CNI_VERSION
) -> list[FieldWarning]:
    subject = subject_of(parsed(spec).spec, around or cluster(), cni_version=version)
    return network_warnings(subject, notices=True)
