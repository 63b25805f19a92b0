"""The NAD desired for a SpiderMultusConfig: name, annotations, configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.coordinator import CoordinatorSettings
from spidercoordinator.api.kinds import API_VERSION, NETWORK_KIND
from spidercoordinator.api.multus import NO_OWN_MAC, SpiderMultusConfig, SpiderMultusConfigSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.api.scalars import OFF
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.section import coordinator_section
from spidercoordinator.core.network.ipam import lacks_ipam
from spidercoordinator.core.network.render import render_config

# kubectl's keys describe the object they are on, ours the NAD they are on.
_NOT_COPIED: Final = ("kubectl.kubernetes.io/", nad.OWN_PREFIX)
INJECTION_KEYS: Final = (nad.RDMA_INJECT, nad.NETWORK_INJECT)

_DEFAULTS: Final = SpiderMultusConfigSpec()


@dataclass(frozen=True, slots=True)
class DesiredNAD:
    """What a network's NAD should be.

    Attributes:
        namespace: of the network and its NAD.
        name: of the NAD.
        config: text of spec.config.
        annotations: those we write.
        owner: the owner reference to the network.
        created: when the network was made, RFC 3339.
        lacks_ipam: whether nothing gives its pods an address, which the configuration tells them.
    """

    namespace: str
    name: str
    config: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    lacks_ipam: bool = False

    @property
    def config_hash(self) -> str:
        """The configuration's hash, for status."""
        return config_hash(self.config)


def config_hash(config: str) -> str:
    """The hash of a NAD's configuration, for status."""
    return sha256(config.encode()).hexdigest()[:16]


def nad_name(network: Object) -> str:
    """The name of the NAD a network claims, also if the network is otherwise unusable."""
    meta = network["metadata"]
    annotations = meta.get("annotations") or {}
    return str(annotations.get(nad.CR_NAME) or meta["name"])


def list_version(annotations: Mapping[str, str]) -> str:
    """The CNI version of the list that is rendered for a network with these annotations."""
    return annotations.get(nad.CNI_VERSION) or nad.DEFAULT_CNI_VERSION


def owner_reference(meta: Mapping[str, Any]) -> Object:
    """The controller reference to a network. It does not block the network's deletion.

    Blocking would need the right to update the network's finalizers wherever
    OwnerReferencesPermissionEnforcement is on, and would gain nothing.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": NETWORK_KIND,
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def injected_labels(config: SpiderMultusConfig) -> dict[str, str]:
    """Labels that let a pod webhook find networks by what their annotations ask for."""
    annotations = config.metadata.annotations
    return {key: annotations[key] for key in INJECTION_KEYS if key in annotations}


def desired_nad(
    config: SpiderMultusConfig,
    cluster: ClusterConfig | None,
    *,
    default_ipam: Mapping[str, Any],
    coordinator_name: str,
) -> DesiredNAD:
    """The NAD of a network that `core.network.validation` found nothing wrong with."""
    meta = config.metadata
    name = meta.annotations.get(nad.CR_NAME) or meta.name
    rendered = render_config(
        config.spec,
        name=meta.annotations.get(nad.CNICONFIG_NAME) or name,
        cni_version=list_version(meta.annotations),
        section=coordinator_section(cluster, _settings(config.spec), name=coordinator_name),
        default_ipam=default_ipam,
    )
    annotations = {k: v for k, v in meta.annotations.items() if not k.startswith(_NOT_COPIED)}
    if rendered.resource:
        annotations[nad.RESOURCE_NAME] = rendered.resource
    return DesiredNAD(
        namespace=meta.namespace,
        name=name,
        config=rendered.config,
        annotations=annotations,
        owner=owner_reference({"name": meta.name, "uid": meta.uid}),
        created=meta.creation_timestamp,
        lacks_ipam=lacks_ipam(config.spec, default_ipam),
    )


def depends_on_cluster(network: SpiderMultusConfig | Object) -> bool:
    """Whether the network has a coordinator section, which comes from the SpiderCoordinator.

    An object that is not parsed, and may be unusable, counts as if its CRD's defaults were set.
    """
    if isinstance(network, SpiderMultusConfig):
        return network.spec.runs_coordinator
    spec = network.get("spec") or {}
    cni_type = spec.get("cniType", _DEFAULTS.cni_type)
    enabled = spec.get("enableCoordinator", _DEFAULTS.enable_coordinator)
    addressed = not spec.get("disableIPAM") or spec.get("chainCNIJsonData")
    return bool(enabled and cni_type != "custom" and addressed)


def _settings(spec: SpiderMultusConfigSpec) -> CoordinatorSettings | None:
    """The network's own settings, and what of the cluster's its type cannot have."""
    if spec.cni_type not in NO_OWN_MAC:
        return spec.coordinator
    return (spec.coordinator or CoordinatorSettings()).model_copy(update={"pod_mac_prefix": OFF})
