"""What a kind is called on the wire, and the kinds this project touches."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from spidercoordinator.api import kinds, nad
from spidercoordinator.api.objects import Object as Object  # noqa: PLC0414 - for those who import it from here


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version.

    Attributes:
        group: API group, empty for the core group.
        version: API version within the group.
        plural: name in URLs.
        kind: name in objects.
        namespaced: whether objects live in namespaces.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = False

    @property
    def api_version(self) -> str:
        """`group/version` as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full_name(self) -> str:
        """`plural.group`, the name kubectl and CRDs use."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """URL path of the collection, of one object, or of its subresource."""
        parts = [f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts.append(self.plural)
        parts.extend(quote(part, safe="") for part in (name, subresource) if part)
        return "/".join(parts)

    def describe(self, namespace: str = "", name: str = "") -> str:
        """How messages name the object: `ConfigMap kube-system/kubeadm-config`."""
        if not name:
            return f"{self.full_name}/{self.version}" + (f" in {namespace}" if namespace else "")
        return f"{self.kind} {namespace}/{name}" if namespace else f"{self.kind} {name}"


SPIDERCOORDINATORS = Resource(
    kinds.GROUP, kinds.VERSION, kinds.COORDINATOR_PLURAL, kinds.COORDINATOR_KIND
)
SPIDERMULTUSCONFIGS = Resource(
    kinds.GROUP, kinds.VERSION, kinds.NETWORK_PLURAL, kinds.NETWORK_KIND, True
)
NETWORK_ATTACHMENT_DEFINITIONS = Resource(
    nad.NAD_GROUP, nad.NAD_VERSION, nad.NAD_PLURAL, nad.NAD_KIND, True
)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"
)
VALIDATING_WEBHOOK_CONFIGURATIONS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
)
SECRETS = Resource("", "v1", "secrets", "Secret", True)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
PODS = Resource("", "v1", "pods", "Pod", True)
NODES = Resource("", "v1", "nodes", "Node")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", True)
SERVICES = Resource("", "v1", "services", "Service", True)
EVENTS = Resource("", "v1", "events", "Event", True)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True)
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True)
SERVICE_CIDRS_V1 = Resource("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR")
SERVICE_CIDRS_V1BETA1 = Resource("networking.k8s.io", "v1beta1", "servicecidrs", "ServiceCIDR")
CALICO_POOLS_V1 = Resource("crd.projectcalico.org", "v1", "ippools", "IPPool")
CALICO_POOLS_V3 = Resource("projectcalico.org", "v3", "ippools", "IPPool")
CALICO_BLOCKS = Resource("crd.projectcalico.org", "v1", "ipamblocks", "IPAMBlock")
CILIUM_POOLS_V2 = Resource("cilium.io", "v2", "ciliumpodippools", "CiliumPodIPPool")
CILIUM_POOLS_V2ALPHA1 = Resource("cilium.io", "v2alpha1", "ciliumpodippools", "CiliumPodIPPool")
CILIUM_NODES = Resource("cilium.io", "v2", "ciliumnodes", "CiliumNode")
OPENSHIFT_NETWORKS = Resource("config.openshift.io", "v1", "networks", "Network")
KUBE_OVN_SUBNETS = Resource("kubeovn.io", "v1", "subnets", "Subnet")
ANTREA_POOLS_V1BETA1 = Resource("crd.antrea.io", "v1beta1", "ippools", "IPPool")
ANTREA_POOLS_V1ALPHA2 = Resource("crd.antrea.io", "v1alpha2", "ippools", "IPPool")
K0S_CLUSTER_CONFIGS = Resource(
    "k0s.k0sproject.io", "v1beta1", "clusterconfigs", "ClusterConfig", True
)
AZURE_NODE_NETWORK_CONFIGS = Resource(
    "acn.azure.com", "v1alpha", "nodenetworkconfigs", "NodeNetworkConfig", True
)
