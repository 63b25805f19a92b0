"""The coordinator section of a network: SpiderCoordinator with the network's own settings on top.

The section is complete: what a pod gets can be read from one object, and starting a pod needs
neither the operator nor the API server.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from spidercoordinator.api.coordinator import CoordinatorSettings, PolicyRoute
from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import OFF, parse_network
from spidercoordinator.core.coordinator.cluster import ClusterConfig

NOT_READY_KEY: Final = "notReadyReason"

_DISABLED: Final = "disable"
"""The spelling that the plugins of others know, too."""

_CLUSTER_KEYS: Final = frozenset({"overlayPodCIDR", "serviceCIDR"})
"""A section with one of them is complete to the plugin (cni/internal/config/defaults.go)."""

_INHERITED: Final = (None, "", ())
"""What says nothing. No number or boolean equals one of them."""

# Field of the models → key of the plugin, in the order they are written.
_KEYS: Final = {
    "mode": "mode",
    "pod_cidr": "overlayPodCIDR",
    "service_cidr": "serviceCIDR",
    "hijack_cidr": "hijackCIDR",
    "policy_routes": "policyRoutes",
    "pod_mac_prefix": "podMACPrefix",
    "pod_default_route_nic": "podDefaultRouteNic",
    "tune_pod_routes": "tunePodRoutes",
    "host_rule_table": "hostRuleTable",
    "pod_rp_filter": "podRPFilter",
    "host_rp_filter": "hostRPFilter",
    "tx_queue_len": "txQueueLen",
    "veth_link_address": "vethLinkAddress",
    "veth_mtu": "vethMTU",
    "detect_gateway": "detectGateway",
    "detect_ip_conflict": "detectIPConflict",
    "announce": "announce",
}


def missing_coordinator(name: str) -> str:
    """Why pods cannot be served while there is no SpiderCoordinator of this name."""
    return (
        f"SpiderCoordinator {name} does not exist: create it, or install the chart with"
        " coordinator.enabled=true"
    )


def coordinator_section(
    cluster: ClusterConfig | None, own: CoordinatorSettings | None, *, name: str
) -> Object:
    """The section without its `type`.

    Numbers and booleans are written as soon as one of the two objects sets them, zero too. What is
    off is left out.

    Args:
        cluster: The effective SpiderCoordinator; None while there is none.
        own: The network's own settings; what is unset or empty there is taken from the cluster.
        name: The name of the SpiderCoordinator that is missing, for the reason.
    """
    values = effective_settings(cluster, own)
    section = {key: values[field] for field, key in _KEYS.items() if field in values}
    if section.get("mode") == "disabled":
        section["mode"] = _DISABLED
    if section.get("mode") == _DISABLED:
        return section
    reason = missing_coordinator(name) if cluster is None else cluster.not_ready
    if reason:
        section[NOT_READY_KEY] = reason
    elif not section.keys() & _CLUSTER_KEYS:
        # Without either the plugin takes the section for one written by hand, and fills it in.
        section["serviceCIDR"] = []
    return section


def effective_settings(
    cluster: ClusterConfig | None, own: CoordinatorSettings | None
) -> dict[str, Any]:
    """What is in effect for a network, as JSON values by field; what is off is left out."""
    values = {**_cluster_values(cluster), **_set_fields(own)}
    return {field: value for field, value in values.items() if value is not None}


@lru_cache(maxsize=4)
def _cluster_values(cluster: ClusterConfig | None) -> dict[str, Any]:
    """The same for thousands of networks, so worked out once."""
    if cluster is None:
        return {}
    found = {
        "pod_cidr": _networks(cluster.overlay_pod_cidr) or None,
        "service_cidr": _networks(cluster.service_cidr) or None,
    }
    return {**_set_fields(cluster.spec), **found}


def _set_fields(settings: CoordinatorSettings | None) -> dict[str, Any]:
    """The fields that say something, defaults included, as JSON; None for what is switched off."""
    if settings is None:
        return {}
    return {
        field: _written(value)
        for field in _KEYS
        if (value := getattr(settings, field)) not in _INHERITED
    }


def _written(value: Any) -> Any:
    """The value as JSON, None if it is switched off."""
    if isinstance(value, tuple):
        if isinstance(value[0], PolicyRoute):
            return [{"dst": _network(route.dst), "gw": route.gw} for route in value]
        return _networks(value)
    return None if value == OFF else value


def _networks(texts: Iterable[str]) -> list[str]:
    """Networks in their order, host bits masked, each once."""
    return list(dict.fromkeys(_network(text) for text in texts))


def _network(text: str) -> str:
    return str(parse_network(text) or text)
