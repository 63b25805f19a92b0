"""The wire names are Spiderpool's: an object written for it means the same here."""

import pytest

from spidercoordinator.api.base import wire_name
from spidercoordinator.api.clusterstatus import SpiderCoordinatorStatus
from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.multus import SpiderMultusConfigSpec
from spidercoordinator.api.networks import (
    IPPools,
    MacvlanNetwork,
    VlanNetwork,
)
from spidercoordinator.api.ovs import OVSNetwork, TrunkItem
from spidercoordinator.api.sriov import IBSriovNetwork, SriovNetwork

NAMES = {
    SpiderCoordinatorSpec: "mode podCIDRType hijackCIDR policyRoutes podMACPrefix tunePodRoutes"
    " podDefaultRouteNIC hostRuleTable podRPFilter txQueueLen vethLinkAddress vethMTU"
    " detectGateway detectIPConflict hostRPFilter announce",
    SpiderCoordinatorStatus: "phase reason overlayPodCIDR serviceCIDR",
    SpiderMultusConfigSpec: "cniType macvlan ipvlan vlan sriov ibsriov ipoib ovs customCNI"
    " enableCoordinator disableIPAM coordinator chainCNIJsonData",
    MacvlanNetwork: "master mtu vlanID bond rdmaResourceName ippools",
    VlanNetwork: "vlanMode",
    IPPools: "ipv4 ipv6 matchMasterSubnet",
    SriovNetwork: "resourceName vlanID mtu minTxRateMbps maxTxRateMbps rdmaIsolation ippools",
    IBSriovNetwork: "resourceName pkey linkState rdmaIsolation enableIbKubernetes ippools",
    OVSNetwork: "bridge vlan trunk deviceID ippools",
    TrunkItem: "minID maxID id",
}


@pytest.mark.parametrize(
    ("model", "names"), NAMES.items(), ids=lambda it: getattr(it, "__name__", "")
)
def test_fields_have_the_peers_names(model: type, names: str) -> None:
    assert set(names.split()) <= {wire_name(name) for name in model.model_fields}  # type: ignore[attr-defined]
