"""Whether vethLinkAddress is a wise choice: any address is accepted, some are doubtful."""

from __future__ import annotations

from typing import Final

from spidercoordinator.api.scalars import parse_ip
from spidercoordinator.core.status.conditions import ConditionState

OWNED: Final = {
    "169.254.169.254": "the metadata service of clouds",
    "169.254.170.23": "EKS Pod Identity",
    "169.254.7.127": "the health probes of Istio's ambient mode",
    "169.254.20.10": "the node-local DNS cache",
    "169.254.25.10": "the node-local DNS cache of Kubespray",
    "169.254.1.1": "the gateway Calico gives its pods",
}
"""Link-local addresses that pods use for something else, and for what."""

_TYPE: Final = "VethLinkAddress"


def link_address_condition(address: str, *, istio: bool = False) -> ConditionState:
    """The condition VethLinkAddress for a spec's value; empty means none.

    Args:
        address: the value.
        istio: whether Istio is installed, which needs one.
    """
    if not address and istio:
        text = (
            "Istio is installed and vethLinkAddress is not set: what reaches a mesh pod from its "
            "own node over IPv4 is dropped in the pod; set it to 169.254.100.1 here or in the "
            "networks of mesh pods, and restart these"
        )
        return ConditionState(_TYPE, status=False, reason="IstioNeedsIt", message=text)
    if not address:
        text = "veth0 bears no address; a mesh that redirects traffic in the pod needs one"
        return ConditionState(_TYPE, status=True, reason="Unset", message=text)
    parsed = parse_ip(address)
    if parsed is not None and str(parsed) in OWNED:
        text = (
            f"vethLinkAddress {address} belongs to {OWNED[str(parsed)]}, which pods can then not "
            "reach; choose another one from 169.254.0.0/16, such as 169.254.100.1"
        )
        return ConditionState(_TYPE, status=False, reason="AddressInUse", message=text)
    if parsed is None or not parsed.is_link_local:
        text = (
            f"vethLinkAddress {address} is not link-local; pods can then not reach the machine "
            "that has this address; choose one from 169.254.0.0/16 or fe80::/64"
        )
        return ConditionState(_TYPE, status=False, reason="NotLinkLocal", message=text)
    return ConditionState(_TYPE, status=True, reason="Set", message=f"veth0 bears {address}")
