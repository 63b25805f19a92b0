"""What to answer an API server that asks whether an object may be stored.

An extra to the CRD's rules: what a schema cannot see. What slips through, because no webhook ran,
shows in the object's status instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spidercoordinator.api import nad
from spidercoordinator.api.multus import SpiderMultusConfig, SpiderMultusConfigSpec
from spidercoordinator.core.checks.masters import NodeInterfaces, missing_masters
from spidercoordinator.core.coordinator.linkaddress import link_address_condition
from spidercoordinator.core.network.desired import wanted_nad
from spidercoordinator.core.network.ownership import Conflict, decide
from spidercoordinator.core.network.validation import Problem, annotation_path, find_problems, parse
from spidercoordinator.core.status.conditions import ConditionState

Thing = Mapping[str, Any]

KNOWN_IPAM: Final = frozenset(
    {"spiderpool", "whereabouts", "host-local", "dhcp", "static", "calico-ipam", "kube-ovn"}
)
UNBORN: Final = {"uid": "", "creationTimestamp": "9999"}
"""An object that is being created has neither yet; it comes after all that are there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer.

    Attributes:
        refusals: why the object may not be stored; empty when it may.
        warnings: what kubectl shows to the user in either case.
    """

    refusals: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def review_network(
    thing: Thing,
    before: Thing | None,
    *,
    rivals: Sequence[Thing],
    current: Thing | None,
    told: Collection[NodeInterfaces] = (),
) -> Answer:
    """A SpiderMultusConfig that is created (`before` is None) or changed.

    Args:
        thing: As it would be stored.
        before: As it is stored now.
        rivals: The other networks of the namespace that want the same NAD.
        current: The NAD of that name, if there is one.
        told: What is known of the nodes' interfaces.
    """
    if thing["metadata"].get("deletionTimestamp"):
        return Answer()
    # What was wrong before must not stand in the way of another change, or of a mend in steps.
    known = set(find_problems(before)) if before is not None else set()
    problems = [each for each in find_problems(thing) if each not in known]
    problems += _renamed(thing, before)
    if problems or known:
        return Answer(tuple(problems))
    config = parse({**thing, "metadata": {**UNBORN, **thing["metadata"]}})
    return Answer(tuple(_conflict(config, rivals, current)), tuple(_warnings(config.spec, told)))


def review_coordinator(thing: Thing) -> Answer:
    """A SpiderCoordinator: its rules are all in the CRD, so there are warnings only."""
    address = (thing.get("spec") or {}).get("vethLinkAddress") or ""
    return Answer(warnings=tuple(_doubts(address, "spec.vethLinkAddress")))


def _renamed(thing: Thing, before: Thing | None) -> list[Problem]:
    if before is None:
        return []
    old, new = (
        (each["metadata"].get("annotations") or {}).get(nad.CR_NAME) for each in (before, thing)
    )
    if new is None or new == old:
        return []
    message = (
        f'"{old or before["metadata"]["name"]}" cannot become "{new}": pods name the'
        " NetworkAttachmentDefinition; make another SpiderMultusConfig, or remove the annotation"
    )
    return [Problem(annotation_path(nad.CR_NAME), message)]


def _conflict(
    config: SpiderMultusConfig, rivals: Sequence[Thing], current: Thing | None
) -> list[Problem]:
    wanted = wanted_nad(config, None, default_ipam={}, coordinator_name="")
    decision = decide(wanted, current, rivals)
    # A NAD of others may be given to us later; a rival network will not go away by itself.
    if isinstance(decision, Conflict) and rivals:
        return [Problem("metadata.name", decision.message)]
    return []


def _warnings(spec: SpiderMultusConfigSpec, told: Collection[NodeInterfaces]) -> list[str]:
    found = [str(each) for each in missing_masters(spec, told)]
    if spec.coordinator and spec.coordinator.veth_link_address:
        address = spec.coordinator.veth_link_address
        found += _doubts(address, "spec.coordinator.vethLinkAddress")
    if spec.ipam and spec.ipam.type not in KNOWN_IPAM:
        found.append(
            f'spec.ipam.type: "{spec.ipam.type}" is no IPAM plugin known here; check that it is'
            " installed on the nodes"
        )
    if spec.cni_type == "custom" and (spec.coordinator or spec.chain_cni_json_data):
        found.append(
            "spec: coordinator and chainCNIJsonData have no effect with cniType custom; write"
            " them inside customCNI"
        )
    if spec.coordinator and spec.coordinator.pod_cidr_type:
        found.append("spec.coordinator.podCIDRType: has no effect here, only in SpiderCoordinator")
    return found


def _doubts(address: str, field: str) -> list[str]:
    verdict: ConditionState = link_address_condition(address)
    return [] if verdict.status else [f"{field}: {verdict.message}"]
