"""Admission review: whether an object may be stored.

An extra to the CRD's rules: what a schema cannot see. What slips through, because no webhook ran,
shows in the object's status instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from spidercoordinator.api import nad as nad_api
from spidercoordinator.api.multus import SpiderMultusConfig, SpiderMultusConfigSpec
from spidercoordinator.api.objects import Object
from spidercoordinator.core.checks.masters import NodeInterfaces, missing_masters
from spidercoordinator.core.cidrs.ranges import doubtful
from spidercoordinator.core.coordinator.linkaddress import link_address_condition
from spidercoordinator.core.network.desired import desired_nad
from spidercoordinator.core.network.ownership import Conflict, decide
from spidercoordinator.core.network.validation import Problem, annotation_path, find_problems, parse

KNOWN_IPAM: Final = frozenset(
    {"spiderpool", "whereabouts", "host-local", "dhcp", "static", "calico-ipam", "kube-ovn"}
)
NOT_STORED: Final = {"uid": "", "creationTimestamp": "9999"}
"""An object that is being created has neither yet; it comes after all that are there."""


@dataclass(frozen=True, slots=True)
class Review:
    """The outcome of an admission review.

    Attributes:
        refusals: why the object may not be stored; empty when it may.
        warnings: what kubectl shows to the user in either case.
    """

    refusals: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def review_network(
    network: Object,
    old: Object | None,
    *,
    rivals: Sequence[Object],
    nad: Object | None,
    nodes: Collection[NodeInterfaces] = (),
) -> Review:
    """A SpiderMultusConfig that is created (`old` is None) or changed.

    Args:
        network: As it would be stored.
        old: As it is stored now.
        rivals: The other networks of the namespace that claim the same NAD.
        nad: The NAD of that name, if there is one.
        nodes: The interfaces that nodes reported.
    """
    if network["metadata"].get("deletionTimestamp"):
        return Review()
    # What was wrong before must not stand in the way of another change, or of a mend in steps.
    known = set(find_problems(old)) if old is not None else set()
    problems = [each for each in find_problems(network) if each not in known]
    problems += _renamed(network, old)
    if problems or known:
        return Review(tuple(problems))
    config = parse({**network, "metadata": {**NOT_STORED, **network["metadata"]}})
    return Review(tuple(_conflict(config, rivals, nad)), tuple(_warnings(config.spec, nodes)))


def review_coordinator(coordinator: Object) -> Review:
    """A SpiderCoordinator: its rules are all in the CRD, so there are warnings only."""
    spec = coordinator.get("spec") or {}
    address = spec.get("vethLinkAddress") or ""
    warnings = _link_address_warnings(address, "spec.vethLinkAddress")
    for field in ("podCIDR", "serviceCIDR"):
        warnings += _range_warnings(spec.get(field) or (), f"spec.{field}")
    return Review(warnings=tuple(warnings))


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


def _warnings(spec: SpiderMultusConfigSpec, nodes: Collection[NodeInterfaces]) -> list[str]:
    warnings = [str(each) for each in missing_masters(spec, nodes)]
    if spec.coordinator and spec.coordinator.veth_link_address:
        address = spec.coordinator.veth_link_address
        warnings += _link_address_warnings(address, "spec.coordinator.vethLinkAddress")
    if spec.coordinator:
        own = spec.coordinator
        warnings += _range_warnings(own.pod_cidr or (), "spec.coordinator.podCIDR")
        warnings += _range_warnings(own.service_cidr or (), "spec.coordinator.serviceCIDR")
    if spec.ipam and spec.ipam.type not in KNOWN_IPAM:
        warnings.append(
            f'spec.ipam.type: "{spec.ipam.type}" is no IPAM plugin known here; check that it is'
            " installed on the nodes"
        )
    if spec.cni_type == "custom" and (spec.coordinator or spec.chain_cni_json_data):
        warnings.append(
            "spec: coordinator and chainCNIJsonData have no effect with cniType custom; write"
            " them inside customCNI"
        )
    if spec.coordinator and spec.coordinator.pod_cidr_type:
        warnings.append(
            "spec.coordinator.podCIDRType: has no effect here, only in SpiderCoordinator"
        )
    return warnings


def _link_address_warnings(address: str, field: str) -> list[str]:
    condition = link_address_condition(address)
    return [] if condition.status else [f"{field}: {condition.message}"]


def _range_warnings(ranges: Iterable[object], field: str) -> list[str]:
    return [f"{field}: {doubt}" for each in ranges if (doubt := doubtful(str(each)))]
