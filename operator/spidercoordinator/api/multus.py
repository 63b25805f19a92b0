"""The kind SpiderMultusConfig: one network, from which one NetworkAttachmentDefinition is made."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spidercoordinator.api.base import Model, ObjectMeta, Status
from spidercoordinator.api.coordinator import CoordinatorSettings
from spidercoordinator.api.networks import (
    IPAM,
    Capabilities,
    IPoIBNetwork,
    IpvlanNetwork,
    MacvlanNetwork,
    NetworkSettings,
    VlanNetwork,
)
from spidercoordinator.api.ovs import OVSNetwork
from spidercoordinator.api.rules import LIST_TYPE, Rule
from spidercoordinator.api.scalars import OFF
from spidercoordinator.api.sriov import IBSriovNetwork, SriovNetwork

CNITypeName = Literal["macvlan", "ipvlan", "vlan", "sriov", "ovs", "ib-sriov", "ipoib", "custom"]

SPIDERPOOL = "spiderpool"
"""The IPAM plugin that ippools are of."""

# cniType → the property of spec that describes it. `custom` is described by customCNI.
NETWORK_OF: dict[str, str] = {
    "macvlan": "macvlan",
    "ipvlan": "ipvlan",
    "vlan": "vlan",
    "sriov": "sriov",
    "ib-sriov": "ibsriov",
    "ipoib": "ipoib",
    "ovs": "ovs",
}


def _needs(cni_type: str, key: str) -> Rule:
    return Rule(
        cel=f"self.cniType != '{cni_type}' || has(self.{key})",
        holds=lambda spec: spec.cni_type != cni_type or getattr(spec, key) is not None,
        message=f"cniType {cni_type} needs {key}: say what the network is made of",
        at=key,
        reason="FieldValueRequired",
    )


def _belongs(cni_type: str, key: str) -> Rule:
    return Rule(
        cel=f"self.cniType == '{cni_type}' || !has(self.{key})",
        holds=lambda spec: spec.cni_type == cni_type or getattr(spec, key) is None,
        message=f"{key} belongs to cniType {cni_type}: set cniType: {cni_type} (where it is missing"
        f" it is custom), or remove {key}",
        at=key,
        reason="FieldValueForbidden",
    )


_IPAM_OR_POOLS = Rule(
    cel="!has(self.ipam) || !("
    + " || ".join(f"(has(self.{key}) && has(self.{key}.ippools))" for key in NETWORK_OF.values())
    + ")",
    holds=lambda spec: spec.ipam is None or not (spec.network and spec.network.ippools),
    message="ipam and ippools exclude each other: ippools means Spiderpool's IPAM",
    at="ipam",
    reason="FieldValueForbidden",
)


NO_OWN_MAC = ("ipvlan", "ib-sriov", "ipoib")
"""Types whose interface takes no MAC address of Ethernet: an ipvlan link has that of its master, a
link of InfiniBand one of 20 octets."""


def _may_have_mac_prefix(spec: "SpiderMultusConfigSpec") -> bool:
    prefix = spec.coordinator.pod_mac_prefix if spec.coordinator else None
    return spec.cni_type not in NO_OWN_MAC or prefix in {None, "", OFF}


_MAC_PREFIX = Rule(
    cel=f"!(self.cniType in {list(NO_OWN_MAC)}) || !has(self.coordinator)"
    " || !has(self.coordinator.podMACPrefix)"
    f" || self.coordinator.podMACPrefix in ['', '{OFF}']",
    holds=_may_have_mac_prefix,
    message="podMACPrefix cannot work with cniType ipvlan, ib-sriov or ipoib, whose interfaces do"
    f' not take a MAC address of their own; remove it, or write "{OFF}"',
    at="coordinator.podMACPrefix",
    reason="FieldValueForbidden",
)


_CAPABILITIES_OF_MAIN = Rule(
    cel="!has(self.capabilities) || self.cniType != 'custom'",
    holds=lambda spec: spec.capabilities is None or spec.cni_type != "custom",
    message="capabilities has no effect with cniType custom; write it inside customCNI",
    at="capabilities",
    reason="FieldValueForbidden",
)
_OWN_MAC = Rule(
    cel=f"!(self.cniType in {list(NO_OWN_MAC)}) || !has(self.capabilities)"
    " || !self.capabilities.mac",
    holds=lambda spec: (
        spec.cni_type not in NO_OWN_MAC or spec.capabilities is None or not spec.capabilities.mac
    ),
    message="capabilities.mac cannot work with cniType ipvlan, ib-sriov or ipoib, whose interfaces"
    " do not take a MAC address of their own; remove it",
    at="capabilities.mac",
    reason="FieldValueForbidden",
)


def _vlan_comes_from_pools(spec: "SpiderMultusConfigSpec") -> bool:
    if spec.cni_type != "vlan" or spec.vlan is None or spec.vlan.vlan_mode != "auto":
        return True
    return not spec.disable_ipam and (spec.ipam is None or spec.ipam.type == SPIDERPOOL)


_VLAN_FROM_POOLS = Rule(
    cel="self.cniType != 'vlan' || !has(self.vlan) || self.vlan.vlanMode != 'auto'"
    f" || (!self.disableIPAM && (!has(self.ipam) || self.ipam.type == '{SPIDERPOOL}'))",
    holds=_vlan_comes_from_pools,
    message="vlanMode auto takes the VLAN from Spiderpool's IP pool, so it needs Spiderpool's IPAM;"
    " remove ipam and disableIPAM, or set vlanMode manual and vlanID",
    at="vlan.vlanMode",
)


class SpiderMultusConfigSpec(Model):
    """One network: its main plugin, its addresses, its coordinator, further plugins."""

    rules: ClassVar = (
        *(_needs(cni_type, key) for cni_type, key in NETWORK_OF.items()),
        *(_belongs(cni_type, key) for cni_type, key in NETWORK_OF.items()),
        Rule(
            cel="self.cniType == 'custom' || !has(self.customCNI) || self.customCNI == ''",
            holds=lambda spec: spec.cni_type == "custom" or not spec.custom_cni,
            message="customCNI belongs to cniType custom; remove it or change cniType",
            at="customCNI",
            reason="FieldValueForbidden",
        ),
        Rule(
            cel="!has(self.ipam) || self.cniType != 'custom'",
            holds=lambda spec: spec.ipam is None or spec.cni_type != "custom",
            message="ipam has no effect with cniType custom; write it inside customCNI",
            at="ipam",
            reason="FieldValueForbidden",
        ),
        Rule(
            cel="!has(self.ipam) || !self.disableIPAM",
            holds=lambda spec: spec.ipam is None or not spec.disable_ipam,
            message="ipam and disableIPAM exclude each other",
            at="ipam",
            reason="FieldValueForbidden",
        ),
        _IPAM_OR_POOLS,
        _CAPABILITIES_OF_MAIN,
        _OWN_MAC,
        _MAC_PREFIX,
        _VLAN_FROM_POOLS,
    )

    cni_type: Annotated[
        CNITypeName,
        Field(description="The main CNI plugin. custom: the text of customCNI as it is."),
    ] = "custom"
    macvlan: Annotated[MacvlanNetwork | None, Field(description="Settings of cniType macvlan.")] = (
        None
    )
    ipvlan: Annotated[IpvlanNetwork | None, Field(description="Settings of cniType ipvlan.")] = None
    vlan: Annotated[VlanNetwork | None, Field(description="Settings of cniType vlan.")] = None
    sriov: Annotated[SriovNetwork | None, Field(description="Settings of cniType sriov.")] = None
    ibsriov: Annotated[
        IBSriovNetwork | None, Field(description="Settings of cniType ib-sriov.")
    ] = None
    ipoib: Annotated[IPoIBNetwork | None, Field(description="Settings of cniType ipoib.")] = None
    ovs: Annotated[OVSNetwork | None, Field(description="Settings of cniType ovs.")] = None
    custom_cni: Annotated[
        str | None,
        Field(
            description="A CNI configuration or configuration list as JSON text (cniType custom)."
            " Empty: Multus looks for a configuration of the network's name on the node.",
            max_length=65536,
        ),
    ] = None
    enable_coordinator: Annotated[
        bool,
        Field(description="Whether the coordinator plugin runs for pods of this network."),
    ] = True
    coordinator: Annotated[
        CoordinatorSettings | None,
        Field(
            description="Settings of the coordinator plugin for this network; what is unset or"
            " empty is taken from the SpiderCoordinator."
        ),
    ] = None
    disable_ipam: Annotated[
        bool, Field(description="Whether pods get no address on this network.")
    ] = False
    ipam: Annotated[
        IPAM | None,
        Field(
            description="IPAM section of the main plugin, such as {type: whereabouts, ...};"
            " anything a CNI IPAM plugin takes. Unset: Spiderpool, or the operator's default.",
        ),
    ] = None
    capabilities: Annotated[
        Capabilities | None,
        Field(description="What a pod may ask for in the annotation k8s.v1.cni.cncf.io/networks."),
    ] = None
    chain_cni_json_data: Annotated[
        tuple[Annotated[str, Field(max_length=16384)], ...] | None,
        Field(
            description="Further plugins, each a JSON object with a type, run after the main one.",
            max_length=32,
            json_schema_extra={LIST_TYPE: "atomic"},
            strict=False,
        ),
    ] = None

    @property
    def runs_coordinator(self) -> bool:
        """Whether the coordinator is a plugin of the network.

        It fails at an interface without an address, so it is left out where there is none and no
        further plugin could give one.
        """
        if self.cni_type == "custom" or not self.enable_coordinator:
            return False
        return not self.disable_ipam or bool(self.chain_cni_json_data)

    @property
    def network(self) -> NetworkSettings | None:
        """The object that describes the main plugin; None with cniType custom."""
        key = NETWORK_OF.get(self.cni_type)
        return getattr(self, key) if key else None


class SpiderMultusConfigStatus(Status):
    """The observed state of the network."""

    nad: Annotated[
        str | None, Field(description="Name of the NetworkAttachmentDefinition made from this.")
    ] = None
    config_hash: Annotated[
        str | None,
        Field(description="Hash of the configuration in that object (SHA-256, first 16 digits)."),
    ] = None


class SpiderMultusConfig(Model):
    """One network for Multus, from which a NetworkAttachmentDefinition is made."""

    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[SpiderMultusConfigSpec, Field(description="The desired state.")] = (
        SpiderMultusConfigSpec()
    )
    status: Annotated[SpiderMultusConfigStatus, Field(description="The observed state.")] = (
        SpiderMultusConfigStatus()
    )
