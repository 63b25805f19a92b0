"""Admission review: whether an object may be stored.

An extra to the CRD's rules: what a schema cannot see. What slips through, because no webhook ran,
shows in the object's status instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.coordinator import SpiderCoordinatorSpec
from spidercoordinator.api.kinds import COORDINATOR_KIND, NETWORK_KIND
from spidercoordinator.api.multus import SpiderMultusConfig
from spidercoordinator.api.objects import Object, name_of
from spidercoordinator.core.checks.annotations import unknown_annotations
from spidercoordinator.core.checks.fields import dropped_fields
from spidercoordinator.core.cidrs.nodeaddresses import NodeAddresses
from spidercoordinator.core.coordinator.cluster import ClusterConfig
from spidercoordinator.core.coordinator.settings import coordinator_warnings
from spidercoordinator.core.network.compatibility import network_warnings, subject_of
from spidercoordinator.core.network.desired import desired_nad, list_version, nad_name
from spidercoordinator.core.network.ipam import NO_IPAM, ClusterIPAM, lacks_ipam
from spidercoordinator.core.network.linkuse import LinkIndex, link_uses, shared_link_warning
from spidercoordinator.core.network.nodecollisions import node_address_given, node_address_warning
from spidercoordinator.core.network.ownership import Conflict, decide
from spidercoordinator.core.network.sharing import (
    AddressPool,
    overlap_warning,
    pool_of,
    shared_range,
)
from spidercoordinator.core.network.validation import Problem, annotation_path, find_problems, parse
from spidercoordinator.core.nodes.findings import findings, shown_age
from spidercoordinator.core.nodes.fleet import Fleet
from spidercoordinator.core.nodes.needs import needs_of

KNOWN_IPAM: Final = frozenset(
    {"spiderpool", "whereabouts", "host-local", "dhcp", "static", "calico-ipam", "kube-ovn"}
)
NOT_STORED: Final = {"uid": "", "creationTimestamp": "9999"}
"""An object that is being created has neither yet; it comes after all that are there."""
_DOTTED: Final = (
    '{field}: Multus takes a name with a dot, such as "{name}", only in the JSON form of the'
    ' networks annotation, [{{"name": "{name}"}}]; pods that name it in the short form fail'
)
"""parsePodNetworkObjectName of pkg/k8sclient of multus-cni demands labels, by RFC 1123."""


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome of an admission review.

    Attributes:
        refusals: why the object may not be stored; empty when it may.
        warnings: what kubectl shows to the user in either case.
    """

    refusals: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def review_network(  # noqa: PLR0913 - all that the verdict depends on, most of it by keyword
    network: Object,
    old: Object | None,
    *,
    rivals: Sequence[Object],
    nad: Object | None,
    has_nad: bool = True,
    nodes: Fleet | None = None,
    cluster: ClusterConfig | None = None,
    ipam: ClusterIPAM | None = None,
    pools: Iterable[AddressPool] = (),
    node_addresses: NodeAddresses | None = None,
    links: LinkIndex | None = None,
) -> Review:
    """A SpiderMultusConfig that is created (`old` is None) or changed.

    What was taken before stays editable: only what the change makes worse is refused, and nothing
    where neither spec nor annotations change.

    Args:
        network: As it would be stored.
        old: As it is stored now.
        rivals: The other networks of the namespace that claim the same NAD.
        nad: The NAD of that name, if there is one.
        has_nad: Whether a NAD is made from this network. One without, as in a conflict of names,
            may get another name: no pod can name its NAD.
        nodes: What nodes reported of themselves, at any time; None for nothing.
        cluster: The effective SpiderCoordinator; None when there is none, or it is not known.
        ipam: What the cluster has of IPAM; None when that is not known.
        pools: What all networks give addresses from.
        node_addresses: The addresses of nodes; None when they are not known.
        links: What all networks make of links; None when that is not known.
    """
    if network["metadata"].get("deletionTimestamp") or _is_same(network, old):
        return Review()
    # What was wrong before must not stand in the way of another change, or of a mend in steps.
    known = set(find_problems(old)) if old is not None else set()
    problems = [each for each in find_problems(network) if each not in known]
    problems += _renamed(network, old) if has_nad else []
    if problems or known:
        return Review(tuple(problems))
    config = parse({**network, "metadata": {**NOT_STORED, **network["metadata"]}})
    # Who has lost a name before must be able to leave it.
    keeps_name = old is not None and nad_name(old) == nad_name(network)
    conflict = () if keeps_name else tuple(_conflict(config, rivals, nad))
    unread = map(str, unknown_annotations(network))
    warnings = [
        *_dropped(NETWORK_KIND, network),
        *unread,
        *_warnings(config, nodes, cluster, ipam),
        *_shared(network, pools, ipam, node_addresses),
        *_on_links(network, links),
    ]
    return Review(conflict, tuple(warnings))


