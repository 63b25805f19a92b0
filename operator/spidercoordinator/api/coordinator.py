"""The kind SpiderCoordinator, and the settings it shares with SpiderMultusConfig.spec.coordinator.

Each setting is described once, as an annotated type. SpiderMultusConfig uses them without defaults
(unset means: as in SpiderCoordinator), SpiderCoordinator gives the defaults.

An empty text or list in SpiderMultusConfig means the same as unset: Spiderpool's webhook stores
`""` in every object (pkg/multuscniconfig, setDefaults), and its plugin takes what is empty from the
cluster. `none` switches a text off.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from spidercoordinator.api.base import Model, ObjectMeta
from spidercoordinator.api.clusterrange import ClusterCIDR
from spidercoordinator.api.clusterstatus import PodCIDRTypeName, SpiderCoordinatorStatus
from spidercoordinator.api.kinds import GROUP
from spidercoordinator.api.rules import LIST_TYPE, Rule, Unique
from spidercoordinator.api.scalars import (
    CIDR,
    DefaultRouteInterface,
    GatewayIP,
    LinkAddress,
    MACPrefix,
    QueueLength,
    RouteTable,
    RPFilter,
    VethMTU,
    parse_ip,
    parse_network,
)

FINALIZER = GROUP

Mode = Annotated[
    Literal["auto", "underlay", "overlay", "disabled", "disable"],
    Field(
        description="How the plugin serves a pod. underlay: it adds a veth pair (veth0 in the pod)"
        " to the node. overlay: it relies on the pod's first interface, made by the cluster's own"
        " network. auto: it finds out for each pod. disabled (also written disable): it does"
        " nothing."
    ),
]
ModeOrInherited = Annotated[
    Literal["auto", "underlay", "overlay", "disabled", "disable", ""],
    Field(
        description="How the plugin serves a pod of this network; the modes are described in"
        " SpiderCoordinator. Empty: the SpiderCoordinator's."
    ),
]
PodCIDRType = Annotated[
    PodCIDRTypeName,
    Field(
        description="Where the pod CIDRs come from. cluster: the cluster's own configuration."
        " calico: Calico's IP pools. cilium: Cilium's configuration. none: there are none. auto:"
        " detected from what runs in the cluster."
    ),
]
PodCIDRTypeOrInherited = Annotated[
    Literal["auto", "cluster", "calico", "cilium", "none", ""],
    Field(
        description="Accepted for Spiderpool's sake, and without effect: where the pod CIDRs come"
        " from is the cluster's matter, see SpiderCoordinator."
    ),
]
PodCIDR = Annotated[
    tuple[ClusterCIDR, ...],
    Field(
        description="Pod CIDRs to use instead of the discovered ones, for clusters that do not"
        " publish theirs; each with its prefix length, such as 10.244.0.0/16.",
        max_length=64,
        strict=False,
    ),
    Unique(),
]
ServiceCIDR = Annotated[
    tuple[ClusterCIDR, ...],
    Field(
        description="Service CIDRs to use instead of the discovered ones, for clusters that do not"
        " publish theirs; each with its prefix length, such as 10.96.0.0/12.",
        max_length=64,
        strict=False,
    ),
    Unique(),
]
HijackCIDR = Annotated[
    tuple[CIDR, ...],
    Field(
        description="More destinations a pod reaches through its node, as addresses or CIDRs;"
        " 169.254.0.0/16 makes the node-local DNS cache work.",
        max_length=256,
        strict=False,
    ),
    Unique(),
]
PodMACPrefix = Annotated[
    MACPrefix,
    Field(
        description="First two octets of the MAC address of the pod's interface, such as 0a:1b;"
        " the other four are taken from its IP address. none: the MAC address is left alone. Empty:"
        " as in the SpiderCoordinator, and there as none."
    ),
]
TunePodRoutes = Annotated[
    bool,
    Field(
        description="Whether the routes of a pod with several interfaces are arranged so that"
        " answers leave through the interface the request came in by."
    ),
]
PodDefaultRouteNIC = Annotated[
    DefaultRouteInterface,
    Field(
        description="The interface of the pod that gets its default route. none: the one that has"
        " it keeps it. Empty: as in the SpiderCoordinator, and there as none."
    ),
]
HostRuleTable = Annotated[
    RouteTable,
    Field(description="Routing table on the node that holds the routes to pods."),
]
PodRPFilter = Annotated[
    RPFilter,
    Field(description="rp_filter inside the pod: 0 off, 1 strict, 2 loose; -1 leaves it alone."),
]
HostRPFilter = Annotated[
    RPFilter,
    Field(
        description="rp_filter of the plugin's interface on the node: 0 off, 1 strict, 2 loose;"
        " -1 leaves it alone."
    ),
]
TxQueueLen = Annotated[
    QueueLength,
    Field(description="Transmit queue length of the pod's interface; 0 leaves it alone."),
]
VethLinkAddress = Annotated[
    LinkAddress,
    Field(
        description="Address of veth0 in the pod, such as 169.254.100.1. A service mesh that"
        " redirects traffic needs one: without an address on veth0 the kernel drops what comes in"
        " by it. none: no address. Empty: as in the SpiderCoordinator, and there as none."
    ),
]
VethMTUSetting = Annotated[
    VethMTU,
    Field(description="MTU of veth0 and its peer. Unset: the smallest MTU on the path is found."),
]
DetectGateway = Annotated[
    bool,
    Field(description="Whether a pod fails to start when its gateway does not answer."),
]
DetectIPConflict = Annotated[
    bool,
    Field(description="Whether a pod fails to start when another machine answers for its address."),
]
Announce = Annotated[
    bool,
    Field(
        description="Whether gratuitous ARP and unsolicited neighbour advertisements tell the"
        " network the MAC address of a pod's interface when the pod starts, so that whoever knew an"
        " earlier owner of the address reaches the pod at once."
    ),
]


def _same_family(route: "PolicyRoute") -> bool:
    destination, gateway = parse_network(route.dst), parse_ip(route.gw)
    return destination is None or gateway is None or destination.version == gateway.version


class PolicyRoute(Model):
    """One static route."""

    rules: ClassVar = (
        Rule(
            cel="!(isIP(self.dst) || isCIDR(self.dst)) || !isIP(self.gw) || "
            "(isIP(self.dst) ? ip(self.dst).family() : cidr(self.dst).ip().family())"
            " == ip(self.gw).family()",
            holds=_same_family,
            message="dst and gw must be of the same family, both IPv4 or both IPv6",
            at="gw",
        ),
    )

    dst: Annotated[CIDR, Field(description="Destination: an address or a CIDR.")]
    gw: Annotated[GatewayIP, Field(description="Gateway: an address of the same family.")]


PolicyRoutes = Annotated[
    tuple[PolicyRoute, ...],
    Field(
        description="Static routes in the routing table of the interface the plugin runs for.",
        max_length=256,
        json_schema_extra={LIST_TYPE: "atomic"},
        strict=False,
    ),
]


class CoordinatorSettings(Model):
    """Settings of the coordinator plugin; what is unset is taken from the SpiderCoordinator."""

    mode: ModeOrInherited | None = None
    pod_cidr_type: PodCIDRTypeOrInherited | None = None
    pod_cidr: PodCIDR | None = None
    service_cidr: ServiceCIDR | None = None
    hijack_cidr: HijackCIDR | None = None
    policy_routes: PolicyRoutes | None = None
    pod_mac_prefix: PodMACPrefix | None = None
    tune_pod_routes: TunePodRoutes | None = None
    pod_default_route_nic: PodDefaultRouteNIC | None = None
    host_rule_table: HostRuleTable | None = None
    pod_rp_filter: PodRPFilter | None = None
    host_rp_filter: HostRPFilter | None = None
    tx_queue_len: TxQueueLen | None = None
    veth_link_address: VethLinkAddress | None = None
    veth_mtu: VethMTUSetting | None = None
    detect_gateway: DetectGateway | None = None
    detect_ip_conflict: DetectIPConflict | None = None
    announce: Announce | None = None


class SpiderCoordinatorSpec(CoordinatorSettings):
    """Cluster-wide settings of the coordinator plugin."""

    mode: Mode = "auto"
    pod_cidr_type: PodCIDRType = "auto"
    tune_pod_routes: TunePodRoutes = True
    host_rule_table: HostRuleTable = 500
    pod_rp_filter: PodRPFilter = 0
    tx_queue_len: TxQueueLen = 0
    detect_gateway: DetectGateway = False
    detect_ip_conflict: DetectIPConflict = False
    announce: Announce = True


class SpiderCoordinator(Model):
    """Cluster-wide settings of the coordinator plugin, and the pod and service CIDRs discovered.

    One object takes effect, by default the one named `default`.
    """

    metadata: ObjectMeta = ObjectMeta()
    spec: Annotated[SpiderCoordinatorSpec, Field(description="The desired state.")] = (
        SpiderCoordinatorSpec()
    )
    status: Annotated[SpiderCoordinatorStatus, Field(description="The observed state.")] = (
        SpiderCoordinatorStatus()
    )
