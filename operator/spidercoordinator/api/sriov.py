"""The models of the CNI types sriov and ib-sriov: networks on virtual functions."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spidercoordinator.api.networks import MTU_BEARS_IPV6, NO_MATCH_MASTER_SUBNET, NetworkSettings
from spidercoordinator.api.rules import Rule
from spidercoordinator.api.scalars import (
    LinkMTU,
    PartitionKey,
    ResourceName,
    TxRate,
    VlanID,
    VlanQoS,
)


class SriovNetwork(NetworkSettings):
    """Settings of cniType sriov."""

    rules: ClassVar = (
        MTU_BEARS_IPV6,
        Rule(
            cel="!has(self.minTxRateMbps) || !has(self.maxTxRateMbps) || self.maxTxRateMbps == 0"
            " || self.minTxRateMbps <= self.maxTxRateMbps",
            holds=lambda network: (
                not network.min_tx_rate_mbps
                or not network.max_tx_rate_mbps
                or network.min_tx_rate_mbps <= network.max_tx_rate_mbps
            ),
            message="minTxRateMbps must not be above maxTxRateMbps (0: unlimited)",
            at="minTxRateMbps",
        ),
        Rule(
            cel="!has(self.vlanQoS) || self.vlanQoS == 0 || (has(self.vlanID) && self.vlanID != 0)",
            holds=lambda network: not network.vlan_qos or bool(network.vlan_id),
            message="vlanQoS is a priority of frames in a VLAN, so it needs vlanID",
            at="vlanQoS",
        ),
    )

    resource_name: Annotated[
        ResourceName, Field(description="Device plugin resource that virtual functions come from.")
    ]
    vlan_id: Annotated[
        VlanID | None, Field(description="VLAN of the virtual function; 0: none.")
    ] = None
    mtu: Annotated[
        LinkMTU | None,
        Field(description="MTU of the pod's interface; unset or 0: left alone."),
    ] = None
    min_tx_rate_mbps: Annotated[
        TxRate | None, Field(description="Least transmit rate in Mbit/s; 0: none.")
    ] = None
    max_tx_rate_mbps: Annotated[
        TxRate | None, Field(description="Greatest transmit rate in Mbit/s; 0: unlimited.")
    ] = None
    rdma_isolation: Annotated[
        bool, Field(description="Whether the RDMA device moves into the pod (rdma plugin).")
    ] = False
    vlan_qos: Annotated[
        VlanQoS | None,
        Field(
            description="Priority (802.1p) of frames in the VLAN; needs vlanID.", alias="vlanQoS"
        ),
    ] = None
    spoofchk: Annotated[
        Literal["on", "off"] | None,
        Field(description="Whether frames with another source MAC are dropped; unset: left alone."),
    ] = None
    trust: Annotated[
        Literal["on", "off"] | None,
        Field(
            description="Whether the pod may change its MAC address and see all frames; unset: left"
            " alone."
        ),
    ] = None


class IBSriovNetwork(NetworkSettings):
    """Settings of cniType ib-sriov."""

    rules: ClassVar = (NO_MATCH_MASTER_SUBNET,)

    resource_name: Annotated[
        ResourceName, Field(description="Device plugin resource that virtual functions come from.")
    ]
    pkey: Annotated[
        PartitionKey | None, Field(description="InfiniBand partition key such as 0x8001.")
    ] = None
    link_state: Annotated[
        Literal["auto", "enable", "disable"],
        Field(description="Link state of the virtual function."),
    ] = "enable"
    rdma_isolation: Annotated[
        bool, Field(description="Whether the RDMA device moves into the pod.")
    ] = True
    enable_ib_kubernetes: Annotated[
        bool, Field(description="Whether ib-kubernetes manages the partition keys.")
    ] = False
