"""What a cluster lacks for an installation, from the objects as they were read.

It is asked before the chart is there, from anywhere with a kubeconfig, so it says also what cannot
be seen that way, and where to look for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api.objects import Object, mapping
from spidercoordinator.core.checks.diagnosis import Finding
from spidercoordinator.core.checks.whereabouts import reconciler_findings
from spidercoordinator.core.network.ipam import NO_SPIDERPOOL
from spidercoordinator.core.network.ipamkeys import WHEREABOUTS, unknown_key
from spidercoordinator.core.network.ipamsection import (
    broken,
    gateway_elsewhere,
    ignored_end,
    route_without_gateway,
)
from spidercoordinator.core.status.abridged import abridged

KUBERNETES: Final = (1, 31)
"""The oldest release that the chart takes (its kubeVersion)."""
KERNEL: Final = (4, 17)
"""The oldest Linux that the plugin takes (cni/internal/facts/kernel.go)."""
WHEREABOUTS_KIND: Final = "ippools.whereabouts.cni.cncf.io"

_REGISTRY: Final = "ghcr.io"
_REPOSITORIES: Final = {
    "operator": "spidercoordinator/operator",
    "installer": "spidercoordinator/cni",
}
"""Part of the chart → the repository of its image, unless a value says another."""
_UNPUBLISHED: Final = tuple(f"{_REGISTRY}/{each}" for each in _REPOSITORIES.values())
_SHOWN: Final = 3
_PLUGIN_FOLDERS: Final = {"+k3s": "/var/lib/rancher/k3s/data/cni", "-gke": "/home/kubernetes/bin"}
"""Part of a kubelet's version → where its distribution looks for CNI plugins."""


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster before the installation; None where something was not to be read.

    Attributes:
        version: the API server's, such as v1.34.4.
        nodes: Nodes.
        daemon_sets: DaemonSets of all namespaces.
        nad_kind: whether the kind NetworkAttachmentDefinition is served.
        spiderpool: whether Spiderpool's kinds are served.
        whereabouts: whether those of whereabouts are.
        reconciler: the ConfigMap with the schedule of its reconciler.
        kinds_of_others: our kinds, where their CRDs are there and not ours.
    """

    version: str
    nodes: Iterable[Object] | None
    daemon_sets: Iterable[Object] | None
    nad_kind: bool
    spiderpool: bool
    whereabouts: bool
    reconciler: Object | None = None
    kinds_of_others: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be installed.

    Attributes:
        default_ipam: the chart's defaultIPAM, empty for none.
        images: names of the images, with registry and tag or digest.
    """

    default_ipam: Mapping[str, Any]
    images: tuple[str, ...]


def planned(values: Mapping[str, Any], version: str) -> Plan:
    """What the chart makes of values that lie on top of its own.

    Args:
        values: As in a values file.
        version: The chart's appVersion, which is the images' tag where none is given.
    """
    registry = _part(values, "global").get("imageRegistryOverride")
    images = []
    for part, repository in _REPOSITORIES.items():
        image = _part(_part(values, part), "image")
        name = f"{registry or image.get('registry') or _REGISTRY}".rstrip("/")
        name = f"{name}/{image.get('repository') or repository}"
        digest = image.get("digest")
        images.append(f"{name}@{digest}" if digest else f"{name}:{image.get('tag') or version}")
    return Plan(_part(values, "defaultIPAM"), tuple(images))


def preflight(target: Target, plan: Plan) -> Iterator[Finding]:
    """Yield the findings in the order in which one works through them."""
    yield from _versions(target)
    yield from _multus(target)
    yield from _ipam(target, plan.default_ipam)
    yield from _others(target)
    yield from _plugins(target)
    yield from _images(target, plan)


def _versions(target: Target) -> Iterator[Finding]:
    if _number(target.version) < KUBERNETES:
        value = f"{target.version} is too old"
        yield Finding("ERROR", "Kubernetes", value, "the chart needs 1.31 or newer")
    old = [
        f"{_name(node)} ({kernel})"
        for node in target.nodes or ()
        if (kernel := _info(node).get("kernelVersion")) and _number(kernel) < KERNEL
    ]
    if old:
        advice = "the plugin needs Linux 4.17 or newer there"
        yield Finding("ERROR", "Linux", f"too old on {abridged(old, _SHOWN)}", advice)


def _multus(target: Target) -> Iterator[Finding]:
    if not target.nad_kind:
        value = "the API server does not have it, so Multus is not installed"
        advice = "install Multus: https://github.com/k8snetworkplumbingwg/multus-cni"
        yield Finding("ERROR", "kind NetworkAttachmentDefinition", value, advice)
    found = [each for each in target.daemon_sets or () if _runs(each, "multus")]
    yield from _not_everywhere(found)
    if target.nad_kind and target.daemon_sets is not None and not found:
        value = "no DaemonSet runs an image of it, though its kind is there"
        advice = "if nothing else puts it on the nodes, install it"
        yield Finding("WARNING", "Multus", value, advice)


