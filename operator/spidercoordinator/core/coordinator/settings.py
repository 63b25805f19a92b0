"""What is accepted in the settings of either kind and may yet not work: one table.

Each rule looks at what one object sets itself, so that what many networks inherit is told once, on
the SpiderCoordinator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.coordinator import CoordinatorSettings, SpiderCoordinatorSpec
from spidercoordinator.api.networks import LEAST_MTU_IPV6
from spidercoordinator.api.scalars import parse_network
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.cidrs.ranges import doubtful
from spidercoordinator.core.coordinator.linkaddress import (
    NEEDED_BY_ISTIO,
    Surroundings,
    link_address_condition,
    link_address_warnings,
)
from spidercoordinator.core.status.warnings import FieldWarning

_STRICT: Final = 1
_TABLES_OF_OTHERS: Final = {
    "Tailscale": frozenset({52}),
    "kube-router": frozenset({77, 78, 79}),
    "Cilium": frozenset({200, 201, 202, 2004, 2005}),
}


@dataclass(frozen=True, slots=True)
class SettingsRule:
    """One thing that may not work.

    Attributes:
        reason: one CamelCase word, for programs.
        attribute: the model's field that is judged.
        applies: whether its value is of that kind; it is asked only of a value that is set.
        message: what is wrong, which value, what to do; `{value}` stands for the value.
    """

    reason: str
    attribute: str
    applies: Callable[[Any], bool]
    message: str


def _covers_everything(cidrs: tuple[str, ...]) -> bool:
    """Whether the networks together are all of IPv4 or of IPv6, as 0.0.0.0/0 or as two halves."""
    networks = [each for each in map(parse_network, cidrs) if each is not None]
    lengths = [(each.version, each.prefixlen) for each in networks if each.prefixlen <= 1]
    return any((version, 0) in lengths or lengths.count((version, 1)) > 1 for version in (4, 6))


SETTINGS_RULES: Final = (
    SettingsRule(
        "AllTrafficThroughNode",
        "hijack_cidr",
        _covers_everything,
        "{value} is all of the internet: pods send everything through their node, nothing through"
        " their own network; name the destinations that need it, such as 169.254.0.0/16",
    ),
    SettingsRule(
        "StrictRPFilter",
        "pod_rp_filter",
        lambda value: value == _STRICT,
        "{value} (strict) drops in the pod what arrives on another interface than the answer would"
        " take, such as NodePort traffic with externalTrafficPolicy Local on veth0; use 0 or 2",
    ),
    SettingsRule(
        "VethMTUBelowIPv6",
        "veth_mtu",
        lambda value: value < LEAST_MTU_IPV6,
        f"{{value}} is below {LEAST_MTU_IPV6}, with which an interface has no IPv6: pods with IPv6"
        f" addresses fail to start; use {LEAST_MTU_IPV6} or more, or leave it out",
    ),
    *(
        SettingsRule(
            "RouteTableInUse",
            "host_rule_table",
            tables.__contains__,
            f"{{value}} is a routing table of {owner} on nodes that run it; use one that nobody"
            " has, such as 500",
        )
        for owner, tables in _TABLES_OF_OTHERS.items()
    ),
)


def settings_warnings(settings: CoordinatorSettings, path: str) -> Iterator[FieldWarning]:
    """What may not work of the settings that one object sets itself, at this path."""
    fields = type(settings).model_fields
    for rule in SETTINGS_RULES:
        value = getattr(settings, rule.attribute)
        if value is not None and rule.applies(value):
            shown = ", ".join(value) if isinstance(value, tuple) else str(value)
            field = f"{path}.{fields[rule.attribute].alias}"
            yield FieldWarning(rule.reason, field, rule.message.replace("{value}", shown))
    for attribute in ("pod_cidr", "service_cidr"):
        field = f"{path}.{fields[attribute].alias}"
        doubts = map(doubtful, getattr(settings, attribute) or ())
        yield from (FieldWarning("DoubtfulRange", field, doubt) for doubt in doubts if doubt)


def coordinator_warnings(
    spec: SpiderCoordinatorSpec,
    pod_cidr: tuple[str, ...] = (),
    service_cidr: tuple[str, ...] = (),
    *,
    istio: bool = False,
    nodes: NodeAddresses = NodeAddresses(),  # noqa: B008 - it is immutable
) -> Iterator[FieldWarning]:
    """What may not work of a SpiderCoordinator.

    Args:
        spec: Its spec.
        pod_cidr: The pod CIDRs in use; the spec's own where they are not known.
        service_cidr: The service CIDRs, likewise.
        istio: Whether Istio is installed.
        nodes: The addresses of nodes.
    """
    address, field = spec.veth_link_address or "", "spec.vethLinkAddress"
    condition = link_address_condition(address, mode=spec.mode, istio=istio)
    if condition.reason == NEEDED_BY_ISTIO:
        yield FieldWarning(condition.reason, field, condition.message)
    surroundings = Surroundings(
        pod_cidr or spec.pod_cidr or (),
        service_cidr or spec.service_cidr or (),
        tuple(route.gw for route in spec.policy_routes or ()),
        nodes,
    )
    yield from link_address_warnings(address, field, surroundings)
    yield from settings_warnings(spec, "spec")
