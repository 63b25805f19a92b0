"""What of a network renders and may yet not run: one table, a rule for each combination.

What can never work is refused: a rule of the CRD where a schema sees it (`api.networks`,
`api.multus`), `core.network.texts` where it is inside JSON. Here is what may work somewhere, or
depends on the SpiderCoordinator; it becomes a warning at admission and the condition Degraded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import NETWORK_OF, SpiderMultusConfigSpec
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.linkaddress import Surroundings, link_address_warnings
from spidercoordinator.core.coordinator.section import effective_settings
from spidercoordinator.core.coordinator.settings import settings_warnings
from spidercoordinator.core.network.addresses import pod_families
from spidercoordinator.core.network.compatibility import (
    addressing,
    links,
    settings,
    texts,
    versions,
)
from spidercoordinator.core.network.compatibility.rule import CompatibilityRule, Subject
from spidercoordinator.core.network.ipam import ClusterIPAM
from spidercoordinator.core.status.warnings import FieldWarning

_SETTINGS: Final = "spec.coordinator"

COMPATIBILITY_RULES: Final = (
    CompatibilityRule("NoAddresses", "warning", "spec.disableIPAM", addressing.no_addresses),
    CompatibilityRule("IPAMIncomplete", "warning", "{ipam}", addressing.incomplete_ipam),
    CompatibilityRule("RouteWithoutGateway", "warning", "{ipam}", addressing.route_without_gateway),
    CompatibilityRule("GatewayElsewhere", "warning", "{ipam}", addressing.gateway_elsewhere),
    CompatibilityRule("RouterInRange", "warning", "{ipam}", addressing.router_in_range),
    CompatibilityRule("AddressUnusable", "warning", "{ipam}", addressing.unusable_address),
    CompatibilityRule("IPAMKeyUnknown", "warning", "{ipam}", addressing.unknown_ipam_key),
    CompatibilityRule("RangeEndIgnored", "warning", "{ipam}", addressing.ignored_end),
    CompatibilityRule(
        "SpiderpoolMissing", "warning", "spec.ipam", addressing.spiderpool_is_missing
    ),
    CompatibilityRule("SubnetOverlap", "warning", "spec.ipam", addressing.subnet_overlap),
    CompatibilityRule(
        "PoolOfBothFamilies",
        "warning",
        "spec.{network}.ippools",
        addressing.pool_of_both_families,
    ),
    CompatibilityRule("DHCPOnIpvlan", "warning", "{ipam}", addressing.dhcp_on_ipvlan),
    CompatibilityRule(
        "MACPrefixLeftOut", "warning", f"{_SETTINGS}.podMACPrefix", settings.inherited_mac_prefix
    ),
    CompatibilityRule(
        "VethMTUBelowIPv6", "warning", f"{_SETTINGS}.vethMTU", settings.inherited_veth_mtu
    ),
    CompatibilityRule(
        "GatewayUnreachable", "warning", f"{_SETTINGS}.policyRoutes", settings.unreachable_gateway
    ),
    CompatibilityRule(
        "LinkAddressInSubnet",
        "warning",
        f"{_SETTINGS}.vethLinkAddress",
        settings.link_address_in_subnet,
    ),
    CompatibilityRule("ProbesOnInfiniBand", "warning", _SETTINGS, settings.probe_on_infiniband),
    CompatibilityRule("VLANUntagged", "warning", "spec.vlan.vlanID", links.untagged_vlan),
    CompatibilityRule("DoubleTagged", "warning", "spec.{network}.vlanID", links.double_tagged),
    CompatibilityRule("BondOfOneMaster", "warning", "spec.{network}.bond", links.bond_of_one),
    CompatibilityRule(
        "BondOptionInvalid", "warning", "spec.{network}.bond.options", links.invalid_bond_options
    ),
    CompatibilityRule(
        "LinkNotInContainer", "warning", "spec.macvlan.linkInContainer", links.link_on_node
    ),
    CompatibilityRule("MTUBelowIPv6", "warning", "spec.{network}.mtu", links.mtu_without_ipv6),
    CompatibilityRule("TrunkRangeIgnored", "warning", "spec.ovs.trunk", links.ignored_trunk_range),
    CompatibilityRule("VLANWithTrunk", "warning", "spec.ovs.vlan", links.vlan_with_trunk),
    CompatibilityRule("LinkDisabled", "warning", "spec.ibsriov.linkState", links.link_is_off),
    CompatibilityRule(
        "CoordinatorTwice", "warning", "spec.chainCNIJsonData", texts.coordinator_twice
    ),
    CompatibilityRule("FixedMAC", "warning", "spec.chainCNIJsonData", texts.fixed_mac),
    CompatibilityRule("PluginSetting", "warning", "spec.{text}", texts.wrong_setting),
    CompatibilityRule("IPv6TunedAway", "warning", "spec.chainCNIJsonData", texts.tuned_ipv6),
    CompatibilityRule("ListRefused", "warning", "spec.customCNI", texts.wrong_list),
    CompatibilityRule("CNIVersionUnknown", "warning", "spec.customCNI", texts.unknown_version),
    CompatibilityRule(
        "CNIVersionUnspoken",
        "warning",
        f"metadata.annotations[{nad.CNI_VERSION}]",
        versions.list_version,
    ),
    CompatibilityRule(
        "CustomVersionUnspoken", "warning", "spec.customCNI", versions.custom_version
    ),
    CompatibilityRule("CustomCoordinator", "warning", "spec.customCNI", texts.custom_coordinator),
    CompatibilityRule("SameAddress", "notice", "spec.ipam.type", addressing.same_address),
    CompatibilityRule("TrunkOverlap", "notice", "spec.ovs.trunk", links.trunk_overlap),
    CompatibilityRule("PoolsUnused", "notice", "spec.{network}.ippools", addressing.unused_pools),
    CompatibilityRule("UnusedWithCustom", "notice", "spec", texts.no_effect_with_custom),
    CompatibilityRule(
        "PodCIDRTypeUnused", "notice", f"{_SETTINGS}.podCIDRType", settings.no_effect_of_type
    ),
    CompatibilityRule(
        "LinkAddressUnused",
        "notice",
        f"{_SETTINGS}.vethLinkAddress",
        settings.no_effect_of_address,
    ),
)


def subject_of(
    spec: SpiderMultusConfigSpec,
    cluster: ClusterConfig | None,
    ipam: ClusterIPAM | None = None,
    *,
    cni_version: str = "",
) -> Subject:
    """What rules look at: a network, and what is known of the cluster."""
    effective = effective_settings(cluster, spec.coordinator)
    around = ipam or ClusterIPAM()
    families = pod_families(spec, around.default)
    return Subject(spec, cluster, effective, families, around, cni_version)


def network_warnings(subject: Subject, *, notices: bool = False) -> list[FieldWarning]:
    """The warnings of a network that `core.network.validation` found nothing wrong with.

    Args:
        subject: The network.
        notices: Whether what merely has no effect is told, too.
    """
    return [*_by_rules(subject, notices=notices), *_of_own_settings(subject)]


def _by_rules(subject: Subject, *, notices: bool) -> Iterator[FieldWarning]:
    network = NETWORK_OF.get(subject.spec.cni_type, "customCNI")
    rendered = subject.spec.network is not None
    ipam = "spec.ipam" if rendered else "spec.customCNI"
    text = "chainCNIJsonData" if rendered else "customCNI"
    for rule in COMPATIBILITY_RULES:
        if notices or rule.severity == "warning":
            message = rule.judge(subject)
            if message is not None:
                field = rule.field.format(network=network, ipam=ipam, text=text)
                yield FieldWarning(rule.reason, field, message)


def _of_own_settings(subject: Subject) -> Iterator[FieldWarning]:
    """What the SpiderCoordinator sets is warned of there."""
    own = subject.spec.coordinator
    if own is None or not subject.coordinated:
        return
    around = Surroundings(
        subject.effective.get("pod_cidr") or (),
        subject.effective.get("service_cidr") or (),
        tuple(route["gw"] for route in subject.effective.get("policy_routes") or ()),
    )
    address = own.veth_link_address or ""
    yield from link_address_warnings(
        address, f"{_SETTINGS}.vethLinkAddress", around, subject.families
    )
    yield from settings_warnings(own, _SETTINGS)