def _ipam(target: Target, default: Mapping[str, Any]) -> Iterator[Finding]:
    what = "defaultIPAM"
    kind = str(default.get("type", ""))
    if not kind and not target.spiderpool:
        value = "is not set, and Spiderpool's IPAM is not installed"
        advice = "set it, such as defaultIPAM.type=whereabouts and defaultIPAM.range, or spec.ipam"
        yield Finding("WARNING", what, value, f"{advice} in each SpiderMultusConfig")
    if kind == "spiderpool" and not target.spiderpool:
        yield Finding("ERROR", what, "spiderpool", NO_SPIDERPOOL)
    if kind == WHEREABOUTS and not target.whereabouts:
        value = f"whereabouts, but the API server has no {WHEREABOUTS_KIND}"
        advice = "install whereabouts: https://github.com/k8snetworkplumbingwg/whereabouts"
        yield Finding("ERROR", what, value, advice)
    for judge in (broken, route_without_gateway, gateway_elsewhere, ignored_end, unknown_key):
        if message := judge(default):
            yield Finding("ERROR" if judge is broken else "WARNING", what, kind, message)
    if target.whereabouts:
        running = [each for each in target.daemon_sets or () if _runs(each, WHEREABOUTS)]
        yield from _not_everywhere(running)
    if kind == WHEREABOUTS and target.whereabouts:
        yield from reconciler_findings(target.reconciler)


def _others(target: Target) -> Iterator[Finding]:
    for each in target.daemon_sets or ():
        labels = each["metadata"].get("labels") or {}
        if labels.get("app.kubernetes.io/component") == "spiderpool-agent":
            value = "Spiderpool has a plugin and kinds of the same names"
            advice = "only one may have its coordinator: see docs/migration.md"
            yield Finding("WARNING", f"DaemonSet {_name(each)}", value, advice)
    for name in target.kinds_of_others:
        value = "is another version's, and helm does not replace CRDs"
        advice = "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -"
        yield Finding("WARNING", f"CRD {name}", value, advice)


def _plugins(target: Target) -> Iterator[Finding]:
    versions = {str(_info(node).get("kubeletVersion")) for node in target.nodes or ()}
    for part, folder in _PLUGIN_FOLDERS.items():
        if any(part in version for version in versions):
            value = "look for CNI plugins in a folder of their own"
            advice = f"install with global.cniBinHostPath={folder}"
            yield Finding("WARNING", f"nodes of {part[1:]}", value, advice)
    yield Finding(
        "UNSEEN",
        "CNI plugins on the nodes",
        "the main plugin of each cniType and the IPAM plugin must be there",
        "ls /opt/cni/bin on a node; it is `macvlan` for cniType macvlan, and `whereabouts`",
    )


def _images(target: Target, plan: Plan) -> Iterator[Finding]:
    present = {
        name
        for node in target.nodes or ()
        for image in (node.get("status") or {}).get("images") or ()
        for name in image.get("names") or ()
    }
    for name in plan.images:
        if name in present:
            continue
        if name.startswith(_UNPUBLISHED):
            value = "is in no public registry, and on no node"
            advice = "build it as README.md says, and name its registry in"
            yield Finding("ERROR", f"image {name}", value, f"{advice} global.imageRegistryOverride")
        else:
            advice = "the nodes pull it from there, or it is to be loaded onto them"
            yield Finding("NOTE", f"image {name}", "is on no node yet", advice)


def _not_everywhere(daemon_sets: Iterable[Object]) -> Iterator[Finding]:
    for each in daemon_sets:
        status = each.get("status") or {}
        desired, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
        if ready < desired or not desired:
            value = f"{ready} of {desired} pods are ready"
            advice = "kubectl describe its pods; networks need it on each node of their pods"
            yield Finding("ERROR", f"DaemonSet {_name(each)}", value, advice)


def _runs(daemon_set: Object, product: str) -> bool:
    """Whether it runs an image of the product, by the image's name: charts name objects freely."""
    spec = ((daemon_set.get("spec") or {}).get("template") or {}).get("spec") or {}
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return any(product in str(each.get("image", "")).rpartition("/")[2] for each in containers)


def _number(version: str) -> tuple[int, int]:
    """Major and minor; what cannot be read is not too old."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (99, 0)


def _info(node: Object) -> Mapping[str, Any]:
    return (node.get("status") or {}).get("nodeInfo") or {}


def _part(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return mapping(values.get(key))


def _name(given: Object) -> str:
    meta = given["metadata"]
    return "/".join(str(meta[key]) for key in ("namespace", "name") if meta.get(key))
