"""The object of cniType ovs, with its trunk."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from spidercoordinator.api.base import Model
from spidercoordinator.api.networks import NO_MATCH_MASTER_SUBNET, NetworkSettings
from spidercoordinator.api.rules import LIST_TYPE, Rule
from spidercoordinator.api.scalars import BridgeName, PCIAddress, VlanID


def _trunk_item_holds(item: Any) -> bool:
    whole_range = item.min_id is not None and item.max_id is not None
    no_range = item.min_id is None and item.max_id is None
    return (item.id is not None and no_range) or (item.id is None and whole_range)


class TrunkItem(Model):
    """One VLAN, or one range of VLANs."""

    rules: ClassVar = (
        Rule(
            cel="has(self.id) ? !has(self.minID) && !has(self.maxID)"
            " : has(self.minID) && has(self.maxID)",
            holds=_trunk_item_holds,
            message="a trunk item has either id or both minID and maxID",
        ),
        Rule(
            cel="!has(self.minID) || !has(self.maxID) || self.minID <= self.maxID",
            holds=lambda item: (
                item.min_id is None or item.max_id is None or item.min_id <= item.max_id
            ),
            message="minID must not be above maxID",
            at="minID",
        ),
    )

    min_id: Annotated[VlanID | None, Field(description="First VLAN of a range.")] = None
    max_id: Annotated[VlanID | None, Field(description="Last VLAN of a range.")] = None
    id: Annotated[VlanID | None, Field(description="A single VLAN.")] = None


class OVSNetwork(NetworkSettings):
    """Settings of cniType ovs."""

    rules: ClassVar = (NO_MATCH_MASTER_SUBNET,)

    bridge: Annotated[BridgeName, Field(description="The Open vSwitch bridge.")]
    vlan: Annotated[
        VlanID | None, Field(description="VLAN of the port; unset without a trunk: untagged.")
    ] = None
    trunk: Annotated[
        tuple[TrunkItem, ...] | None,
        Field(
            description="VLANs the port carries with their tags.",
            max_length=64,
            json_schema_extra={LIST_TYPE: "atomic"},
            strict=False,
        ),
    ] = None
    device_id: Annotated[
        PCIAddress | None,
        Field(description="PCI address of a virtual function for hardware offload."),
    ] = None