def review_coordinator(
    coordinator: Object,
    old: Object | None = None,
    *,
    cluster: ClusterConfig | None = None,
    node_addresses: NodeAddresses | None = None,
) -> Review:
    """A SpiderCoordinator: its rules are all in the CRD, so there are warnings only.

    Args:
        coordinator: As it would be stored.
        old: As it is stored now, None when it is created.
        cluster: What is known of the cluster's CIDRs.
        node_addresses: The addresses of nodes; None when they are not known.
    """
    if _is_same(coordinator, old):
        return Review()
    try:
        spec = SpiderCoordinatorSpec.model_validate(coordinator.get("spec") or {})
    except ValidationError:
        return Review()  # an older CRD took it; the status says what is wrong
    dropped = _dropped(COORDINATOR_KIND, coordinator)
    cidrs = (cluster.overlay_pod_cidr, cluster.service_cidr) if cluster else ((), ())
    found = coordinator_warnings(spec, *cidrs, nodes=node_addresses or NodeAddresses())
    return Review(warnings=(*dropped, *map(str, found)))


def _dropped(kind: str, obj: Object) -> list[str]:
    """Fields that somebody wrote once and the API server dropped, as far as that can be seen."""
    return [f"{each}; the API server dropped it" for each in dropped_fields(kind, obj)]


def _is_same(given: Object, old: Object | None) -> bool:
    """Whether nothing changed but labels, finalizers and other metadata that decide nothing."""
    if old is None:
        return False
    annotations, before = (each["metadata"].get("annotations") or {} for each in (given, old))
    return bool(annotations == before and given.get("spec") == old.get("spec"))


def _renamed(network: Object, old: Object | None) -> list[Problem]:
    if old is None:
        return []
    old_name, name = (
        (each["metadata"].get("annotations") or {}).get(nad_api.CR_NAME) for each in (old, network)
    )
    if name is None or name == old_name:
        return []
    message = (
        f'"{old_name or old["metadata"]["name"]}" cannot become "{name}": pods name the'
        " NetworkAttachmentDefinition; make another SpiderMultusConfig, or remove the annotation"
    )
    return [Problem(annotation_path(nad_api.CR_NAME), message)]


def _conflict(
    config: SpiderMultusConfig, rivals: Sequence[Object], current: Object | None
) -> list[Problem]:
    desired = desired_nad(config, None, default_ipam={}, coordinator_name="")
    decision = decide(desired, current, rivals)
    # A NAD of others may be given to us later; a rival network will not go away by itself.
    if isinstance(decision, Conflict) and rivals:
        return [Problem("metadata.name", decision.message)]
    return []


def _shared(
    network: Object,
    pools: Iterable[AddressPool],
    ipam: ClusterIPAM | None,
    nodes: NodeAddresses | None,
) -> list[str]:
    """Addresses that another network gives as well, or a node has."""
    pool = pool_of(network, ipam.default if ipam else {}, linked=False)
    if pool is None:
        return []
    kind = str((network.get("spec") or {}).get("cniType"))
    found = []
    if message := shared_range(pool, pools):
        found.append(overlap_warning(message, kind))
    if message := node_address_given(pool.kind, pool.ranges, nodes or NodeAddresses()):
        found.append(node_address_warning(message, kind))
    return list(map(str, found))


def _on_links(network: Object, links: LinkIndex | None) -> list[str]:
    """A link of which another network makes something else."""
    if links is None:
        return []
    message = links.conflict(name_of(network), link_uses(network))
    kind = str((network.get("spec") or {}).get("cniType", "custom"))
    return [str(shared_link_warning(message, kind))] if message else []


def _dotted(config: SpiderMultusConfig) -> list[str]:
    """A name of a NAD that pods cannot write in the usual way."""
    given = config.metadata.annotations.get(nad_api.CR_NAME)
    name, field = given or config.metadata.name, annotation_path(nad_api.CR_NAME)
    if "." not in name:
        return []
    return [_DOTTED.format(field=field if given else "metadata.name", name=name)]


def _warnings(
    config: SpiderMultusConfig,
    nodes: Fleet | None,
    cluster: ClusterConfig | None,
    ipam: ClusterIPAM | None,
) -> list[str]:
    spec = config.spec
    version = list_version(config.metadata.annotations)
    subject = subject_of(spec, cluster, ipam, cni_version=version)
    warnings = []
    if nodes is not None:
        needs = needs_of(spec, ipam.default if ipam else None, cni_version=version)
        when = f"(as reported up to {shown_age(nodes.age)} ago)"
        warnings += [f"{each.warning} {when}" for each in findings(needs, nodes)]
    warnings += map(str, network_warnings(subject, notices=True))
    warnings += _dotted(config)
    if ipam is not None and lacks_ipam(spec, ipam.default):
        warnings.append(f"spec.ipam: {NO_IPAM}")
    if spec.ipam and spec.ipam.type not in KNOWN_IPAM:
        warnings.append(
            f'spec.ipam.type: "{spec.ipam.type}" is no IPAM plugin known here; check that it is'
            " installed on the nodes"
        )
    return warnings
